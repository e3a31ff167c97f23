"""Witness paths: one shortest way from what the project names itself down to a component."""

from collections.abc import Collection

from safeconduct.model.component import Component, Inventory


def paths_to(inventory: Inventory, purls: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return for each of ``purls`` that can be reached one path of component keys, direct dependency first.

    One walk over the edges, breadth first, so the path is a shortest one and cycles end; nothing is enumerated.
    Starts are the components marked direct and the children of what is no component (the project itself); where
    nothing says so, the components that nobody needs.
    """
    by_key = {component.key: component for component in inventory.components}
    children: dict[str, list[str]] = {}
    for parent, child in inventory.edges:
        children.setdefault(parent, []).append(child)
    came_from: dict[str, str | None] = dict.fromkeys(_starts(inventory, by_key))
    found: dict[str, tuple[str, ...]] = {}
    wave = list(came_from)
    while wave:
        for key in wave:
            component = by_key.get(key)
            if component is not None and component.purl in purls and component.purl not in found:
                found[component.purl] = _path(came_from, key)
        following = [(child, key) for key in wave for child in children.get(key, ())]
        wave = []
        for child, parent in following:
            if child not in came_from:
                came_from[child] = parent
                wave.append(child)
    return found


def _starts(inventory: Inventory, by_key: dict[str, Component]) -> list[str]:
    direct = [component.key for component in inventory.components if component.direct]
    direct += [child for parent, child in inventory.edges if parent not in by_key and child in by_key]
    if direct:
        return list(dict.fromkeys(direct))
    needed = {child for _, child in inventory.edges}
    return [key for key in by_key if key not in needed]


def _path(came_from: dict[str, str | None], key: str) -> tuple[str, ...]:
    steps: list[str] = []
    at: str | None = key
    while at is not None:
        steps.append(at)
        at = came_from[at]
    return tuple(reversed(steps))
