"""Programs built by Go: the modules that the linker wrote into them.

Source: Go source, ``debug/buildinfo`` (the inline form, since Go 1.18) and ``runtime/debug.ParseBuildInfo``.
"""

from collections.abc import Iterator

from safeconduct.capabilities.inventory import elf
from safeconduct.capabilities.inventory.go_modules import go_purl
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence
from safeconduct.model.purl import make_purl

READER = "go-binary"
YIELDS = Yields(
    reader=READER,
    files=("ELF programs without a file extension",),
    ecosystem="golang",
    evidence="installed",
    hashes=True,
    note="the standard library's version is Go's own; a main module without a version is left out",
)
HEAD = 16 * 1024
_MAGIC = b"\xff Go buildinf:"
_INLINE = 2
_HEADER, _ALIGN, _FENCE = 32, 16, 16
_SEARCHED = 1024 * 1024
_MOST_TEXT = 16 * 1024 * 1024
_EXACT, _HASHED = 2, 3
_NO_PROGRAMS = frozenset({"share", "doc", "include", "etc", "proc", "sys", "node_modules", "site-packages"}) | {
    "dist-packages",
    "terminfo",
    "zoneinfo",
    "licenses",
    "testdata",
}


def may_be_program(path: str) -> bool:
    """Return whether a file is worth a look at its first bytes: no extension, and not among data."""
    folder, _, name = path.rpartition("/")
    return "." not in name and _NO_PROGRAMS.isdisjoint(folder.split("/"))


def is_go(head: bytes) -> bool:
    """Return whether the first bytes are those of a program that Go linked."""
    if not head.startswith(elf.MAGIC):
        return False
    try:
        return any(b"Go\0\0" in note for note in elf.notes(head))
    except ValueError:
        return False


def read(path: str, data: bytes) -> Reading:
    """Return the standard library and the modules that a program was built from."""
    try:
        version, modules = _build_info(data)
    except ValueError as error:
        return not_read(path, f"a Go program whose build information cannot be read: {error}")
    place = Location(path, READER)
    found: list[Component] = []
    number = version.partition(" ")[0].removeprefix("go")
    if number[:1].isdigit():
        found.append(_component(make_purl("golang", "stdlib", number), "", place))
    for module, release, total in _modules(modules):
        if release and release != "(devel)" and module:
            found.append(_component(go_purl(module, release), total, place))
    return Reading(components=tuple(found))


def _build_info(data: bytes) -> tuple[str, str]:
    """Return Go's version and the module lines."""
    block = elf.section(data, b".go.buildinfo")
    if block is None:
        block = elf.writable_data(data)[:_SEARCHED]
    at = block.find(_MAGIC)
    while at > 0 and at % _ALIGN:
        at = block.find(_MAGIC, at + 1)
    if at < 0 or len(block) < at + _HEADER:
        raise ValueError("there is none")
    if not block[at + 15] & _INLINE:
        raise ValueError("it has the form from before Go 1.18")
    version, rest = _text(block, at + _HEADER)
    modules, _ = _text(block, rest)
    return version, modules[_FENCE:-_FENCE].lstrip("\ufffd") if len(modules) > 2 * _FENCE else ""


def _text(block: bytes, at: int) -> tuple[str, int]:
    length, shift = 0, 0
    while True:
        if at >= len(block) or shift > 28:  # noqa: PLR2004 - more than four bytes of seven bits is no length
            raise ValueError("a length is cut")
        byte = block[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            break
    if length > min(_MOST_TEXT, len(block) - at):
        raise ValueError("a text is longer than the file")
    return block[at : at + length].decode("latin-1"), at + length


def _modules(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (module, version, sum) of the main module and its dependencies, replacements applied."""
    current: tuple[str, str, str] | None = None
    for line in text.split("\n"):
        kind, *rest = line.split("\t")
        module, version, total = [*rest, "", "", ""][:3]
        if kind == "=>":
            current = (module, version, total)
        elif kind in {"mod", "dep"}:
            if current:
                yield current
            current = (module, version, total)
    if current:
        yield current


def _component(purl: str, total: str, place: Location) -> Component:
    hashes = (Hash("h1", total.removeprefix("h1:")),) if total.startswith("h1:") else ()
    return Component(
        purl=purl,
        presence=Presence.INSTALLED,
        locations=(place,),
        grade=_HASHED if hashes else _EXACT,
        hashes=hashes,
    )
