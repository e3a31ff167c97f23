"""``pylock.toml``: the lock file that Python's tools share.

Source: PyPA pylock.toml specification (PEP 751).
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import Damaged, decode_toml, items, strings, table, text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.python_archives import archive_hashes, pypi_purl
from safeconduct.capabilities.inventory.reading import Answers, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Unread

READER = "pylock"
YIELDS = Yields(
    reader=READER,
    files=("pylock.toml", "pylock.*.toml"),
    ecosystem="pypi",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    note="directness from the pyproject.toml beside it",
)
NAMES = ("pylock.toml",)
_NAME = re.compile(r"pylock\.[^.]+\.toml")


def is_pylock(name: str) -> bool:
    """Return whether a file's name is ``pylock.<something>.toml``."""
    return _NAME.fullmatch(name) is not None


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; folders of the project are none."""
    try:
        lock = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if not text(lock.get("lock-version")).startswith("1.") or not isinstance(lock.get("packages"), list):
        return not_read(path, "a pylock file without 'packages', or of another version than 1")
    bodies = [table(item) for item in items(lock.get("packages"))]
    nameless = [Unread(path, "a package without a name")] * any(not text(body.get("name")) for body in bodies)
    packages = [_locked(body) for body in bodies if text(body.get("name")) and "directory" not in body]
    keys = {(package.id, ""): package.purl for package in packages}
    reading = locked_reading(path, READER, packages, unread=nameless)
    return msgspec.structs.replace(reading, answers=(Answers("python", folder_of(path), keys),))


def _locked(body: dict[str, Any]) -> Locked:
    name = text(body.get("name"))
    vcs, archive = table(body.get("vcs")), table(body.get("archive"))
    git, commit = text(vcs.get("url")), text(vcs.get("commit-id"))
    needs = (canonicalize_name(text(table(item).get("name"))) for item in items(body.get("dependencies")))
    return Locked(
        canonicalize_name(name),
        pypi_purl(name, text(body.get("version")), git=git, commit=commit, url=text(archive.get("url"))),
        tuple(dict.fromkeys(need for need in needs if need)),
        archive_hashes(_hashes(body)),
        pinned=bool(git and commit),
        requirement=git or text(archive.get("url")) or None,
    )


def _hashes(body: dict[str, Any]) -> Iterator[str]:
    for archive in (table(body.get("sdist")), table(body.get("archive")), *map(table, items(body.get("wheels")))):
        for algorithm, value in strings(archive.get("hashes")).items():
            yield f"{algorithm}:{value}"
