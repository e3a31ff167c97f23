"""Audit: what runs, and the newest of every line, judged with what is known now; verdicts renewed on the way.

Nothing is scanned again: the graph's documents are verified and matched with today's advisories. A release that the
audit denies is denied to new deployments at once.
"""

from collections.abc import Callable

import msgspec

from safeconduct.capabilities.graph.directory import find_verdict
from safeconduct.capabilities.graph.holdings import Held, releases_in_use
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import ProductFacts
from safeconduct.foundation.store import Store
from safeconduct.intake.judgements import record_decision
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.evidence import Evidence
from safeconduct.model.finding import Finding
from safeconduct.phases.authority import Authority
from safeconduct.phases.verdict import Bench, gather_held, judge_digest, keep_authority, renew_verdict, scope_of


class Audited(msgspec.Struct, frozen=True):
    """One release, judged again.

    Attributes:
        before: the verdict that admission had until now, None when it had none.
        deploy: what new deployments are told from now on.
        findings: what its components meet today.
    """

    release: Held
    decision: Decision
    deploy: Decision
    before: Outcome | None
    findings: tuple[Finding, ...]

    @property
    def is_new_risk(self) -> bool:
        """Whether it was let pass before and is not any more."""
        return self.before is Outcome.PASSED and self.deploy.outcome is not Outcome.PASSED


class Audit(msgspec.Struct, frozen=True):
    """All that was judged again, worst first."""

    audited: tuple[Audited, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst answer; could not tell when there was nothing to judge."""
        found = {a.decision.outcome for a in self.audited}
        if Outcome.DENIED in found:
            return Outcome.DENIED
        return Outcome.UNDECIDED if Outcome.UNDECIDED in found or not found else Outcome.PASSED


def audit(authority: Authority, engine: Engine, *, on_progress: Callable[[int], None] | None = None) -> Audit:
    """Return the judgement of every release in use.

    Raises:
        SafeconductError: no graph, or trust or policy that cannot be used.
    """
    bench = Bench(authority.pack(), authority.required_trust(), engine, authority.exemptions(), authority.clock())
    done = []
    with authority.graph(must_exist=True) as store:
        keep_authority(store, bench.pack, bench.trust, now=bench.now)
        for count, held in enumerate(releases_in_use(store), 1):
            done.append(_audit(store, held, bench))
            if on_progress:
                on_progress(count)
    return Audit(tuple(sorted(done, key=lambda a: (a.decision.outcome is not Outcome.DENIED, not a.release.running))))


def _audit(store: Store, held: Held, bench: Bench) -> Audited:
    repository = held.repository or held.product
    before = find_verdict(
        store,
        held.digest,
        scope=scope_of(repository),
        policy=bench.pack.digest,
        trust_version=bench.trust.version,
        now=bench.now,
    )
    product = ProductFacts(held.product, held.version, repository)
    evidence = gather_held(store, held.digest, repository, bench) or Evidence(held.digest)
    judged = judge_digest(store, "operate", evidence, product, bench)
    record_decision(
        store,
        at=bench.now,
        decision=judged.decision,
        document=msgspec.json.encode(judged.decision),
        digest=held.digest,
    )
    deploy = renew_verdict(store, product, bench, evidence)
    return Audited(
        held,
        judged.decision,
        deploy.decision,
        before.outcome if before else None,
        judged.scan.findings if judged.scan else (),
    )
