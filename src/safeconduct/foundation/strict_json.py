"""Strict JSON for signed documents: what two parsers could read differently is refused.

Duplicate keys and keys that differ only in case are the known ways to show one document to the verifier and
another to the consumer (some parsers take the first, some the last, some ignore case).
"""

import json
import re
from typing import Any, NoReturn

from safeconduct.foundation.errors import Refused
from safeconduct.model.limits import LIMITS

# Possessive, and taking a string without end as well: each byte is looked at once, whatever an attacker writes.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
_OPENING = b"{["
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def parse_strict(data: bytes, *, max_bytes: int, max_depth: int = LIMITS.json_depth) -> Any:
    """Return the value of a JSON document.

    Args:
        data: UTF-8 bytes, one value, no byte order mark.
        max_bytes: refuse longer documents before reading them.
        max_depth: refuse deeper nesting.

    Raises:
        Refused: ``malformed-json`` with what is wrong.
    """
    if len(data) > max_bytes:
        _refuse(f"{len(data)} bytes, more than the limit of {max_bytes}")
    _check_depth(data, max_depth)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        _refuse(str(error))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError(f"a key stands twice in one object: {sorted(k for k, _ in pairs)[:8]}")
    if len(set(map(str.casefold, value))) != len(value):
        raise ValueError(f"two keys differ only in case: {sorted(value)[:8]}")
    return value


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _check_depth(data: bytes, max_depth: int) -> None:
    if data.count(b"{") + data.count(b"[") <= max_depth:
        return
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > max_depth:
            _refuse(f"nested deeper than {max_depth}")


def _refuse(why: str) -> NoReturn:
    raise Refused(
        "malformed-json",
        "a signed document is not strict JSON",
        why=why,
        next_step="have its producer write it again; the bytes as they stand cannot be trusted",
    )
