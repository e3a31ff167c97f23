"""``pdm.lock``: versions, hashes, needs and groups.

Source: PDM documentation, "Lock file"; lock versions 2 to 4.5.
"""

from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import Damaged, decode_toml, items, table, text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.python_archives import (
    file_hashes,
    needed_name,
    pypi_purl,
    scope_of_groups,
)
from safeconduct.capabilities.inventory.reading import Answers, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields

READER = "pdm-lock"
YIELDS = Yields(
    reader=READER,
    files=("pdm.lock",),
    ecosystem="pypi",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    note="directness from the pyproject.toml beside it",
)
NAMES = ("pdm.lock",)


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; the same package with other extras is said once."""
    try:
        lock = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "package" not in lock and "metadata" not in lock:
        return not_read(path, "a pdm lock file without 'package' and 'metadata'")
    metadata = table(lock.get("metadata"))
    bodies = [table(item) for item in items(lock.get("package"))]
    packages = [_locked(body, metadata) for body in bodies if text(body.get("name")) and "path" not in body]
    keys = {(package.id, ""): package.purl for package in packages}
    reading = locked_reading(path, READER, packages)
    return msgspec.structs.replace(reading, answers=(Answers("python", folder_of(path), keys),))


def _locked(body: dict[str, Any], metadata: dict[str, Any]) -> Locked:
    name, version = text(body.get("name")), text(body.get("version"))
    git, commit, url = text(body.get("git")), text(body.get("revision")), text(body.get("url"))
    needs = (needed_name(text(written)) for written in items(body.get("dependencies")))
    return Locked(
        canonicalize_name(name),
        pypi_purl(name, version, git=git, commit=commit, url=url),
        tuple(dict.fromkeys(need for need in needs if need)),
        file_hashes(body.get("files")) or file_hashes(table(metadata.get("files")).get(f"{name} {version}")),
        scope=scope_of_groups(items(body.get("groups"))),
        pinned=bool(git and commit),
        requirement=git or url or None,
    )
