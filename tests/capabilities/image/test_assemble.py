"""Images assembled from files."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from safeconduct.capabilities.image.assemble import Base, Source, assemble
from safeconduct.capabilities.image.documents import find_image
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import sha256

FILES = {
    "app/server.py": (b"print('hi')\n", 0o644),
    "app/run.sh": (b"#!/bin/sh\n", 0o700),
    "app-x": (b"", 0o600),
    "é/" + "long/" * 40 + "name": (b"x", 0o644),
}
CREATED = 1_700_000_000


def build(files=FILES, **more):
    return assemble(
        [Source(files, "commit 1a2b")],
        created=CREATED,
        config={"Cmd": ["/app/run.sh"], "Env": ["A=b"]},
        annotations={"org.opencontainers.image.revision": "1a2b"},
        **more,
    )


class Memory:
    """An image's parts in memory."""

    def __init__(self, blobs: dict) -> None:
        self.blobs = dict(blobs)

    def manifest(self, digest: str) -> bytes:
        return self.blobs[digest]

    def blob(self, digest: str, limit: int) -> bytes:
        return self.blobs[digest]


def test_the_same_files_give_the_same_digest_in_any_order() -> None:
    assert build(dict(reversed(FILES.items()))) == build()


def test_the_digest_does_not_depend_on_process_zone_or_umask(tmp_path: Path) -> None:
    code = (
        "import sys, os; os.umask(0o077); sys.path.insert(0, sys.argv[1]); import importlib.util as u;"
        "s = u.spec_from_file_location('t', sys.argv[2]); m = u.module_from_spec(s); s.loader.exec_module(m);"
        "print(m.build().index.digest)"
    )
    for seed, zone in (("1", "Asia/Tokyo"), ("77", "America/Lima")):
        run = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parents[3] / "src"), __file__],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
            check=True,
        )
        assert run.stdout.strip() == build().index.digest


@pytest.mark.parametrize("change", ["content", "mode", "time", "config"])
def test_any_change_gives_another_digest(change: str) -> None:
    files = dict(FILES)
    if change == "content":
        files["app-x"] = (b"!", 0o600)
    if change == "mode":
        files["app-x"] = (b"", 0o755)
    other = assemble(
        [Source(files, "commit 1a2b")],
        created=CREATED + (change == "time"),
        config={"Cmd": ["/app/run.sh"], "Env": ["A=c" if change == "config" else "A=b"]},
        annotations={"org.opencontainers.image.revision": "1a2b"},
    )
    assert other.index.digest != build().index.digest


def test_only_whether_a_file_may_be_executed_counts_of_its_mode() -> None:
    same = {path: (data, 0o755 if mode & 0o111 else 0o604) for path, (data, mode) in FILES.items()}
    assert build(same) == build()


def test_the_archive_is_plain_sorted_and_owned_by_root() -> None:
    made = build()
    image = find_image(Memory(made.blobs), made.index.digest)
    layer = made.blobs[image.manifest.layers[0].digest]
    assert layer[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    archive = gzip.decompress(layer)
    assert image.diff_ids == (sha256(archive),)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = tar.getmembers()
        assert [m.name.encode() for m in members] == sorted(m.name.encode() for m in members)
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", CREATED)}
        assert {(m.isdir(), oct(m.mode)) for m in members} == {(True, "0o755"), (False, "0o755"), (False, "0o644")}
        for path, (data, _) in FILES.items():
            assert tar.extractfile(path).read() == data


def test_every_part_is_listed_under_its_own_digest_and_size() -> None:
    made = build()
    assert all(sha256(data) == digest for digest, data in made.blobs.items())
    assert len(made.blobs[made.index.digest]) == made.index.size
    index = json.loads(made.blobs[made.index.digest])
    assert index["manifests"][0]["digest"] == made.manifest.digest
    assert index["manifests"][0]["platform"] == {"os": "linux", "architecture": "amd64"}
    manifest = json.loads(made.blobs[made.manifest.digest])
    assert manifest["annotations"] == {"org.opencontainers.image.revision": "1a2b"}
    config = json.loads(made.blobs[manifest["config"]["digest"]])
    assert config["created"] == "2023-11-14T22:13:20Z"
    assert config["history"] == [{"created": config["created"], "created_by": "safeconduct build: commit 1a2b"}]
    assert config["config"] == {"Cmd": ["/app/run.sh"], "Env": ["A=b"]}
    assert made.compressor.startswith("zlib ")


def test_an_image_on_a_base_keeps_its_layers_and_names_it() -> None:
    below = build({"etc/os-release": (b"ID=x\n", 0o644)}, platform="linux/arm64")
    base_image = find_image(Memory(below.blobs), below.index.digest)
    base = Base(base_image.digest, base_image.manifest, base_image.config, "reg.example/base:1")
    made = build(base=base)
    image = find_image(Memory({**below.blobs, **made.blobs}), made.index.digest, platform="linux/arm64")
    assert image.manifest.layers[0] == base_image.manifest.layers[0]
    assert image.diff_ids[0] == base_image.diff_ids[0]
    assert len(image.config["history"]) == len(image.manifest.layers) == 2
    assert image.manifest.annotations["org.opencontainers.image.base.digest"] == base.digest
    assert made.base_layers == base_image.manifest.layers


def test_one_layer_for_each_source() -> None:
    made = assemble([Source({"a": (b"1", 0)}, "x"), Source({"b": (b"2", 0)}, "y")], created=0, compression="none")
    assert len(find_image(Memory(made.blobs), made.manifest.digest).diff_ids) == 2


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "", "a/", ".wh.a", "a/.wh..wh..opq", "a\nb", "a\0b", "a\\b",
     "a\udce9"],
)  # fmt: skip
def test_a_path_that_leads_out_or_is_ambiguous_is_refused(path: str) -> None:
    with pytest.raises(Refused, match="image-path"):
        build({path: (b"", 0o644)})


@pytest.mark.parametrize(("one", "two"), [("a/B", "a/b"), ("A/x", "a/y"), ("é", "e\u0301"), ("a", "a/b"), ("ß", "ss")])
def test_paths_that_meet_on_some_file_system_are_refused(one: str, two: str) -> None:
    with pytest.raises(Refused, match="image-path"):
        build({one: (b"1", 0o644), two: (b"2", 0o644)})
