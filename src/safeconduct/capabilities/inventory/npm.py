"""npm lock files: ``package-lock.json`` and ``npm-shrinkwrap.json``, versions 1, 2 and 3.

Source: npm documentation, package-lock.json. Version 2 and 3 list installs by folder (``packages``), version 1
nests them (``dependencies``). Edges follow node's own search: the nearest ``node_modules`` upwards.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, strings, table, text
from safeconduct.capabilities.inventory.integrity import hashes_of
from safeconduct.capabilities.inventory.npm_spec import (
    EXACT,
    HASHED,
    RANGE,
    find_declaration,
    locked_purl,
    without_credentials,
)
from safeconduct.capabilities.inventory.npm_terms import declared_terms
from safeconduct.capabilities.inventory.reading import Reading, Resolved, beside, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope, Unread
from safeconduct.model.purl import make_purl

READER = "npm-lock"
YIELDS = Yields(
    reader=READER,
    files=("package-lock.json", "npm-shrinkwrap.json"),
    ecosystem="npm",
    evidence="locked",
    licenses=True,
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    note="versions 1 to 3",
)
NAMES = ("package-lock.json", "npm-shrinkwrap.json")
_INSTALLS = "node_modules/"
_NEEDS = ("dependencies", "optionalDependencies", "peerDependencies")


class Install(msgspec.Struct, frozen=True):
    """One folder of the lock: a package, a part of the project, or a link to such a part."""

    place: str
    name: str
    body: dict[str, Any]

    @property
    def is_package(self) -> bool:
        """Whether it came from outside the project."""
        return _INSTALLS in self.place and not self.body.get("link")


def read(path: str, data: bytes) -> Reading:
    """Return the packages of a lock file with their edges; those that the project names are direct."""
    try:
        lock = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    folders = lock.get("packages")
    nested = lock.get("dependencies")
    if isinstance(folders, dict):
        return _Lock(path, list(_installs(folders))).reading()
    if isinstance(nested, dict) or "lockfileVersion" in lock:
        return _Lock(path, list(_flatten(table(nested)))).reading()
    return not_read(path, "an npm lock file without 'packages' and 'dependencies'")


def _installs(folders: dict[str, Any]) -> Iterator[Install]:
    for place, body in folders.items():
        name = text(table(body).get("name")) or place.rpartition(_INSTALLS)[2]
        yield Install(place, name, table(body))


def _flatten(nested: dict[str, Any]) -> Iterator[Install]:
    """Yield a version 1 lock's packages as installs, so that one search finds the edges of all versions."""
    yield Install("", "", {"dependencies": dict.fromkeys(nested, ""), "names_all": True})
    pending = [("", nested)]
    while pending:
        base, level = pending.pop()
        for name, body in level.items():
            place = f"{base}{_INSTALLS}{name}"
            entry = table(body)
            yield Install(place, *_from_version_1(name, entry))
            pending.append((f"{place}/", table(entry.get("dependencies"))))


def _from_version_1(name: str, entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    version, resolved = text(entry.get("version")), text(entry.get("resolved"))
    if version.startswith("npm:"):
        name, _, version = version[4:].rpartition("@")
    elif ":" in version:  # a git, http or file source stands in the version's place: the version is unknown
        version, resolved = "", version
    body = {
        **entry,
        "version": version,
        "resolved": resolved,
        "dependencies": entry.get("requires"),
        "inBundle": entry.get("bundled"),
    }
    return name, body


class _Lock:
    """A lock file's installs by place, and the search for what a name means in a place."""

    def __init__(self, path: str, installs: list[Install]) -> None:
        self._path = path
        self._installs = installs
        self._by_place = {install.place: install for install in installs}
        self._keys = {i.place: _purl_of(i) for i in installs if i.is_package}
        self._names_all = any(i.body.get("names_all") for i in installs if not i.place)
        self._direct = self._named_by_project()
        self._missing: list[Unread] = []

    def reading(self) -> Reading:
        """Return everything the file says."""
        edges = tuple(self._edges())
        project = [i for i in self._installs if not i.is_package and not i.body.get("link")]
        return Reading(
            components=tuple(self._component(i) for i in self._installs if i.is_package),
            edges=edges,
            unread=tuple(self._missing),
            resolved=tuple(self._resolved(part) for part in project),
        )

    def _named_by_project(self) -> frozenset[str]:
        parts = [i for i in self._installs if not i.is_package]
        found = (
            self._find(part.place, name) for part in parts for name in _names(part.body, (*_NEEDS, "devDependencies"))
        )
        return frozenset(place for place in found if place is not None)

    def _is_direct(self, place: str) -> bool | None:
        # Version 1 puts what was hoisted beside what was asked for: the manifest beside it must say which is which.
        return None if self._names_all and place in self._direct else place in self._direct

    def _edges(self) -> Iterator[tuple[str, str]]:
        for install in self._installs:
            for name in _names(install.body, _NEEDS):
                place = self._find(install.place, name)
                if place is None:
                    self._note_missing(install, name)
                elif install.is_package and place in self._keys:
                    yield self._keys[install.place], self._keys[place]

    def _note_missing(self, install: Install, name: str) -> None:
        required = name in strings(install.body.get("dependencies"))
        if required and name not in table(install.body.get("optionalDependencies")):
            asker = install.place or "the project"
            self._missing.append(Unread(self._path, f"{asker} needs {name}, which the lock file does not hold"))

    def _find(self, place: str, name: str) -> str | None:
        folder = place
        while True:
            candidate = f"{folder}/{_INSTALLS}{name}" if folder else f"{_INSTALLS}{name}"
            found = self._by_place.get(candidate)
            if found is not None:
                return text(found.body.get("resolved")) if found.body.get("link") else candidate
            if not folder:
                return None
            folder = _above(folder)

    def _component(self, install: Install) -> Component:
        body = install.body
        return Component(
            purl=self._keys[install.place],
            presence=Presence.LOCKED if body.get("version") else Presence.UNRESOLVED,
            locations=(Location(self._path, READER),),
            scope=_scope_of(body),
            direct=self._is_direct(install.place),
            requirement=None if body.get("version") else without_credentials(text(body.get("resolved"))) or None,
            grade=_grade_of(install),
            hashes=hashes_of(text(body.get("integrity"))),
            licenses=declared_terms(body),
        )

    def _resolved(self, part: Install) -> Resolved:
        manifest = beside(self._path, f"{part.place}/package.json" if part.place else "package.json")
        written = (
            (name, specifier)
            for kind in (*_NEEDS, "devDependencies")
            for name, specifier in strings(part.body.get(kind)).items()
        )
        return Resolved(manifest, frozenset(_identity(name, specifier) for name, specifier in written))


def _identity(name: str, specifier: str) -> tuple[str, str]:
    # Version 1 does not repeat what the manifest says, so its names resolve any requirement.
    declaration = find_declaration(name, specifier) if specifier else None
    return declaration.identity if declaration else (make_purl("npm", name), "")


def _names(body: dict[str, Any], kinds: tuple[str, ...]) -> list[str]:
    names = {name: None for kind in kinds for name in table(body.get(kind))}
    return list(names)


def _above(folder: str) -> str:
    """Return the next folder in which node looks: above ``node_modules``, or the parent."""
    if f"/{_INSTALLS}" in folder:
        return folder.rpartition(f"/{_INSTALLS}")[0]
    return "" if folder.startswith(_INSTALLS) else folder.rpartition("/")[0]


def _purl_of(install: Install) -> str:
    return locked_purl(install.name, text(install.body.get("version")), text(install.body.get("resolved")))[0]


def _grade_of(install: Install) -> int:
    body = install.body
    version, resolved = text(body.get("version")), text(body.get("resolved"))
    # What lies in a bundle is covered by the hash of the package that carries it.
    if body.get("integrity") or body.get("inBundle") or locked_purl(install.name, version, resolved)[1]:
        return HASHED
    return EXACT if version and not resolved.startswith(("http:", "git")) else RANGE


def _scope_of(body: dict[str, Any]) -> Scope:
    if body.get("dev"):
        return Scope.DEV
    if body.get("optional") or body.get("devOptional"):
        return Scope.OPTIONAL
    return Scope.PEER if body.get("peer") else Scope.RUNTIME
