"""Commits joined with the trust store: which key signed each, and whether it may."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from safeconduct.capabilities.signing import cms, openpgp, ssh_keys
from safeconduct.capabilities.signing.gitsign import verify_signed_message
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.commit import Commit, CommitState, JudgedCommit
from safeconduct.model.identity import Identity, Usage

_NAMESPACE = "git"


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
    found = judge_signature(commit.signature, commit.payload, trust, repository=repository, at=at)
    return JudgedCommit(
        commit.id,
        commit.author,
        commit.subject,
        commit.committed_at,
        found.state,
        found.signer,
        found.problem,
        found.reason,
    )


class JudgedSignature(msgspec.Struct, frozen=True):
    """The verdict on a signature over a git object; ``reason`` is the id of the error behind ``problem``."""

    state: CommitState
    signer: Identity | None = None
    problem: str = ""
    reason: str = ""


def judge_signature(
    armored: str | None, payload: bytes, trust: TrustStore | None, *, repository: str, at: datetime
) -> JudgedSignature:
    """Return the verdict on the signature of a commit or a tag at one time.

    The armor says which kind it is; each kind's verifier says whether it is good, the trust store whose it may be.
    """
    if armored is None:
        return JudgedSignature(CommitState.UNSIGNED, problem="it carries no signature")
    verify = next((v for begin, v in _VERIFIERS.items() if armored.startswith(begin)), None)
    if verify is None:
        return JudgedSignature(
            CommitState.UNKNOWN, problem="its signature is of a kind that cannot be read", reason="unsupported-document"
        )
    try:
        return JudgedSignature(CommitState.VERIFIED, verify(armored, payload, trust, repository, at))
    except (Refused, Undecided) as error:
        why = f"{error.what}: {error.why}" if error.why and error.id not in _TOLD_SHORT else error.what
        return JudgedSignature(_STATES.get(error.id, CommitState.UNTRUSTED), problem=why, reason=error.id)


def _verify_ssh(armored: str, payload: bytes, trust: TrustStore | None, repository: str, at: datetime) -> Identity:
    signature = ssh_keys.parse_signature(armored)
    ssh_keys.verify(signature, payload, namespace=_NAMESPACE)
    store = _store(trust)
    fingerprint = signature.key.fingerprint
    key = store.by_ssh_fingerprint.get(fingerprint)
    if key is None:
        raise Refused("untrusted-signer", f"key {fingerprint} is not in the trust store")
    store.check_key(key, fingerprint, usage=Usage.COMMIT, repository=repository, at=at)
    return Identity("ssh", key.principals[0] if key.principals else key.name, fingerprint)


def _verify_cms(armored: str, payload: bytes, trust: TrustStore | None, repository: str, at: datetime) -> Identity:
    if trust is None:
        cms.parse_cms(armored, payload)  # what is malformed is so under any trust store
    try:
        verified = verify_signed_message(
            armored, payload, _store(trust), usage=Usage.COMMIT, repository=repository, now=at
        )
    except Refused as error:
        if error.id != "no-log-entry":
            raise
        raise Undecided(
            "no-trusted-time",
            "its signature is good, and the time is not proved",
            why="it carries no log entry, and its certificate was valid for minutes only",
            next_step="sign with gitsign.rekorMode = offline, so that the proof stands in the commit",
        ) from error
    return verified.signer


def _verify_openpgp(armored: str, payload: bytes, trust: TrustStore | None, repository: str, at: datetime) -> Identity:
    store = _store(trust)
    keys = store.by_openpgp_fingerprint
    found = openpgp.verify_openpgp(armored, payload, {name: key.public for name, key in keys.items()}, at=at)
    key = keys[found]
    store.check_key(key, found, usage=Usage.COMMIT, repository=repository, at=at)
    return Identity("openpgp", key.principals[0] if key.principals else key.name, found)


def _store(trust: TrustStore | None) -> TrustStore:
    if trust is None:
        raise Undecided("no-trust-store", "there is no trust store to say whose key it is")
    return trust


_VERIFIERS: dict[str, Callable[[str, bytes, TrustStore | None, str, datetime], Identity]] = {
    "-----BEGIN SSH SIGNATURE-----": _verify_ssh,
    cms.BEGIN: _verify_cms,
    **dict.fromkeys(openpgp.ARMORS, _verify_openpgp),
}
_STATES = {
    "no-trust-store": CommitState.UNKNOWN,
    "no-trusted-time": CommitState.UNKNOWN,
    "pgp-missing": CommitState.UNKNOWN,
    "untrusted-key": CommitState.UNKNOWN,
    "bad-signature": CommitState.INVALID,
    "malformed-signature": CommitState.INVALID,
    "malformed-certificate": CommitState.INVALID,
    "wrong-namespace": CommitState.INVALID,
    "wrong-log-entry": CommitState.INVALID,
    "bad-log-promise": CommitState.INVALID,
    "bad-inclusion-proof": CommitState.INVALID,
    "bad-checkpoint": CommitState.INVALID,
    "certificate-not-valid": CommitState.INVALID,
}
"""What an error says of a commit; all others say that somebody signed whom we do not trust.

An OpenPGP signature by an unknown key cannot be checked at all, for it does not bring its key: could not tell. An SSH
signature does, and is good or bad before anybody asks whose it is.
"""
_TOLD_SHORT = frozenset({"wrong-usage", "wrong-scope", "revoked-key", "key-not-valid"})
