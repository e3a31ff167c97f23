"""The decision, computed by us from the rules' sets; ``allow`` is never read.

Zero rules, a fact that nobody gathered, an undefined rule, an engine error or a passed deadline mean: could not tell.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from safeconduct.capabilities.policy.input import GateInput, encode_input, input_digest
from safeconduct.capabilities.policy.pack import Pack, Rule
from safeconduct.model.decision import Decision, Outcome, Reason
from safeconduct.model.exemption import Exemption


class RuleResult(msgspec.Struct, frozen=True):
    """What the engine gave for one rule: its two sets as JSON values, or an error."""

    deny: Any = None
    unknown: Any = None
    error: str = ""


def runnable_rules(pack: Pack, given: GateInput) -> tuple[Rule, ...]:
    """Return the gate's rules whose facts were all gathered."""
    return tuple(rule for rule in pack.rules_of(given.gate) if not given.missing(rule.facts))


def decide(
    pack: Pack,
    given: GateInput,
    results: Mapping[str, RuleResult],
    *,
    at: int,
    trust_version: int,
    subject: str = "",
    exemptions: tuple[Exemption, ...] = (),
) -> Decision:
    """Return the decision over all rules of the input's gate.

    Args:
        results: rule id to result, for the rules that were run.
        at: microseconds since 1970; recorded, and compared with nothing.
        exemptions: still valid ones; they may turn denied into passed, never could-not-tell into passed.
    """
    reasons: list[Reason] = []
    rules = pack.rules_of(given.gate)
    for rule in rules:
        reasons.extend(_reasons(rule, given, results.get(rule.id)))
    kept, exempted = _exempt(reasons, exemptions, given)
    places = {rule.id: place for place, rule in enumerate(rules)}
    newest = {commit.id: place for place, commit in enumerate(given.source.commits)} if given.source else {}
    outcome = max((r.outcome for r in kept), key=_gravity, default=Outcome.PASSED)
    return Decision(
        gate=given.gate,
        outcome=outcome,
        reasons=tuple(
            sorted(
                kept,
                key=lambda r: (-_gravity(r.outcome), places[r.rule], newest.get(r.subject, 0), r.subject, r.message),
            )
        ),
        policy=pack.digest,
        input=input_digest(encode_input(given)),
        rules=tuple(rule.id for rule in rules),
        at=at,
        trust_version=trust_version,
        subject=subject,
        exempted=tuple(exempted),
    )


def _gravity(outcome: Outcome) -> int:
    # A proven no outweighs a missing answer: whoever fixes what is missing would be refused all the same.
    return {Outcome.PASSED: 0, Outcome.UNDECIDED: 1, Outcome.DENIED: 2}[outcome]


def _reasons(rule: Rule, given: GateInput, result: RuleResult | None) -> list[Reason]:
    missing = given.missing(rule.facts)
    if missing:
        return [_undecided(rule, f"needs {', '.join(missing)}, which could not be gathered")]
    if result is None:
        return [_undecided(rule, "was not evaluated")]
    if result.error:
        return [_undecided(rule, f"could not be evaluated: {result.error}")]
    try:
        denied = [_reason(rule, value, Outcome.DENIED) for value in _set(result.deny)]
        unknown = (
            [_reason(rule, value, Outcome.UNDECIDED) for value in _set(result.unknown)] if rule.has_unknown else []
        )
    except (TypeError, KeyError) as error:
        return [_undecided(rule, f"gave something that is no set of reasons: {error}")]
    return denied + unknown


def _set(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} instead of a set")
    return value


def _reason(rule: Rule, value: dict[str, Any], outcome: Outcome) -> Reason:
    message = value["message"]
    if not isinstance(message, str):
        raise TypeError("a message that is no text")
    return Reason(
        rule=rule.id,
        outcome=outcome,
        message=message,
        subject=str(value.get("subject", "")),
        remedy=str(value.get("remedy") or rule.remedy),
        severity=rule.severity,
    )


def _undecided(rule: Rule, why: str) -> Reason:
    return Reason(rule.id, Outcome.UNDECIDED, f"{rule.title}: {why}", "", rule.remedy, rule.severity)


def _exempt(
    reasons: list[Reason], exemptions: tuple[Exemption, ...], given: GateInput
) -> tuple[list[Reason], list[Reason]]:
    kept, exempted = [], []
    repository = given.product.repository if given.product else ""
    for reason in reasons:
        grant = next((e for e in exemptions if _covers(e, reason, repository)), None)
        if grant and reason.outcome is Outcome.DENIED:
            exempted.append(msgspec.structs.replace(reason, exempted_by=f"{grant.owner}: {grant.reason}"))
        else:
            kept.append(reason)
    return kept, exempted


def _covers(exemption: Exemption, reason: Reason, repository: str) -> bool:
    return exemption.rule == reason.rule and exemption.scope in {reason.subject, repository} - {""}
