"""Trees: the files that are read, wherever they lie: a folder, a commit's objects, an image.

Readers never see a tree; the walk hands them bytes. An image gives an object with the same methods.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from safeconduct.foundation.errors import BadUsage, Undecided
from safeconduct.model.component import Unread
from safeconduct.model.digest import Digest

SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".bzr", ".jj", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
"""Folders of tools that hold no part of the software: histories and caches."""


class Entry(Protocol):
    """One regular file of a tree."""

    @property
    def path(self) -> str:
        """Where it lies, relative, separated by ``/``."""

    @property
    def size(self) -> int:
        """Its length in bytes; may cost a system call."""

    @property
    def layer(self) -> Digest | None:
        """The image layer that brought it, None outside images."""

    def read(self, limit: int) -> bytes:
        """Return its first ``limit`` bytes.

        Raises:
            OSError: it cannot be read.
        """


class Tree(Protocol):
    """Files to be read."""

    def entries(self) -> Iterator[Entry]:
        """Yield every regular file once, in any order."""

    def problems(self) -> Iterable[Unread]:
        """Return what ``entries`` could not list; complete once that has ended."""


class MemoryEntry:
    """A file whose bytes are at hand."""

    __slots__ = ("_data", "path")
    layer: Digest | None = None

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self._data = data

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self._data)

    def read(self, limit: int) -> bytes:
        """Return its first ``limit`` bytes."""
        return self._data[:limit]


class MemoryTree:
    """A tree of bytes by path: the objects of a commit, or a test's files."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def entries(self) -> Iterator[MemoryEntry]:
        """Yield every file, sorted by path."""
        return (MemoryEntry(path, self._files[path]) for path in sorted(self._files))

    def problems(self) -> tuple[Unread, ...]:
        """Return nothing: what is in memory has been read."""
        return ()


class FolderEntry:
    """A file on disk; it is opened when a reader wants it."""

    __slots__ = ("_link", "_name", "_root", "path")
    layer: Digest | None = None

    def __init__(self, root: str, path: str, *, link: bool) -> None:
        self._root = root
        self._name = path
        # A name that is no UTF-8 cannot be written into any document; its bytes are spelled out.
        self.path = path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")
        self._link = link

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.stat(self._full()).st_size  # noqa: PTH116 - a Path for each of 100,000 files costs more than the walk

    def read(self, limit: int) -> bytes:
        """Return its first ``limit`` bytes.

        Raises:
            OSError: it cannot be read, or is a symbolic link that leaves the tree.
        """
        full = self._full()
        if self._link and not Path(full).resolve().is_relative_to(self._root):
            raise OSError("a symbolic link that leaves the tree")
        with open(full, "rb") as file:  # noqa: PTH123 - as above
            return file.read(limit)

    def _full(self) -> str:
        return f"{self._root}/{self._name}"


class FolderTree:
    """A folder on disk, listed in one walk; symbolic links to folders are not followed."""

    def __init__(self, folder: Path) -> None:
        """Open ``folder``.

        Raises:
            BadUsage: ``no-such-folder``.
        """
        if not folder.is_dir():
            raise BadUsage(
                "no-such-folder",
                f"there is no folder {str(folder)!r}",
                why="it does not exist" if not folder.exists() else "it is not a folder",
                next_step="name the folder that holds the software",
            )
        self._root = str(folder.resolve())
        self._problems: list[Unread] = []

    def entries(self) -> Iterator[FolderEntry]:
        """Yield every regular file, folder by folder.

        Raises:
            Undecided: ``unreadable-folder`` when the top itself cannot be listed.
        """
        self._problems = []
        pending = [""]
        while pending:
            folder = pending.pop()
            for item in self._list(folder):
                path = folder + item.name
                if item.is_dir(follow_symlinks=False):
                    if item.name not in SKIPPED:
                        pending.append(path + "/")
                elif item.is_file():
                    yield FolderEntry(self._root, path, link=item.is_symlink())

    def problems(self) -> tuple[Unread, ...]:
        """Return the folders that could not be listed."""
        return tuple(self._problems)

    def _list(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(f"{self._root}/{folder}") as listing:
                return list(listing)
        except OSError as error:
            if not folder:
                raise Undecided(
                    "unreadable-folder",
                    f"the folder {self._root} cannot be listed",
                    why=str(error.strerror),
                    next_step="run as a user who may read it",
                ) from error
            self._problems.append(Unread(folder.rstrip("/"), f"the folder cannot be listed: {error.strerror}"))
            return []
