"""What is known about the source at one path: its history, judged, and its files, read from objects."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from safeconduct.capabilities.inventory.tree import FolderTree, Tree
from safeconduct.capabilities.inventory.walk import Progress, read_tree
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.source.repository import GitRepository, is_repository
from safeconduct.capabilities.source.tree import CommitTree
from safeconduct.evidence.commits import judge_commits
from safeconduct.foundation.errors import BadUsage, SafeconductError, Undecided
from safeconduct.foundation.settings import FILE_NAME, TreeSettings, load_tree_settings
from safeconduct.model.commit import Commit, History
from safeconduct.model.component import Inventory, Unread
from safeconduct.model.limits import LIMITS

FirstSeen = Callable[[str], Mapping[str, datetime]]
"""Gives, for a repository, when each of its commits was first recorded."""


class Source(msgspec.Struct, frozen=True):
    """The source at one path.

    Attributes:
        history: None when the path is no git repository, or its history could not be read at all.
        problem: why there is no history.
        raw_commits: the commit objects behind ``history``, as git keeps them.
    """

    settings: TreeSettings
    inventory: Inventory
    history: History | None = None
    problem: str = ""
    raw_commits: tuple[tuple[str, bytes], ...] = ()


class SourceFiles(msgspec.Struct, frozen=True):
    """The files of the commit that is built: path to bytes and whether it is executable."""

    commit: Commit
    branch: str
    settings: TreeSettings
    files: dict[str, tuple[bytes, bool]]


def read_source(
    path: Path,
    environment: Mapping[str, str],
    trust: TrustStore | None,
    *,
    since: str,
    now: datetime,
    first_seen: FirstSeen = lambda _: {},
    on_progress: Progress | None = None,
) -> Source:
    """Return what is at ``path``: for a git repository what HEAD's objects say, else what the folder holds.

    Args:
        environment: passed to git, scrubbed of GIT_*.
        first_seen: when commits were first recorded, for keys that have expired since.
        since: a revision up to which history is not judged; empty judges all of it.

    Raises:
        BadUsage: no such folder, or settings in the tree that configure their judge.
    """
    if not path.is_dir():
        raise BadUsage("no-such-folder", f"there is no folder {str(path)!r}", next_step="name the folder of the code")
    if not is_repository(path):
        return _read_folder(path, "it is not a git repository", on_progress)
    try:
        return _read_repository(path, environment, trust, since, now, first_seen, on_progress)
    except Undecided as error:
        return _read_folder(path, f"{error.what}: {error.why}", on_progress)


def read_files(path: Path, environment: Mapping[str, str]) -> SourceFiles:
    """Return the files of HEAD, from its objects: untracked files and checkout filters have no part in a build.

    Raises:
        Undecided: no repository, no commit, or an object that is missing.
        Refused: an object that is not what its id says.
    """
    if not is_repository(path):
        raise Undecided(
            "no-repository", f"{path} is no git repository", why="a build needs a commit to be traced to",
            next_step="git init, git add, git commit -S",
        )  # fmt: skip
    with GitRepository(path, environment) as repository:
        commit = next(iter(repository.history(repository.head())))
        tree = CommitTree(repository, commit.tree)
        files = {entry.path: (entry.read(), entry.executable) for entry in tree.entries()}
        return SourceFiles(commit, repository.branch(), _tree_settings(files), files)


def _tree_settings(files: Mapping[str, tuple[bytes, bool]]) -> TreeSettings:
    return load_tree_settings(files[FILE_NAME][0] if FILE_NAME in files else None, FILE_NAME)


def _read_folder(path: Path, problem: str, on_progress: Progress | None) -> Source:
    file = path / FILE_NAME
    settings = load_tree_settings(file.read_bytes() if file.is_file() else None, FILE_NAME)
    return Source(settings, read_tree(FolderTree(path), on_progress=on_progress), problem=problem)


def _read_repository(
    path: Path,
    environment: Mapping[str, str],
    trust: TrustStore | None,
    since: str,
    now: datetime,
    first_seen: FirstSeen,
    on_progress: Progress | None,
) -> Source:
    with GitRepository(path, environment) as repository:
        head = repository.head()
        commits, complete = _commits(repository, head, since)
        tree = CommitTree(repository, commits[0].tree if commits else _tree_of(repository, head))
        settings = _settings_of(tree)
        named = settings.product.repository
        judged = judge_commits(commits, trust, repository=named, now=now, first_seen=first_seen(named))
        history = History(
            head=head,
            branch=repository.branch(),
            commits=judged,
            complete=complete,
            dirty=repository.changed_paths(),
            since=since,
        )
        inventory = _read_tree(tree, on_progress)
        raw = tuple((c.id, repository.read(c.id, "commit")) for c in commits)
        return Source(settings, inventory, history, raw_commits=raw)


def _commits(repository: GitRepository, head: str, since: str) -> tuple[list[Commit], bool]:
    """Return the commits that are here, and whether that is all of them."""
    commits: list[Commit] = []
    try:
        for commit in repository.history(head, since):
            commits.append(commit)  # noqa: PERF402 - what came before a hole is kept
    except Undecided as error:
        if error.id != "missing-object":
            raise
        return commits, False
    return commits, not repository.is_shallow()


def _tree_of(repository: GitRepository, head: str) -> str:
    return next(iter(repository.history(head))).tree


def _settings_of(tree: CommitTree) -> TreeSettings:
    entry = next((e for e in tree.entries() if e.path == FILE_NAME), None)
    return load_tree_settings(entry.read(LIMITS.manifest) if entry else None, FILE_NAME)


def _read_tree(tree: Tree, on_progress: Progress | None) -> Inventory:
    try:
        return read_tree(tree, on_progress=on_progress)
    except SafeconductError as error:
        return Inventory(unread=(Unread(".", f"{error.what}: {error.why}"),))
