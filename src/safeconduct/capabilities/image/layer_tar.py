"""Layer archives, member by member: ustar, PAX and GNU long names, without ever seeking or unpacking to disk.

Source: POSIX.1-2017 pax interchange format; GNU tar manual, "Basic Tar Format"; OCI image layer specification.
"""

from collections.abc import Iterator

import msgspec

from safeconduct.capabilities.image.layer_stream import LayerStream, damaged

FILE, FOLDER, SYMLINK, HARDLINK, OTHER = "file", "folder", "symlink", "hardlink", "other"

_BLOCK = 512
_ZERO = bytes(_BLOCK)
_KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": HARDLINK, b"2": SYMLINK, b"5": FOLDER}
_WITHOUT_BODY = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
"""Links, devices and folders: whatever their size says, runtimes read no body (Go's archive/tar)."""
_SPARSE = b"S"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"
_LONGEST_HEADER = 1024 * 1024
_CHECKSUM = slice(148, 156)
_BINARY = 0x80


class Member(msgspec.Struct, frozen=True):
    """One entry of an archive; ``target`` is what a link names."""

    path: str
    kind: str
    size: int
    target: str = ""


def read_members(stream: LayerStream) -> Iterator[Member]:
    """Yield the members in their order; between two, the stream stands in the first one's body.

    Raises:
        Undecided: ``layer-unreadable`` when it is no tar archive or ends too early.
    """
    extra: dict[str, str] = {}
    common: dict[str, str] = {}
    while True:
        header = stream.take(_BLOCK)
        if not header or header == _ZERO:
            return
        if len(header) < _BLOCK or not _has_checksum(header):
            raise damaged("a tar header is cut off or has a wrong checksum")
        kind, size = header[156:157], _number(header[124:136])
        if kind == _SPARSE:
            raise damaged("an old GNU sparse file")
        if kind in {_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL}:
            body = _header_body(stream, size)
            _take_up(kind, body, extra, common)
            continue
        member = _member(header, kind, size, {**common, **extra})
        extra = {}
        end = stream.position + member.size + -member.size % _BLOCK
        yield member
        if kind not in _WITHOUT_BODY and member.kind != FOLDER:
            stream.skip(end - stream.position)


def _member(header: bytes, kind: bytes, size: int, extra: dict[str, str]) -> Member:
    name = extra.get("path") or _name(header)
    target = extra.get("linkpath") or _text(header[157:257])
    try:
        length = int(extra["size"]) if "size" in extra else size
    except ValueError as error:
        raise damaged("a PAX header gives a size that is no number") from error
    if length < 0:
        raise damaged("a negative size")
    word = _KINDS.get(kind, OTHER)
    return Member(name, FOLDER if word == FILE and name.endswith("/") else word, length, target)


def _name(header: bytes) -> str:
    name, prefix = _text(header[:100]), ""
    if header[257:263] == b"ustar\0":
        prefix = _text(header[345:500])
    return f"{prefix}/{name}" if prefix else name


def _take_up(kind: bytes, body: bytes, extra: dict[str, str], common: dict[str, str]) -> None:
    if kind == _LONG_NAME:
        extra["path"] = _text(body)
    elif kind == _LONG_LINK:
        extra["linkpath"] = _text(body)
    else:
        (extra if kind == _PAX else common).update(_pax(body))


def _pax(body: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(body):
        length, _, rest = body[position : position + 32].partition(b" ")
        if not length.isdigit() or not rest or int(length) <= len(length) + 1 or position + int(length) > len(body):
            raise damaged("a PAX header that cannot be read")
        record = body[position + len(length) + 1 : position + int(length)].removesuffix(b"\n")
        key, _, value = record.partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "backslashreplace")
        position += int(length)
    return found


def _header_body(stream: LayerStream, size: int) -> bytes:
    if size > _LONGEST_HEADER:
        raise damaged(f"an extended header of {size} bytes")
    body = stream.take(size)
    if len(body) < size:
        raise damaged("an extended header is cut off")
    stream.skip(-size % _BLOCK)
    return body


def _has_checksum(header: bytes) -> bool:
    try:
        written = int(header[_CHECKSUM].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    # The field itself counts as eight spaces.
    return written == sum(header) - sum(header[_CHECKSUM]) + 8 * 32


def _number(field: bytes) -> int:
    if field[0] & _BINARY:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise damaged("a size that is no octal number") from error


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")
