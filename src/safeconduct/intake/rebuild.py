"""Rebuild: the graph from its documents and events alone, through the same functions that first wrote it.

Everything else in a graph is derived. Events are replayed in the order in which they can have seen each other: an
estate event before all that knew of it, the rest by time, then by line.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake import (
    advisories,
    commits,
    erasure,
    feeds,
    judgements,
    operator,
    releases,
    sightings,
    violations,
)
from safeconduct.intake.bodies import decode_body
from safeconduct.intake.inventories import Reader
from safeconduct.intake.sbom import read_sbom
from safeconduct.model.digest import Digest, from_bytes
from safeconduct.model.finding import Feed

_SQL = load_statements("safeconduct.intake", "rebuild.sql")
_BATCH = 200
_DERIVED = frozenset({"findings"})

Progress = Callable[[int], None]
"""Is told how many events have been replayed so far."""


class _Known(msgspec.Struct, frozen=True):
    """The estate event that a line's event knew of."""

    estate: int = 0


class _Event(NamedTuple):
    estate: int
    rank: int
    at: int
    line: str
    n: int
    kind: str
    doc: bytes | None
    body: bytes


def rebuild(source: Store, target: Store, *, reader: Reader = read_sbom, on_progress: Progress | None = None) -> int:
    """Replay ``source`` into the empty graph ``target``; return how many events were replayed.

    Args:
        reader: reads inventories; the one that first read them gives the same graph.

    Raises:
        Undecided: ``target-not-empty``, ``document-missing``, ``document-damaged``; ``rebuild-differs`` when the
            lines of the target do not end where those of the source do (which erased documents may bring about).
    """
    if target.row(_SQL["any_line"]) or target.row(_SQL["any_estate_event"]):
        raise Undecided(
            "target-not-empty",
            f"the graph {target.path} holds something already",
            why="a rebuild writes a whole graph and adds to none",
            next_step="name a new file",
        )
    with source.reading():
        _copy_documents(source, target)
        replayed = _replay(source, target, reader, on_progress)
        _must_agree(source, target)
    return replayed


def _copy_documents(source: Store, target: Store) -> None:
    documents = TableDocuments(target)
    for batch in _chunks(source.rows(_SQL["all_documents"])):
        with target.transaction():
            for doc, media_type, erased in batch:
                if erased:
                    target.run(_SQL["remember_document"], {"doc": doc, "media_type": media_type})
                else:
                    documents.put_if_absent(TableDocuments(source).get(from_bytes(doc)), media_type)


def _replay(source: Store, target: Store, reader: Reader, on_progress: Progress | None) -> int:
    events = sorted(_events(source))
    done = 0
    for batch in _chunks(events):
        with target.transaction():
            for event in batch:
                _apply(target, event, reader)
        done += len(batch)
        if on_progress is not None:
            on_progress(done)
    return done


def _events(source: Store) -> Iterator[_Event]:
    for n, at, kind, doc, body in source.rows(_SQL["all_estate_events"]):
        yield _Event(n, 0, at, "", n, kind, doc, body)
    for key, n, at, kind, doc, body in source.rows(_SQL["all_events"]):
        if kind not in _DERIVED:
            yield _Event(decode_body(body, _Known).estate, 1, at, key, n, kind, doc, body)


def _apply(target: Store, event: _Event, reader: Reader) -> None:
    if event.kind == "release":
        body = decode_body(event.body, releases.ReleaseBody)
        releases.apply_release(target, event.at, body, reader=reader)
    elif event.kind == "sightings":
        seen = decode_body(event.body, sightings.SightingsBody)
        sightings.apply_sightings(target, event.at, seen.sightings, from_bytes(event.doc) if event.doc else None)
    elif event.kind == "advisories":
        batch = decode_body(event.body, feeds.AdvisoriesBody)
        feeds.apply_batch(target, event.at, batch.feed, _records(target, batch.documents))
    else:
        apply, kind = _PLAIN[event.kind]
        apply(target, event.at, decode_body(event.body, kind))


_PLAIN: dict[str, tuple[Callable[[Store, int, Any], Any], type]] = {
    "decision": (judgements.apply_judgement, judgements.JudgementBody),
    "verdict": (judgements.apply_judgement, judgements.JudgementBody),
    "admission": (judgements.apply_judgement, judgements.JudgementBody),
    "seen": (sightings.apply_seen, sightings.SeenBody),
    "epoch": (judgements.apply_epoch, judgements.EpochBody),
    "violation": (violations.apply_violation, violations.ViolationBody),
    "commits": (commits.apply_commits, commits.CommitsBody),
    "feed": (feeds.apply_feed, Feed),
    "trust": (operator.apply_trust, operator.TrustBody),
    "policy": (operator.apply_policy, operator.PolicyBody),
    "exemption": (operator.apply_exemption, operator.ExemptionBody),
    "erasure": (erasure.apply_erasure, erasure.ErasureBody),
}


def _records(target: Store, documents: tuple[Digest, ...]) -> list[advisories.Record]:
    return [record for digest in documents if (record := advisories.load_record(target, digest)) is not None]


def _must_agree(source: Store, target: Store) -> None:
    ours, theirs = source.rows(_SQL["line_ends"]), target.rows(_SQL["line_ends"])
    if ours != theirs and source.row(_SQL["any_erasure"]) is None:
        differing = sorted({row[0] for row in set(ours) ^ set(theirs)})
        raise Undecided(
            "rebuild-differs",
            f"the rebuilt graph {target.path} does not end where {source.path} does",
            why=f"{len(differing)} lines differ, the first is {differing[0]}",
            next_step="keep the old graph, and report this with the line's name",
        )


def _chunks(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
