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
from safeconduct.model.statement import Predicate
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


class Listed(msgspec.Struct, frozen=True):
    """An inventory, and the signed document that it was read from."""

    inventory: Inventory
    document: Digest


class Judged(msgspec.Struct, frozen=True):
    """A fresh judgement with what it rests on.

    Attributes:
        epoch: of the digest when judging began: what touched it since makes this judgement old.
    """

    decision: Decision
    evidence: Evidence
    scan: Scan | None
    epoch: int = 0


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
    epoch = find_epoch(store, evidence.digest) if store is not None else 0
    listed = listed_in(evidence)
    inventory = listed.inventory if listed else None
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
    return Judged(msgspec.structs.replace(decision, valid_until=until), evidence, found, epoch)


def keep_verdict(store: Store, judged: Judged, repository: str, *, now: int) -> None:
    """Keep a judgement as the verdict that admission reads.

    Raises:
        Refused: ``stale-verdict`` when something touched the digest since judging began.
    """
    record_verdict(
        store,
        at=now,
        digest=judged.evidence.digest,
        scope=scope_of(repository),
        decision=judged.decision,
        document=msgspec.json.encode(judged.decision),
        epoch=judged.epoch,
    )


def renew_verdict(
    store: Store, product: ProductFacts, bench: Bench, evidence: Evidence, *, judged: Judged | None = None
) -> Judged:
    """Judge a digest for deploying and keep the verdict; once more when something touched it meanwhile.

    Args:
        judged: what judging the same evidence for deploying gave just now, when that was done already.

    Raises:
        Undecided: ``stale-verdict`` when something touched it both times; ``store-busy``.
    """
    judged = judged or judge_digest(store, "deploy", evidence, product, bench)
    if _late(store, judged, product.repository, bench.now) is None:
        return judged
    judged = judge_digest(store, "deploy", evidence, product, bench)
    error = _late(store, judged, product.repository, bench.now)
    if error is None:
        return judged
    # Nobody said no: what is judged changes faster than it can be judged, and that is no answer.
    raise Undecided(error.id, error.what, why=error.why, next_step="ask again") from error


def _late(store: Store, judged: Judged, repository: str, now: int) -> Refused | None:
    """Keep a verdict; return the refusal when something touched the digest since judging began."""
    try:
        keep_verdict(store, judged, repository, now=now)
    except Refused as error:
        if error.id != "stale-verdict":
            raise
        return error
    return None


def listed_in(evidence: Evidence) -> Listed | None:
    """Return the inventory in the first verified SBOM; None when there is none that can be read."""
    claim = next((c for c in evidence.claims if c.predicate_type == Predicate.CYCLONEDX), None)
    try:
        inventory = sbom_of(evidence)
    except SafeconductError:
        # A signed document that is no SBOM: nothing is known about what is inside.
        return None
    return Listed(inventory, claim.document) if inventory is not None and claim is not None else None


def documents_of(evidence: Evidence) -> Mapping[Digest, bytes]:
    """Return the verified documents by digest."""
    return {Digest(name): data for name, data in evidence.raw.items()}
