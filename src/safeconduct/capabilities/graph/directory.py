"""The directories by digest: where a digest stands, its epoch, and the verdict that admission reads."""

import msgspec

from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest, from_bytes, to_bytes

_SQL = load_statements("safeconduct.capabilities.graph", "directory.sql")

MANIFEST, MIRROR, EARLIER = "manifest", "mirror", "earlier"
"""Relations of an alias: the platform manifest under an index, the same digest in another line, the line of one digest
that held it before its release was known."""


class Entry(msgspec.Struct, frozen=True):
    """Where a digest stands; stays inside the store. ``seq`` 0 while its document is not whole yet."""

    line_id: int
    seq: int
    relation: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """A verdict that may be acted upon now.

    Attributes:
        valid_until: microseconds since 1970; 0: it rests on nothing that expires.
        decision: digest of the decision's document.
        grace: True when the digest was touched since, and the verdict serves only until it is judged again.
    """

    outcome: Outcome
    valid_until: int
    decision: Digest
    grace: bool = False


def find_own(store: Store, digest: Digest) -> Entry | None:
    """Return where the digest itself is registered."""
    row = store.row(_SQL["find_digest"], {"digest": to_bytes(digest)})
    return None if row is None else Entry(row[0], row[1] or 0)


def find_aliases(store: Store, digest: Digest) -> list[Entry]:
    """Return where else the digest stands, by line."""
    return [Entry(*row) for row in store.rows(_SQL["find_aliases"], {"digest": to_bytes(digest)})]


def find_entry(store: Store, digest: Digest) -> Entry | None:
    """Return where the digest's release stands: its own, or the one that it is the platform manifest of."""
    own = find_own(store, digest)
    if own is not None:
        return own
    return next((entry for entry in find_aliases(store, digest) if entry.relation == MANIFEST), None)


def find_release_digest(store: Store, digest: Digest) -> Digest:
    """Return the digest that verdicts and epochs are kept under: the release's, for one of its platform manifests."""
    for entry in find_aliases(store, digest):
        if entry.relation == MANIFEST:
            row = store.row(_SQL["digest_of_release"], {"line_id": entry.line_id, "seq": entry.seq})
            return from_bytes(row[0]) if row else digest
    return digest


def digest_at(store: Store, line_id: int, seq: int) -> Digest | None:
    """Return the digest of the release at a place of a line."""
    row = store.row(_SQL["digest_of_release"], {"line_id": line_id, "seq": seq})
    return from_bytes(row[0]) if row else None


def find_epoch(store: Store, digest: Digest) -> int:
    """Return the digest's epoch, which a verdict on it is compared with; 0 for one never seen."""
    row = store.row(_SQL["find_digest"], {"digest": to_bytes(find_release_digest(store, digest))})
    return row[2] if row else 0


def find_verdict(
    store: Store, digest: Digest, *, scope: str, policy: Digest, trust_version: int, now: int
) -> Verdict | None:
    """Return the verdict on a digest if it may be acted upon at ``now``, else None: could not tell.

    It may when nothing touched the digest since it was judged (or the time to judge again has not run out) and
    nothing that it rests on has expired.
    """
    key = {"scope": scope, "policy": to_bytes(policy), "trust_version": trust_version, "now": now}
    row = store.row(_SQL["find_verdict"], key | {"digest": to_bytes(find_release_digest(store, digest))})
    if row is None:
        return None
    outcome, valid_until, decision, judged_at, epoch = row
    return Verdict(Outcome(outcome), valid_until, from_bytes(decision), grace=judged_at != epoch)
