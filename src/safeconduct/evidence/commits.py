"""Commits joined with the trust store: which key signed each, and whether it may."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from safeconduct.capabilities.signing import ssh_keys
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.foundation.errors import Refused
from safeconduct.model.commit import Commit, CommitState, JudgedCommit
from safeconduct.model.identity import Identity, Usage

_NAMESPACE = "git"
_SSH_ARMOR = "-----BEGIN SSH SIGNATURE-----"


def judge_commits(
    commits: Iterable[Commit],
    trust: TrustStore | None,
    *,
    repository: str,
    now: datetime,
    first_seen: Mapping[str, datetime] | None = None,
) -> tuple[JudgedCommit, ...]:
    """Return a verdict on every commit's signature, in the order given.

    The time that a commit claims is never used: a back-dated commit would revive an expired key. A key is judged at
    the time the commit was first recorded, else now.

    Args:
        trust: None when there is no trust store: then nothing signed can be told.
        repository: what the key's scope must cover.
        first_seen: commit id to the time it was first recorded.
    """
    seen = first_seen or {}
    return tuple(judge_commit(c, trust, repository=repository, at=min(now, seen.get(c.id, now))) for c in commits)


def judge_commit(commit: Commit, trust: TrustStore | None, *, repository: str, at: datetime) -> JudgedCommit:
    """Return the verdict on one commit's signature at one time."""
    if commit.signature is None:
        return _judged(commit, CommitState.UNSIGNED, problem="it carries no signature")
    if not commit.signature.startswith(_SSH_ARMOR):
        return _judged(commit, CommitState.UNKNOWN, problem="its signature is not an SSH signature")
    try:
        signature = ssh_keys.parse_signature(commit.signature)
        ssh_keys.verify(signature, commit.payload, namespace=_NAMESPACE)
    except Refused as error:
        return _judged(commit, CommitState.INVALID, problem=f"{error.what}: {error.why}")
    if trust is None:
        return _judged(commit, CommitState.UNKNOWN, problem="there is no trust store to say whose key it is")
    fingerprint = signature.key.fingerprint
    key = trust.by_ssh_fingerprint.get(fingerprint)
    if key is None:
        return _judged(commit, CommitState.UNTRUSTED, problem=f"key {fingerprint} is not in the trust store")
    try:
        trust.check_key(key, fingerprint, usage=Usage.COMMIT, repository=repository, at=at)
    except Refused as error:
        return _judged(commit, CommitState.UNTRUSTED, problem=error.what)
    signer = Identity("ssh", key.principals[0] if key.principals else key.name, fingerprint)
    return _judged(commit, CommitState.VERIFIED, signer=signer)


def _judged(commit: Commit, state: CommitState, *, signer: Identity | None = None, problem: str = "") -> JudgedCommit:
    return JudgedCommit(commit.id, commit.author, commit.subject, commit.committed_at, state, signer, problem)
