"""One case and one policy, judged to one decision."""

from typing import Any

import msgspec

from safeconduct.assessment import facts as facts_of
from safeconduct.capabilities.policy.decision import decide, runnable_rules
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import EvidenceFacts, GateInput, PodFacts, ProductFacts, encode_input
from safeconduct.capabilities.policy.pack import Pack
from safeconduct.foundation.clock import from_rfc3339, to_rfc3339
from safeconduct.foundation.errors import SafeconductError
from safeconduct.model.commit import History
from safeconduct.model.component import Inventory
from safeconduct.model.decision import Decision
from safeconduct.model.evidence import Evidence
from safeconduct.model.exemption import Exemption
from safeconduct.model.finding import Scan


class Case(msgspec.Struct, frozen=True):
    """All that is known about what is judged. None means that nobody gathered it, never that there is nothing.

    Attributes:
        subject: what the decision will be about: a digest, a commit or a path.
    """

    subject: str
    product: ProductFacts | None = None
    history: History | None = None
    inventory: Inventory | None = None
    scan: Scan | None = None
    evidence: Evidence | None = None
    pod: PodFacts | None = None


def judge(
    gate: str,
    case: Case,
    pack: Pack,
    engine: Engine,
    *,
    now: int,
    trust_version: int = 0,
    exemptions: tuple[Exemption, ...] = (),
) -> Decision:
    """Return the decision of one gate over one case.

    Args:
        now: microseconds since 1970: ages are counted from it, and the decision carries it.
        exemptions: all granted ones; those that have ended are left out here.

    Raises:
        Undecided: ``no-rules``: the pack has none for this gate.
    """
    given = _input(gate, case, pack, now)
    results = engine.evaluate(pack, runnable_rules(pack, given), encode_input(given))
    valid = tuple(e for e in exemptions if from_rfc3339(e.until) > now)
    return decide(pack, given, results, at=now, trust_version=trust_version, subject=case.subject, exemptions=valid)


def _input(gate: str, case: Case, pack: Pack, now: int) -> GateInput:
    inventory, scan = case.inventory, case.scan
    known: dict[str, Any] = {
        "source": facts_of.source_facts(case.history) if case.history else None,
        "inventory": facts_of.inventory_facts(inventory) if inventory else None,
        # A scan of an inventory without components found nothing because it was given nothing.
        "vulnerabilities": (
            facts_of.vulnerability_facts(scan, inventory, now=now)
            if scan and inventory and inventory.components
            else None
        ),
        "licenses": facts_of.license_facts(inventory) if inventory and inventory.components else None,
        "evidence": _evidence(case.evidence, now) if case.evidence else None,
    }
    return GateInput(
        gate=gate,
        now=to_rfc3339(now),
        parameters=pack.values,
        product=case.product,
        workload=case.pod,
        **known,
    )


def _evidence(evidence: Evidence, now: int) -> EvidenceFacts:
    try:
        return facts_of.evidence_facts(evidence, now=now)
    except SafeconductError as error:
        # Signed, and still not what its type promises: what it would have said is not known.
        return EvidenceFacts(
            evidence.digest, complete=False, signers=(), predicates=(), refused=(), problem=f"{error.what}: {error.why}"
        )
