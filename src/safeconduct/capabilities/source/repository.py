"""A git repository, read through one ``git cat-file --batch``; nothing of the repository's own is executed.

The environment is scrubbed of GIT_* and replacement objects are switched off, so that what is judged is what the
ids say. Hooks, file-system monitors and filters that a repository's configuration names are switched off too.
"""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from safeconduct.capabilities.source.objects import check_id, parse_commit, parse_tree
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.commit import Commit
from safeconduct.model.limits import LIMITS

_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never")
_MOST_COMMITS = 1_000_000


class SourceFile(msgspec.Struct, frozen=True):
    """One file of a commit's tree. Symbolic links and submodules carry their git mode."""

    path: str
    mode: str
    id: str


class GitRepository:
    """A repository that is open for reading."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._environment = {
            **{k: v for k, v in environment.items() if not k.startswith("GIT_")},
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
        self.path = path
        self.root = Path(self._git("rev-parse", "--show-toplevel").strip())
        self._batch: subprocess.Popen[bytes] | None = None

    def head(self) -> str:
        """Return the id of the commit that is checked out.

        Raises:
            Undecided: ``no-commits``.
        """
        try:
            return self._git("rev-parse", "--verify", "HEAD^{commit}").strip()
        except Undecided as error:
            raise Undecided(
                "no-commits", "the repository has no commit yet", why=error.why, next_step="git commit -S, then again"
            ) from error

    def resolve(self, revision: str) -> str:
        """Return the commit id that a revision names.

        Raises:
            Undecided: ``git-failed``: there is no such revision here.
        """
        return self._git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()

    def branch(self) -> str:
        """Return the short name of the branch, ``HEAD`` when detached."""
        return self._git("rev-parse", "--abbrev-ref", "HEAD").strip()

    def is_shallow(self) -> bool:
        """Return whether history was cut off when cloning."""
        return self._git("rev-parse", "--is-shallow-repository").strip() == "true"

    def history(self, head: str, since: str = "") -> Iterator[Commit]:
        """Yield the commits reachable from ``head`` and not from ``since``, newest first, walked by their own parents.

        Raises:
            Refused: a commit is damaged or malformed.
            Undecided: ``missing-object``, or more commits than the limit.
        """
        seen = self._ancestors(since) if since else set()
        waiting = [head]
        while waiting:
            object_id = waiting.pop()
            if object_id in seen:
                continue
            seen.add(object_id)
            if len(seen) > _MOST_COMMITS:
                raise Undecided("history-too-long", "more than a million commits", next_step="set source.since")
            commit = parse_commit(object_id, self.read(object_id, "commit"))
            yield commit
            waiting.extend(reversed(commit.parents))

    def files(self, tree: str) -> Iterator[SourceFile]:
        """Yield the files of a tree in path order, every tree object's id recomputed."""
        waiting = [("", tree)]
        count = 0
        while waiting:
            prefix, object_id = waiting.pop()
            below = []
            for entry in parse_tree(object_id, self.read(object_id, "tree")):
                path = prefix + entry.name
                count += 1
                if count > LIMITS.entries:
                    raise Undecided(
                        "too-many-entries", f"more than {LIMITS.entries} files", next_step="narrow the tree"
                    )
                if entry.mode == "40000":
                    below.append((path + "/", entry.id))
                else:
                    yield SourceFile(path, entry.mode, entry.id)
            waiting.extend(reversed(below))

    def read(self, object_id: str, kind: str) -> bytes:
        """Return an object's body; its id is recomputed.

        Raises:
            Undecided: ``missing-object``, ``object-too-large``.
            Refused: ``object-mismatch``: other bytes, or another kind of object, under this id.
        """
        pipe_in, pipe_out = self._pipes()
        pipe_in.write(object_id.encode() + b"\n")
        pipe_in.flush()
        head = pipe_out.readline().split()
        if len(head) != 3:  # noqa: PLR2004 - id, kind, size
            raise Undecided(
                "missing-object",
                f"git object {object_id[:12]} is not here",
                why="the clone is partial, shallow or damaged",
                next_step="git fetch --unshallow, or git fsck",
            )
        size = int(head[2])
        if size > LIMITS.object:
            self.close()  # The pipe still holds the object; a new process is cheaper than reading past it.
            raise Undecided(
                "object-too-large",
                f"git object {object_id[:12]} has {size} bytes",
                why=f"the limit is {LIMITS.object}",
                next_step="keep large files out of git, or out of what is judged",
            )
        body = pipe_out.read(size)
        pipe_out.read(1)
        if head[1].decode() != kind:
            raise Refused(
                "object-mismatch",
                f"git object {object_id[:12]} is a {head[1].decode()}, not a {kind}",
                next_step="git fsck, then clone again from a source you trust",
            )
        check_id(object_id, kind, body)
        return body

    def changed_paths(self) -> tuple[str, ...]:
        """Return the paths whose index or working tree differs from HEAD, sorted; untracked files included."""
        safe = [part for name in self._filters() for part in ("-c", f"{name}=")]
        out = self._git(*safe, "status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
        return tuple(sorted(item[3:] for item in out.split("\0") if item))

    def close(self) -> None:
        """End the git process."""
        if self._batch is not None:
            self._batch.kill()
            self._batch.communicate()
            self._batch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ancestors(self, since: str) -> set[str]:
        return set(self._git("rev-list", "--end-of-options", self.resolve(since)).split())

    def _filters(self) -> Iterable[str]:
        # A repository's own configuration may name programs to run on files; empty commands run nothing.
        names = self._git("config", "--list", "--name-only", "-z").split("\0")
        return sorted({n for n in names if n.startswith("filter.") and n.rsplit(".", 1)[-1] in {"clean", "process"}})

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._batch is None:
            self._batch = subprocess.Popen(
                ["git", *_SAFE, "-C", str(self.path), "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
            )
        if self._batch.stdin is None or self._batch.stdout is None:
            raise RuntimeError("git was started without pipes")
        return self._batch.stdin, self._batch.stdout

    def _git(self, *words: str) -> str:
        command = ["git", *_SAFE, "-C", str(self.path), *words]
        try:
            done = subprocess.run(command, env=self._environment, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise Undecided("no-git", "git is not installed", why=str(error), next_step="install git 2.34") from error
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise Undecided(
                "git-failed",
                f"git {words[0] if words[0] != '-c' else 'status'} gave no answer in {self.path.name or self.path}",
                why=lines[-1] if lines else f"exit status {done.returncode}",
                next_step="run it by hand in the repository to see more",
            )
        return done.stdout.decode("utf-8", "surrogateescape")


def is_repository(path: Path) -> bool:
    """Return whether ``path`` or a folder above it holds a git repository."""
    return any((folder / ".git").exists() for folder in (path.resolve(), *path.resolve().parents))
