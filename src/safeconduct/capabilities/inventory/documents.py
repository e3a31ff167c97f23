"""Documents of packagers, decoded with patience for their spelling and none for their structure."""

import tomllib
from typing import Any

import msgspec

_BOM = b"\xef\xbb\xbf"


class Damaged(Exception):
    """The bytes are not the document that the file's name promises; the message says why."""


def decode_json(data: bytes) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        Damaged: not JSON, truncated, too deep, or not an object.
    """
    try:
        value = msgspec.json.decode(data.removeprefix(_BOM))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Damaged(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Damaged(f"a JSON object was expected, found {type(value).__name__}")
    return value


def decode_toml(data: bytes) -> dict[str, Any]:
    """Return the table that a TOML file holds.

    Raises:
        Damaged: not TOML, truncated or too deep.
    """
    try:
        return tomllib.loads(data.removeprefix(_BOM).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"not TOML: {error}") from error


def decode_text(data: bytes) -> str:
    """Return the text of a file, UTF-8 or, by its mark, UTF-16; undecodable bytes show as such."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", errors="replace")
    return data.removeprefix(_BOM).decode("utf-8", errors="replace")


def table(value: Any) -> dict[str, Any]:
    """Return ``value`` when it is an object, else an empty one: for fields that the format lets be absent."""
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> dict[str, str]:
    """Return the members of an object whose values are text."""
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return ``value`` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return ``value`` when it is text, else an empty one."""
    return value if isinstance(value, str) else ""
