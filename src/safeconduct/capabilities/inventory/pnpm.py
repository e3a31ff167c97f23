"""``pnpm-lock.yaml``, versions 5 to 9.

Source: pnpm's lockfile specification (pnpm/spec, lockfile/5.2.md to 9.0.md). Version 9 keeps what a package is
(``packages``) apart from what it needs (``snapshots``); before, both stand together.
"""

import re
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_yaml_documents, strings, table, text
from safeconduct.capabilities.inventory.integrity import hashes_of
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.npm_spec import answered, locked_purl
from safeconduct.capabilities.inventory.reading import Reading, Resolved, beside, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Scope
from safeconduct.model.purl import make_purl

READER = "pnpm-lock"
YIELDS = Yields(
    reader=READER,
    files=("pnpm-lock.yaml",),
    ecosystem="npm",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    note="versions 5 to 9",
)
NAMES = ("pnpm-lock.yaml",)
_KINDS = {
    "dependencies": Scope.RUNTIME,
    "optionalDependencies": Scope.OPTIONAL,
    "devDependencies": Scope.DEV,
}
_LOCAL = ("link:", "file:", "workspace:")
_OLD_KEY = re.compile(r"/?((?:@[^/]+/)?[^/]+)/(\d[^/_(]*)(?:[_(/].*)?")
_KEY = re.compile(r"/?((?:@[^/]+/)?[^@/(]+)@([^(]+)(?:\(.*)?")


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; what an importer names is direct."""
    try:
        locks = [document for document in decode_yaml_documents(data) if "lockfileVersion" in document]
    except Damaged as error:
        return not_read(path, str(error))
    if not locks:
        return not_read(path, "a pnpm lock file without its version")
    # pnpm keeps its own plugins in a document before the project's.
    readings = [_read_document(path, lock) for lock in locks]
    return Reading(
        components=tuple(c for reading in readings for c in reading.components),
        edges=tuple(e for reading in readings for e in reading.edges),
        resolved=tuple(r for reading in readings for r in reading.resolved),
    )


def _read_document(path: str, lock: dict[str, Any]) -> Reading:
    snapshots = table(lock.get("snapshots"))
    packages = table(lock.get("packages"))
    importers = table(lock.get("importers")) or {".": lock}
    kept = {key: table(body) for key, body in (snapshots or packages).items() if _is_package(key)}
    ids = {_plain(key) for key in kept}
    found = [_locked(key, body, packages, ids) for key, body in kept.items()]
    return locked_reading(
        path,
        READER,
        found,
        roots=[root for importer in importers.values() for root in _roots(table(importer), ids)],
        resolved=[_resolved(path, place, table(importer)) for place, importer in importers.items()],
    )


def _is_package(key: str) -> bool:
    return not key.startswith(_LOCAL) and "@file:" not in key and "@link:" not in key


def _locked(key: str, body: dict[str, Any], packages: dict[str, Any], ids: set[str]) -> Locked:
    # A snapshot stands for one set of peers; the package itself stands without them.
    about = {**table(packages.get(key) or packages.get(key.partition("(")[0])), **body}
    resolution = table(about.get("resolution"))
    name, version = _name_and_version(key)
    name, version = text(about.get("name")) or name, text(about.get("version")) or version
    source = _source(resolution, version)
    purl, pinned = locked_purl(name, "" if source and version in source else version, source)
    wishes = {**strings(body.get("dependencies")), **strings(body.get("optionalDependencies"))}
    needs = tuple(found for child, wanted in wishes.items() if (found := _find(child, wanted, ids)))
    scope = Scope.DEV if body.get("dev") == "true" else Scope.OPTIONAL if body.get("optional") == "true" else None
    hashes = hashes_of(text(resolution.get("integrity")))
    return Locked(_plain(key), purl, needs, hashes, scope=scope, pinned=pinned, requirement=source or None)


def _source(resolution: dict[str, Any], version: str) -> str:
    if commit := text(resolution.get("commit")):
        return f"git+{text(resolution.get('repo'))}#{commit}"
    address = text(resolution.get("tarball"))
    return address if address and not address.startswith("file:") else version if "://" in version else ""


def _name_and_version(key: str) -> tuple[str, str]:
    found = _KEY.fullmatch(key) or _OLD_KEY.fullmatch(key)
    return (found[1], found[2]) if found else (key.lstrip("/"), "")


def _plain(key: str) -> str:
    return key.removeprefix("/")


def _find(name: str, wanted: str, ids: set[str]) -> str | None:
    """Return the key of what ``name: wanted`` stands for; an alias spells its key out."""
    return next((key for key in (f"{name}@{wanted}", f"{name}/{wanted}", _plain(wanted)) if key in ids), None)


def _roots(importer: dict[str, Any], ids: set[str]) -> Iterator[Root]:
    for kind, scope in _KINDS.items():
        for name, value in table(importer.get(kind)).items():
            wanted = text(value) or text(table(value).get("version"))
            if found := _find(name, wanted, ids):
                yield Root(found, scope)


def _resolved(path: str, place: str, importer: dict[str, Any]) -> Resolved:
    written = dict(strings(importer.get("specifiers")))
    for kind in _KINDS:
        for name, value in table(importer.get(kind)).items():
            if specifier := text(table(value).get("specifier")):
                written[name] = specifier
    found = (answered(name, specifier) for name, specifier in written.items())
    names = {item for item in found if item} or {(make_purl("npm", name), "") for name in written}
    return Resolved(beside(path, "package.json" if place == "." else f"{place}/package.json"), frozenset(names))
