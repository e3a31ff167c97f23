"""The engine and the pack loader fail closed, whatever breaks."""

import msgspec
import pytest

from safeconduct.capabilities.policy.decision import RuleResult, decide
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.capabilities.policy.input import GateInput, PodFacts, encode_input
from safeconduct.capabilities.policy.pack import GATES, Pack, load_pack, set_parameters
from safeconduct.capabilities.policy.store import find_pack
from safeconduct.foundation.errors import BadUsage, Undecided
from safeconduct.model.decision import Outcome

RULE = """# METADATA
# title: A rule
# description: Text.
# custom:
#   id: a-rule
#   severity: high
#   facts: [workload]
#   remedy: do something
package safeconduct.a_rule

import rego.v1

deny contains reason if {
%s
	reason := {"message": "no"}
}
"""
HEAD = b"name: small\ngates: {workload: [a-rule]}\nparameters: {n: {value: 1, tighten: higher}}\n"
GIVEN = GateInput("workload", "", {}, workload=PodFacts("Pod", "ns", "name"))


def pack_of(body: str, head: bytes = HEAD) -> Pack:
    return load_pack({"pack.yaml": head, "a.rego": (RULE % body).encode()})


def outcome_of(pack: Pack, seconds: float = 5.0) -> tuple[Outcome, str]:
    with RegoWorker(seconds) as worker:
        results = worker.evaluate(pack, pack.rules_of("workload"), encode_input(GIVEN))
    decision = decide(pack, GIVEN, results, at=0, trust_version=0)
    return decision.outcome, "; ".join(r.message for r in decision.reasons)


def test_a_rule_that_holds_denies_and_one_that_does_not_passes() -> None:
    assert outcome_of(pack_of("\ttrue"))[0] == Outcome.DENIED
    assert outcome_of(pack_of("\tfalse"))[0] == Outcome.PASSED


@pytest.mark.parametrize(
    "body",
    [
        "\tnot_a_builtin(1)",
        "\tx := 1 / 0\n\tx > 0",
        "\tsprintf(",
        '\ttime.parse_rfc3339_ns("never") > 0',
    ],
)
def test_a_rule_that_cannot_be_evaluated_cannot_tell(body: str) -> None:
    outcome, message = outcome_of(pack_of(body))
    assert outcome == Outcome.UNDECIDED
    assert "could not be evaluated" in message


def test_a_rule_that_never_ends_is_stopped_and_the_next_one_is_answered() -> None:
    endless = pack_of(
        "\tcount([1 | some i in numbers.range(1, 4000); some j in numbers.range(1, 4000); i * j > 0]) > 0"
    )
    good = pack_of("\tfalse")
    with RegoWorker(0.5) as worker:
        stopped = worker.evaluate(endless, endless.rules_of("workload"), encode_input(GIVEN))
        assert "no answer within" in stopped["a-rule"].error
    assert outcome_of(good)[0] == Outcome.PASSED


def test_a_killed_worker_cannot_tell_and_is_started_again() -> None:
    pack = pack_of("\tfalse")
    with RegoWorker() as worker:
        worker.evaluate(pack, pack.rules_of("workload"), encode_input(GIVEN))
        worker._process.kill()
        worker._process.wait()
        again = worker.evaluate(pack, pack.rules_of("workload"), encode_input(GIVEN))
    assert again["a-rule"].deny == []


def test_results_of_another_shape_cannot_tell() -> None:
    pack = pack_of("\ttrue")
    for result in (
        RuleResult(deny=None),
        RuleResult(deny=[{"msg": "x"}]),
        RuleResult(deny="yes"),
        RuleResult(deny=[1]),
    ):
        assert decide(pack, GIVEN, {"a-rule": result}, at=0, trust_version=0).outcome == Outcome.UNDECIDED
    assert decide(pack, GIVEN, {}, at=0, trust_version=0).outcome == Outcome.UNDECIDED


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pack.yaml": HEAD},
        {"pack.yaml": HEAD, "a.rego": b"package x\n"},
        {"pack.yaml": HEAD, "a.rego": (RULE % "\ttrue").replace("deny contains", "allow contains").encode()},
        {"pack.yaml": HEAD, "a.rego": (RULE % "\thttp.send({})").encode()},
        {"pack.yaml": HEAD, "a.rego": (RULE % "\ttrue").replace("[workload]", "[]").encode()},
        {"pack.yaml": b"name: x\ngates: {workload: [other]}\n", "a.rego": (RULE % "\ttrue").encode()},
        {"pack.yaml": b"name: x\ngates: {nowhere: [a-rule]}\n", "a.rego": (RULE % "\ttrue").encode()},
        {"pack.yaml": b"\xff", "a.rego": b"\xff"},
    ],
)
def test_a_pack_that_is_not_whole_is_not_used(files: dict[str, bytes]) -> None:
    with pytest.raises(Undecided, match="bad-policy"):
        load_pack(files)


def test_a_gate_without_rules_and_a_missing_pack_cannot_tell(tmp_path) -> None:
    with pytest.raises(Undecided, match="no-rules"):
        pack_of("\ttrue").rules_of("deploy")
    with pytest.raises(Undecided, match="no-policy"):
        find_pack(str(tmp_path / "nowhere"))
    with pytest.raises(Undecided, match="bad-policy"):
        find_pack(str(tmp_path))


def test_the_judged_may_tighten_and_never_loosen() -> None:
    pack = find_pack("default")
    for name, tighter, looser in (
        ("minimum_grade", 4, 2),
        ("blocked_levels", ["critical", "high"], []),
        ("max_data_age_days", 1, 9999),
        ("builders", [], ["https://mallory.example"]),
    ):
        assert set_parameters(pack, {name: tighter}, only_tighten=True, origin="t").values[name] == tighter
        with pytest.raises(BadUsage, match="authority-in-tree"):
            set_parameters(pack, {name: looser}, only_tighten=True, origin="t")
        assert set_parameters(pack, {name: looser}, only_tighten=False, origin="o").values[name] == looser
    with pytest.raises(BadUsage, match="authority-in-tree"):
        set_parameters(pack, {"minimum_grade": True}, only_tighten=True, origin="t")
    with pytest.raises(BadUsage, match="unknown-parameter"):
        set_parameters(pack, {"nothing": 1}, only_tighten=False, origin="o")


def test_the_digest_of_a_policy_covers_its_rules_and_parameters() -> None:
    pack = pack_of("\ttrue")
    assert pack.digest == pack_of("\ttrue").digest
    assert pack.digest != pack_of("\tfalse").digest
    assert pack.digest != set_parameters(pack, {"n": 2}, only_tighten=True, origin="t").digest


def test_every_rule_of_every_gate_needs_facts_that_an_input_can_have() -> None:
    fields = set(msgspec.structs.asdict(GIVEN))
    pack = find_pack("default")
    assert set(pack.gates) == set(GATES)
    assert all(set(rule.facts) <= fields for rule in pack.rules.values())


def test_one_worker_answers_each_pack_by_its_own_rules() -> None:
    """A pack's rules are sent once; another pack in between must not answer for it."""
    yes, no = pack_of("\ttrue"), pack_of("\tfalse")
    with RegoWorker() as worker:
        results = [worker.evaluate(p, p.rules_of("workload"), encode_input(GIVEN)) for p in (yes, yes, no, no, yes)]
    assert [bool(result["a-rule"].deny) for result in results] == [True, True, False, False, True]
    assert not any(result["a-rule"].error for result in results)
