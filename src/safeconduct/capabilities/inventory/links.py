"""What only several files together say: edges between installs, who was asked for, what a lock resolved."""

from collections.abc import Iterable, Iterator

import msgspec

from safeconduct.capabilities.inventory.answers import with_answers
from safeconduct.capabilities.inventory.os_packages import with_os_packages
from safeconduct.capabilities.inventory.reading import Asked, Installed, Reading, folder_of
from safeconduct.capabilities.inventory.sums import with_sums
from safeconduct.model.component import Component, Presence

_MODULES = "node_modules"


def link(readings: list[Reading]) -> list[Reading]:
    """Return the readings with the edges of what is installed, directness, and without what a lock resolved."""
    readings = with_sums(with_os_packages(_without_foreign(readings)))
    return _without_resolved(_with_installs(_with_locked_directness(with_answers(readings))))


def _without_foreign(readings: list[Reading]) -> list[Reading]:
    """Return the readings without what is declared inside a folder of other people's files."""
    folders = tuple(f"{folder}/" for reading in readings for folder in reading.foreign)
    return [reading for reading in readings if not folders or not _is_declared_below(folders, reading)]


def _is_declared_below(folders: tuple[str, ...], reading: Reading) -> bool:
    if reading.installed or not (reading.components or reading.unread):
        return False
    path = reading.components[0].locations[0].path if reading.components else reading.unread[0].path
    return path.startswith(folders)


def _without_resolved(readings: list[Reading]) -> list[Reading]:
    resolved: dict[str, set[tuple[str, str]]] = {}
    for reading in readings:
        for item in reading.resolved:
            resolved.setdefault(item.manifest, set()).update(item.declarations)
    if not resolved:
        return readings
    return [_drop(reading, resolved) for reading in readings]


def _drop(reading: Reading, resolved: dict[str, set[tuple[str, str]]]) -> Reading:
    kept = tuple(c for c in reading.components if not _is_resolved(c, resolved.get(c.locations[0].path)))
    return reading if len(kept) == len(reading.components) else msgspec.structs.replace(reading, components=kept)


def _is_resolved(component: Component, declarations: set[tuple[str, str]] | None) -> bool:
    if not declarations:
        return False
    base = component.purl.partition("?")[0].partition("@")[0]
    return (component.purl, component.requirement or "") in declarations or (base, "") in declarations


def _with_locked_directness(readings: list[Reading]) -> list[Reading]:
    """Let the manifest beside a lock of version 1 say which of its packages are direct."""
    asked = {item.folder: set(item.names) for r in readings for item in r.asked if item.ecosystem == "npm"}
    return [
        msgspec.structs.replace(reading, components=tuple(_told_by(asked, c) for c in reading.components))
        if any(_is_open(c) for c in reading.components)
        else reading
        for reading in readings
    ]


def _is_open(component: Component) -> bool:
    return component.direct is None and component.presence in {Presence.LOCKED, Presence.UNRESOLVED}


def _told_by(asked: dict[str, set[str]], component: Component) -> Component:
    names = asked.get(folder_of(component.locations[0].path))
    if names is None or not _is_open(component) or not component.purl.startswith("pkg:npm/"):
        return component
    name = component.purl[8:].partition("?")[0].partition("@")[0].replace("%40", "@")
    return msgspec.structs.replace(component, direct=name in names)


def _with_installs(readings: list[Reading]) -> list[Reading]:
    installs = [install for reading in readings for install in reading.installed]
    asked = [item for reading in readings for item in reading.asked]
    npm = {i.place: i for i in installs if i.ecosystem == "npm"}
    pypi = {(folder_of(i.place), i.name): i for i in installs if i.ecosystem == "pypi"}
    direct = _npm_direct(npm, asked) | _pypi_direct(pypi.values(), asked)
    return [_linked(reading, npm, pypi, direct) for reading in readings]


def _linked(
    reading: Reading,
    npm: dict[str, Installed],
    pypi: dict[tuple[str, str], Installed],
    direct: dict[str, bool],
) -> Reading:
    if not reading.installed:
        return reading
    edges = [
        (install.key, other.key)
        for install in reading.installed
        for name in install.needs
        if (other := _find(install, name, npm, pypi)) is not None
    ]
    told = direct.get(reading.installed[0].place)
    components = tuple(msgspec.structs.replace(c, direct=told) for c in reading.components)
    return msgspec.structs.replace(reading, components=components, edges=(*reading.edges, *edges))


def _find(
    install: Installed, name: str, npm: dict[str, Installed], pypi: dict[tuple[str, str], Installed]
) -> Installed | None:
    if install.ecosystem == "pypi":
        return pypi.get((folder_of(install.place), name))
    return _find_npm(install.place, name, npm)


def _find_npm(folder: str, name: str, npm: dict[str, Installed]) -> Installed | None:
    """Return what node finds for ``name`` from ``folder``: the nearest ``node_modules`` upwards."""
    for base in _upwards(folder):
        if found := npm.get(f"{base}/{_MODULES}/{name}" if base else f"{_MODULES}/{name}"):
            return found
    return None


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        if folder.rpartition("/")[2] != _MODULES:
            yield folder
        folder = folder_of(folder)
    yield ""


def _npm_direct(npm: dict[str, Installed], asked: Iterable[Asked]) -> dict[str, bool]:
    """Return by place whether the project asked for it, for every install below a project that says."""
    projects = [item for item in asked if item.ecosystem == "npm"]
    found = (_find_npm(project.folder, name, npm) for project in projects for name in project.names)
    direct = {install.place for install in found if install is not None}
    folders = {project.folder for project in projects}
    return {place: place in direct for place in npm if place in direct or _top_of(place) in folders}


def _top_of(place: str) -> str:
    return place.partition(f"{_MODULES}/")[0].rstrip("/")


def _pypi_direct(pypi: Iterable[Installed], asked: Iterable[Asked]) -> dict[str, bool]:
    """Return by place whether it was asked for, for every site in which the installer recorded that."""
    requested = [item for item in asked if item.ecosystem == "pypi"]
    sites = {item.folder for item in requested}
    names = {name for item in requested for name in item.names}
    return {install.place: install.place in names for install in pypi if folder_of(install.place) in sites}
