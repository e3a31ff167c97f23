"""Gradle: ``gradle.lockfile`` and version catalogs (``libs.versions.toml``). Build scripts are programs and not read.

Source: Gradle documentation, "Locking Versions", "Version Catalogs", the TOML file format.
"""

import re
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_text, decode_toml, table, text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope, Unread
from safeconduct.model.purl import make_purl

READER = "gradle-lock"
CATALOG_READER = "gradle-catalog"
YIELDS = Yields(
    reader=READER,
    files=("gradle.lockfile", "buildscript-gradle.lockfile"),
    ecosystem="maven",
    evidence="locked",
    scope=True,
    lines=True,
    note="scope from the names of the configurations; the format has no hashes and no edges",
)
CATALOG_YIELDS = Yields(
    reader=CATALOG_READER,
    files=("libs.versions.toml",),
    ecosystem="maven",
    evidence="declared",
    lines=True,
    note="a catalog offers versions; which of them are used stands in build scripts",
)
NAMES = ("gradle.lockfile", "buildscript-gradle.lockfile")
_LINE = re.compile(r"([^:=\s]+):([^:=\s]+):([^:=\s]+)=(.*)")
_EXACT = re.compile(r"\d[\w.+-]*(?<!\+)")


def read(path: str, data: bytes) -> Reading:
    """Return the locked modules; test configurations alone make one a development need."""
    packages: list[Locked] = []
    unread: list[Unread] = []
    for number, raw in enumerate(decode_text(data).splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", "empty=")):
            continue
        if found := _LINE.fullmatch(line):
            purl = make_purl("maven", found[2], found[3], found[1])
            packages.append(Locked(line, purl, scope=_scope(found[4].split(",")), line=number))
        elif not unread:
            unread.append(Unread(f"{path}:{number}", "not a line of a Gradle lock file"))
    return locked_reading(path, READER, packages, unread=unread)


def _scope(configurations: list[str]) -> Scope:
    names = [name.lower() for name in configurations]
    if any("test" not in name for name in names):
        runtime = any("runtime" in name or "compile" in name for name in names if "test" not in name)
        return Scope.RUNTIME if runtime else Scope.BUILD
    return Scope.DEV


def read_catalog(path: str, data: bytes) -> Reading:
    """Return the libraries of a catalog; rich and open versions stay unresolved."""
    try:
        catalog = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    lines = decode_text(data).splitlines()
    versions = {name: _rich(value) for name, value in table(catalog.get("versions")).items()}
    components = tuple(_libraries(path, table(catalog.get("libraries")), versions, lines))
    return Reading(components=components)


def _rich(value: Any) -> str:
    body = table(value)
    return text(value) or next((text(body[k]) for k in ("strictly", "require", "prefer") if text(body.get(k))), "")


def _libraries(path: str, libraries: dict[str, Any], versions: dict[str, str], lines: list[str]) -> Iterator[Component]:
    for alias, value in libraries.items():
        body = table(value)
        module = text(value) or text(body.get("module")) or f"{text(body.get('group'))}:{text(body.get('name'))}"
        group, _, rest = module.partition(":")
        name, _, written = rest.partition(":")
        version = body.get("version")
        written = written or versions.get(text(table(version).get("ref")), "") or _rich(version)
        if not group or not name:
            continue
        exact = written if _EXACT.fullmatch(written) else ""
        yield Component(
            purl=make_purl("maven", name, exact, group),
            presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
            locations=(Location(path, CATALOG_READER, _line_of(lines, alias)),),
            requirement=None if exact else written,
            grade=2 if exact else 1 if written else 0,
        )


def _line_of(lines: list[str], alias: str) -> int | None:
    pattern = re.compile(rf"\s*[\"']?{re.escape(alias)}[\"']?\s*[.=]")
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), None)
