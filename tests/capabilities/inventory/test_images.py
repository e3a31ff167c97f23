"""Operating system packages and programs in the layers of an image."""

import gzip
import io
import struct
import tarfile

from safeconduct.capabilities.image.assemble import canonical
from safeconduct.capabilities.image.contents import ImageTree
from safeconduct.capabilities.image.documents import find_image
from safeconduct.capabilities.inventory import go_binary
from safeconduct.capabilities.inventory.readers import find_reader
from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory
from safeconduct.model.digest import sha256
from safeconduct.model.image import CONFIG, MANIFEST

LISTS = "var/lib/dpkg/info"
SITE = "usr/lib/python3/dist-packages"
BASE = b"Package: python3-six\nStatus: install ok installed\nVersion: 1.16-4\nArchitecture: all\n"
GIT = b"Package: git\nStatus: install ok installed\nVersion: 1:2.39-1\nArchitecture: amd64\n"


class Memory:
    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        self.blobs[sha256(data)] = data
        return sha256(data)

    def manifest(self, digest: str) -> bytes:
        return self.blobs[digest]

    def blob(self, digest: str, limit: int) -> bytes:
        return self.blobs[digest]


def layer(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, body in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def inventory_of(*layers: dict[str, bytes]) -> tuple[Inventory, list[str]]:
    memory, tars = Memory(), [layer(files) for files in layers]
    packed = [gzip.compress(tar) for tar in tars]
    config = canonical({"rootfs": {"diff_ids": [sha256(tar) for tar in tars]}})
    digests = [memory.put(data) for data in packed]
    parts = [{"mediaType": "x", "digest": d, "size": len(p)} for d, p in zip(digests, packed, strict=True)]
    about = {"mediaType": CONFIG, "digest": memory.put(config), "size": len(config)}
    manifest = memory.put(canonical({"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": parts}))
    tree = ImageTree(memory, find_image(memory, manifest), is_wanted=lambda path: find_reader(path) is not None)
    return read_tree(tree), digests


def test_each_package_is_attributed_to_the_layer_that_brought_its_files_and_owns_what_lies_there() -> None:
    base = {
        "usr/lib/os-release": b"ID=debian\nVERSION_ID=12\n",
        "var/lib/dpkg/status": BASE,
        f"{LISTS}/python3-six.list": f"/{SITE}/six-1.16.egg-info\n".encode(),
        f"{SITE}/six-1.16.egg-info": b"Name: six\nVersion: 1.16\n",
    }
    added = {"var/lib/dpkg/status": BASE + b"\n" + GIT, f"{LISTS}/git.list": b"/usr/bin/git\n"}
    found, (lower, upper) = inventory_of(base, added)
    assert [(c.purl.partition("?")[0], c.locations[0].layer, bool(c.owner)) for c in found.components] == [
        ("pkg:deb/debian/git@1:2.39-1", upper, False),
        ("pkg:deb/debian/python3-six@1.16-4", lower, False),
        ("pkg:pypi/six@1.16", lower, True),
    ]


def test_a_removed_package_is_gone_with_its_owner_but_its_leftover_stays() -> None:
    base = {
        "var/lib/dpkg/status": BASE,
        f"{LISTS}/python3-six.list": f"/{SITE}/six-1.16.egg-info\n".encode(),
        f"{SITE}/six-1.16.egg-info": b"Name: six\nVersion: 1.16\n",
    }
    top = {"var/lib/dpkg/status": b"\n", f"{LISTS}/.wh.python3-six.list": b""}
    found, _ = inventory_of(base, top)
    assert [(c.purl, c.owner) for c in found.components] == [("pkg:pypi/six@1.16", None)]


def test_a_large_program_is_looked_at_first_and_then_read_whole_from_the_stream() -> None:
    program = PROGRAM + bytes(3_000_000)
    alone = read_tree(MemoryTree({"app/server": program}))
    found, _ = inventory_of({"app/server": program, "app/other": b"\x7fELF" + bytes(3_000_000)})
    assert [c.purl for c in found.components] == [c.purl for c in alone.components] == ["pkg:golang/stdlib@1.22.1"]
    assert found.unread == ()


def _program() -> bytes:
    """A Go program without section names, found by its writable segment."""
    info = b"\xff Go buildinf:\x08\x02" + bytes(16) + b"\x08go1.22.1" + b"\x00"
    note = struct.pack("<III", 4, 4, 4) + b"Go\0\0abcd"
    start = 64 + 2 * 56
    body = note + bytes(-len(note) % 16) + info
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    at = start + len(note) + (-len(note) % 16)
    segments = struct.pack("<IIQQQQQQ", 4, 4, start, 0, 0, len(note), len(note), 4)
    segments += struct.pack("<IIQQQQQQ", 1, 6, at, 0, 0, len(info), len(info), 16)
    return header + segments + body


PROGRAM = _program()


def test_the_program_of_this_file_is_one_of_go() -> None:
    assert go_binary.is_go(PROGRAM)
