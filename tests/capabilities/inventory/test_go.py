"""Go modules and the programs made of them, held to ``go version -m``."""

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import go_binary, go_modules
from safeconduct.capabilities.inventory.tree import FolderTree, MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Presence

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"
MODULES = (
    "path\texample.com/shop\nmod\texample.com/shop\t(devel)\t\n"
    "dep\tgithub.com/BurntSushi/toml\tv1.3.2\th1:AAAA=\n"
    "dep\texample.com/old\tv1.0.0\n=>\texample.com/new\tv1.1.0\th1:BBBB=\nbuild\t-compiler=gc\n"
)


def program(version: str = "go1.21.3", modules: str = MODULES) -> bytes:
    """An ELF file with a Go note and build information, as small as the format allows."""
    fence = "0" * 16
    info = b"\xff Go buildinf:\x08\x02" + bytes(16)
    for text in (version, fence + modules + fence):
        value = len(text)
        while True:
            info += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
            value >>= 7
            if not value:
                break
        info += text.encode()
    names = b"\0.go.buildinfo\0.shstrtab\0"
    note = struct.pack("<III", 4, 4, 4) + b"Go\0\0abcd"
    body = note + bytes(-len(note) % 16) + info
    start = 64 + 56
    sections = start + len(body) + len(names)
    header = (
        b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, sections, 0, 64, 56, 1, 64, 3, 2)
    )
    segment = struct.pack("<IIQQQQQQ", 4, 4, start, 0, 0, len(note), len(note), 4)
    at = start + len(note) + (-len(note) % 16)
    rows = bytes(64)
    rows += struct.pack("<IIQQQQIIQQ", 1, 1, 3, 0, at, len(info), 0, 0, 16, 0)
    rows += struct.pack("<IIQQQQIIQQ", 15, 3, 0, 0, start + len(body), len(names), 0, 0, 1, 0)
    return header + segment + body + names + rows


def test_modules_with_replacements_hashes_and_lines() -> None:
    found = read_tree(FolderTree(CASES / "go-mod"))
    assert [(c.purl, c.direct, c.grade, c.locations[0].line) for c in found.components] == [
        ("pkg:golang/example.com/new@v1.1.0", True, 2, 9),
        ("pkg:golang/github.com/BurntSushi/toml@v1.3.2", True, 3, 5),
        ("pkg:golang/golang.org/x/text@v0.14.0", False, 2, 8),
    ]
    assert {c.presence for c in found.components} == {Presence.LOCKED}


def test_a_branch_is_no_version_and_old_files_do_not_list_all() -> None:
    old = go_modules.read("go.mod", b"module a\ngo 1.16\nrequire b v1.0.0\nrequire c.d/e main\n")
    assert [(c.purl, c.presence, c.requirement) for c in old.components] == [
        ("pkg:golang/b@v1.0.0", Presence.DECLARED, None),
        ("pkg:golang/c.d/e", Presence.UNRESOLVED, "main"),
    ]


def test_vendored_modules_count_when_packages_of_them_are_there() -> None:
    found = read_tree(FolderTree(CASES / "go-vendor"))
    assert [c.purl for c in found.components] == [
        "pkg:golang/example.com/new@v1.1.0",
        "pkg:golang/github.com/BurntSushi/toml@v1.3.2",
    ]
    data = (CASES / "go-vendor/vendor/modules.txt").read_bytes()
    assert read_tree(MemoryTree({"node_modules/x/vendor/modules.txt": data})).components == ()


def test_a_program_lists_the_modules_and_the_library_it_was_built_from() -> None:
    found = read_tree(MemoryTree({"app/server": program()}))
    assert [(c.purl, c.presence, c.grade) for c in found.components] == [
        ("pkg:golang/example.com/new@v1.1.0", Presence.INSTALLED, 3),
        ("pkg:golang/github.com/BurntSushi/toml@v1.3.2", Presence.INSTALLED, 3),
        ("pkg:golang/stdlib@1.21.3", Presence.INSTALLED, 2),
    ]


@pytest.mark.parametrize(
    ("path", "data"),
    [("app/server", b"\x7fELF" + bytes(100)), ("app/server", b"#!/bin/sh\n"), ("usr/share/x/server", program())],
)
def test_other_files_are_not_taken_for_programs_of_go(path: str, data: bytes) -> None:
    assert read_tree(MemoryTree({path: data})).components == ()


def test_build_information_of_another_form_is_unread() -> None:
    old = program().replace(b"buildinf:\x08\x02", b"buildinf:\x08\x00")
    assert "before Go 1.18" in read_tree(MemoryTree({"x": old})).unread[0].reason
    cut = program().replace(b"buildinf:", b"buildinx:")
    assert "there is none" in read_tree(MemoryTree({"x": cut})).unread[0].reason


def test_malformed_programs_never_crash_and_claim_no_gigabytes() -> None:
    data = program()
    source = random.Random(3)
    for _ in range(2_000):
        image = bytearray(data)
        for _ in range(source.randrange(1, 10)):
            image[source.randrange(len(image))] = source.choice((0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)))
        cut = bytes(image[: source.randrange(len(image))] if source.random() < 0.3 else image)
        go_binary.is_go(cut[: go_binary.HEAD])
        go_binary.read("x", cut)


def test_a_real_program_lists_what_go_lists(tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is missing: install it to compare with 'go version -m'")
    tool = Path(go).resolve().parent / "gofmt"
    program = tool if tool.exists() else Path(go).resolve()
    listed = subprocess.run([go, "version", "-m", str(program)], capture_output=True, text=True, timeout=60, check=True)
    lines = [line.split("\t")[1:] for line in listed.stdout.splitlines()[1:]]
    expected = {go_modules.go_purl(row[1], row[2]) for row in lines if row[0] == "dep"}
    expected.add(f"pkg:golang/stdlib@{listed.stdout.splitlines()[0].rpartition(': go')[2].split()[0]}")
    (tmp_path / "program").write_bytes(program.read_bytes())
    assert {c.purl for c in read_tree(FolderTree(tmp_path)).components} == expected
