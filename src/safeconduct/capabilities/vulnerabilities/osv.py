"""OSV records read: foreign JSON into an advisory, or a clear refusal.

Source: OSV schema 1.7. Unknown fields are left out. Real data breaks the schema in small ways (``null`` for an empty
list, two events in one object), so what can be read without guessing is read.
"""

import re
from typing import Any, NoReturn

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.advisory import Advisory
from safeconduct.model.limits import LIMITS

_DECODER = msgspec.json.Decoder(Advisory)
_ID = re.compile(r"[\x21-\x7e]{1,200}")


def parse_advisory(data: bytes) -> Advisory:
    """Return the advisory in ``data``, which is one JSON document.

    Raises:
        Refused: ``not-an-advisory`` for anything else: no JSON, no ``id``, neither ``modified`` nor ``affected``, a
            field of the wrong kind, or longer than the limit.
    """
    if len(data) > LIMITS.advisory:
        _refuse(f"{len(data)} bytes, more than the limit of {LIMITS.advisory}")
    try:
        advisory = _DECODER.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        advisory = _parse_tolerant(data)
    if not _ID.fullmatch(advisory.id):
        _refuse(f"its id is not a printable word of at most 200 characters: {advisory.id[:60]!r}")
    if not advisory.modified and advisory.affected is None:
        _refuse("it has an id, but neither 'modified' nor 'affected'")
    return advisory


def _parse_tolerant(data: bytes) -> Advisory:
    """The same with every ``null`` taken as absent; costs more, so only what needs it goes here."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(data)), Advisory)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        _refuse(str(error))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _refuse(why: str) -> NoReturn:
    raise Refused(
        "not-an-advisory",
        "a document is not an OSV advisory",
        why=why,
        next_step="leave it out of the feed, or have its publisher correct it; the other records are read",
    )
