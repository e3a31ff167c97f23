"""Lock files that do not repeat what was asked for: the manifests beside them say it, and are answered by them.

A manifest belongs to the nearest such lock file in its folder or above: a workspace's package.json is answered by the
lock at the top.
"""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.inventory.locked import Root, reach
from safeconduct.capabilities.inventory.npm_spec import answered
from safeconduct.capabilities.inventory.reading import Answers, Asked, Reading, Resolved, folder_of
from safeconduct.model.component import Component, Scope
from safeconduct.model.purl import make_purl


def with_answers(readings: list[Reading]) -> list[Reading]:
    """Return the readings with directness and scopes from the manifests, and these marked as resolved."""
    locks = {(a.ecosystem, a.folder): a for reading in readings for a in reading.answers}
    if not locks:
        return readings
    asked: dict[tuple[str, str], list[Asked]] = {}
    for reading in readings:
        for item in reading.asked:
            if place := _nearest(item, locks):
                asked.setdefault(place, []).append(item)
    return [_answered(reading, asked) if reading.answers else reading for reading in readings]


def _nearest(asked: Asked, locks: dict[tuple[str, str], Answers]) -> tuple[str, str] | None:
    folder = asked.folder
    while True:
        if (asked.ecosystem, folder) in locks:
            return asked.ecosystem, folder
        if not folder or asked.ecosystem not in _WITH_PARTS:
            return None
        folder = folder_of(folder)


def _answered(reading: Reading, asked: dict[tuple[str, str], list[Asked]]) -> Reading:
    (lock,) = reading.answers
    manifests = asked.get((lock.ecosystem, lock.folder), ())
    found = [pair for manifest in manifests for pair in _roots(lock, manifest)]
    if not found:
        return reading
    roots = [Root(key, scope) for key, scope in found]
    needs: dict[str, list[str]] = {}
    for parent, child in reading.edges:
        needs.setdefault(parent, []).append(child)
    scopes, direct = reach(roots, needs), {root.id for root in roots}
    return msgspec.structs.replace(
        reading,
        components=tuple(_told(component, scopes, direct) for component in reading.components),
        resolved=(*reading.resolved, *(_resolved(lock, manifest) for manifest in manifests)),
    )


def _key(lock: Answers, name: str, written: str) -> str | None:
    return lock.keys.get((name, written.removeprefix("npm:"))) or lock.keys.get((name, ""))


def _roots(lock: Answers, manifest: Asked) -> Iterable[tuple[str, Scope]]:
    return ((key, scope) for name, written, scope in manifest.declared if (key := _key(lock, name, written)))


def _told(component: Component, scopes: dict[str, Scope], direct: set[str]) -> Component:
    scope = scopes.get(component.key, component.scope)
    return msgspec.structs.replace(component, direct=component.key in direct, scope=scope)


def _resolved(lock: Answers, manifest: Asked) -> Resolved:
    name = _MANIFESTS[lock.ecosystem]
    declared = [(wish, written) for wish, written, _ in manifest.declared if _key(lock, wish, written)]
    found = [_identity(lock.ecosystem, wish, written) for wish, written in declared]
    place = f"{manifest.folder}/{name}" if manifest.folder else name
    return Resolved(place, frozenset(item for item in found if item))


def _identity(ecosystem: str, name: str, written: str) -> tuple[str, str] | None:
    if ecosystem == "npm":
        return answered(name, written)
    if ecosystem == "composer":
        namespace, _, last = name.rpartition("/")
        return make_purl("composer", last, "", namespace), ""
    return make_purl("pypi", name), ""


_MANIFESTS = {"npm": "package.json", "python": "pyproject.toml", "pipenv": "Pipfile", "composer": "composer.json"}
_WITH_PARTS = frozenset({"npm"})
"""Where a lock at the top answers the manifests of the project's parts too."""
