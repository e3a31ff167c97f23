"""What every lock file comes to: locked packages, who needs whom, what the project named itself.

The readers of single formats say only where in their file each of these stands.
"""

from collections.abc import Iterable, Mapping

import msgspec

from safeconduct.capabilities.inventory.reading import Reading, Resolved
from safeconduct.model.component import Component, Hash, Location, Presence, Scope, Unread

RANGE, EXACT, HASHED = 1, 2, 3
_STRENGTH = (Scope.RUNTIME, Scope.PEER, Scope.OPTIONAL, Scope.BUILD, Scope.DEV)


class Locked(msgspec.Struct, frozen=True):
    """One package of a lock file.

    Attributes:
        id: what the file itself calls it in others' needs.
        purl: without version where the file gives none; that is an unresolved one.
        needs: ids that it needs; optional and peer ones that the file does not hold are simply not there.
        scope: None where only who needs it tells.
        pinned: fixed by something else than a hash, such as the commit of a git source.
        requirement: the source as written, where there is no version.
    """

    id: str
    purl: str
    needs: tuple[str, ...] = ()
    hashes: tuple[Hash, ...] = ()
    licenses: tuple[str, ...] = ()
    scope: Scope | None = None
    pinned: bool = False
    requirement: str | None = None
    line: int | None = None

    @property
    def is_exact(self) -> bool:
        """Whether it is one version, or one file by its hash."""
        return bool(self.hashes) or self.pinned or "@" in self.purl.partition("?")[0].partition("#")[0]


class Root(msgspec.Struct, frozen=True):
    """Something that a project part names itself."""

    id: str
    scope: Scope = Scope.RUNTIME


def locked_reading(
    path: str,
    reader: str,
    packages: Iterable[Locked],
    *,
    roots: Iterable[Root] | None = None,
    unread: Iterable[Unread] = (),
    resolved: Iterable[Resolved] = (),
    edges: bool = True,
) -> Reading:
    """Return the reading of a lock file.

    Args:
        roots: what the project names; None when the file does not say, so that nothing is called direct or not.
        edges: False when ``needs`` serves only to carry the scope.
    """
    packages = list(packages)
    keys = {package.id: package.purl for package in packages}
    found = None if roots is None else [root for root in roots if root.id in keys]
    direct = {root.id for root in found} if found is not None else None
    scopes = reach(found, {package.id: package.needs for package in packages}) if found else {}
    return Reading(
        components=tuple(_component(path, reader, package, scopes, direct) for package in packages),
        edges=tuple(_edges(packages, keys)) if edges else (),
        unread=tuple(unread),
        resolved=tuple(resolved),
    )


def reach(roots: Iterable[Root], needs: Mapping[str, Iterable[str]]) -> dict[str, Scope]:
    """Return by id the strongest scope from whose roots it can be reached; what none reaches is left out."""
    found: dict[str, Scope] = {}
    roots = list(roots)
    for scope in _STRENGTH:
        pending = [root.id for root in roots if root.scope == scope]
        while pending:
            item = pending.pop()
            if item not in found:
                found[item] = scope
                pending += needs.get(item, ())
    return found


def _edges(packages: list[Locked], keys: dict[str, str]) -> Iterable[tuple[str, str]]:
    found = ((p.purl, keys[need]) for p in packages for need in p.needs if need in keys and keys[need] != p.purl)
    return dict.fromkeys(found)


def _component(path: str, reader: str, package: Locked, scopes: dict[str, Scope], direct: set[str] | None) -> Component:
    return Component(
        purl=package.purl,
        presence=Presence.LOCKED if package.is_exact else Presence.UNRESOLVED,
        locations=(Location(path, reader, package.line),),
        scope=package.scope or scopes.get(package.id, Scope.RUNTIME),
        direct=None if direct is None else package.id in direct,
        requirement=None if package.is_exact else package.requirement,
        grade=_grade(package),
        hashes=package.hashes,
        licenses=package.licenses,
    )


def _grade(package: Locked) -> int:
    if package.hashes or package.pinned:
        return HASHED
    return EXACT if package.is_exact and package.requirement is None else RANGE
