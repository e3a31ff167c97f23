"""Operating system packages become components, and language packages learn which of them owns them.

Source: package-url types ``deb``, ``apk``, ``rpm``; the ``distro`` and ``upstream`` qualifiers as Syft writes them.
"""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.inventory.ownership import system_path
from safeconduct.capabilities.inventory.reading import OsPackage, Owned, Reading, SystemRelease
from safeconduct.model.component import Component, Presence
from safeconduct.model.digest import Digest
from safeconduct.model.purl import Purl

_EXACT = 2
_SPACES = {"rhel": "redhat", "opensuse-leap": "opensuse", "opensuse-tumbleweed": "opensuse", "sles": "suse",
           "ol": "oracle", "mariner": "azurelinux"}  # fmt: skip
OWNABLE = frozenset({"dist-info", "node-modules", "jar", "gem-install"})
"""Readers of installs that a package of the operating system may have brought."""


def with_os_packages(readings: list[Reading]) -> list[Reading]:
    """Return the readings with components and edges for their packages, and owners on what these own."""
    packages = [package for reading in readings for package in reading.packages]
    if not packages:
        return readings
    system = _System(packages, readings)
    return [_owned(system.read(reading), system) for reading in readings]


class _System:
    """All packages of a tree, by the roots of the systems that they belong to."""

    def __init__(self, packages: list[OsPackage], readings: list[Reading]) -> None:
        self._releases = {item.root: item for reading in readings for item in reading.systems}
        self._lists: dict[tuple[str, str], Owned] = {
            (item.root, item.package): item for reading in readings for item in reading.owned
        }
        self._packages = packages
        self._keys = {id(package): self._purl(package) for package in packages}
        self._providers: dict[tuple[str, str, str], list[OsPackage]] = {}
        for package in packages:
            for name in dict.fromkeys(package.provides):
                self._providers.setdefault((package.kind, package.root, name), []).append(package)
        self._owners = self._owned_by_root()

    def read(self, reading: Reading) -> Reading:
        """Return one reading with its packages as components."""
        if not reading.packages:
            return reading
        edges = dict.fromkeys(
            (self._keys[id(package)], child) for package in reading.packages for child in self._children(package)
        )
        components = tuple(self._component(package) for package in reading.packages)
        return msgspec.structs.replace(
            reading, components=(*reading.components, *components), edges=(*reading.edges, *edges)
        )

    def owner_of(self, path: str) -> str | None:
        """Return the purl of the package that owns a file, None when none of its system does."""
        path = path.partition("!/")[0]  # an archive inside one lies in the outer one's file
        for root, owned in self._owners.items():
            if path.startswith(root) and (owner := owned.get(system_path(path[len(root) :]))):
                return owner
        return None

    def _owned_by_root(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for package in sorted(self._packages, key=lambda p: len(p.root), reverse=True):
            paths = (*package.owns, *self._list(package)[0])
            found.setdefault(package.root, {}).update(dict.fromkeys(paths, self._keys[id(package)]))
        return found

    def _list(self, package: OsPackage) -> tuple[tuple[str, ...], Digest | None]:
        if package.kind != "deb":
            return (), None
        # Of packages for several architectures each has its own list.
        for name in (f"{package.name}:{package.architecture}", package.name):
            if found := self._lists.get((package.root, name)):
                return found.paths, found.layer
        return (), None

    def _purl(self, package: OsPackage) -> str:
        release = self._releases.get(package.root)
        qualifiers = {"arch": package.architecture, "distro": _distro(release), "upstream": package.source}
        found = sorted([*((k, v) for k, v in qualifiers.items() if v), *package.extra])
        space = _SPACES.get(release.id, release.id) if release else package.vendor
        return str(Purl(package.kind, space, package.name, package.version, tuple(found)))

    def _children(self, package: OsPackage) -> Iterable[str]:
        for alternatives in package.needs:
            for name in alternatives:
                found = self._providers.get((package.kind, package.root, name), ())
                # Who is named comes before who merely provides.
                exact = [other for other in found if other.name == name] or found
                yield from (self._keys[id(other)] for other in exact if other is not package)

    def _component(self, package: OsPackage) -> Component:
        layer = self._list(package)[1]
        place = msgspec.structs.replace(package.location, layer=layer) if layer else package.location
        return Component(
            purl=self._keys[id(package)],
            presence=Presence.INSTALLED,
            locations=(place,),
            grade=_EXACT,
            licenses=package.licenses,
        )


def _distro(release: SystemRelease | None) -> str:
    if release is None:
        return ""
    return f"{release.id}-{release.version}" if release.version else release.id


def _owned(reading: Reading, system: _System) -> Reading:
    if not any(component.locations[0].reader in OWNABLE for component in reading.components[:1]):
        return reading
    components = tuple(_with_owner(component, system) for component in reading.components)
    return msgspec.structs.replace(reading, components=components)


def _with_owner(component: Component, system: _System) -> Component:
    owner = system.owner_of(component.locations[0].path)
    return msgspec.structs.replace(component, owner=owner) if owner else component
