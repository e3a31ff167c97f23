"""``pyproject.toml``: what a Python project names itself.

Source: PyPA pyproject.toml specification, dependency groups (PEP 735), Poetry's own tables.
"""

from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import (
    Damaged,
    decode_text,
    decode_toml,
    items,
    strings,
    table,
    text,
)
from safeconduct.capabilities.inventory.python_requirement import EXACT, NONE, RANGE, Wish, parse_wish
from safeconduct.capabilities.inventory.reading import Asked, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope, Unread
from safeconduct.model.purl import make_purl

READER = "pyproject"
YIELDS = Yields(
    reader=READER,
    files=("pyproject.toml",),
    ecosystem="pypi",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
)
NAMES = ("pyproject.toml",)


def read(path: str, data: bytes) -> Reading:
    """Return the declared dependencies of all groups; only ``==`` carries a version."""
    try:
        document = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    source = decode_text(data)
    components: list[Component] = []
    unread: list[Unread] = []
    declared: list[tuple[str, str, Scope]] = []
    for written, scope in _requirements(document):
        try:
            wish = parse_wish(written)
            components.append(_component(path, wish, scope, _line_of(source, written)))
            declared += [(wish.name, "", scope)] if scope != Scope.BUILD else []
        except ValueError as error:
            unread.append(Unread(path, f"not a requirement that can be read: {error}"))
    found = list(_poetry(document))
    components += [_component(path, wish, scope, _line_of(source, wish.name)) for wish, scope in found]
    declared += [(wish.name, "", scope) for wish, scope in found]
    asked = (Asked("python", folder_of(path), tuple(name for name, *_ in declared), tuple(declared)),)
    return Reading(components=tuple(components), unread=tuple(unread), asked=asked if declared else ())


def _requirements(document: dict[str, Any]) -> Iterator[tuple[str, Scope]]:
    project = table(document.get("project"))
    yield from _texts(project.get("dependencies"), Scope.RUNTIME)
    for extra in table(project.get("optional-dependencies")).values():
        yield from _texts(extra, Scope.OPTIONAL)
    # A group may include another by a table; the other is listed under its own name.
    for group in table(document.get("dependency-groups")).values():
        yield from _texts(group, Scope.DEV)
    yield from _texts(table(document.get("build-system")).get("requires"), Scope.BUILD)


def _texts(value: Any, scope: Scope) -> Iterator[tuple[str, Scope]]:
    return ((item, scope) for item in items(value) if isinstance(item, str))


def _poetry(document: dict[str, Any]) -> Iterator[tuple[Wish, Scope]]:
    poetry = table(table(document.get("tool")).get("poetry"))
    yield from _poetry_table(poetry.get("dependencies"), Scope.RUNTIME)
    yield from _poetry_table(poetry.get("dev-dependencies"), Scope.DEV)
    for group in table(poetry.get("group")).values():
        yield from _poetry_table(table(group).get("dependencies"), Scope.DEV)


def _poetry_table(value: Any, scope: Scope) -> Iterator[tuple[Wish, Scope]]:
    for name, body in table(value).items():
        written = text(body) or text(table(body).get("version")) or _source(table(body))
        if name.lower() != "python" and "path" not in table(body):
            yield _poetry_wish(name, written), Scope.OPTIONAL if table(body).get("optional") else scope


def _source(body: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(strings(body).items()))


def _poetry_wish(name: str, written: str) -> Wish:
    # Poetry reads a bare version as a caret range in some places and as exact in others: only "==" is exact.
    if written.startswith("=="):
        try:
            return parse_wish(f"{name}{written}")
        except ValueError:
            pass
    purl = make_purl("pypi", name)
    return Wish(canonicalize_name(name), purl, written, NONE if written in {"", "*"} else RANGE)


def _component(path: str, wish: Wish, scope: Scope, line: int | None) -> Component:
    exact = wish.grade == EXACT and wish.requirement is None
    return Component(
        purl=wish.purl,
        presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
        locations=(Location(path, READER, line),),
        scope=scope,
        direct=True,
        requirement=wish.requirement,
        grade=wish.grade,
    )


def _line_of(source: str, written: str) -> int | None:
    found = source.find(written)
    return source.count("\n", 0, found) + 1 if found >= 0 else None
