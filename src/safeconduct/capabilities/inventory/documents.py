"""Documents of packagers, decoded with patience for their spelling and none for their structure."""

import tomllib
from typing import Any

import msgspec
import yaml

# Versions must stay text: 1.10 is not 1.1, so no type is guessed.
_YAML_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_YAML_DEPTH = 100
_YAML_MOST = 16 * 1024 * 1024
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


def decode_yaml(data: bytes) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; every scalar stays text, merge keys stay keys.

    Raises:
        Damaged: not YAML, several documents, truncated, too deep, or not a mapping.
    """
    documents = decode_yaml_documents(data)
    if len(documents) != 1:
        raise Damaged(f"one YAML document was expected, found {len(documents)}")
    return documents[0]


def decode_yaml_documents(data: bytes) -> list[dict[str, Any]]:
    """Return the mappings of all documents of a YAML file, in their order; empty ones are left out.

    Raises:
        Damaged: not YAML, truncated, too deep, or something else than mappings.
    """
    if len(data) > _YAML_MOST:
        raise Damaged(f"YAML of more than {_YAML_MOST} bytes")
    source = decode_text(data)
    try:
        _check_depth(source)
        values: list[Any] = [
            value for value in yaml.load_all(source, Loader=_YAML_LOADER) if value or isinstance(value, list)
        ]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Damaged(f"not YAML: {' '.join(str(error).split())[:200]}") from error
    for value in values:
        if not isinstance(value, dict):
            raise Damaged(f"a YAML mapping was expected, found {type(value).__name__}")
    return values


def _check_depth(source: str) -> None:
    # The C library composes by recursion without counting: 200,000 brackets overrun the stack of the process.
    depth = 0
    for event in yaml.parse(source, Loader=_YAML_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _YAML_DEPTH:
            raise Damaged("YAML nested too deeply")


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
