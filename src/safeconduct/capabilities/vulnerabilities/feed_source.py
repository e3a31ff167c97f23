"""Where the records of a feed lie: a folder, a zip, one file. Each gives (name, bytes) or says what it cannot give."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

from safeconduct.foundation.errors import Undecided
from safeconduct.model.component import Unread
from safeconduct.model.limits import LIMITS

Member = tuple[str, bytes]
_RATIO_FREE = 64 * 1024 * 1024
"""Below this an archive may unpack as it likes: small text packs well beyond any ratio."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


class RecordSource(Protocol):
    """A place that holds JSON documents."""

    def members(self) -> Iterator[Member | Unread]:
        """Yield every ``.json`` document, by name, and what could not be read in its place."""
        ...

    def find(self, name: str) -> bytes | None:
        """Return the document of that name at the top, or None."""
        ...


class FolderSource:
    """The ``.json`` files under a folder; links are not followed out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def members(self) -> Iterator[Member | Unread]:
        """Yield the files by path."""
        for path in sorted(self._folder.rglob("*.json")):
            name = path.relative_to(self._folder).as_posix()
            if path.is_symlink() or not path.is_file():
                yield Unread(name, "not a regular file")
            else:
                yield _read_file(path, name)

    def find(self, name: str) -> bytes | None:
        """Return the file of that name at the top, or None."""
        path = self._folder / name
        found = _read_file(path, name) if path.is_file() and not path.is_symlink() else None
        return found[1] if isinstance(found, tuple) else None


class FileSource:
    """One ``.json`` file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def members(self) -> Iterator[Member | Unread]:
        """Yield the file."""
        yield _read_file(self._path, self._path.name)

    def find(self, name: str) -> bytes | None:  # noqa: ARG002 - a single record has no feed.json beside it
        """Return None."""
        return None


class ZipSource:
    """The ``.json`` members of a zip. Nothing is unpacked to disk; sizes are counted while reading, not believed."""

    def __init__(self, file: BinaryIO | Path, label: str) -> None:
        self._label = label
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGED as error:
            self._unreadable(str(error))
        if len(self._zip.filelist) > LIMITS.entries:
            self._unreadable(f"{len(self._zip.filelist)} members, more than the limit of {LIMITS.entries}")

    def members(self) -> Iterator[Member | Unread]:
        """Yield the members in the archive's order.

        Raises:
            Undecided: ``feed-unreadable`` when it unpacks to far more than its size.
        """
        total = packed = 0
        for info in self._zip.filelist:
            if info.is_dir() or not info.filename.endswith(".json"):
                continue
            found = self._read(info)
            total += len(found[1]) if isinstance(found, tuple) else 0
            packed += info.compress_size
            if total > max(_RATIO_FREE, LIMITS.unpack_ratio * packed):
                self._unreadable(f"it unpacks to more than {LIMITS.unpack_ratio} times its size")
            yield found

    def find(self, name: str) -> bytes | None:
        """Return the member of that name, or None."""
        info = self._zip.NameToInfo.get(name)
        found = self._read(info) if info else None
        return found[1] if isinstance(found, tuple) else None

    def _read(self, info: zipfile.ZipInfo) -> Member | Unread:
        try:
            with self._zip.open(info) as member:
                data = member.read(LIMITS.advisory + 1)
        except _DAMAGED as error:
            return Unread(info.filename, f"damaged in the archive: {error}")
        return _bounded(info.filename, data)

    def _unreadable(self, why: str) -> NoReturn:
        raise Undecided(
            "feed-unreadable",
            f"the feed {self._label} cannot be read",
            why=why,
            next_step="fetch it again; what was known before stays as it is",
        )


def _read_file(path: Path, name: str) -> Member | Unread:
    try:
        with path.open("rb") as file:
            return _bounded(name, file.read(LIMITS.advisory + 1))
    except OSError as error:
        return Unread(name, str(error.strerror or error))


def _bounded(name: str, data: bytes) -> Member | Unread:
    if len(data) > LIMITS.advisory:
        return Unread(name, f"more than the limit of {LIMITS.advisory} bytes")
    return name, data
