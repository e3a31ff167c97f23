"""``Pipfile`` and ``Pipfile.lock``.

Source: pipenv documentation, "Pipfile & Pipfile.lock"; the lock's sections ``default``, ``develop`` and others.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import (
    Damaged,
    decode_json,
    decode_text,
    decode_toml,
    items,
    strings,
    table,
    text,
)
from safeconduct.capabilities.inventory.locked import EXACT, RANGE, Locked, locked_reading
from safeconduct.capabilities.inventory.python_archives import archive_hashes, pypi_purl
from safeconduct.capabilities.inventory.python_requirement import NONE, Wish, parse_wish
from safeconduct.capabilities.inventory.reading import Answers, Asked, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope
from safeconduct.model.purl import make_purl

READER = "pipfile-lock"
MANIFEST_READER = "pipfile"
YIELDS = Yields(
    reader=READER,
    files=("Pipfile.lock",),
    ecosystem="pypi",
    evidence="locked",
    hashes=True,
    direct=True,
    scope=True,
    note="directness from the Pipfile beside it; the format has no edges",
)
MANIFEST_YIELDS = Yields(
    reader=MANIFEST_READER,
    files=("Pipfile",),
    ecosystem="pypi",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
)
NAMES = ("Pipfile.lock",)
MANIFEST_NAMES = ("Pipfile",)
_SETTINGS = frozenset({"source", "requires", "scripts", "pipenv"})


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages of all categories; folders of the project are none."""
    try:
        lock = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "default" not in lock and "_meta" not in lock:
        return not_read(path, "a Pipfile.lock without 'default' and '_meta'")
    packages = [
        _locked(name, table(body), Scope.RUNTIME if category == "default" else Scope.DEV)
        for category in lock
        if category != "_meta"
        for name, body in table(lock[category]).items()
        if canonicalize_name(name) and not _is_local(table(body))
    ]
    keys = {(package.id, ""): package.purl for package in packages}
    reading = locked_reading(path, READER, packages)
    return msgspec.structs.replace(reading, answers=(Answers("pipenv", folder_of(path), keys),))


def _is_local(body: dict[str, Any]) -> bool:
    """Return whether a package is a folder or file of the project; ``file`` may also be an address."""
    file = text(body.get("file"))
    return "path" in body or ("file" in body and not file.startswith(("http:", "https:")))


def _locked(name: str, body: dict[str, Any], scope: Scope) -> Locked:
    version = text(body.get("version")).removeprefix("==")
    git, commit = text(body.get("git")), text(body.get("ref"))
    return Locked(
        canonicalize_name(name),
        pypi_purl(name, version if version[:1].isalnum() else "", git=git, commit=commit),
        hashes=archive_hashes(items(body.get("hashes"))),
        scope=scope,
        pinned=bool(git and commit),
        requirement=git or (version if not version[:1].isalnum() else None),
    )


def read_manifest(path: str, data: bytes) -> Reading:
    """Return what a Pipfile asks for; only ``==`` carries a version."""
    try:
        manifest = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    lines = decode_text(data).splitlines()
    found = list(_wishes(manifest))
    components = tuple(_component(path, wish, scope, _line_of(lines, written)) for written, wish, scope in found)
    declared = tuple((wish.name, "", scope) for _, wish, scope in found)
    asked = (Asked("pipenv", folder_of(path), tuple(name for name, *_ in declared), declared),) if declared else ()
    return Reading(components=components, asked=asked)


def _wishes(manifest: dict[str, Any]) -> Iterator[tuple[str, Wish, Scope]]:
    for category, body in manifest.items():
        if category in _SETTINGS:
            continue
        for name, value in table(body).items():
            if canonicalize_name(name) and not _is_local(table(value)):
                yield name, _wish(name, value), Scope.RUNTIME if category == "packages" else Scope.DEV


def _wish(name: str, value: Any) -> Wish:
    written = text(value) or text(table(value).get("version"))
    if written.startswith("=="):
        try:
            return parse_wish(f"{name}{written}")
        except ValueError:
            pass
    if git := text(table(value).get("git")):
        return Wish(canonicalize_name(name), pypi_purl(name, "", git=git), git, RANGE)
    source = written or " ".join(f"{k}={v}" for k, v in sorted(strings(value).items()))
    return Wish(canonicalize_name(name), make_purl("pypi", name), source, NONE if source in {"", "*"} else RANGE)


def _component(path: str, wish: Wish, scope: Scope, line: int | None) -> Component:
    exact = wish.grade == EXACT and wish.requirement is None
    return Component(
        purl=wish.purl,
        presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
        locations=(Location(path, MANIFEST_READER, line),),
        scope=scope,
        direct=True,
        requirement=wish.requirement,
        grade=wish.grade,
    )


def _line_of(lines: list[str], name: str) -> int | None:
    return next((n for n, line in enumerate(lines, 1) if line.strip().strip("\"'").startswith(name)), None)
