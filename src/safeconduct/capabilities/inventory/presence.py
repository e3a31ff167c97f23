"""The part of an inventory that is installed, apart from what is only declared or locked."""

from safeconduct.model.component import Component, Inventory, Presence


def select_installed(inventory: Inventory) -> Inventory:
    """Return only what was found installed, with the edges between these."""
    return _select(inventory, {Presence.INSTALLED})


def select_declared(inventory: Inventory) -> Inventory:
    """Return only what a lock or manifest names and nothing shows as installed."""
    return _select(inventory, {Presence.LOCKED, Presence.DECLARED, Presence.UNRESOLVED})


def _select(inventory: Inventory, wanted: set[Presence]) -> Inventory:
    components = tuple(c for c in inventory.components if c.presence in wanted)
    keys = {c.key for c in components}
    return Inventory(
        components=components,
        edges=tuple(edge for edge in inventory.edges if edge[0] in keys and edge[1] in keys),
        unread=inventory.unread,
        readers=_readers(components),
    )


def _readers(components: tuple[Component, ...]) -> tuple[str, ...]:
    return tuple(sorted({place.reader for c in components for place in c.locations}))
