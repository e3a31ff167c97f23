"""Commits: what git recorded, split into what was signed and who signed it."""

from enum import StrEnum

import msgspec

from safeconduct.model.identity import Identity


class Commit(msgspec.Struct, frozen=True):
    """One commit object, parsed by a strict grammar from bytes whose id was recomputed.

    Attributes:
        id: hex object id.
        payload: the bytes that a signature covers.
        signature: armored signature text, None when unsigned.
        author, committer: ``Name <mail>`` as recorded: claims, not identities.
        committed_at: seconds since 1970, the committer's own claim.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    committed_at: int
    payload: bytes
    subject: str
    signature: str | None = None


class CommitState(StrEnum):
    """What verification said of one commit."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    """A signature form that we cannot read: could not tell."""


class JudgedCommit(msgspec.Struct, frozen=True):
    """A commit with the verdict on its signature.

    Attributes:
        reason: id of the error behind ``problem``, empty where verified or unsigned.
    """

    id: str
    author: str
    subject: str
    committed_at: int
    state: CommitState
    signer: Identity | None = None
    problem: str = ""
    reason: str = ""


class History(msgspec.Struct, frozen=True):
    """The commits judged, newest first.

    Attributes:
        complete: False when the history is shallow or an object was missing: could not tell.
        dirty: paths with changes that are not committed; reported, not judged.
    """

    head: str
    branch: str
    commits: tuple[JudgedCommit, ...]
    complete: bool = True
    dirty: tuple[str, ...] = ()
    since: str = ""
