"""Judgements taken in: decisions of gates, verdicts for admission, admissions themselves; and epochs raised."""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.graph.codes import JUDGEMENTS
from safeconduct.capabilities.graph.directory import find_epoch, find_release_digest
from safeconduct.capabilities.graph.keys import source_key
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.dictionary import intern_cluster
from safeconduct.intake.directory import SQL as DIRECTORY
from safeconduct.intake.directory import raise_epochs
from safeconduct.intake.lines import OpenLine, close_line, last_estate_event, load_line, open_line
from safeconduct.intake.sightings import open_single
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.digest import Digest, to_bytes
from safeconduct.model.workload import Workload

_SQL = load_statements("safeconduct.intake", "judgements.sql")


class JudgementBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of one judgement; ``kind`` is one of ``codes.JUDGEMENTS``.

    Attributes:
        digest: of the release judged; None when ``repository``, a source, was judged.
        epoch: of the digest when judging began; verdicts only.
    """

    kind: str
    scope: str
    outcome: int
    digest: Digest | None = None
    repository: str = ""
    policy: Digest | None = None
    trust_version: int = 0
    epoch: int = 0
    valid_until: int = 0
    decision: Digest | None = None
    where: Workload | None = None
    estate: int = 0


class EpochBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of an epoch raised by hand."""

    digest: Digest
    rejudge_by: int
    reason: str
    estate: int = 0


def record_decision(
    store: Store,
    *,
    at: int,
    decision: Decision,
    document: bytes,
    digest: Digest | None = None,
    repository: str = "",
) -> Digest:
    """Keep a gate's decision with its document; return the document's digest.

    Args:
        digest: the release that was judged, or
        repository: the source repository that was judged.

    Raises:
        Undecided: ``store-busy``.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document)
        body = JudgementBody(
            kind="decision",
            scope=decision.gate,
            outcome=int(decision.outcome),
            digest=digest,
            repository="" if digest else repository or decision.subject,
            policy=decision.policy,
            trust_version=decision.trust_version,
            valid_until=decision.valid_until,
            decision=doc,
            estate=last_estate_event(store)[0],
        )
        apply_judgement(store, at, body)
    return doc


def record_verdict(
    store: Store,
    *,
    at: int,
    digest: Digest,
    scope: str,
    decision: Decision,
    document: bytes,
    epoch: int,
) -> None:
    """Keep the verdict that admission will read, unless something touched the digest since judging began.

    Args:
        scope: what the verdict is for: a gate, or a gate and a cluster.
        decision: gives outcome, policy, trust version and ``valid_until`` (0: it rests on nothing that expires).
        document: the decision, verbatim.
        epoch: what ``questions.find_epoch`` said when judging began.

    Raises:
        Refused: ``stale-verdict``; judge again.
        Undecided: ``store-busy``.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document)
        body = JudgementBody(
            kind="verdict",
            scope=scope,
            outcome=int(decision.outcome),
            digest=digest,
            policy=decision.policy,
            trust_version=decision.trust_version,
            epoch=epoch,
            valid_until=decision.valid_until,
            decision=doc,
            estate=last_estate_event(store)[0],
        )
        apply_judgement(store, at, body)


def record_admission(
    store: Store,
    *,
    at: int,
    digest: Digest,
    where: Workload,
    outcome: Outcome,
    decision: Digest | None = None,
) -> None:
    """Keep that a cluster asked to run a digest and what it was told; whether it runs is told by sightings only."""
    with store.transaction():
        body = JudgementBody(
            kind="admission",
            scope="deploy",
            outcome=int(outcome),
            digest=digest,
            decision=decision,
            where=where,
            estate=last_estate_event(store)[0],
        )
        apply_judgement(store, at, body)


def raise_epoch(store: Store, *, at: int, digests: Iterable[Digest], rejudge_by: int, reason: str) -> None:
    """Make every verdict on ``digests`` old; each may serve until ``rejudge_by`` (microseconds), 0: not at all."""
    with store.transaction():
        estate = last_estate_event(store)[0]
        for digest in sorted(set(digests)):
            apply_epoch(store, at, EpochBody(digest, rejudge_by, reason, estate))


def apply_epoch(store: Store, at: int, body: EpochBody) -> None:
    """Write an epoch's event."""
    entry = open_single(store, at, body.digest)
    line = load_line(store, entry.line_id)
    line.begin(at)
    digest = find_release_digest(store, body.digest)
    raise_epochs(store, [to_bytes(digest)], line.changed_at, body.rejudge_by)
    close_line(store, line, "epoch", body)


def apply_judgement(store: Store, at: int, body: JudgementBody) -> None:
    """Write a judgement's event. Ingest and rebuild both come here."""
    line, seq = _line_of(store, at, body)
    line.begin(at)
    if body.kind == "verdict" and body.digest is not None and not _put_verdict(store, body, body.digest):
        return
    n = close_line(store, line, body.kind, body, body.decision)
    where = body.where
    row = {
        "line_id": line.line_id,
        "seq": seq,
        "n": n,
        "kind": JUDGEMENTS.index(body.kind),
        "scope": body.scope,
        "outcome": body.outcome,
        "policy": to_bytes(body.policy) if body.policy else None,
        "trust_version": body.trust_version,
        "decision": to_bytes(body.decision) if body.decision else None,
        "cluster_id": intern_cluster(store, where.cluster, where.region) if where else None,
        "ns": where.namespace if where else None,
        "workload": where.workload if where else None,
        "at": line.changed_at,
    }
    store.run(_SQL["add_judgement"], row)


def _line_of(store: Store, at: int, body: JudgementBody) -> tuple[OpenLine, int]:
    if body.digest is None:
        return open_line(store, source_key(body.repository)), 0
    entry = open_single(store, at, body.digest)
    return load_line(store, entry.line_id), entry.seq


def _put_verdict(store: Store, body: JudgementBody, digest: Digest) -> bool:
    """Compare-and-set on the epoch; return False when this very verdict stands already."""
    epoch = find_epoch(store, digest)
    if epoch != body.epoch:
        raise _stale(digest, body.epoch, epoch)
    row = {
        "digest": to_bytes(find_release_digest(store, digest)),
        "scope": body.scope,
        "policy": to_bytes(body.policy) if body.policy else b"",
        "trust_version": body.trust_version,
        "epoch": body.epoch,
        "outcome": body.outcome,
        "valid_until": body.valid_until,
        "decision": to_bytes(body.decision) if body.decision else b"",
    }
    if store.row(_SQL["same_verdict"], row) is not None:
        return False
    store.run(DIRECTORY["put_verdict"], row)
    return True


def _stale(digest: Digest, before: int, now: int) -> Refused:
    return Refused(
        "stale-verdict",
        f"the verdict on {digest} came too late and was not kept",
        why=f"judging began at epoch {before}; something touched the digest since, it is at {now}",
        next_step="judge it again: safeconduct gate deploy",
    )
