"""Licences as npm's files declare them, from the current text form back to the arrays of old packages.

Source: npm documentation, package.json, "license".
"""

from typing import Any

from safeconduct.capabilities.inventory.documents import items, table, text


def declared_terms(body: dict[str, Any]) -> tuple[str, ...]:
    """Return the licence texts of a package.json or lock entry, in their order, each once."""
    licenses = body.get("licenses")
    found = [*_of(body.get("license")), *(_of(licenses) if not isinstance(licenses, list) else [])]
    for item in items(licenses):
        found += _of(item)
    return tuple(dict.fromkeys(found))


def _of(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _of_one(item)]
    return _of_one(value)


def _of_one(value: Any) -> list[str]:
    name = text(value) or text(table(value).get("type")) or text(table(value).get("name"))
    return [name.strip()] if name.strip() else []
