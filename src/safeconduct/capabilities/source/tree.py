"""The files of one commit, straight from its objects: no untracked files, no checkout filters, no umask."""

from collections.abc import Iterator

from safeconduct.capabilities.source.repository import GitRepository, SourceFile
from safeconduct.foundation.errors import Undecided
from safeconduct.model.component import Unread
from safeconduct.model.digest import Digest

_LINK, _SUBMODULE = "120000", "160000"
_EXECUTABLE = "100755"


class CommitEntry:
    """One regular file of a commit; its object is read, and its id recomputed, when it is wanted."""

    __slots__ = ("_file", "_repository", "path")
    layer: Digest | None = None

    def __init__(self, repository: GitRepository, file: SourceFile) -> None:
        self._repository = repository
        self._file = file
        self.path = file.path

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.read())

    @property
    def executable(self) -> bool:
        """Whether git records it as executable."""
        return self._file.mode == _EXECUTABLE

    def read(self, limit: int | None = None) -> bytes:
        """Return its first ``limit`` bytes, all of them without a limit.

        Raises:
            OSError: with a limit, as inventory wants to be told: it is too large to be read at all.
            Undecided: without one, the same.
        """
        try:
            return self._repository.read(self._file.id, "blob")[:limit]
        except Undecided as error:
            if limit is None:
                raise
            raise OSError(f"{error.what}: {error.why}") from error


class CommitTree:
    """A commit's files as a tree that inventory can walk and an image can be assembled from."""

    def __init__(self, repository: GitRepository, tree: str) -> None:
        self._repository = repository
        self._tree = tree
        self._problems: list[Unread] = []

    def entries(self) -> Iterator[CommitEntry]:
        """Yield every regular file; links and submodules become problems."""
        self._problems = []
        for file in self._repository.files(self._tree):
            if file.mode == _LINK:
                continue
            if file.mode == _SUBMODULE:
                self._problems.append(Unread(file.path, "a submodule: its commit is another repository's"))
            else:
                yield CommitEntry(self._repository, file)

    def problems(self) -> tuple[Unread, ...]:
        """Return what ``entries`` could not list; complete once that has ended."""
        return tuple(self._problems)
