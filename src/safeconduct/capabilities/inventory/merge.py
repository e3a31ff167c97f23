"""Readings become one inventory: what several files say of one component is said once."""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.inventory.reading import Reading
from safeconduct.model.component import Component, Inventory, Presence, Scope, Unread

_PRESENCES = (Presence.INSTALLED, Presence.LOCKED, Presence.DECLARED, Presence.CLAIMED, Presence.UNRESOLVED)
_SCOPES = (Scope.RUNTIME, Scope.PEER, Scope.OPTIONAL, Scope.BUILD, Scope.DEV)


def merge(readings: Iterable[Reading], unread: Iterable[Unread] = ()) -> Inventory:
    """Return the inventory of all readings: components by key, the rest sorted and unique.

    An edge whose end was not listed (resolved away, or unread) is left out.
    """
    groups: dict[str, list[Component]] = {}
    edges: set[tuple[str, str]] = set()
    missing = set(unread)
    for reading in readings:
        edges.update(reading.edges)
        missing.update(reading.unread)
        for component in reading.components:
            groups.setdefault(component.key, []).append(component)
    components = tuple(join(groups[key]) for key in sorted(groups))
    return Inventory(
        components=components,
        edges=tuple(sorted(edge for edge in edges if edge[0] in groups and edge[1] in groups)),
        unread=tuple(sorted(missing)),
        readers=tuple(sorted({place.reader for c in components for place in c.locations})),
    )


def join(same: list[Component]) -> Component:
    """Return one component for several with the same key.

    The best presence and the strongest need win. The grade is that of the weakest declaration, because one open
    door is enough; an install declares nothing, so it does not lower the grade.
    """
    first = same[0]
    if len(same) == 1:
        return msgspec.structs.replace(first, locations=tuple(sorted(set(first.locations), key=_place_order)))
    same = sorted(same, key=lambda c: _place_order(c.locations[0]))
    declared = [c for c in same if c.presence != Presence.INSTALLED] or same
    requirements = sorted({c.requirement for c in same if c.requirement is not None})
    return Component(
        purl=first.purl,
        ref=first.ref,
        presence=min((c.presence for c in same), key=_PRESENCES.index),
        locations=tuple(sorted({place for c in same for place in c.locations}, key=_place_order)),
        scope=min((c.scope for c in same), key=_SCOPES.index),
        direct=_any_direct(same),
        requirement=" | ".join(requirements) if requirements else None,
        grade=min(c.grade for c in declared),
        hashes=tuple(sorted({value for c in same for value in c.hashes})),
        licenses=tuple(dict.fromkeys(term for c in same for term in c.licenses)),
        owner=_owner_of(same),
    )


def _owner_of(same: list[Component]) -> str | None:
    """Return the owner only when every install has one: a second copy that nobody owns is judged on its own."""
    owners = {c.owner for c in same if c.presence == Presence.INSTALLED}
    return min(filter(None, owners), default=None) if None not in owners else None


def _any_direct(same: list[Component]) -> bool | None:
    said = {c.direct for c in same}
    return True if True in said else (False if False in said else None)


def _place_order(place: object) -> tuple[str, str, int, str]:
    return (place.path, place.reader, place.line or 0, place.layer or "")  # type: ignore[attr-defined]
