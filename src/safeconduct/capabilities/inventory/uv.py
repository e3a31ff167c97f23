"""uv's lock file ``uv.lock``: versions, hashes and edges of every platform and group at once.

Source: uv documentation, "Locking"; the format of ``version = 1``.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import Damaged, decode_toml, items, table, text
from safeconduct.capabilities.inventory.python_requirement import EXACT, HASHED
from safeconduct.capabilities.inventory.reading import Reading, Resolved, beside, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence, Scope, Unread
from safeconduct.model.purl import Purl, make_purl

READER = "uv-lock"
YIELDS = Yields(
    reader=READER,
    files=("uv.lock",),
    ecosystem="pypi",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
)
NAMES = ("uv.lock",)
_PROJECT = ("editable", "virtual", "directory")


class Locked(msgspec.Struct, frozen=True):
    """One ``[[package]]``: name normalised, version empty for a project without one."""

    name: str
    version: str
    source: dict[str, Any]
    body: dict[str, Any]

    @property
    def is_project(self) -> bool:
        """Whether it is a part of the tree itself."""
        return any(kind in self.source for kind in _PROJECT)

    @property
    def purl(self) -> str:
        """Its canonical purl; a git or URL source stands in the qualifiers."""
        for kind, qualifier in (("git", "vcs_url"), ("url", "download_url")):
            if url := text(self.source.get(kind)):
                address = f"git+{url}" if kind == "git" else url
                return str(Purl("pypi", "", self.name, self.version, ((qualifier, address),)))
        return make_purl("pypi", self.name, self.version)


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; those that a project part names are direct."""
    try:
        document = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "package" not in document and "version" not in document:
        return not_read(path, "a uv lock file without 'version' and 'package'")
    return _Lock(path, list(_packages(document))).reading()


def _packages(document: dict[str, Any]) -> Iterator[Locked]:
    for item in items(document.get("package")):
        body = table(item)
        if name := text(body.get("name")):
            yield Locked(canonicalize_name(name), text(body.get("version")), table(body.get("source")), body)


class _Lock:
    """The packages of a lock file, found by name and version."""

    def __init__(self, path: str, packages: list[Locked]) -> None:
        self._path = path
        self._packages = packages
        self._by_name: dict[str, list[Locked]] = {}
        for package in packages:
            self._by_name.setdefault(package.name, []).append(package)
        self._projects = [package for package in packages if package.is_project]
        self._unread: list[Unread] = []
        self._edges = sorted(set(self._find_edges()))

    def reading(self) -> Reading:
        """Return everything the file says."""
        direct = {child for project in self._projects for _, child in self._named_by(project)}
        scopes = self._scopes()
        return Reading(
            components=tuple(
                self._component(p, scopes.get(p.purl, Scope.RUNTIME), direct=p.purl in direct if direct else None)
                for p in self._packages
                if not p.is_project
            ),
            edges=tuple(self._edges),
            unread=tuple(self._unread),
            resolved=tuple(self._resolved(project) for project in self._projects),
        )

    def _named_by(self, package: Locked) -> Iterator[tuple[Scope, str]]:
        yield from self._children(package.body.get("dependencies"), Scope.RUNTIME)
        for extra in table(package.body.get("optional-dependencies")).values():
            yield from self._children(extra, Scope.OPTIONAL)
        for group in table(package.body.get("dev-dependencies")).values():
            yield from self._children(group, Scope.DEV)

    def _children(self, dependencies: Any, scope: Scope) -> Iterator[tuple[Scope, str]]:
        for dependency in items(dependencies):
            name, version = (
                canonicalize_name(text(table(dependency).get("name"))),
                text(table(dependency).get("version")),
            )
            found = [p for p in self._by_name.get(name, ()) if not version or p.version == version]
            if not found:
                self._unread.append(
                    Unread(self._path, f"{name} {version} is needed, but the lock file does not hold it")
                )
            yield from ((scope, p.purl) for p in found)

    def _find_edges(self) -> Iterator[tuple[str, str]]:
        for package in self._packages:
            if not package.is_project:
                yield from ((package.purl, child) for _, child in self._named_by(package))

    def _scopes(self) -> dict[str, Scope]:
        """Return by purl the strongest need that reaches it: runtime, then optional, then development."""
        below: dict[str, list[str]] = {}
        for parent, child in self._edges:
            below.setdefault(parent, []).append(child)
        named = [pair for project in self._projects for pair in self._named_by(project)]
        found: dict[str, Scope] = {}
        for scope in (Scope.RUNTIME, Scope.OPTIONAL, Scope.DEV):
            pending = [purl for kind, purl in named if kind == scope]
            while pending:
                purl = pending.pop()
                if purl not in found:
                    found[purl] = scope
                    pending += below.get(purl, ())
        return found

    def _component(self, package: Locked, scope: Scope, *, direct: bool | None) -> Component:
        hashes = _hashes(package.body)
        pinned = bool(hashes) or "#" in text(package.source.get("git"))
        return Component(
            purl=package.purl,
            presence=Presence.LOCKED if package.version else Presence.UNRESOLVED,
            locations=(Location(self._path, READER),),
            scope=scope,
            direct=direct,
            requirement=None if package.version else text(package.source.get("git")) or text(package.source.get("url")),
            grade=HASHED if pinned else EXACT,
            hashes=hashes,
        )

    def _resolved(self, project: Locked) -> Resolved:
        place = next(text(project.source.get(kind)) for kind in _PROJECT if kind in project.source)
        manifest = beside(self._path, "pyproject.toml" if place in {".", ""} else f"{place}/pyproject.toml")
        metadata = table(project.body.get("metadata"))
        wanted = [*items(metadata.get("requires-dist"))]
        for group in table(metadata.get("requires-dev")).values():
            wanted += items(group)
        names = {text(table(item).get("name")) for item in wanted} - {""}
        names |= {child.partition("@")[0].partition("/")[2] for _, child in self._named_by(project)}
        return Resolved(manifest, frozenset((make_purl("pypi", name), "") for name in names))


def _hashes(body: dict[str, Any]) -> tuple[Hash, ...]:
    archives = [table(body.get("sdist")), *(table(wheel) for wheel in items(body.get("wheels")))]
    found = (text(archive.get("hash")).partition(":") for archive in archives)
    return tuple(sorted({Hash(algorithm, value) for algorithm, _, value in found if value}))
