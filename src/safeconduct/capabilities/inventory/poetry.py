"""``poetry.lock``: versions, hashes and needs; the groups since Poetry 2, the category before 1.5.

Source: Poetry documentation, "Basic usage", lock file; ``poetry.packages.locker``, lock versions 1.0 to 2.1.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import Damaged, decode_toml, items, table, text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.python_archives import (
    archive_hashes,
    file_hashes,
    pypi_purl,
    scope_of_groups,
)
from safeconduct.capabilities.inventory.reading import Answers, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Scope

READER = "poetry-lock"
YIELDS = Yields(
    reader=READER,
    files=("poetry.lock",),
    ecosystem="pypi",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    note="directness from the pyproject.toml beside it",
)
NAMES = ("poetry.lock",)
_LOCAL = frozenset({"directory"})


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; folders of the project are none."""
    try:
        lock = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "package" not in lock and "metadata" not in lock:
        return not_read(path, "a poetry lock file without 'package' and 'metadata'")
    packages = list(_packages(lock))
    keys = {(package.id.partition("@")[0], ""): package.purl for package in reversed(packages)}
    reading = locked_reading(path, READER, packages)
    return msgspec.structs.replace(reading, answers=(Answers("python", folder_of(path), keys),))


def _packages(lock: dict[str, Any]) -> Iterator[Locked]:
    bodies = [table(item) for item in items(lock.get("package"))]
    ids: dict[str, list[str]] = {}
    for body in bodies:
        ids.setdefault(_name(body), []).append(_id(body))
    metadata = table(lock.get("metadata"))
    for body in bodies:
        source = table(body.get("source"))
        if _name(body) and text(source.get("type")) not in _LOCAL:
            yield _locked(body, source, metadata, ids)


def _name(body: dict[str, Any]) -> str:
    return canonicalize_name(text(body.get("name")))


def _id(body: dict[str, Any]) -> str:
    return f"{_name(body)}@{text(body.get('version'))}"


def _locked(
    body: dict[str, Any], source: dict[str, Any], metadata: dict[str, Any], ids: dict[str, list[str]]
) -> Locked:
    kind, address, commit = (text(source.get(key)) for key in ("type", "url", "resolved_reference"))
    git = address if kind == "git" else ""
    name = text(body.get("name"))
    hashes = (
        file_hashes(body.get("files"))
        or file_hashes(table(metadata.get("files")).get(name))
        or archive_hashes(f"sha256:{text(value)}" for value in items(table(metadata.get("hashes")).get(name)))
    )
    return Locked(
        _id(body),
        pypi_purl(name, text(body.get("version")), git=git, commit=commit, url=address if kind == "url" else ""),
        tuple(id_ for need in table(body.get("dependencies")) for id_ in ids.get(canonicalize_name(need), ())),
        hashes,
        scope=_scope(body),
        pinned=bool(git and commit),
        requirement=address if kind in {"git", "url"} else None,
    )


def _scope(body: dict[str, Any]) -> Scope | None:
    groups = items(body.get("groups")) or [body.get("category")]
    return scope_of_groups(groups, optional=body.get("optional") is True)
