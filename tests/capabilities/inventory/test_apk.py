"""apk's database."""

import re
import tarfile
from pathlib import Path

import pytest
import zstandard

from safeconduct.capabilities.inventory import apk
from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.purl import parse_purl

DATABASE = "lib/apk/db/installed"
SAMPLE = (Path(__file__).resolve().parents[2] / "cases/inventory/testdata/apk" / DATABASE).read_bytes()


def test_packages_name_their_origin_and_own_their_python_parts() -> None:
    metadata = "usr/lib/python3.11/site-packages/urllib3-1.26.15.dist-info/METADATA"
    found = read_tree(
        MemoryTree(
            {
                DATABASE: SAMPLE,
                "etc/os-release": b"ID=alpine\nVERSION_ID=3.18.4\n",
                metadata: b"Name: urllib3\nVersion: 1.26.15\n",
            }
        )
    )
    package = "pkg:apk/alpine/py3-urllib3@1.26.15-r0?arch=x86_64&distro=alpine-3.18.4&upstream=py-urllib3"
    assert [(c.purl, c.owner, c.licenses) for c in found.components] == [
        ("pkg:apk/alpine/musl@1.2.4-r1?arch=x86_64&distro=alpine-3.18.4", None, ("MIT",)),
        (package, None, ("MIT",)),
        ("pkg:pypi/urllib3@1.26.15", package, ()),
    ]
    assert found.edges == ((package, found.components[0].purl),)


@pytest.mark.parametrize("data", [b"this is no database", b"P:x\nA:y\n", b"\xff\xfe\0"])
def test_a_stanza_without_name_and_version_is_unread(data: bytes) -> None:
    assert apk.read(DATABASE, data).unread


def test_truncation_anywhere_never_crashes() -> None:
    for end in range(len(SAMPLE)):
        apk.read(DATABASE, SAMPLE[:end])


def test_real_databases_list_every_stanza(shared_data: Path) -> None:
    count = 0
    for name in ("tool-fixtures", "golden"):
        with (
            (shared_data / f"manifests/{name}.tar.zst").open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            databases = [tar.extractfile(m).read() for m in tar if m.name.endswith("/installed") and m.isfile()]
        for data in databases:
            text = data.decode()
            names, versions = (re.findall(rf"^{letter}:(.*)$", text, re.MULTILINE) for letter in "PV")
            expected = sorted(zip(names, versions, strict=True))
            found = read_tree(MemoryTree({DATABASE: data}))
            purls = [parse_purl(c.purl) for c in found.components]
            assert sorted((p.name, p.version) for p in purls) == expected
            count += 1
    assert count >= 13
