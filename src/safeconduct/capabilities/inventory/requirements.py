"""pip's requirements files: ``requirements*.txt`` and what they include.

Source: pip documentation, "Requirements File Format" and "Secure installs" (hash-checking mode). The ``# via``
comments that pip-compile and uv write give edges and tell direct from transitive.
"""

import posixpath
import re
from collections.abc import Iterator

import msgspec
from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.python_requirement import EXACT, HASHED, Wish, parse_wish
from safeconduct.capabilities.inventory.reading import Reading, Resolved, beside, folder_of
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence, Scope, Unread

READER = "requirements"
YIELDS = Yields(
    reader=READER,
    files=("requirements*.txt", "what they include"),
    ecosystem="pypi",
    evidence="declared/locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    lines=True,
    note='locked where a version has a hash; edges and directness from "# via" comments',
)
_HASH = re.compile(r"--hash[=\s]+(sha256|sha384|sha512):([0-9a-fA-F]+)")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s+|=|(?<=-[rc]))(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]+(\S.*)")
_COMMENT = re.compile(r"(?:^|\s)#(.*)$")
_OPTION = re.compile(r"\s--?[a-z][\w-]*(?:[=\s].*)?$")
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_DEV_NAME = re.compile(r"(?:^|[-_.])(?:dev|develop|development|tests?|testing|docs?|lint|ci|typing|mypy)(?:[-_.]|$)")
_MOST_UNREAD = 10
_CONTINUED = "\\"
_LOCAL = ("file:", ".", "/")


class Line(msgspec.Struct, frozen=True):
    """One logical line: continuations joined, the comments in and under it collected."""

    number: int
    text: str
    comments: tuple[str, ...]


def is_requirements(path: str) -> bool:
    """Return whether the name is one that pip users give to requirements files."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".txt"):
        return False
    return "requirements" in name or folder == "requirements" or folder.endswith("/requirements")


def read(path: str, data: bytes) -> Reading:
    """Return what a requirements file asks for; ranges stay unresolved, every line it cannot read is named."""
    return _File(path).read(decode_text(data))


def logical_lines(text: str) -> Iterator[Line]:
    """Yield lines with continuations joined; comments on the lines below a line belong to it."""
    line: Line | None = None
    joining = False
    for count, raw in enumerate(text.splitlines(), 1):
        comment = _COMMENT.search(raw)
        content = (raw[: comment.start()] if comment else raw).strip()
        if content and not joining:
            if line:
                yield line
            line = Line(count, "", ())
        if line is None:
            continue
        joined = f"{line.text} {content.removesuffix(_CONTINUED)}".strip()
        line = Line(line.number, joined, (*line.comments, comment[1].strip()) if comment else line.comments)
        if content or not comment:
            joining = content.endswith(_CONTINUED)
    if line:
        yield line


class _File:
    """What has been read of one requirements file so far."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._scope = Scope.DEV if _DEV_NAME.search(path.rpartition("/")[2].removesuffix(".txt")) else Scope.RUNTIME
        self._found: list[tuple[Component, Wish, tuple[str, ...]]] = []
        self._unread: list[Unread] = []
        self._includes: list[str] = []

    def read(self, text: str) -> Reading:
        """Return the reading of the whole text."""
        for line in logical_lines(text):
            self._line(line)
        keys = {wish.name: component.purl for component, wish, _ in self._found}
        compiled = any(via for *_, via in self._found)
        return Reading(
            components=tuple(_directness(component, via, compiled=compiled) for component, _, via in self._found),
            edges=tuple((keys[v], c.purl) for c, _, via in self._found for v in via if v in keys),
            unread=self._unread_lines(),
            resolved=self._resolved(),
            includes=tuple(self._includes),
        )

    def _unread_lines(self) -> tuple[Unread, ...]:
        # A text that is no requirements file at all needs one sentence, not one for each of its lines.
        rest = len(self._unread) - _MOST_UNREAD
        more = (Unread(self._path, f"{rest} further lines are not requirements that can be read"),) if rest > 0 else ()
        return (*self._unread[:_MOST_UNREAD], *more)

    def _line(self, line: Line) -> None:
        if include := _INCLUDE.fullmatch(line.text):
            self._include(line, include[1], include[2])
        elif editable := _EDITABLE.fullmatch(line.text):
            self._requirement(line, editable[1])
        elif not line.text.startswith("-"):
            self._requirement(line, line.text)

    def _include(self, line: Line, option: str, target: str) -> None:
        if option in {"-c", "--constraint"}:
            self._skip(line, f"the constraints file {target} is not applied: what it pins is listed as a range")
        elif "://" in target:
            self._skip(line, f"{target} lies outside the tree")
        else:
            self._includes.append(posixpath.normpath(beside(self._path, target)))

    def _requirement(self, line: Line, written: str) -> None:
        hashes = tuple(sorted({Hash(name, value.lower()) for name, value in _HASH.findall(written)}))
        plain = _HASH.split(written)[0] if hashes else written
        plain = _OPTION.sub("", plain).strip()
        try:
            wish = parse_wish(_named(plain))
        except ValueError as error:
            if not plain.startswith(_LOCAL):
                self._skip(line, f"not a requirement that can be read: {error}")
            return
        self._found.append((self._component(line, wish, hashes), wish, _via(line.comments)))

    def _component(self, line: Line, wish: Wish, hashes: tuple[Hash, ...]) -> Component:
        pinned = wish.grade == EXACT and bool(hashes)
        exact = Presence.LOCKED if pinned else Presence.DECLARED
        return Component(
            purl=wish.purl,
            presence=exact if wish.requirement is None else Presence.UNRESOLVED,
            locations=(Location(self._path, READER, line.number),),
            scope=self._scope,
            requirement=wish.requirement,
            grade=HASHED if pinned else wish.grade,
            hashes=hashes,
        )

    def _resolved(self) -> tuple[Resolved, ...]:
        """Return what a hashed file resolves of the ``pyproject.toml`` beside it, from which it was compiled."""
        pinned = frozenset((c.purl.partition("@")[0], "") for c, *_ in self._found if c.presence == Presence.LOCKED)
        return (Resolved(beside(self._path, "pyproject.toml"), pinned),) if pinned else ()

    def _skip(self, line: Line, reason: str) -> None:
        self._unread.append(Unread(f"{self._path}:{line.number}", reason))


def _named(written: str) -> str:
    """Return a bare URL with ``#egg=name`` in the form ``name @ URL``."""
    egg = _EGG.search(written)
    return f"{egg[1]} @ {written}" if egg and "://" in written and " @ " not in written else written


def _via(comments: tuple[str, ...]) -> tuple[str, ...]:
    """Return who asked, from ``# via a, b`` or a ``# via`` with one name a line; files stand as ``-r …``."""
    names: list[str] = []
    inside = False
    for comment in comments:
        if comment == "via" or comment.startswith("via "):
            inside, comment = True, comment[3:].strip()  # noqa: PLW2901 - the word itself is not a name
        if inside and comment:
            names += [part.strip() for part in comment.split(",")]
    return tuple(
        name if name.startswith("-") or "(" in name else canonicalize_name(name)
        for name in names
        if name and folder_of(name) != name
    )


def _directness(component: Component, via: tuple[str, ...], *, compiled: bool) -> Component:
    # Without "via" comments every line is what somebody asked for.
    asked = not compiled or any(name.startswith(("-r", "--")) or "(" in name for name in via)
    return msgspec.structs.replace(component, direct=asked)
