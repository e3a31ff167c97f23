"""Commits taken in: raw objects as documents, and what verification said of each."""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.graph.codes import COMMIT_STATES
from safeconduct.capabilities.graph.keys import source_key
from safeconduct.capabilities.source.objects import check_id
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.dictionary import intern_identity
from safeconduct.intake.lines import OpenLine, close_line, last_estate_event, open_line
from safeconduct.model.commit import JudgedCommit
from safeconduct.model.digest import Digest, to_bytes

_SQL = load_statements("safeconduct.intake", "commits.sql")
_SECOND = 1_000_000


class CommitsBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of commits of one repository; ``documents``: their raw objects in the same order, '' where unknown."""

    repository: str
    commits: tuple[JudgedCommit, ...]
    documents: tuple[str, ...]
    trust_version: int
    estate: int = 0


def record_commits(
    store: Store,
    *,
    at: int,
    repository: str,
    raw_commits: Iterable[tuple[str, bytes]],
    judged: Iterable[JudgedCommit],
    trust_version: int,
) -> int:
    """Take in a repository's commits; return how many were new under this trust version.

    Args:
        repository: the canonical name that releases' provenance uses.
        raw_commits: (hex id, raw object body).
        judged: what verification said, by id.

    Raises:
        Refused: ``object-mismatch`` when a body is not what its id says; nothing was recorded.
        Undecided: ``store-busy``.
    """
    with store.transaction():
        documents = TableDocuments(store)
        kept: dict[str, Digest] = {}
        for commit_id, body in raw_commits:
            check_id(commit_id, "commit", body)
            kept[commit_id] = documents.put_if_absent(body)
        commits = tuple(sorted(judged, key=_by_time))
        estate = last_estate_event(store)[0]
        files = tuple(kept.get(commit.id, "") for commit in commits)
        return apply_commits(store, at, CommitsBody(repository, commits, files, trust_version, estate))


def apply_commits(store: Store, at: int, body: CommitsBody) -> int:
    """Write what an event of commits says. Ingest and rebuild both come here."""
    line = open_line(store, source_key(body.repository))
    line.begin(at)
    pairs = zip(body.commits, body.documents, strict=True)
    new = [(commit, doc) for commit, doc in pairs if _add(store, line, commit, doc, body.trust_version)]
    if new:
        written = msgspec.structs.replace(
            body, commits=tuple(commit for commit, _ in new), documents=tuple(doc for _, doc in new)
        )
        close_line(store, line, "commits", written)
    return len(new)


def _add(store: Store, line: OpenLine, commit: JudgedCommit, doc: str, trust_version: int) -> bool:
    sha = bytes.fromhex(commit.id)
    key = {"line_id": line.line_id, "sha": sha, "trust_version": trust_version}
    if store.row(_SQL["find_commit"], key) is not None:
        return False
    row = {
        "identity_id": intern_identity(store, commit.signer) if commit.signer else None,
        "author": commit.author,
        "state": COMMIT_STATES.index(commit.state),
        "committed_at": commit.committed_at * _SECOND,
        "doc": to_bytes(Digest(doc)) if doc else None,
        "at": line.changed_at,
    }
    store.run(_SQL["add_commit"], key | row)
    store.run(_SQL["add_commit_line"], {"sha": sha, "line_id": line.line_id})
    return True


def _by_time(commit: JudgedCommit) -> tuple[int, str]:
    return commit.committed_at, commit.id
