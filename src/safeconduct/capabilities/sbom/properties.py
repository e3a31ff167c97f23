"""What an inventory knows and CycloneDX has no field for, as properties under ``safeconduct:``.

They make the document whole: read back, it gives the inventory that was written.
"""

from collections.abc import Iterator

import msgspec

from safeconduct.capabilities.sbom.document import ALGORITHMS, Property
from safeconduct.model.component import Component, Hash, Location, Presence, Scope, Unread

PREFIX = "safeconduct:"
PRESENCE = "safeconduct:presence"
"""Every component that we write has it."""
_SCOPE, _GRADE = "safeconduct:scope", "safeconduct:grade"
_DIRECT, _REQUIREMENT, _OWNER = "safeconduct:direct", "safeconduct:requirement", "safeconduct:owner"
_LOCATION, _HASH, _UNREAD = "safeconduct:location", "safeconduct:hash", "safeconduct:unread"
_HIGHEST_GRADE = 4


class Known(msgspec.Struct, frozen=True, gc=False):
    """What our own properties of one component say; None where they are silent."""

    presence: Presence | None = None
    scope: Scope | None = None
    grade: int | None = None
    direct: bool | None = None
    requirement: str | None = None
    owner: str | None = None
    locations: tuple[Location, ...] = ()
    hashes: tuple[Hash, ...] = ()


def has_field(value: Hash) -> bool:
    """Return whether CycloneDX has a field for this hash."""
    return value.of == "archive" and value.algorithm in ALGORITHMS


def properties_of(component: Component) -> list[Property]:
    """Return a component's properties in a fixed order."""
    return [Property(name, value) for name, value in _pairs(component)]


def unread_properties(unread: tuple[Unread, ...]) -> list[Property]:
    """Return one property for each part that could not be read."""
    return [Property(_UNREAD, _encode(part)) for part in unread]


def read_unread(properties: list[Property] | None) -> tuple[Unread, ...]:
    """Return the parts that ``unread_properties`` wrote.

    Raises:
        msgspec.DecodeError: a value is none of ours.
    """
    values = (p.value or "" for p in properties or () if p.name == _UNREAD)
    return tuple(msgspec.json.decode(value, type=Unread) for value in values)


def read_known(properties: list[Property]) -> Known:
    """Return what our properties say.

    Raises:
        ValueError: a value is none of ours (msgspec's errors are among them).
    """
    found: dict[str, list[str]] = {}
    for item in properties:
        if item.name.startswith(PREFIX):
            found.setdefault(item.name, []).append(item.value or "")
    if not found:
        return Known()
    one = {name: values[0] for name, values in found.items()}
    grade = int(one[_GRADE]) if _GRADE in one else None
    if grade is not None and not 0 <= grade <= _HIGHEST_GRADE:
        raise ValueError(f"no such grade: {grade}")
    return Known(
        presence=Presence(one[PRESENCE]) if PRESENCE in one else None,
        scope=Scope(one[_SCOPE]) if _SCOPE in one else None,
        grade=grade,
        direct=one[_DIRECT] == "true" if _DIRECT in one else None,
        requirement=one.get(_REQUIREMENT),
        owner=one.get(_OWNER),
        locations=tuple(_location(value) for value in found.get(_LOCATION, ())),
        hashes=tuple(msgspec.json.decode(value, type=Hash) for value in found.get(_HASH, ())),
    )


def _pairs(component: Component) -> Iterator[tuple[str, str]]:
    yield PRESENCE, component.presence.value
    yield _SCOPE, component.scope.value
    yield _GRADE, str(component.grade)
    if component.direct is not None:
        yield _DIRECT, "true" if component.direct else "false"
    if component.requirement is not None:
        yield _REQUIREMENT, component.requirement
    if component.owner is not None:
        yield _OWNER, component.owner
    for place in component.locations:
        yield _LOCATION, _encode(_written(place))
    for value in component.hashes:
        if not has_field(value):
            yield _HASH, _encode(value)


class _Place(msgspec.Struct, frozen=True, omit_defaults=True):
    path: str
    reader: str
    line: int | None = None
    layer: str | None = None


def _written(place: Location) -> _Place:
    return _Place(place.path, place.reader, place.line, place.layer)


_read_location = msgspec.json.Decoder(Location).decode


def _location(value: str) -> Location:
    return _read_location(value)


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
