"""Feeds taken in: records in batches, each batch whole or not at all, and every release that a change touches told.

A run that is killed leaves whole batches behind; the next run finds them unchanged and goes on. Only when all records
are in does the feed's own row say what it covers.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.store import Store
from safeconduct.intake.advisories import SQL, Change, Record, apply_record
from safeconduct.intake.directory import GRACE, raise_epochs
from safeconduct.intake.findings import SQL as FINDINGS
from safeconduct.intake.lines import OpenLine, begin_estate, close_line, load_line, write_estate_event
from safeconduct.model.advisory import Advisory
from safeconduct.model.digest import Digest, from_bytes, sha256, to_bytes
from safeconduct.model.finding import Feed

_BATCH = 500
_MOST_REFUSED = 100

Progress = Callable[[int], None]
"""Is told how many records have been read so far."""


class OpenFeed(Protocol):
    """A feed that knows what it covers only when its records were read to the end."""

    @property
    def id(self) -> str:
        """The feed's id."""
        ...

    @property
    def feed(self) -> Feed:
        """What it says of itself, after the last record."""
        ...


class FeedReport(msgspec.Struct, frozen=True):
    """What a feed brought.

    Attributes:
        refused: (name, why) of records that are no advisories, at most 100; ``refused_count`` has all.
        releases: digests of the releases whose findings changed, sorted.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    refused_count: int = 0
    refused: tuple[tuple[str, str], ...] = ()
    releases: tuple[Digest, ...] = ()


class AdvisoriesBody(msgspec.Struct, frozen=True):
    """The estate event of one batch: the documents that came into force, in this order."""

    feed: str
    documents: tuple[Digest, ...]


class _Tally(msgspec.Struct):
    read: int = 0
    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    refused: list[tuple[str, str]] = []
    releases: set[bytes] = set()

    def report(self) -> FeedReport:
        return FeedReport(
            read=self.read,
            new=self.new,
            changed=self.changed,
            withdrawn=self.withdrawn,
            unchanged=self.unchanged,
            refused_count=len(self.refused),
            refused=tuple(self.refused[:_MOST_REFUSED]),
            releases=tuple(from_bytes(digest) for digest in sorted(self.releases)),
        )


def record_feed(
    store: Store,
    *,
    at: int,
    feed: Feed | OpenFeed,
    records: Iterable[tuple[str, bytes]],
    on_progress: Progress | None = None,
) -> FeedReport:
    """Take in a feed's records; the same records again change nothing.

    Args:
        at: microseconds since 1970.
        feed: what the feed says of itself; in force when all records are in.
        records: (name, OSV document); a record that is no advisory is reported and left out.
        on_progress: called after each batch.

    Raises:
        Undecided: ``store-busy``, ``store-failed``; the batches before are kept, run it again.
    """
    tally = _Tally()
    for batch in _batches(records, tally):
        with store.transaction():
            documents = TableDocuments(store)
            kept = [Record(documents.put_if_absent(data), advisory) for advisory, data in batch]
            apply_batch(store, at, feed.id, kept, tally)
        if on_progress is not None:
            on_progress(tally.read)
    with store.transaction():
        apply_feed(store, at, feed if isinstance(feed, Feed) else feed.feed)
    return tally.report()


def apply_batch(store: Store, at: int, feed: str, records: list[Record], tally: _Tally | None = None) -> None:
    """Write one batch, its ids all different, and its event. Ingest and rebuild both come here."""
    tally = tally or _Tally()
    at = begin_estate(store, at)
    applied = [(record, apply_record(store, record, at)) for record in records]
    changes = [change for _, change in applied if change is not None]
    _count(tally, changes, len(records))
    if changes:
        documents = tuple(record.document for record, change in applied if change is not None)
        n = write_estate_event(store, at, "advisories", AdvisoriesBody(feed, documents))
        tally.releases |= _tell_lines(store, changes, at, n)


def apply_feed(store: Store, at: int, feed: Feed) -> None:
    """Put what a feed says of itself in force, unless it is already."""
    body = msgspec.json.encode(feed)
    if store.row(SQL["same_feed"], {"id": feed.id, "doc": to_bytes(sha256(body))}) is not None:
        return
    at = begin_estate(store, at)
    doc = TableDocuments(store).put_if_absent(body, "application/json")
    row = {
        "id": feed.id,
        "as_of": feed.as_of,
        "covers": msgspec.json.encode(feed.covers).decode(),
        "license": feed.license,
    }
    row |= {"attribution": feed.attribution, "source": feed.source}
    store.run(SQL["put_feed"], row | {"doc": to_bytes(doc), "at": at})
    write_estate_event(store, at, "feed", feed, doc)


def _batches(records: Iterable[tuple[str, bytes]], tally: _Tally) -> Iterator[list[tuple[Advisory, bytes]]]:
    batch: dict[str, tuple[Advisory, bytes]] = {}
    for name, data in records:
        tally.read += 1
        try:
            advisory = parse_advisory(data)
        except Refused as error:
            tally.refused.append((name, error.why))
            continue
        # An id that comes twice starts a new batch: within one, all changes have the same time.
        if len(batch) >= _BATCH or advisory.id in batch:
            yield list(batch.values())
            batch = {}
        batch[advisory.id] = (advisory, data)
    yield list(batch.values())


def _count(tally: _Tally, changes: list[Change], read: int) -> None:
    tally.unchanged += read - len(changes)
    for change in changes:
        tally.new += not change.known
        tally.changed += change.known and not change.withdrawn
        tally.withdrawn += change.withdrawn


def _tell_lines(store: Store, changes: list[Change], at: int, n: int) -> set[bytes]:
    """Carry the changes along every line that they touch, one event each; return the digests touched."""
    touched: dict[int, list[tuple[Change, int]]] = {}
    for change in changes:
        for pkg_id in sorted(change.opened | change.closed | change.kept):
            for (line_id,) in store.rows(FINDINGS["lines_of_package"], {"pkg_id": pkg_id}):
                touched.setdefault(line_id, []).append((change, pkg_id))
    digests: set[bytes] = set()
    for line_id in sorted(touched):
        line = load_line(store, line_id)
        line.begin(at)
        digests |= _tell_line(store, line, touched[line_id])
        names = sorted({change.name for change, _ in touched[line_id]})
        close_line(store, line, "findings", {"estate": n, "advisories": names})
    return digests


def _tell_line(store: Store, line: OpenLine, met: list[tuple[Change, int]]) -> set[bytes]:
    urgent: set[bytes] = set()
    other: set[bytes] = set()
    for change, pkg_id in met:
        place = {"line_id": line.line_id, "pkg_id": pkg_id}
        row = place | {"advisory_id": change.advisory_id, "at": line.changed_at}
        if pkg_id in change.closed:
            store.run(FINDINGS["close_findings_of_advisory"], row)
        elif pkg_id in change.opened:
            store.run(FINDINGS["add_findings_of_advisory"], row)
        digests = {digest for (digest,) in store.rows(FINDINGS["digests_of_package"], place)}
        (urgent if change.urgent else other).update(digests)
    raise_epochs(store, sorted(other - urgent), line.changed_at, line.changed_at + GRACE)
    raise_epochs(store, sorted(urgent), line.changed_at, 0)
    return urgent | other
