"""Go modules: ``go.mod``, the hashes of ``go.sum``, and what ``vendor/modules.txt`` says was vendored.

Source: Go Modules Reference, "go.mod files", "go.sum files", "Vendoring". The ``go`` line is a minimum, not the version
of the standard library that will be used, so it is no component.
"""

import re
from collections.abc import Iterator

import msgspec

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.reading import Reading, Sums, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Unread
from safeconduct.model.purl import Purl

READER = "go-mod"
VENDOR_READER = "go-vendor"
YIELDS = Yields(
    reader=READER,
    files=("go.mod", "go.sum"),
    ecosystem="golang",
    evidence="locked",
    hashes=True,
    direct=True,
    lines=True,
    note="hashes from the go.sum beside it; the format has no edges; before go 1.17 indirect modules are not listed",
)
VENDOR_YIELDS = Yields(
    reader=VENDOR_READER,
    files=("vendor/modules.txt",),
    ecosystem="golang",
    evidence="locked",
    lines=True,
)
NAMES = ("go.mod",)
SUM_NAMES = ("go.sum",)
VENDOR_NAME = "modules.txt"
_EXACT = 2
_LISTS_ALL = (1, 17)
_DIRECTIVE = re.compile(r"(module|go|require|replace|exclude|retract|tool|toolchain|godebug|ignore)\b\s*(.*)")
_GO = re.compile(r"(\d+)\.(\d+)")
_VERSION = re.compile(r"v\d+\.\d+\.\d+[\w.+-]*")
_SUM = re.compile(r"(\S+) (v\S+?)(/go\.mod)? (h1:[A-Za-z0-9+/]{43}=)")
_VENDORED = re.compile(r"# (\S+)(?: (v\S+))?(?: => (\S+)(?: (v\S+))?)?")


class Requirement(msgspec.Struct, frozen=True):
    """One required module, before replacements."""

    module: str
    version: str
    indirect: bool
    line: int


def go_purl(module: str, version: str = "") -> str:
    """Return the purl of a module; its path keeps its case, as the module proxy does."""
    namespace, _, name = module.rpartition("/")
    return str(Purl("golang", namespace, name, version))


def read(path: str, data: bytes) -> Reading:
    """Return the required modules, replacements applied; modules replaced by folders are the project's own."""
    lines = list(_lines(decode_text(data)))
    if not any(directive == "module" for _, directive, _ in lines):
        return not_read(path, "a go.mod without a module line")
    replaced = dict(_replacements(lines))
    go = next((found for _, name, rest in lines if name == "go" and (found := _GO.match(rest))), None)
    lists_all = go is not None and (int(go[1]), int(go[2])) >= _LISTS_ALL
    components = (
        _component(path, item, replaced, Presence.LOCKED if lists_all else Presence.DECLARED)
        for item in _requirements(lines)
    )
    return Reading(components=tuple(c for c in components if c is not None), unread=_broken(path, lines))


def _broken(path: str, lines: list[tuple[int, str, str]]) -> tuple[Unread, ...]:
    """Return the first line that is none of the file's, if any: what it required is not known."""
    for number, directive, rest in lines:
        if not directive or (directive == "require" and len(_words(rest)) != 2):  # noqa: PLR2004 - module and version
            return (Unread(f"{path}:{number}", "not a line of a go.mod that can be read"),)
    return ()


def _words(rest: str) -> list[str]:
    return [word.strip("\"'`") for word in rest.partition("//")[0].split()]


def read_sum(path: str, data: bytes) -> Reading:
    """Return the hashes of modules, for the go.mod in the same folder."""
    hashes: dict[str, str] = {}
    for line in decode_text(data).splitlines():
        found = _SUM.fullmatch(line.strip())
        # The hash of a module's go.mod alone says nothing about its content.
        if found and not found[3]:
            hashes[f"{found[1]} {found[2]}"] = found[4]
    return Reading(sums=(Sums(folder_of(path), {go_purl(*key.split(" ")): value for key, value in hashes.items()}),))


def read_vendor(path: str, data: bytes) -> Reading:
    """Return the modules of which packages are vendored."""
    components: list[Component] = []
    current: tuple[str, int] | None = None
    for number, line in enumerate(decode_text(data).splitlines(), 1):
        if found := _VENDORED.fullmatch(line.strip()):
            module, version = (found[3] or found[1], found[4] if found[3] else found[2])
            current = (go_purl(module, version), number) if version else None
        elif current and line.strip() and not line.startswith("#"):
            components.append(_made(path, VENDOR_READER, current[0], current[1], Presence.LOCKED, direct=None))
            current = None
    return Reading(components=tuple(components))


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, directive, rest) with blocks resolved; ``// indirect`` stays in the rest."""
    block = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("//"):
            continue
        if block:
            if line.startswith(")"):
                block = ""
            else:
                yield number, block, line
        elif found := _DIRECTIVE.fullmatch(line):
            if found[2].partition("//")[0].strip() == "(":
                block = found[1]
            else:
                yield number, found[1], found[2]
        else:
            yield number, "", line


def _requirements(lines: list[tuple[int, str, str]]) -> Iterator[Requirement]:
    for number, directive, rest in lines:
        comment, words = rest.partition("//")[2], _words(rest)
        if directive == "require" and len(words) == 2 and words[0]:  # noqa: PLR2004 - module and version
            yield Requirement(words[0], words[1], comment.strip().startswith("indirect"), number)


def _replacements(lines: list[tuple[int, str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (``module`` or ``module version``, (new module, new version)); a folder has no version."""
    for _, directive, rest in lines:
        old, arrow, new = rest.partition("//")[0].partition("=>")
        if directive == "replace" and arrow and new.split():
            words = [word.strip("\"'`") for word in new.split()]
            yield " ".join(old.split()), (words[0], words[1] if len(words) > 1 else "")


def _component(
    path: str, item: Requirement, replaced: dict[str, tuple[str, str]], presence: Presence
) -> Component | None:
    module, version = item.module, item.version
    new = replaced.get(f"{module} {version}") or replaced.get(module)
    if new is not None:
        module, version = new
        if not version or not module:
            return None
    if not _VERSION.fullmatch(version):  # a branch or commit: go writes the version there when it next runs
        purl = go_purl(module)
        return _made(path, READER, purl, item.line, Presence.UNRESOLVED, direct=not item.indirect, requirement=version)
    return _made(path, READER, go_purl(module, version), item.line, presence, direct=not item.indirect)


def _made(
    path: str,
    reader: str,
    purl: str,
    line: int,
    presence: Presence,
    *,
    direct: bool | None,
    requirement: str | None = None,
) -> Component:
    return Component(
        purl=purl,
        presence=presence,
        locations=(Location(path, reader, line),),
        direct=direct,
        requirement=requirement,
        grade=_EXACT if requirement is None else 1,
    )
