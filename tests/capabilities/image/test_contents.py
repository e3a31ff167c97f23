"""An image's files as a container sees them."""

import gzip
import io
import json
import random
import tarfile
from contextlib import suppress

import pytest
import zstandard

from safeconduct.capabilities.image.assemble import Source, assemble, canonical
from safeconduct.capabilities.image.contents import ImageTree
from safeconduct.capabilities.image.documents import find_image
from safeconduct.capabilities.inventory.readers import find_reader
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.digest import sha256
from safeconduct.model.image import CONFIG, DOCKER_MANIFEST, INDEX, MANIFEST
from safeconduct.model.limits import Limits


class Memory:
    """An image's parts in memory; reads are counted."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.reads: list[str] = []

    def put(self, data: bytes) -> str:
        self.blobs[sha256(data)] = data
        return sha256(data)

    def manifest(self, digest: str) -> bytes:
        return self.blobs[digest]

    def blob(self, digest: str, limit: int) -> bytes:
        self.reads.append(digest)
        return self.blobs[digest]


def layer(*members: tuple[str, object], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of (path, bytes | "->symlink" | "=>hard link" | None for a folder)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for path, body in members:
            info = tarfile.TarInfo(path)
            if body is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(body, str):
                info.type = tarfile.SYMTYPE if body.startswith("->") else tarfile.LNKTYPE
                info.linkname = body[2:]
            else:
                info.size = len(body)
            tar.addfile(info, io.BytesIO(body) if isinstance(body, bytes) else None)
    return out.getvalue()


def put_image(memory: Memory, *tars: bytes, pack=gzip.compress, diff_ids=None) -> str:
    packed = [pack(tar) for tar in tars]
    config = canonical({"rootfs": {"diff_ids": diff_ids or [sha256(tar) for tar in tars]}})
    return memory.put(
        canonical(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": memory.put(config), "size": len(config)},
                "layers": [{"mediaType": "x", "digest": memory.put(data), "size": len(data)} for data in packed],
            }
        )
    )


def files(*tars: bytes, memory: Memory | None = None, **more) -> dict[str, bytes]:
    memory = memory or Memory()
    image = find_image(memory, put_image(memory, *tars))
    return {entry.path: entry.read(10_000_000) for entry in ImageTree(memory, image, **more).entries()}


def test_upper_layers_win_and_whiteouts_remove() -> None:
    assert files(
        layer(("a", b"1"), ("b", b"1"), ("d/x", b"1"), ("d/y", b"1"), ("e/x", b"1"), ("f/g/h", b"1")),
        layer(("a", b"2"), (".wh.b", b""), ("d/.wh..wh..opq", b""), ("d/z", b"2"), (".wh.e", b""), ("e/n", b"2")),
        layer(("f/.wh.g", b""), ("b", b"3")),
    ) == {"a": b"2", "b": b"3", "d/z": b"2", "e/n": b"2"}


def test_a_folder_that_a_file_or_link_replaced_hides_what_was_below() -> None:
    assert files(
        layer(("d", None), ("d/x", b"1"), ("l/x", b"1"), ("k", b"1")),
        layer(("d", b"2"), ("l", "->/d"), ("k", None)),
        layer(("d", None), ("d/y", b"3")),
    ) == {"d/y": b"3"}


def test_whiteouts_of_one_layer_do_not_touch_its_own_files() -> None:
    assert files(layer(("a/x", b"1")), layer(("a/y", b"2"), ("a/.wh..wh..opq", b""), ("a/z", b"2"))) == {
        "a/y": b"2",
        "a/z": b"2",
    }


def test_hard_links_give_the_content_of_their_target() -> None:
    found = files(layer(("store/1", b"x"), ("a/package.json", "=>store/1"), ("b", "=>./store/1")))
    assert found == {"store/1": b"x", "a/package.json": b"x", "b": b"x"}


def test_links_are_followed_inside_the_image_and_never_out_of_it() -> None:
    found = files(
        layer(
            ("data/dpkg/status", b"s"), ("var/lib/dpkg", "->../../data/dpkg"), ("etc/x", "->../../../data/dpkg/status")
        ),
        layer(("loop", "->loop"), ("gone", "->nothing"), ("abs", "->/data/dpkg/status")),
    )
    assert found["etc/x"] == found["abs"] == found["data/dpkg/status"] == b"s"
    assert not {"loop", "gone"} & set(found)


def test_package_databases_are_found_through_linked_folders() -> None:
    memory = Memory()
    image = find_image(
        memory,
        put_image(
            memory, layer(("data/apk/db/installed", b"P:x"), ("lib", "->usr/lib"), ("usr/lib/apk", "->/data/apk"))
        ),
    )
    tree = ImageTree(memory, image, is_wanted=lambda path: find_reader(path) is not None)
    assert "usr/lib/apk/db/installed" in [u.path for u in read_tree(tree).unread]


def test_each_layer_is_read_once_unless_a_wanted_link_needs_it_again() -> None:
    memory = Memory()
    base, top = layer(("a", b"1"), ("b", "=>a")), layer(("c", b"2"))
    files(base, top, memory=memory, is_wanted=lambda _: False)
    assert len(memory.reads) == 3
    files(base, top, memory=memory, is_wanted=lambda path: path == "b")
    assert len(memory.reads) == 3 + 4


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress, bytes])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_all_forms_of_archives_are_read(pack, form: int) -> None:
    memory = Memory()
    content = {"p/" * 120 + "n": b"1", "é": b"2" * 3_000_000, "./x": b"3", "empty": b""}
    image = find_image(memory, put_image(memory, layer(*content.items(), form=form), pack=pack))
    found = {e.path: e.read(5_000_000) for e in ImageTree(memory, image).entries()}
    assert found == {path.removeprefix("./"): data for path, data in content.items()}


def test_several_gzip_members_are_one_stream() -> None:
    memory = Memory()
    tar = layer(("a", b"1"))
    image = find_image(
        memory, put_image(memory, tar, pack=lambda d: gzip.compress(d[:700]) + gzip.compress(d[700:]) + bytes(8))
    )
    assert [e.path for e in ImageTree(memory, image).entries()] == ["a"]


def test_components_are_placed_in_the_layer_that_brought_them() -> None:
    """A package replaced by a later layer is listed once, as it is now; a removed one is not."""
    memory = Memory()

    def package(name: str, version: str) -> bytes:
        return json.dumps({"name": name, "version": version}).encode()

    lodash, left = "app/node_modules/lodash/package.json", "app/node_modules/left/package.json"
    image = find_image(
        memory,
        put_image(
            memory,
            layer((lodash, package("lodash", "4.18.1")), (left, package("left", "1.0.0")), ("s/x", b"")),
            layer(("app/node_modules/.wh.lodash", b""), ("app/node_modules/.wh.left", b"")),
            layer((lodash, package("lodash", "4.17.20"))),
        ),
    )
    (found,) = read_tree(ImageTree(memory, image)).components
    assert found.purl == "pkg:npm/lodash@4.17.20"
    assert found.locations[0].layer == image.manifest.layers[2].digest


def test_an_assembled_image_reads_back_as_its_files() -> None:
    source = {"a/b": (b"1", 0o644), "c": (b"2" * 2_000_000, 0o755)}
    made = assemble([Source(source, "x")], created=0)
    memory = Memory()
    memory.blobs = dict(made.blobs)
    tree = ImageTree(memory, find_image(memory, made.index.digest))
    assert {e.path: e.read(3_000_000) for e in tree.entries()} == {path: data for path, (data, _) in source.items()}


def test_one_flipped_byte_anywhere_is_refused() -> None:
    made = assemble([Source({"a": (b"content", 0o644)}, "x")], created=0)
    for digest, data in made.blobs.items():
        for position in range(0, len(data), max(1, len(data) // 40)):
            memory = Memory()
            copy = bytearray(data)
            copy[position] ^= 1
            memory.blobs = {**made.blobs, digest: bytes(copy)}
            with pytest.raises(Refused, match="digest-mismatch"):
                list(ImageTree(memory, find_image(memory, made.index.digest)).entries())


def test_a_layer_that_unpacks_to_something_else_than_its_diff_id_is_refused() -> None:
    memory = Memory()
    image = find_image(memory, put_image(memory, layer(("a", b"1")), diff_ids=[sha256(b"other")]))
    with pytest.raises(Refused, match="digest-mismatch"):
        list(ImageTree(memory, image).entries())


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor(level=19).compress])
def test_a_bomb_is_could_not_tell(pack) -> None:
    memory = Memory()
    image = find_image(memory, put_image(memory, layer(("a", bytes(80_000_000))), pack=pack))
    with pytest.raises(Undecided, match="unpack-limit"):
        list(ImageTree(memory, image, limits=Limits(unpack_ratio=10)).entries())


def test_too_many_entries_are_could_not_tell() -> None:
    with pytest.raises(Undecided, match="unpack-limit"):
        files(layer(*[(str(n), b"") for n in range(20)]), limits=Limits(entries=10))


def test_a_layer_beyond_the_limit_is_could_not_tell() -> None:
    with pytest.raises(Undecided, match="layer-unreadable"):
        files(layer(("a", b"1")), limits=Limits(layer=10))


def test_paths_that_lead_out_or_stand_twice_are_named() -> None:
    memory = Memory()
    image = find_image(memory, put_image(memory, layer(("../out", b"1"), ("a", b"1"), ("./a", b"2"), ("/abs", b"3"))))
    tree = ImageTree(memory, image)
    assert [e.path for e in tree.entries()] == ["a", "a", "abs"]
    assert [u.path for u in tree.problems()] == ["../out", "a"]


def test_a_body_behind_a_link_cannot_hide_what_follows() -> None:
    """A size in a link's or folder's header is no body: readers that skip it would lose the next file."""
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE):
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "a"
        header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        header[124:136] = b"00000001000\0"
        header[148:156] = b"        "
        header[148:156] = b"%06o\0 " % sum(header)
        assert "next" in files(bytes(header) + layer(("next", b"1")), is_wanted=lambda _: False)


def test_damaged_archives_are_could_not_tell_and_never_crash() -> None:
    whole = layer(("a" * 150, b"1" * 700), ("d", None), ("l", "->a"), ("é", b"2"))
    memory = Memory()
    for seed in range(600):
        random.seed(seed)
        copy = bytearray(whole[: random.choice((len(whole), random.randrange(len(whole))))])
        for _ in range(random.randint(0, 3)):
            if copy:
                copy[random.randrange(min(len(copy), 4_000))] = random.randrange(256)
        tar = bytes(copy)
        for pack in (bytes, gzip.compress):
            image = find_image(memory, put_image(memory, tar, pack=pack))
            with suppress(Undecided):
                for entry in ImageTree(memory, image).entries():
                    with suppress(OSError):
                        entry.read(100)
    with pytest.raises(Undecided, match="layer-unreadable"):
        files(whole[:900])
    for pack in (gzip.compress, zstandard.ZstdCompressor().compress):
        image = find_image(memory, put_image(memory, whole, pack=lambda d, p=pack: p(d)[:-9]))
        with pytest.raises((Undecided, Refused)):
            list(ImageTree(memory, image).entries())


def test_an_index_gives_the_image_of_the_platform_asked_for() -> None:
    memory = Memory()
    entries = []
    for arch in ("amd64", "arm64"):
        digest = put_image(memory, layer(("a", arch.encode())))
        entries.append((digest, {"os": "linux", "architecture": arch}))
    entries.append((memory.put(b"{}"), {"os": "unknown", "architecture": "unknown"}))
    index = canonical(
        {
            "mediaType": INDEX,
            "manifests": [{"mediaType": MANIFEST, "digest": d, "size": 1, "platform": p} for d, p in entries],
        }
    )
    top = memory.put(index)
    assert find_image(memory, top, platform="linux/arm64").digest == entries[1][0]
    for platform in ("", "linux/s390x", "linux/arm"):
        with pytest.raises(Undecided, match="platform-unknown"):
            find_image(memory, top, platform=platform)


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b"[]",
        b'{"mediaType": "%s", "manifests": [], "layers": []}' % INDEX.encode(),
        b'{"mediaType": "%s", "manifests": [], "layers": []}' % DOCKER_MANIFEST.encode(),
        b'{"mediaType": "%s", "layers": 3}' % MANIFEST.encode(),
        b'{"manifests": [], "layers": []}',
        b'{"layers": [], "layers": []}',
        b"{",
    ],
)
def test_what_is_no_manifest_is_refused(document: bytes) -> None:
    memory = Memory()
    with pytest.raises(Refused, match=r"not-an-image|malformed-json"):
        find_image(memory, memory.put(document))


def test_an_index_that_lists_itself_ends() -> None:
    memory = Memory()
    inner = put_image(memory, layer(("a", b"1")))
    for _ in range(6):
        inner = memory.put(
            canonical({"mediaType": INDEX, "manifests": [{"mediaType": INDEX, "digest": inner, "size": 1}]})
        )
    with pytest.raises(Refused, match="not-an-image"):
        find_image(memory, inner)


def test_a_config_that_does_not_fit_its_manifest_is_refused() -> None:
    memory = Memory()
    with pytest.raises(Refused, match="not-an-image"):
        find_image(memory, put_image(memory, layer(("a", b"1")), diff_ids=["x", "y"]))


def test_a_header_with_a_wrong_checksum_is_could_not_tell() -> None:
    tar = bytearray(layer(("a", b"1")))
    tar[0] ^= 1
    with pytest.raises(Undecided, match="layer-unreadable"):
        files(bytes(tar))
