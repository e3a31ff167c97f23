"""Lines under the writer's hand: claimed by their natural key, their time made monotonic, their events numbered."""

from typing import Any

import msgspec

from safeconduct.capabilities.graph.keys import bucket_of, fingerprint_of, kind_of
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.bodies import encode_body
from safeconduct.model.digest import Digest, to_bytes

SQL = load_statements("safeconduct.intake", "lines.sql")


class OpenLine(msgspec.Struct):
    """A line being written: what its row says, and what it will say when it is saved."""

    line_id: int
    key: str
    kind: str
    head_seq: int
    gen: int
    event_n: int
    changed_at: int

    def begin(self, at: int) -> int:
        """Return the time of the next change: ``at``, or just after the last change when the clock ran back."""
        self.changed_at = max(at, self.changed_at + 1)
        return self.changed_at


def open_line(store: Store, key: str) -> OpenLine:
    """Return the line of a natural key; it is made when nobody had it."""
    fingerprint = fingerprint_of(key)
    found = store.row(SQL["find_line"], {"sha256": fingerprint})
    if found is None:
        line_id = take_ids(store, "line", 1)
        store.run(SQL["claim_line"], {"sha256": fingerprint, "line_id": line_id})
        row = {"line_id": line_id, "bucket": bucket_of(fingerprint), "kind": kind_of(key), "natural_key": key}
        store.run(SQL["add_line"], row)
        return OpenLine(line_id, key, str(kind_of(key)), 0, 1, 0, 0)
    return load_line(store, int(found[0]))


def load_line(store: Store, line_id: int) -> OpenLine:
    """Return the line that ``line_id`` stands for."""
    row = store.row(SQL["get_line"], {"line_id": line_id})
    if row is None:
        raise LookupError(f"the store has no line {line_id}")
    key, kind, head_seq, gen, event_n, changed_at = row
    return OpenLine(line_id, key, kind, head_seq, gen, event_n, changed_at)


def has_line(store: Store, key: str) -> bool:
    """Return whether a line of this natural key exists."""
    return store.row(SQL["find_line"], {"sha256": fingerprint_of(key)}) is not None


def close_line(store: Store, line: OpenLine, kind: str, body: Any, doc: Digest | None = None) -> int:
    """Write the event of what happened to the line, save the line, and return the event's number."""
    line.event_n += 1
    row = {"line_id": line.line_id, "n": line.event_n, "at": line.changed_at, "kind": kind}
    store.run(SQL["add_event"], row | {"doc": to_bytes(doc) if doc else None, "body": encode_body(body)})
    store.run(
        SQL["save_line"],
        {
            "line_id": line.line_id,
            "head_seq": line.head_seq,
            "gen": line.gen,
            "event_n": line.event_n,
            "changed_at": line.changed_at,
        },
    )
    return line.event_n


def open_generation(store: Store, line: OpenLine, reason: str, doc: Digest | None = None) -> int:
    """Start the line's next generation, which a correction needs, and return its number."""
    line.gen += 1
    row = {"line_id": line.line_id, "gen": line.gen, "known_from": line.changed_at, "reason": reason}
    store.run(SQL["add_generation"], row | {"doc": to_bytes(doc) if doc else None})
    return line.gen


def last_estate_event(store: Store) -> tuple[int, int]:
    """Return number and time of the newest estate event; (0, 0) before the first."""
    row = store.row(SQL["last_estate_event"])
    return (int(row[0]), int(row[1])) if row else (0, 0)


def begin_estate(store: Store, at: int) -> int:
    """Return the time of the next estate event: ``at``, or just after the last one."""
    return max(at, last_estate_event(store)[1] + 1)


def write_estate_event(store: Store, at: int, kind: str, body: Any, doc: Digest | None = None) -> int:
    """Write an event that concerns every line; ``at`` comes from ``begin_estate``. Return its number."""
    n = last_estate_event(store)[0] + 1
    row = {"n": n, "at": at, "kind": kind, "doc": to_bytes(doc) if doc else None, "body": encode_body(body)}
    store.run(SQL["add_estate_event"], row)
    return n


def take_ids(store: Store, kind: str, count: int) -> int:
    """Return the first of ``count`` ids that nobody else will get."""
    store.run(SQL["take_ids"], {"kind": kind, "count": count})
    row = store.row(SQL["next_id"], {"kind": kind})
    if row is None:
        raise LookupError(f"no ids of kind {kind}")
    return int(row[0]) - count
