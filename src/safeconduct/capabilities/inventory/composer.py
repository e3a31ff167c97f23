r"""``composer.lock`` and ``composer.json``.

Source: Composer documentation, "The composer.json schema"; ``Composer\\Package\\Locker``.
"""

import re
from typing import Any

import msgspec

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, decode_text, items, strings, table, text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.npm_terms import declared_terms
from safeconduct.capabilities.inventory.reading import Answers, Asked, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence, Scope
from safeconduct.model.purl import make_purl

READER = "composer-lock"
MANIFEST_READER = "composer"
YIELDS = Yields(
    reader=READER,
    files=("composer.lock",),
    ecosystem="composer",
    evidence="locked",
    licenses=True,
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    note="directness from the composer.json beside it; most archives have no hash, then the commit pins",
)
MANIFEST_YIELDS = Yields(
    reader=MANIFEST_READER,
    files=("composer.json",),
    ecosystem="composer",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
)
NAMES = ("composer.lock",)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_EXACT = re.compile(r"v?(\d+\.\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?)")


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; folders of the project are none."""
    try:
        lock = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "packages" not in lock:
        return not_read(path, "a composer.lock without 'packages'")
    found = [
        _locked(table(item), scope)
        for kind, scope in (("packages", Scope.RUNTIME), ("packages-dev", Scope.DEV))
        for item in items(lock.get(kind))
        if "/" in text(table(item).get("name")).strip("/")
        and text(table(table(item).get("dist")).get("type")) != "path"
    ]
    keys = {(package.id, ""): package.purl for package in found}
    reading = locked_reading(path, READER, found)
    return msgspec.structs.replace(reading, answers=(Answers("composer", folder_of(path), keys),))


def _locked(body: dict[str, Any], scope: Scope) -> Locked:
    name, version = text(body.get("name")).lower(), text(body.get("version"))
    dist, source = table(body.get("dist")), table(body.get("source"))
    total, commit = text(dist.get("shasum")), text(dist.get("reference")) or text(source.get("reference"))
    return Locked(
        name,
        composer_purl(name, version),
        tuple(need.lower() for need in table(body.get("require"))),
        (Hash("sha1", total),) if _COMMIT.fullmatch(total) else (),
        declared_terms({"license": body.get("license")}),
        scope=scope,
        pinned=bool(_COMMIT.fullmatch(commit)),
    )


def composer_purl(name: str, version: str) -> str:
    """Return the purl of ``vendor/package``."""
    namespace, _, last = name.rpartition("/")
    return make_purl("composer", last, version, namespace.lower())


def read_manifest(path: str, data: bytes) -> Reading:
    """Return what a project requires; PHP itself and its extensions are no packages."""
    try:
        manifest = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    lines = decode_text(data).splitlines()
    found = [
        (name.lower(), written, scope)
        for kind, scope in (("require", Scope.RUNTIME), ("require-dev", Scope.DEV))
        for name, written in strings(manifest.get(kind)).items()
        if "/" in name.strip("/")
    ]
    declared = tuple((name, "", scope) for name, _, scope in found)
    asked = (Asked("composer", folder_of(path), tuple(name for name, *_ in found), declared),) if found else ()
    return Reading(components=tuple(_component(path, *item, lines) for item in found), asked=asked)


def _component(path: str, name: str, written: str, scope: Scope, lines: list[str]) -> Component:
    exact = _EXACT.fullmatch(written.strip())
    line = next((number for number, line in enumerate(lines, 1) if f'"{name}"' in line.lower()), None)
    return Component(
        purl=composer_purl(name, exact[0] if exact else ""),
        presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
        locations=(Location(path, MANIFEST_READER, line),),
        scope=scope,
        direct=True,
        requirement=None if exact else written,
        grade=2 if exact else 0 if written.strip() in {"", "*"} else 1,
    )
