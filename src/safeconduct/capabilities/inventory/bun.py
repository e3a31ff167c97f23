"""``bun.lock``, Bun's lock file in text.

Source: Bun documentation, "Lockfile"; ``src/install/lockfile/bun.lock.zig``. It is JSON with trailing commas. A package
is keyed by where it is installed (``a/b`` is b below a), so needs are looked up from the nearest place outwards.
"""

import re
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, items, strings, table, text
from safeconduct.capabilities.inventory.integrity import hashes_of
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.npm_spec import answered, locked_purl
from safeconduct.capabilities.inventory.reading import Reading, Resolved, beside, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Scope

READER = "bun-lock"
YIELDS = Yields(
    reader=READER,
    files=("bun.lock",),
    ecosystem="npm",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    note="the binary bun.lockb is not read",
)
NAMES = ("bun.lock",)
_KINDS = {
    "dependencies": Scope.RUNTIME,
    "optionalDependencies": Scope.OPTIONAL,
    "peerDependencies": Scope.PEER,
    "devDependencies": Scope.DEV,
}
_COMMA = re.compile(rb'("(?:[^"\\]|\\.)*+")|//[^\n]*|,(?=\s*[}\]])')
_LOCAL = ("workspace:", "link:", "file:", "root:")


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; what a workspace names is direct."""
    try:
        lock = decode_json(_COMMA.sub(lambda found: found[1] or b"", data))
    except Damaged as error:
        return not_read(path, str(error))
    workspaces = table(lock.get("workspaces"))
    packages = {key: value for key, value in table(lock.get("packages")).items() if _is_package(value)}
    if not isinstance(lock.get("packages"), dict) or not isinstance(lock.get("lockfileVersion"), int):
        return not_read(path, "a bun lock file without 'packages' or with a version that is no number")
    return locked_reading(
        path,
        READER,
        [_locked(key, value, packages) for key, value in packages.items()],
        roots=[root for place in workspaces.values() for root in _roots(table(place), packages)],
        resolved=[_resolved(path, folder, table(place)) for folder, place in workspaces.items()],
    )


def _is_package(value: Any) -> bool:
    identity = text(next(iter(items(value)), ""))
    return "@" in identity[1:] and not _split(identity)[1].startswith(_LOCAL)


def _split(identity: str) -> tuple[str, str]:
    at = identity.find("@", 1)
    return identity[:at], identity[at + 1 :]


def _locked(key: str, value: list[Any], packages: dict[str, Any]) -> Locked:
    name, version = _split(text(value[0]))
    body = next((item for item in value if isinstance(item, dict)), {})
    source = version if ":" in version else ""
    purl, pinned = locked_purl(name, "" if source else version, source.replace("github:", "git+https://github.com/"))
    wishes = [name for kind in _KINDS if kind != "devDependencies" for name in table(body.get(kind))]
    needs = tuple(found for wish in wishes if (found := _find(key, wish, packages)))
    hashes = hashes_of(text(value[-1])) if len(value) > 1 else ()
    return Locked(key, purl, needs, hashes, pinned=pinned, requirement=source or None)


def _find(key: str, name: str, packages: dict[str, Any]) -> str | None:
    place = key
    while place:
        if f"{place}/{name}" in packages:
            return f"{place}/{name}"
        place = place.rpartition("/")[0]
    return name if name in packages else None


def _roots(workspace: dict[str, Any], packages: dict[str, Any]) -> Iterator[Root]:
    own = text(workspace.get("name"))
    for kind, scope in _KINDS.items():
        for name in table(workspace.get(kind)):
            if found := _find(own, name, packages):
                yield Root(found, scope)


def _resolved(path: str, folder: str, workspace: dict[str, Any]) -> Resolved:
    written = [pair for kind in _KINDS for pair in strings(workspace.get(kind)).items()]
    found = (answered(name, specifier) for name, specifier in written)
    return Resolved(
        beside(path, f"{folder}/package.json" if folder else "package.json"), frozenset(item for item in found if item)
    )
