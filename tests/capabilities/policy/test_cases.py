"""Policy tests as users write them."""

from pathlib import Path

import pytest

from safeconduct.capabilities.policy.cases import read_cases, run_case
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.capabilities.policy.pack import load_pack
from safeconduct.capabilities.policy.store import read_pack
from safeconduct.foundation.errors import BadUsage

FILES = read_pack("default")
PACK = load_pack(FILES)
WORKLOAD = "{workload: {kind: Pod, namespace: shop, name: x, dangers: [%s]}}"
CASE = "[{name: n, gate: workload, expect: %s, rules: [%s], input: %s}]"


def run(expect: str, rules: str = "", dangers: str = "", data: str | None = None) -> str:
    text = data or CASE % (expect, rules, WORKLOAD % dangers)
    ((file, case),) = read_cases({"a_test.yaml": text.encode(), "pack.yaml": b"x"})
    with RegoWorker() as worker:
        return run_case(file, case, PACK, worker).problem


def test_every_rule_of_the_default_pack_is_seen_to_give_a_reason_and_every_gate_to_pass() -> None:
    with RegoWorker() as worker:
        results = [run_case(file, case, PACK, worker) for file, case in read_cases(FILES)]
    assert [r for r in results if r.problem] == []
    assert {rule for _, case in read_cases(FILES) for rule in case.rules} == set(PACK.rules)
    assert {case.gate for _, case in read_cases(FILES) if case.expect == "passed"} == set(PACK.gates)


def test_a_case_that_gets_another_answer_fails_and_says_which() -> None:
    assert run("passed") == ""
    assert run("denied", "workload-contained", "privileged") == ""
    assert "passed instead of denied" in run("denied")
    assert "denied instead of passed" in run("passed", dangers="privileged")


def test_the_right_answer_for_another_reason_fails() -> None:
    assert "instead of image-signed" in run("denied", "image-signed", "privileged")


def test_facts_left_out_cannot_be_told_and_are_no_pass() -> None:
    assert run("", data="[{name: n, gate: deploy, expect: could not tell, input: {}}]") == ""
    assert run("", data="[{name: n, gate: deploy, expect: passed, input: {}}]") != ""


@pytest.mark.parametrize(
    "data",
    [
        "name: n",
        "[1]",
        "[{name: n, gate: workload, expect: maybe}]",
        "[{name: n, gate: workload, expects: passed}]",
        "[{name: n, gate: workload, expect: passed, input: {workload: {kind: Pod, Dangers: []}}}]",
        "[{name: n, gate: workload, expect: passed, input: {worload: {}}}]",
        "[{name: n, gate: workload, expect: passed, parameters: {nothing: 1}}]",
        "[",
        "!!python/object/apply:os.system [id]",
    ],
)
def test_a_test_that_could_never_run_is_refused(data: str) -> None:
    """A mis-cased fact would otherwise be a fact that is simply absent."""
    with pytest.raises(BadUsage):
        run("", data=data)


def test_files_that_are_no_tests_are_left_alone(tmp_path: Path) -> None:
    assert read_cases({"pack.yaml": b"[", "a.rego": b"["}) == []
