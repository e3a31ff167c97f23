"""Each rule of the default pack: seen to pass, to deny, and where it can, to say that it could not tell."""

# ruff: noqa: E501 - one case a line reads as a table

from typing import Any

import msgspec
import pytest

from safeconduct.capabilities.policy import input as facts
from safeconduct.capabilities.policy.decision import decide, runnable_rules
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.capabilities.policy.input import GateInput, encode_input
from safeconduct.capabilities.policy.pack import Pack
from safeconduct.capabilities.policy.store import find_pack
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.exemption import Exemption

PACK = find_pack("default")
SIGN, SBOM, PROVENANCE, VULNS = PACK.values["required_predicates"]
VSA = "https://slsa.dev/verification_summary/v1"
PRODUCT = facts.ProductFacts("shop", "1.0.0", "shop.example/shop/checkout")
DIGEST = "sha256:" + "a" * 64
COMMIT = facts.CommitFacts("c" * 40, "Dev <dev@shop.example>", "begin", "verified", "dev@shop.example")
SOURCE = facts.SourceFacts("c" * 40, complete=True, commits=(COMMIT,))
COMPONENT = facts.ComponentFacts("pkg:npm/minimist@1.2.8", "locked", "runtime", 3, path="package-lock.json", line=4)
INVENTORY = facts.InventoryFacts((COMPONENT,))
FEED = facts.FeedFacts("demo", "2026-11-20T00:00:00Z", 3)
SCAN = facts.VulnerabilityFacts((), (), (FEED,))
FINDING = facts.FindingFacts("pkg:npm/minimist@1.2.5", "GHSA-x", ("CVE-1", "GHSA-x"), "critical", "range", "1.2.6")
LICENSE = facts.LicenseFacts("pkg:npm/minimist@1.2.8", "MIT", ("MIT",), known=True)
BUILT = facts.ProvenanceFacts(PACK.values["builders"][0], "c" * 40, PRODUCT.repository, "builder")
APPROVED = facts.SummaryFacts(passed=True, resource=PRODUCT.repository, policy=DIGEST, signer="gate", age_days=1)
EVIDENCE = facts.EvidenceFacts(
    DIGEST,
    complete=True,
    signers=("builder",),
    predicates=(SIGN, SBOM, PROVENANCE, VULNS),
    refused=(),
    provenance=(BUILT,),
    summaries=(APPROVED,),
    sbom_components=1,
    scan_age_days=0,
)
REFUSED_SBOM = facts.RefusedFacts("wrong-subject", "it is about another image", SBOM)
POD = facts.PodFacts("Pod", "shop", "checkout")
GOOD = GateInput(
    "develop", "2026-11-23T00:00:00Z", PACK.values, PRODUCT, SOURCE, INVENTORY, SCAN, (LICENSE,), EVIDENCE, POD
)


@pytest.fixture(scope="module")
def worker():
    with RegoWorker() as worker:
        yield worker


def judge(worker: RegoWorker, given: GateInput, pack: Pack = PACK, **more: Any) -> Decision:
    given = msgspec.structs.replace(given, parameters=pack.values)
    rules = runnable_rules(pack, given)
    results = worker.evaluate(pack, rules, encode_input(given))
    return decide(pack, given, results, at=0, trust_version=1, **more)


def changed(gate: str, fact: str, **changes: Any) -> GateInput:
    value = msgspec.structs.replace(getattr(GOOD, fact), **changes)
    return msgspec.structs.replace(GOOD, gate=gate, **{fact: value})


def with_commit(**changes: Any) -> GateInput:
    return changed("develop", "source", commits=(msgspec.structs.replace(COMMIT, **changes),))


def with_component(**changes: Any) -> GateInput:
    return changed("develop", "inventory", components=(msgspec.structs.replace(COMPONENT, **changes),))


def with_finding(gate: str = "develop", **changes: Any) -> GateInput:
    return changed(gate, "vulnerabilities", findings=(msgspec.structs.replace(FINDING, **changes),))


def without(predicate: str, gate: str = "deploy", **more: Any) -> GateInput:
    return changed(gate, "evidence", predicates=tuple(p for p in EVIDENCE.predicates if p != predicate), **more)


@pytest.mark.parametrize("gate", sorted(PACK.gates))
def test_a_good_input_passes_every_gate(worker: RegoWorker, gate: str) -> None:
    decision = judge(worker, msgspec.structs.replace(GOOD, gate=gate))
    assert (decision.outcome, decision.reasons) == (Outcome.PASSED, ())
    assert decision.rules == PACK.gates[gate]


DENIED = [
    ("commits-signed", with_commit(state="unsigned", problem="it carries no signature")),
    ("commits-signed", with_commit(state="untrusted")),
    ("commits-signed", with_commit(state="invalid")),
    ("history-complete", changed("develop", "source", head="")),
    ("source-clean", changed("build", "source", dirty=("a.py",))),
    ("versions-pinned", with_component(grade=2)),
    ("versions-pinned", with_component(grade=0, presence="unresolved", requirement=">=1", line=None)),
    ("versions-pinned", with_component(grade=1, presence="declared")),
    ("no-blocked-vulnerabilities", with_finding()),
    ("no-blocked-vulnerabilities", with_finding(fixed="")),
    ("no-blocked-vulnerabilities", with_finding(level="low", malicious=True)),
    ("no-blocked-vulnerabilities", with_finding("deploy", path=("pkg:npm/a@1", "pkg:npm/minimist@1.2.5"))),
    ("vulnerability-data-complete", changed("develop", "vulnerabilities", feeds=(facts.FeedFacts("x", "2030", -9),))),
    ("licenses-allowed", msgspec.structs.replace(GOOD, licenses=(facts.LicenseFacts("p", "AGPL-3.0-only", ("AGPL-3.0-only",), known=True),))),
    ("inventory-complete", with_component(purl="")),
    ("artifacts-signed", without(SIGN, "release")),
    ("artifacts-signed", without(SBOM, "release", refused=(REFUSED_SBOM,))),
    ("image-signed", without(SIGN)),
    ("image-signed", without(SIGN, refused=(REFUSED_SBOM,))),
    ("evidence-complete", without(SBOM, refused=(REFUSED_SBOM,))),
    ("sbom-has-components", changed("deploy", "evidence", sbom_components=0)),
    ("provenance-matches", changed("deploy", "evidence", provenance=(msgspec.structs.replace(BUILT, repository="other"),))),
    ("provenance-matches", changed("release", "evidence", provenance=(msgspec.structs.replace(BUILT, builder="mallory"),))),
    ("release-approved", changed("deploy", "evidence", summaries=())),
    ("release-approved", changed("deploy", "evidence", summaries=(msgspec.structs.replace(APPROVED, resource="other"),))),
    ("release-approved", changed("deploy", "evidence", summaries=(msgspec.structs.replace(APPROVED, age_days=31),))),
    ("release-approved", changed("deploy", "evidence", summaries=(APPROVED, msgspec.structs.replace(APPROVED, passed=False)))),
    ("release-approved", changed("deploy", "evidence", summaries=(), refused=(facts.RefusedFacts("wrong-usage", "builder", VSA),))),
    ("workload-contained", changed("workload", "workload", dangers=("container x is privileged",))),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "given"), DENIED, ids=[f"{r}-{i}" for i, (r, _) in enumerate(DENIED)])
def test_a_bad_input_is_denied_by_its_rule_alone_with_a_remedy(worker: RegoWorker, rule: str, given: GateInput) -> None:
    decision = judge(worker, given)
    assert decision.outcome == Outcome.DENIED
    assert {r.rule for r in decision.reasons} == {rule}
    assert all(r.remedy and r.message for r in decision.reasons)


UNDECIDED = [
    ("commits-signed", with_commit(state="unknown")),
    ("commits-signed", changed("develop", "source", commits=())),
    ("history-complete", changed("develop", "source", complete=False)),
    ("no-blocked-vulnerabilities", with_finding(level="unknown")),
    ("vulnerability-data-complete", changed("develop", "vulnerabilities", gaps=(facts.GapFacts("pkg:npm/x@1", "no-feed"),))),
    ("vulnerability-data-complete", changed("develop", "vulnerabilities", feeds=())),
    ("vulnerability-data-complete", changed("develop", "vulnerabilities", feeds=(facts.FeedFacts("x", "2020", 900),))),
    ("inventory-complete", changed("develop", "inventory", unread=(("package-lock.json", "cut short"),))),
    ("evidence-complete", without(SBOM)),
    ("evidence-complete", without(VULNS)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "given"), UNDECIDED, ids=[f"{r}-{i}" for i, (r, _) in enumerate(UNDECIDED)])
def test_what_cannot_be_told_is_neither_passed_nor_denied(worker: RegoWorker, rule: str, given: GateInput) -> None:
    decision = judge(worker, given)
    assert decision.outcome == Outcome.UNDECIDED
    assert {r.rule for r in decision.reasons} == {rule}


@pytest.mark.parametrize("fact", ["source", "inventory", "vulnerabilities", "licenses"])
def test_a_fact_that_nobody_gathered_cannot_be_told(worker: RegoWorker, fact: str) -> None:
    decision = judge(worker, msgspec.structs.replace(GOOD, **{fact: None}))
    assert decision.outcome == Outcome.UNDECIDED
    assert all(fact in r.message for r in decision.reasons)


def test_an_empty_list_of_components_is_not_clean(worker: RegoWorker) -> None:
    decision = judge(worker, changed("develop", "inventory", components=()))
    assert decision.outcome == Outcome.UNDECIDED


def test_an_empty_input_is_not_allowed_at_any_gate(worker: RegoWorker) -> None:
    for gate in PACK.gates:
        assert judge(worker, GateInput(gate, "", {})).outcome == Outcome.UNDECIDED


def test_evidence_that_could_not_be_fetched_cannot_be_told(worker: RegoWorker) -> None:
    nothing = changed("deploy", "evidence", complete=False, problem="registry down", predicates=(), provenance=(), summaries=(), sbom_components=None)  # fmt: skip
    assert judge(worker, nothing).outcome == Outcome.UNDECIDED


def test_an_exemption_lifts_a_denial_and_never_a_could_not_tell(worker: RegoWorker) -> None:
    grant = Exemption("no-blocked-vulnerabilities", FINDING.component, "behind a proxy", "sec", "2027-01-01T00:00:00Z")
    lifted = judge(worker, with_finding(), exemptions=(grant,))
    assert (lifted.outcome, len(lifted.exempted)) == (Outcome.PASSED, 1)
    other = msgspec.structs.replace(grant, scope="pkg:npm/other@1")
    assert judge(worker, with_finding(), exemptions=(other,)).outcome == Outcome.DENIED
    gap = Exemption("history-complete", SOURCE.head, "x", "y", "2027-01-01T00:00:00Z")
    assert judge(worker, changed("develop", "source", complete=False), exemptions=(gap,)).outcome == Outcome.UNDECIDED


def test_a_pinning_reason_names_file_line_and_what_is_written_there(worker: RegoWorker) -> None:
    found = judge(worker, with_component(grade=1, requirement="^1.2", line=7)).reasons[0].message
    assert found == "pkg:npm/minimist@1.2.8 (^1.2) in package-lock.json:7: only a range or a tag"
    bare = judge(worker, with_component(grade=2, line=None)).reasons[0].message
    assert bare == "pkg:npm/minimist@1.2.8 in package-lock.json: exact version without a hash"


def test_reasons_about_commits_stand_newest_first(worker: RegoWorker) -> None:
    commits = tuple(msgspec.structs.replace(COMMIT, id=letter * 40, state="unsigned") for letter in "zam")
    reasons = judge(worker, changed("develop", "source", commits=commits)).reasons
    assert [reason.subject[0] for reason in reasons] == ["z", "a", "m"]
