"""Tests of a policy: inputs with the answers that they must get, in YAML files beside the rules.

Form of a ``*_test.yaml`` file: a list of cases, each with ``name``, ``gate``, ``input`` (facts by name, as in
GateInput), ``expect`` (passed, denied or could not tell), the ``rules`` that must give the reasons, and optional
``parameters`` for this case only.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from safeconduct.capabilities.policy.decision import decide, runnable_rules
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import GateInput, encode_input
from safeconduct.capabilities.policy.pack import Pack, set_parameters
from safeconduct.foundation.errors import BadUsage
from safeconduct.model.decision import Outcome

SUFFIX = "_test.yaml"
_OUTCOMES = {outcome.word: outcome for outcome in Outcome}


class PolicyCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input and the answer that it must get."""

    name: str
    gate: str
    expect: str
    input: dict[str, Any] = {}
    rules: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}


class CaseResult(msgspec.Struct, frozen=True):
    """What a case gave; ``problem`` is empty when it was as expected."""

    file: str
    name: str
    gate: str
    problem: str = ""


def read_cases(files: Mapping[str, bytes]) -> list[tuple[str, PolicyCase]]:
    """Return the cases of all test files, with the file each is from.

    Raises:
        BadUsage: ``bad-policy-test``: no YAML list of cases, an unknown field, or an unknown answer.
    """
    found = []
    for name, data in sorted(files.items()):
        if name.endswith(SUFFIX):
            try:
                cases = msgspec.convert(yaml.safe_load(data.decode()), list[PolicyCase])
            except (msgspec.ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
                raise _bad(name, str(error)) from error
            unknown = [case.expect for case in cases if case.expect not in _OUTCOMES]
            if unknown:
                raise _bad(name, f"expect: {unknown[0]!r} is none of {', '.join(_OUTCOMES)}")
            found += [(name, case) for case in cases]
    return found


def run_case(file: str, case: PolicyCase, pack: Pack, engine: Engine) -> CaseResult:
    """Return whether one case gets the answer that it must get.

    Raises:
        BadUsage: ``bad-policy-test`` for an input that no gate could ever see.
    """
    pack = set_parameters(pack, case.parameters, only_tighten=False, origin=file)
    value = {"now": "", **case.input, "gate": case.gate, "parameters": pack.values}
    try:
        given = msgspec.convert(value, GateInput)
    except msgspec.ValidationError as error:
        raise _bad(file, f"case {case.name!r}: {error}") from error
    results = engine.evaluate(pack, runnable_rules(pack, given), encode_input(given))
    decision = decide(pack, given, results, at=0, trust_version=0)
    rules = {reason.rule for reason in decision.reasons if reason.outcome is decision.outcome}
    problem = ""
    if decision.outcome is not _OUTCOMES[case.expect]:
        reasons = "; ".join(f"{r.rule}: {r.message}" for r in decision.reasons[:3]) or "no reason"
        problem = f"{decision.outcome.word} instead of {case.expect} ({reasons})"
    elif case.rules and rules != set(case.rules):
        problem = f"reasons by {', '.join(sorted(rules))} instead of {', '.join(sorted(case.rules))}"
    return CaseResult(file, case.name, case.gate, problem)


def _bad(file: str, why: str) -> BadUsage:
    return BadUsage(
        "bad-policy-test",
        f"the policy test {file} cannot be run",
        why=why,
        next_step="safeconduct policy test --help shows the form of a case",
    )
