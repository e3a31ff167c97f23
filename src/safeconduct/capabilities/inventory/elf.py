"""ELF files, as far as the data that Go leaves in them: segments and sections.

Source: System V ABI, "Object Files"; every offset and count comes from the file and is held to its length.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"\x7fELF"
_MOST_PARTS = 4_096
_LOAD, _NOTE, _WRITABLE = 1, 4, 2


class Part(NamedTuple):
    """A segment or section: its name (sections only), and where it lies in the file."""

    name: bytes
    kind: int
    flags: int
    offset: int
    size: int


class _Layout(NamedTuple):
    is_64: bool
    order: str
    segments: tuple[int, int, int]
    sections: tuple[int, int, int]
    names: int


def _layout(data: bytes) -> _Layout:
    if not data.startswith(MAGIC) or data[4:5] not in {b"\1", b"\2"} or data[5:6] not in {b"\1", b"\2"}:
        raise ValueError("not an ELF file")
    is_64, order = data[4] == 2, "<" if data[5] == 1 else ">"  # noqa: PLR2004 - ELFCLASS64
    form, start = (f"{order}QQIHHHHHH", 32) if is_64 else (f"{order}IIIHHHHHH", 28)
    try:
        segments, sections, _, _, size, count, section_size, section_count, names = struct.unpack_from(
            form, data, start
        )
    except struct.error as error:
        raise ValueError("the header is cut") from error
    return _Layout(is_64, order, (segments, size, count), (sections, section_size, section_count), names)


def notes(head: bytes) -> Iterator[bytes]:
    """Yield the notes that lie in the first bytes of a file.

    Raises:
        ValueError: not an ELF file.
    """
    for part in _segments(head, _layout(head)):
        if part.kind == _NOTE:
            yield head[part.offset : part.offset + min(part.size, len(head))]


def writable_data(data: bytes) -> bytes:
    """Return the content of the first writable segment, empty when there is none.

    Raises:
        ValueError: not an ELF file.
    """
    for part in _segments(data, _layout(data)):
        if part.kind == _LOAD and part.flags & _WRITABLE:
            return data[part.offset : part.offset + part.size]
    return b""


def section(data: bytes, name: bytes) -> bytes | None:
    """Return the content of a section, None when the file has none of that name.

    Raises:
        ValueError: not an ELF file.
    """
    layout = _layout(data)
    parts = list(_sections(data, layout))
    if layout.names >= len(parts):
        return None
    table = parts[layout.names]
    names = data[table.offset : table.offset + table.size]
    for part in parts:
        at = part.flags
        if names[at : at + len(name) + 1] == name + b"\0":
            return data[part.offset : part.offset + part.size]
    return None


def _segments(data: bytes, layout: _Layout) -> Iterator[Part]:
    form = f"{layout.order}IIQQQQQQ" if layout.is_64 else f"{layout.order}IIIIIIII"
    for values in _rows(data, form, layout.segments):
        if layout.is_64:
            kind, flags, offset, _, _, size, *_ = values
        else:
            kind, offset, _, _, size, _, flags, _ = values
        yield Part(b"", kind, flags, offset, size)


def _sections(data: bytes, layout: _Layout) -> Iterator[Part]:
    form = f"{layout.order}IIQQQQ" if layout.is_64 else f"{layout.order}IIIIII"
    for name, kind, _, _, offset, size in _rows(data, form, layout.sections):
        yield Part(b"", kind, name, offset, size)


def _rows(data: bytes, form: str, where: tuple[int, int, int]) -> Iterator[tuple[int, ...]]:
    start, size, count = where
    if size < struct.calcsize(form):
        return
    for number in range(min(count, _MOST_PARTS)):
        at = start + number * size
        if at + struct.calcsize(form) > len(data):
            return
        yield struct.unpack_from(form, data, at)
