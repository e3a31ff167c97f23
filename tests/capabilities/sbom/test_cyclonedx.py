"""CycloneDX written and read."""

import json
import os
import random
import subprocess
import sys
import tarfile
from contextlib import suppress
from importlib import resources, util
from pathlib import Path

import jsonschema_rs
import pytest
import zstandard

from safeconduct.capabilities.sbom.cyclonedx import Subject, read, write
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.component import Component, Hash, Inventory, Location, Presence, Scope, Unread
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.limits import Limits

SUBJECT = Subject("checkout", "1.2.0", "container", "pkg:oci/checkout", sha256(b"image"))
TIME = "2026-11-23T10:00:00Z"
LAYER = Digest("sha256:" + "c" * 64)

FULL = Inventory(
    components=(
        Component(
            "pkg:docker/node",
            Presence.UNRESOLVED,
            (Location("Dockerfile", "dockerfile", 3),),
            scope=Scope.BUILD,
            direct=True,
            requirement="20 | 22",
            grade=1,
        ),
        Component(
            "pkg:npm/%40s/a@1.0.0",
            Presence.INSTALLED,
            (Location("é/package.json", "node-modules", None, LAYER), Location("package-lock.json", "npm-lock")),
            direct=False,
            grade=3,
            hashes=(Hash("blake9", "00"), Hash("sha512", "ab" * 64), Hash("sha512", "cd" * 64, "file")),
            licenses=("MIT OR Apache-2.0",),
            owner="pkg:deb/debian/node-a@1",
        ),
        Component("pkg:npm/b@2.0.0", Presence.LOCKED, (), scope=Scope.PEER, licenses=("MIT", "Dual License")),
        Component("pkg:npm/b@2.0.0", Presence.LOCKED, (), ref="pkg:npm/b@2.0.0#second", licenses=("Dual License",)),
    ),
    edges=(("pkg:npm/%40s/a@1.0.0", "pkg:npm/b@2.0.0"), ("pkg:npm/b@2.0.0", "pkg:npm/%40s/a@1.0.0")),
    unread=(Unread("yarn.lock", "a known format, but there is no reader for it yet"),),
    readers=("dockerfile", "node-modules", "npm-lock"),
)


def cdx(**more: object) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", **more}).encode()


def test_what_is_written_reads_back_as_it_was() -> None:
    assert read(write(FULL, SUBJECT, timestamp=TIME)) == FULL
    assert read(write(Inventory(), SUBJECT, timestamp=TIME)) == Inventory()


def test_the_same_input_gives_the_same_bytes_in_any_process() -> None:
    expected = write(FULL, SUBJECT, timestamp=TIME)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import importlib.util as u;"
        "s = u.spec_from_file_location('t', sys.argv[2]); m = u.module_from_spec(s); s.loader.exec_module(m);"
        "sys.stdout.buffer.write(m.write(m.FULL, m.SUBJECT, timestamp=m.TIME))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        run = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parents[3] / "src"), __file__],
            capture_output=True,
            env=environment,
            check=True,
        )
        assert run.stdout == expected


def test_any_change_gives_another_serial_number() -> None:
    serials = {
        json.loads(data)["serialNumber"]
        for data in (
            write(FULL, SUBJECT, timestamp=TIME),
            write(FULL, SUBJECT, timestamp="2026-11-23T10:00:01Z"),
            write(Inventory(), SUBJECT, timestamp=TIME),
        )
    }
    assert len(serials) == 3


def test_the_document_has_the_shape_that_readers_expect() -> None:
    bom = json.loads(write(FULL, SUBJECT, timestamp=TIME))
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.6", 1)
    root = bom["metadata"]["component"]
    assert root["hashes"] == [{"alg": "SHA-256", "content": SUBJECT.digest[7:]}]
    assert bom["metadata"]["timestamp"] == TIME
    assert bom["compositions"] == [{"aggregate": "incomplete", "assemblies": [root["bom-ref"]]}]
    a = bom["components"][1]
    assert (a["group"], a["name"], a["version"], a["scope"]) == ("@s", "a", "1.0.0", "required")
    assert a["hashes"] == [{"alg": "SHA-512", "content": "ab" * 64}]
    assert a["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert bom["components"][2]["licenses"] == [{"license": {"name": "MIT"}}, {"license": {"name": "Dual License"}}]
    assert bom["components"][3]["licenses"] == [{"license": {"name": "Dual License"}}]
    assert bom["dependencies"][0] == {"ref": root["bom-ref"], "dependsOn": ["pkg:docker/node"]}


def test_a_complete_inventory_is_written_as_complete() -> None:
    bom = json.loads(write(Inventory(FULL.components), SUBJECT, timestamp=TIME))
    assert bom["compositions"][0]["aggregate"] == "complete"


def test_the_subjects_reference_never_meets_a_components() -> None:
    bom = json.loads(write(FULL, Subject("b", "2.0.0", purl="pkg:npm/b@2.0.0"), timestamp=TIME))
    assert bom["metadata"]["component"]["bom-ref"] == "subject:pkg:npm/b@2.0.0"


def test_the_official_schema_accepts_what_is_written() -> None:
    """The schema files come with cyclonedx-python-lib, which is used for nothing else."""
    if util.find_spec("cyclonedx") is None:
        pytest.skip("cyclonedx-python-lib is not installed: it carries the official schema")
    folder = resources.files("cyclonedx.schema._res")
    names = ("bom-1.6", "spdx", "jsf-0.82")
    schemas = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8")) for name in names}
    base = "http://cyclonedx.org/schema/"
    registry = jsonschema_rs.Registry([(f"{base}{n}.SNAPSHOT.schema.json", s) for n, s in schemas.items()])
    validator = jsonschema_rs.validator_for(schemas["bom-1.6"], registry=registry)
    for inventory in (FULL, Inventory()):
        errors = [e.message for e in validator.iter_errors(json.loads(write(inventory, SUBJECT, timestamp=TIME)))]
        assert errors == []
    assert not validator.is_valid({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": 3})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"<bom/>",
        b"{",
        b"\xff\xfe",
        b'{"spdxVersion": "SPDX-2.3"}',
        b'{"bomFormat": "cyclonedx", "specVersion": "1.5"}',
        cdx(components=3),
        cdx(components=[{"type": "library", "name": 3}]),
        cdx(dependencies=[{"dependsOn": []}]),
        b'{"bomFormat":"CycloneDX","specVersion":"1.5","components":' + b'[{"components":' * 50_000,
    ],
)
def test_what_is_no_cyclonedx_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="not-an-sbom"):
        read(data)


def test_every_truncation_is_refused() -> None:
    whole = write(FULL, SUBJECT, timestamp=TIME)
    for length in range(0, len(whole), 7):
        with pytest.raises(Refused, match="not-an-sbom"):
            read(whole[:length])


@pytest.mark.parametrize("version", ["1.1", "1.8", "2.0"])
def test_a_version_that_we_do_not_know_is_could_not_tell(version: str) -> None:
    with pytest.raises(Undecided, match="sbom-version-unknown"):
        read(cdx(specVersion=version))


def test_a_document_beyond_the_limit_is_could_not_tell() -> None:
    with pytest.raises(Undecided, match="sbom-too-large"):
        read(cdx(), limits=Limits(sbom=10))


@pytest.mark.parametrize("more", [{}, {"components": []}, {"components": None}])
def test_no_components_is_an_inventory_without_any(more: dict) -> None:
    assert read(cdx(**more)) == Inventory()


def test_a_foreign_documents_components_are_claims() -> None:
    found = read(
        cdx(
            components=[
                {
                    "type": "library",
                    "name": "a",
                    "version": "1",
                    "bom-ref": "r1",
                    "purl": "pkg:pypi/Foo_Bar@1",
                    "hashes": [{"alg": "SHA-256", "content": "AB" * 32}, {"alg": "SHA-1", "content": "no"}],
                    "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Own"}}],
                    "scope": "excluded",
                    "evidence": {"occurrences": [{"location": "x/y", "line": 4}]},
                }
            ]
        )
    )
    assert found.components == (
        Component(
            "pkg:pypi/foo-bar@1",
            Presence.CLAIMED,
            (Location("x/y", "cyclonedx", 4),),
            ref="r1",
            scope=Scope.DEV,
            hashes=(Hash("sha256", "ab" * 32),),
            licenses=("MIT", "Own"),
        ),
    )


def test_a_version_is_taken_from_its_field_and_never_invented() -> None:
    found = read(
        cdx(
            components=[
                {"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a"},
                {"type": "library", "name": "b", "purl": "pkg:npm/b"},
            ]
        )
    )
    assert [(c.purl, c.presence) for c in found.components] == [
        ("pkg:npm/a@1", Presence.CLAIMED),
        ("pkg:npm/b", Presence.UNRESOLVED),
    ]


def test_a_package_without_a_purl_is_named_and_files_are_not_packages() -> None:
    parts = [
        {"type": "library", "name": "a", "version": "1"},
        {"type": "file", "name": "x"},
        {"type": "operating-system", "name": "debian"},
        {"type": "library", "name": "p", "purl": "no purl", "bom-ref": "p"},
    ]
    found = read(cdx(components=parts))
    assert found.components == ()
    assert [u.path for u in found.unread] == ["a@1", "p"]


def test_nested_components_and_circles_are_read() -> None:
    def part(name: str, *inside: dict) -> dict:
        return {"type": "library", "name": name, "purl": f"pkg:npm/{name}@1", "bom-ref": name, "components": [*inside]}

    found = read(
        cdx(
            metadata={"component": {"type": "application", "name": "x", "bom-ref": "root"}},
            components=[part("a", part("b", part("c"))), {"type": "application", "name": "lock", "bom-ref": "g"}],
            dependencies=[
                {"ref": "root", "dependsOn": ["g"]},
                {"ref": "g", "dependsOn": ["a", "g", "root"]},
                {"ref": "a", "dependsOn": ["c", "gone"]},
                {"ref": "c", "dependsOn": ["a"]},
            ],
        )
    )
    assert found.edges == (("a", "b"), ("a", "c"), ("b", "c"), ("c", "a"))
    assert [(c.ref, c.direct) for c in found.components] == [("a", True), ("b", None), ("c", False)]


def test_one_reference_for_two_components_is_named() -> None:
    parts = [{"type": "library", "name": n, "purl": f"pkg:npm/{n}@1", "bom-ref": "same"} for n in "ab"]
    found = read(cdx(components=parts))
    assert [c.purl for c in found.components] == ["pkg:npm/a@1"]
    assert "two components" in found.unread[0].reason


def test_a_document_that_calls_itself_incomplete_is() -> None:
    assert read(cdx(compositions=[{"aggregate": "incomplete"}])).unread
    assert not read(cdx(compositions=[{"aggregate": "complete"}])).unread


@pytest.mark.parametrize(
    ("name", "value"),
    [("grade", "9"), ("grade", "x"), ("presence", "maybe"), ("scope", ""), ("location", "{"), ("hash", "[]")],
)
def test_a_forged_property_of_ours_is_named(name: str, value: str) -> None:
    part = {
        "type": "library",
        "name": "a",
        "purl": "pkg:npm/a@1",
        "properties": [{"name": f"safeconduct:{name}", "value": value}],
    }
    found = read(cdx(components=[part]))
    assert found.components == ()
    assert len(found.unread) == 1


def test_damaged_copies_never_crash() -> None:
    whole = bytearray(write(FULL, SUBJECT, timestamp=TIME))
    for seed in range(2_000):
        random.seed(seed)
        copy = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            copy[random.randrange(len(copy))] = random.randrange(256)
        with suppress(Refused, Undecided):
            read(bytes(copy))


@pytest.mark.parametrize(("archive", "least"), [("wild", 11), ("examples", 312), ("conformance", 228)])
def test_documents_of_others_are_read_and_written_again(shared_data: Path, archive: str, least: int) -> None:
    read_count = 0
    with (
        (shared_data / f"sbom/{archive}.tar.zst").open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        for member in tar:
            data = tar.extractfile(member).read() if member.isfile() else b""
            with suppress(Refused, Undecided):
                found = read(data)
                read_count += 1
                assert read(write(found, SUBJECT, timestamp=TIME)) == found
    assert read_count >= least
