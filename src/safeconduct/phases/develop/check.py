"""Check: may this source be committed and built? Inventory, pinning, signatures, vulnerabilities, one decision."""

from pathlib import Path

import msgspec

from safeconduct.assessment.facts import without_covered_ranges
from safeconduct.assessment.judge import Case, judge
from safeconduct.capabilities.inventory.walk import Progress
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import ProductFacts
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.evidence.sources import Source, read_source
from safeconduct.foundation.clock import to_datetime
from safeconduct.intake.commits import record_commits
from safeconduct.model.decision import Decision
from safeconduct.model.finding import Scan
from safeconduct.phases.authority import Authority, advisories_in


class Check(msgspec.Struct, frozen=True):
    """The answer for one tree, with everything that it rests on."""

    target: str
    source: Source
    scan: Scan
    decision: Decision
    recorded: bool = False


def check(
    path: Path, authority: Authority, engine: Engine, *, record: bool = False, on_progress: Progress | None = None
) -> Check:
    """Return the develop gate's decision over the tree at ``path``.

    Args:
        record: write the commits and what verification said of them to the graph.

    Raises:
        SafeconductError: settings, trust or policy that cannot be used. What is merely missing is no error: the
            decision then says what it could not tell.
    """
    now = authority.clock()
    trust = authority.trust()
    source = read_source(
        path,
        authority.environment,
        trust,
        since=authority.settings.source.since,
        now=to_datetime(now),
        first_seen=authority.first_seen,
        on_progress=on_progress,
    )
    pack = authority.pack(source.settings)
    inventory = without_covered_ranges(source.inventory)
    store = authority.graph() if authority.has_graph() or record else None
    try:
        found = scan(inventory, advisories_in(store))
        product = source.settings.product
        decision = judge(
            "develop",
            Case(
                subject=source.history.head if source.history else str(path),
                product=ProductFacts(product.name, product.version, product.repository),
                history=source.history,
                inventory=inventory,
                scan=found,
            ),
            pack,
            engine,
            now=now,
            trust_version=trust.version if trust else 0,
            exemptions=authority.exemptions(),
        )
        if record and store is not None and source.history is not None:
            record_commits(
                store,
                at=now,
                repository=product.repository or str(path.resolve()),
                raw_commits=list(source.raw_commits),
                judged=list(source.history.commits),
                trust_version=trust.version if trust else 0,
            )
    finally:
        if store is not None:
            store.close()
    return Check(str(path), source, found, decision, recorded=record)
