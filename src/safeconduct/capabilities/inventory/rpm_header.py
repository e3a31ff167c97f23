"""RPM package headers: the index of tags and the store of values behind it.

Source: rpm documentation, "Package format", header; rpmtag.h for the tag numbers.
"""

import struct
from typing import NamedTuple

NAME, VERSION, RELEASE, EPOCH, VENDOR, LICENSE, ARCH = 1000, 1001, 1002, 1003, 1011, 1014, 1022
SOURCERPM, PROVIDENAME, REQUIRENAME = 1044, 1047, 1049
DIRINDEXES, BASENAMES, DIRNAMES, MODULARITY = 1116, 1117, 1118, 5096

_WANTED = frozenset(
    {NAME, VERSION, RELEASE, EPOCH, VENDOR, LICENSE, ARCH, SOURCERPM, PROVIDENAME, REQUIRENAME, DIRINDEXES, BASENAMES}
    | {DIRNAMES, MODULARITY}
)
_ENTRY = struct.Struct(">iIiI")
_INT32, _STRING, _STRINGS, _I18N = 4, 6, 8, 9
_MOST_ENTRIES = 65_536


class Header(NamedTuple):
    """The tags of one package that we use."""

    strings: dict[int, list[str]]
    numbers: dict[int, tuple[int, ...]]

    def text(self, tag: int) -> str:
        """Return a tag's first text, empty when it is absent."""
        found = self.strings.get(tag)
        return found[0] if found else ""

    def files(self) -> list[str]:
        """Return the paths of the package's files; entries whose folder is missing are left out."""
        folders = self.strings.get(DIRNAMES, [])
        names, indexes = self.strings.get(BASENAMES, []), self.numbers.get(DIRINDEXES, ())
        return [folders[i] + name for name, i in zip(names, indexes, strict=False) if 0 <= i < len(folders)]


def read_header(blob: bytes) -> Header:
    """Return the header that a database record holds.

    Raises:
        ValueError: its index or a value lies outside the record.
    """
    if len(blob) < 8:  # noqa: PLR2004 - two numbers of four bytes
        raise ValueError("shorter than a header's lengths")
    count, size = struct.unpack_from(">II", blob)
    start = 8 + count * _ENTRY.size
    if count > _MOST_ENTRIES or start + size > len(blob):
        raise ValueError("its index is longer than the record")
    store = blob[start : start + size]
    header = Header({}, {})
    for at in range(8, start, _ENTRY.size):
        tag, kind, offset, number = _ENTRY.unpack_from(blob, at)
        if tag not in _WANTED:
            continue
        if not 0 <= offset <= size or number > size:
            raise ValueError(f"the value of tag {tag} lies outside the record")
        if kind == _INT32:
            if offset + 4 * number > size:
                raise ValueError(f"the value of tag {tag} lies outside the record")
            header.numbers[tag] = struct.unpack_from(f">{number}I", store, offset)
        elif kind in {_STRING, _STRINGS, _I18N}:
            header.strings[tag] = _strings(store, offset, number)
    return header


def _strings(store: bytes, offset: int, number: int) -> list[str]:
    found = store[offset:].split(b"\0", number) if number < _MOST_ENTRIES * 16 else []
    if len(found) <= number:
        raise ValueError("a text does not end inside the record")
    return [text.decode("utf-8", "replace") for text in found[:number]]
