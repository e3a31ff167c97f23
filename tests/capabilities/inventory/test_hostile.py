"""Every reader meets bytes that are cut, mixed up or of the wrong types: never a crash, never a hang."""

import json
import random
import re
from pathlib import Path

import pytest

from safeconduct.capabilities.inventory.readers import find_reader

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"


def place_of(path: Path) -> str:
    return path.relative_to(CASES).as_posix().partition("/")[2]


FILES = sorted(path for path in CASES.rglob("*") if path.is_file() and find_reader(place_of(path)))


def plain(path: Path) -> bytes:
    return re.sub(rb"//[^\n\"]*\n|,(?=\s*[}\]])", b"", path.read_bytes())


def is_json(path: Path) -> bool:
    return plain(path).startswith(b"{")


VALUES: tuple[object, ...] = (
    None,
    True,
    3,
    "",
    "x",
    [],
    [None],
    {},
    {"": None},
    [[]],
    "\u0000",
    "a@b@c",
    "@",
    "https://",
)


def read(path: Path, data: bytes) -> None:
    reader = find_reader(place_of(path))
    assert reader is not None
    reader.read(place_of(path), data)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.relative_to(CASES).as_posix()) for path in FILES])
def test_no_reader_crashes(path: Path) -> None:
    data = path.read_bytes()
    source = random.Random(11)
    for end in range(0, len(data), max(1, len(data) // 60)):
        read(path, data[:end])
    for _ in range(60 if data else 0):
        image = bytearray(data)
        for _ in range(source.randrange(1, 8)):
            image[source.randrange(len(image))] = source.choice(b"\0\xff\"'{}[]:,@#\n 0aZ")
        read(path, bytes(image))
    read(path, bytes(source.randrange(256) for _ in range(2_000)))
    read(path, b"\xff\xfe" + data)
    read(path, b"")


@pytest.mark.parametrize("path", [pytest.param(p, id=p.relative_to(CASES).as_posix()) for p in FILES if is_json(p)])
def test_wrong_types_anywhere_never_crash(path: Path) -> None:
    document = json.loads(plain(path))
    for holder, key in places(document):
        kept = holder[key]
        for value in VALUES:
            holder[key] = value
            read(path, json.dumps(document).encode())
        holder[key] = kept


def places(value):
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])
