"""The verdict on one digest: read where it stands, judged where it does not.

Evidence is slow and may need the network; a verdict is one row. Deploying asks for verdicts, auditing renews them.
"""

from collections.abc import Mapping

import msgspec

from safeconduct.assessment.facts import sbom_of
from safeconduct.assessment.judge import Case, judge
from safeconduct.assessment.validity import valid_until
from safeconduct.capabilities.graph.directory import find_epoch
from safeconduct.capabilities.graph.holdings import held_documents
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import ProductFacts
from safeconduct.capabilities.policy.pack import Pack
from safeconduct.capabilities.registry.attach import Found, find_bundles
from safeconduct.capabilities.registry.repository import Source
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.evidence.images import judge_bundles
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.errors import Refused, SafeconductError, Undecided
from safeconduct.foundation.store import Store
from safeconduct.intake.judgements import record_verdict
from safeconduct.intake.operator import record_policy, record_trust
from safeconduct.model.component import Inventory
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.digest import Digest
from safeconduct.model.evidence import Evidence
from safeconduct.model.exemption import Exemption
from safeconduct.model.finding import Scan
from safeconduct.phases.authority import advisories_in

_RETRY = 60_000_000
"""Microseconds."""


class Bench(msgspec.Struct, frozen=True):
    """Where judging happens: the policy, trust, engine and time of one judgement."""

    pack: Pack
    trust: TrustStore
    engine: Engine
    exemptions: tuple[Exemption, ...]
    now: int


class Judged(msgspec.Struct, frozen=True):
    """A fresh judgement with what it rests on."""

    decision: Decision
    evidence: Evidence
    scan: Scan | None


def keep_authority(store: Store, pack: Pack, trust: TrustStore, *, now: int) -> None:
    """Keep the trust snapshot and the policy that judging rests on from now; the same again changes nothing.

    Raises:
        Refused: ``trust-rollback`` when the graph has seen a newer snapshot.
    """
    record_trust(store, at=now, version=trust.version, document=trust.document, revoked=trust.snapshot.revoked)
    record_policy(store, at=now, scope="*", policy=pack.digest, document=pack.document)


def scope_of(repository: str) -> str:
    """Return what a verdict for deploying from ``repository`` is kept under."""
    return f"deploy:{repository}"


def gather_held(store: Store, digest: Digest, repository: str, bench: Bench) -> Evidence | None:
    """Return the evidence that the graph keeps about a digest, verified anew; None when it keeps none."""
    held = held_documents(store, digest)
    return _judge_documents(digest, repository, bench, held, Found()) if held else None


def gather_found(source: Source, digest: Digest, repository: str, bench: Bench) -> Evidence:
    """Return the evidence that lies beside a digest in its registry, verified."""
    return _judge_documents(digest, repository, bench, {}, find_bundles(source, digest))


def gather_all(store: Store, source: Source, digest: Digest, repository: str, bench: Bench) -> Evidence:
    """Return what the graph keeps and what the registry has beside it now, verified together."""
    return _judge_documents(digest, repository, bench, held_documents(store, digest), find_bundles(source, digest))


def _judge_documents(
    digest: Digest, repository: str, bench: Bench, held: Mapping[Digest, tuple[bytes, int]], found: Found
) -> Evidence:
    return judge_bundles(
        digest,
        [*(data for data, _ in held.values()), *(data for _, data in found.documents)],
        bench.trust,
        repository=repository,
        now=to_datetime(bench.now),
        first_seen={document: to_datetime(known) for document, (_, known) in held.items()},
        complete=found.complete,
        problem=found.problem,
    )


def judge_digest(store: Store | None, gate: str, evidence: Evidence, product: ProductFacts, bench: Bench) -> Judged:
    """Return the gate's decision over a digest's evidence, with today's advisory data."""
    inventory = _inventory(evidence)
    found = scan(inventory, advisories_in(store)) if inventory is not None else None
    decision = judge(
        gate,
        Case(subject=evidence.digest, product=product, inventory=inventory, scan=found, evidence=evidence),
        bench.pack,
        bench.engine,
        now=bench.now,
        trust_version=bench.trust.version,
        exemptions=bench.exemptions,
    )
    until = valid_until(evidence, found, bench.trust, bench.pack, bench.exemptions, now=bench.now)
    if decision.outcome is not Outcome.PASSED:
        # A no is asked again soon: what was missing may have been published since.
        until = min(until, bench.now + _RETRY)
    return Judged(msgspec.structs.replace(decision, valid_until=until), evidence, found)


def keep_verdict(store: Store, judged: Judged, repository: str, *, epoch: int, now: int) -> None:
    """Keep a judgement as the verdict that admission reads.

    Raises:
        Refused: ``stale-verdict`` when something touched the digest since ``epoch`` was read.
    """
    record_verdict(
        store,
        at=now,
        digest=judged.evidence.digest,
        scope=scope_of(repository),
        decision=judged.decision,
        document=msgspec.json.encode(judged.decision),
        epoch=epoch,
    )


def renew_verdict(store: Store, digest: Digest, product: ProductFacts, bench: Bench, evidence: Evidence) -> Judged:
    """Judge a digest for deploying and keep the verdict; once more when something touched it meanwhile.

    Raises:
        Undecided: ``stale-verdict`` when something touched it both times; ``store-busy``.
    """
    for attempt in (1, 2):
        epoch = find_epoch(store, digest)
        judged = judge_digest(store, "deploy", evidence, product, bench)
        try:
            keep_verdict(store, judged, product.repository, epoch=epoch, now=bench.now)
        except Refused as error:
            if error.id != "stale-verdict":
                raise
            if attempt == 2:  # noqa: PLR2004 - the second and last try
                # Nobody said no: what is judged changes faster than it can be judged, and that is no answer.
                raise Undecided(error.id, error.what, why=error.why, next_step="ask again") from error
            continue
        break
    return judged


def _inventory(evidence: Evidence) -> Inventory | None:
    try:
        return sbom_of(evidence)
    except SafeconductError:
        # A signed document that is no SBOM: nothing is known about what is inside.
        return None


def documents_of(evidence: Evidence) -> Mapping[Digest, bytes]:
    """Return the verified documents by digest."""
    return {Digest(name): data for name, data in evidence.raw.items()}
