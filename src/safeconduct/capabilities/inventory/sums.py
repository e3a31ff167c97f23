"""Hashes from one file reach the components of another: go.sum is beside go.mod.

Source: Go Modules Reference, "go.sum files": ``h1:`` is a hash over the hashes of a module's files.
"""

import msgspec

from safeconduct.capabilities.inventory.reading import Reading, folder_of
from safeconduct.model.component import Component, Hash

_EXACT, _HASHED = 2, 3


def with_sums(readings: list[Reading]) -> list[Reading]:
    """Return the readings with the hashes that a file in the same folder holds."""
    sums = {item.folder: item.hashes for reading in readings for item in reading.sums}
    if not sums:
        return readings
    return [_summed(reading, sums) for reading in readings]


def _summed(reading: Reading, sums: dict[str, dict[str, str]]) -> Reading:
    if not reading.components or not reading.components[0].purl.startswith("pkg:golang/"):
        return reading
    hashes = sums.get(folder_of(reading.components[0].locations[0].path))
    if not hashes:
        return reading
    components = tuple(_with_hash(component, hashes.get(component.purl)) for component in reading.components)
    return msgspec.structs.replace(reading, components=components)


def _with_hash(component: Component, total: str | None) -> Component:
    if total is None or component.grade != _EXACT:
        return component
    return msgspec.structs.replace(component, hashes=(Hash("h1", total.removeprefix("h1:")),), grade=_HASHED)
