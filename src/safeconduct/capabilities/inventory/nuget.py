"""NuGet's lock files: ``packages.lock.json`` and ``project.assets.json``.

Source: NuGet documentation, "Enable repeatable package restores using a lock file"; NuGet.Client,
``PackagesLockFileFormat`` and ``LockFileFormat``.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, items, strings, table, text
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash
from safeconduct.model.purl import make_purl

READER = "nuget-lock"
YIELDS = Yields(
    reader=READER,
    files=("packages.lock.json", "project.assets.json"),
    ecosystem="nuget",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
)
NAMES = ("packages.lock.json", "project.assets.json")
_SHA512 = 64


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages of all target frameworks with their edges; projects are none."""
    try:
        lock = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    if path.endswith("project.assets.json"):
        if "targets" not in lock or "libraries" not in lock:
            return not_read(path, "a project.assets.json without 'targets' and 'libraries'")
        return _read_assets(path, lock)
    if "dependencies" not in lock:
        return not_read(path, "a packages.lock.json without 'dependencies'")
    packages: list[Locked] = []
    roots: list[Root] = []
    for number, value in enumerate(table(lock["dependencies"]).values()):
        framework = {name.lower(): (name, table(body)) for name, body in table(value).items() if name}
        for name, body in framework.values():
            if text(body.get("type")) != "Project" and text(body.get("resolved")):
                packages.append(_locked(number, name, body, set(framework)))
                roots += [Root(packages[-1].id)] if text(body.get("type")) == "Direct" else []
    return locked_reading(path, READER, packages, roots=roots)


def _locked(number: int, name: str, body: dict[str, Any], names: set[str]) -> Locked:
    """Return one package of one framework; ids are apart for each, names do not tell case."""
    needs = (need.lower() for need in table(body.get("dependencies")))
    return Locked(
        f"{number} {name.lower()}",
        make_purl("nuget", name, text(body.get("resolved"))),
        tuple(f"{number} {need}" for need in needs if need in names),
        _hashes(text(body.get("contentHash"))),
    )


def _read_assets(path: str, lock: dict[str, Any]) -> Reading:
    libraries = {key.lower(): table(body) for key, body in table(lock.get("libraries")).items()}
    packages = [
        _asset(number, key, table(body), table(target), libraries)
        for number, target in enumerate(table(lock.get("targets")).values())
        for key, body in table(target).items()
        if text(table(body).get("type")) == "package" and "/" in key.strip("/")
    ]
    return locked_reading(path, READER, packages, roots=list(_asset_roots(lock, packages)))


def _asset(
    number: int, key: str, body: dict[str, Any], target: dict[str, Any], libraries: dict[str, dict[str, Any]]
) -> Locked:
    name, _, version = key.partition("/")
    ids = {other.partition("/")[0].lower(): f"{number} {other.lower()}" for other in target}
    needs = tuple(ids[need.lower()] for need in strings(body.get("dependencies")) if need.lower() in ids)
    hashes = _hashes(text(libraries.get(key.lower(), {}).get("sha512")))
    return Locked(f"{number} {key.lower()}", make_purl("nuget", name, version), needs, hashes)


def _asset_roots(lock: dict[str, Any], packages: list[Locked]) -> Iterator[Root]:
    frameworks = table(table(lock.get("project")).get("frameworks")).values()
    named = {name.lower() for framework in frameworks for name in table(table(framework).get("dependencies"))}
    for written in table(lock.get("projectFileDependencyGroups")).values():
        named |= {text(item).partition(" ")[0].lower() for item in items(written)}
    return (Root(p.id) for p in packages if p.id.partition(" ")[2].partition("/")[0] in named)


def _hashes(encoded: str) -> tuple[Hash, ...]:
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return ()
    return (Hash("sha512", value.hex()),) if len(value) == _SHA512 else ()
