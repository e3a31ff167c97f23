"""winget: the list that ``winget export`` writes, and configuration files.

Source: winget documentation, "export command", schema packages.schema.2.0.json; "WinGet Configuration", resource
Microsoft.WinGet.DSC/WinGetPackage. ``pkg:winget`` is not a registered purl type; other tools write it the same way.
"""

import re
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import (
    Damaged,
    decode_json,
    decode_text,
    decode_yaml,
    items,
    table,
    text,
)
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yaml_lines import lines_of
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope
from safeconduct.model.purl import Purl

READER = "winget"
YIELDS = Yields(
    reader=READER,
    files=("winget*.json", "*.winget", "configuration.dsc.yaml", "*.dsc.yaml", "*.dsc.yml"),
    ecosystem="winget",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
    note="an export without --include-versions names no versions",
)
_EXPORT = re.compile(r"winget[\w.-]*\.json", re.IGNORECASE)
_ENDINGS = (".winget", ".dsc.yaml", ".dsc.yml")
_RESOURCE = "winget"


def is_winget(name: str) -> bool:
    """Return whether a file's name is one that is used for winget's exports and configurations."""
    return name.endswith(_ENDINGS) or _EXPORT.fullmatch(name) is not None


def read(path: str, data: bytes) -> Reading:
    """Return the packages that a file asks winget to install."""
    is_export = path.lower().endswith(".json")
    try:
        document = decode_json(data) if is_export else decode_yaml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if is_export and "Sources" not in document:
        return Reading()  # another file of the same name
    source = decode_text(data)
    found = _exported(document) if is_export else _configured(document)
    key = "PackageIdentifier" if is_export else "id"
    return Reading(
        components=tuple(
            dict.fromkeys(_component(path, name, version, _line(source, key, name)) for name, version in found)
        )
    )


def _exported(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for source in items(document.get("Sources")):
        for package in items(table(source).get("Packages")):
            if name := text(table(package).get("PackageIdentifier")).strip():
                yield name, text(table(package).get("Version"))


def _configured(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    properties = table(document.get("properties"))
    for resource in (*items(properties.get("resources")), *items(document.get("resources"))):
        body = table(resource)
        kind = (text(body.get("resource")) or text(body.get("type"))).lower()
        settings = table(body.get("settings")) or table(body.get("properties"))
        if _RESOURCE in kind and "package" in kind and (name := text(settings.get("id")).strip()):
            yield name, text(settings.get("version"))


def _line(source: str, key: str, name: str) -> int | None:
    if found := lines_of(source, key).get(name):
        return found
    at = source.find(f'"{name}"')
    return source.count("\n", 0, at) + 1 if at >= 0 else None


def _component(path: str, name: str, version: str, line: int | None) -> Component:
    exact = version if version and version.lower() not in {"latest", "unknown"} else ""
    return Component(
        purl=str(Purl("winget", "", name, exact)),
        presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
        locations=(Location(path, READER, line),),
        scope=Scope.BUILD,
        direct=True,
        requirement=None if exact else version,
        grade=2 if exact else 0,
    )
