"""Writing the directories by digest: claims, aliases, epochs. Only content is unique across lines."""

from collections.abc import Iterable

from safeconduct.capabilities.graph.directory import Entry, find_own
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.digest import Digest, to_bytes

SQL = load_statements("safeconduct.intake", "directory.sql")

GRACE = 60_000_000
"""How long, in microseconds, an old verdict may serve after its digest's epoch was raised."""


def claim(store: Store, digest: Digest, line_id: int) -> Entry:
    """Register a digest on a line, unless it is registered; return where it stands."""
    store.run(SQL["claim_digest"], {"digest": to_bytes(digest), "line_id": line_id})
    return find_own(store, digest) or Entry(line_id, 0)


def fill(store: Store, digest: Digest, line_id: int, seq: int) -> None:
    """Complete the entry of a digest: from now on it can be told what it is."""
    store.run(SQL["fill_digest"], {"digest": to_bytes(digest), "line_id": line_id, "seq": seq})


def add_alias(store: Store, digest: Digest, line_id: int, seq: int, relation: str) -> bool:
    """Record another name; return whether it is new."""
    row = {"digest": to_bytes(digest), "line_id": line_id, "seq": seq, "relation": relation}
    return store.run(SQL["add_alias"], row) > 0


def raise_epochs(store: Store, digests: Iterable[bytes], at: int, rejudge_by: int) -> None:
    """Make every verdict on ``digests`` old; what is old may serve until ``rejudge_by``, the earliest counts."""
    row = {"at": at, "rejudge_by": rejudge_by}
    store.run_many(SQL["raise_digest"], [row | {"digest": digest} for digest in digests])
