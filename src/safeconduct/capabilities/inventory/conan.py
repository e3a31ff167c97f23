"""``conan.lock`` of Conan 1 (a graph) and 2 (a list).

Source: Conan documentation, "Lockfiles"; purl type ``conan``: ``name/version@user/channel#recipe revision``.
"""

import re
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, items, table, text
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Scope
from safeconduct.model.purl import Purl

READER = "conan-lock"
YIELDS = Yields(
    reader=READER,
    files=("conan.lock",),
    ecosystem="conan",
    evidence="locked",
    scope=True,
    note="edges and directness in lock files of Conan 1 only; the recipe revision pins",
)
NAMES = ("conan.lock",)
_REFERENCE = re.compile(r"([\w.+-]+)/([^@#%:\s]+)(?:@([\w.+-]+)/([\w.+-]+)|@)?(?:#([0-9a-f]+))?.*")
_KINDS = {"requires": Scope.RUNTIME, "build_requires": Scope.BUILD, "python_requires": Scope.BUILD}


def read(path: str, data: bytes) -> Reading:
    """Return the locked recipes."""
    try:
        lock = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "graph_lock" in lock:
        return _read_graph(path, table(table(lock["graph_lock"]).get("nodes")))
    if not set(_KINDS) & set(lock):
        return not_read(path, "a conan.lock without requirements")
    found = (
        _locked(text(item), text(item), scope=scope) for kind, scope in _KINDS.items() for item in items(lock.get(kind))
    )
    return locked_reading(path, READER, [item for item in found if item is not None])


def _read_graph(path: str, nodes: dict[str, Any]) -> Reading:
    bodies = {key: table(value) for key, value in nodes.items()}
    needs = {
        key: tuple(text(need) for kind in ("requires", "build_requires") for need in items(body.get(kind)))
        for key, body in bodies.items()
    }
    asked = {need for below in needs.values() for need in below}
    roots = [Root(need) for key in bodies if key not in asked for need in needs[key]]
    found = (_locked(key, text(body.get("ref")), needs[key]) for key, body in bodies.items() if key in asked)
    return locked_reading(path, READER, [item for item in found if item is not None], roots=roots)


def _locked(id_: str, reference: str, needs: tuple[str, ...] = (), scope: Scope | None = None) -> Locked | None:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    name, version, user, channel, revision = found.groups()
    qualifiers = {"user": user, "channel": channel, "rrev": revision}
    purl = Purl("conan", "", name, version, tuple(sorted((k, v) for k, v in qualifiers.items() if v)))
    return Locked(id_, str(purl), needs, scope=scope, pinned=bool(revision))
