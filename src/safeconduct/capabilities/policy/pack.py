"""Policy packs: rules with their metadata, the gates that use them, and parameters that a project may tighten.

A pack is a folder: ``pack.yaml`` and one Rego file a rule. Each rule's annotations give its id, the facts it needs,
its severity and its remedy. Pure: files come as bytes.

Source: OPA annotations (``# METADATA`` blocks).
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from safeconduct.foundation.errors import BadUsage, Undecided
from safeconduct.model.digest import Digest, sha256

GATES = ("develop", "build", "release", "deploy", "workload", "operate")
_METADATA = re.compile(r"^# METADATA\n((?:#.*\n)+)", re.MULTILINE)
_PACKAGE = re.compile(r"^package\s+([A-Za-z_][\w.]*)\s*$", re.MULTILINE)
_DENY = re.compile(r"^deny contains ", re.MULTILINE)
_UNKNOWN = re.compile(r"^unknown contains ", re.MULTILINE)
_FORBIDDEN = re.compile(r"\b(http\.send|net\.lookup_ip_addr|opa\.runtime|time\.now_ns|rand\.intn)\b")
_ID = re.compile(r"[a-z][a-z0-9-]*")


class Rule(msgspec.Struct, frozen=True):
    """One rule.

    Attributes:
        facts: names of the facts it needs (fields of GateInput); without them the gate could not tell.
        package: Rego package that holds its ``deny`` set, and its ``unknown`` set if ``has_unknown``.
    """

    id: str
    title: str
    description: str
    severity: str
    facts: tuple[str, ...]
    remedy: str
    package: str
    module: str
    has_unknown: bool


class Parameter(msgspec.Struct, frozen=True):
    """A value that rules read, and in which direction a judged project may move it.

    Attributes:
        tighten: ``higher``, ``lower``, ``superset``, ``subset``, or ``never``.
    """

    value: Any
    tighten: str = "never"
    about: str = ""


class Pack(msgspec.Struct, frozen=True):
    """A loaded pack. Its digest is that of ``document``: every rule's text, the gates, the parameters in force."""

    name: str
    rules: dict[str, Rule]
    gates: dict[str, tuple[str, ...]]
    parameters: dict[str, Parameter]
    digest: Digest
    document: bytes

    def rules_of(self, gate: str) -> tuple[Rule, ...]:
        """Return the gate's rules in the pack's order; never none.

        Raises:
            Undecided: ``no-rules``: an empty gate would let everything pass.
        """
        rules = tuple(self.rules[rule_id] for rule_id in self.gates.get(gate, ()))
        if not rules:
            raise Undecided(
                "no-rules",
                f"policy {self.name!r} has no rule for gate {gate!r}",
                why="a gate without rules would pass everything",
                next_step=f"list rules under gates: {gate}: in the pack's pack.yaml",
            )
        return rules

    @property
    def values(self) -> dict[str, Any]:
        """The parameters' values by name."""
        return {name: parameter.value for name, parameter in self.parameters.items()}


def load_pack(files: Mapping[str, bytes]) -> Pack:
    """Return the pack in a folder's files (name to bytes).

    Raises:
        Undecided: ``bad-policy``: no pack.yaml, no rule, a gate that names an unknown rule, a rule without id,
            title, remedy, facts or ``deny`` set, or one that calls what a judge must not (network, clock, chance).
    """
    try:
        head = yaml.safe_load(files["pack.yaml"].decode())
        modules = {name: data.decode() for name, data in sorted(files.items()) if name.endswith(".rego")}
        rules = [_rule(name, text) for name, text in modules.items() if not name.endswith("_test.rego")]
        by_id = {rule.id: rule for rule in rules}
        gates = {str(g): tuple(str(r) for r in listed) for g, listed in head["gates"].items()}
        parameters = msgspec.convert(head.get("parameters") or {}, dict[str, Parameter])
        name = str(head["name"])
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise _bad(f"{type(error).__name__}: {error}") from error
    unknown = sorted({r for listed in gates.values() for r in listed} - set(by_id))
    if not by_id or len(by_id) != len(rules) or unknown or not set(gates) <= set(GATES):
        raise _bad(f"no rule, an id twice, an unknown gate, or gates that name unknown rules: {unknown}")
    return _sealed(name, by_id, gates, parameters)


def set_parameters(pack: Pack, values: Mapping[str, Any], *, only_tighten: bool, origin: str) -> Pack:
    """Return the pack with other parameter values.

    Args:
        only_tighten: True for settings that come from what is being judged.
        origin: file to name in an error.

    Raises:
        BadUsage: ``unknown-parameter``, or ``authority-in-tree`` when the judged would loosen its judge.
    """
    parameters = dict(pack.parameters)
    for name, value in values.items():
        if name not in parameters:
            raise BadUsage(
                "unknown-parameter",
                f"policy {pack.name!r} has no parameter {name!r}",
                why=f"it is set in {origin}",
                next_step=f"one of: {', '.join(sorted(parameters))}",
            )
        old = parameters[name]
        if only_tighten and not is_tighter(old, value):
            raise BadUsage(
                "authority-in-tree",
                f"{origin} would loosen {name!r} from {old.value!r} to {value!r}",
                why="the judged never configure their judge: settings beside the code may only tighten",
                next_step=f"remove it there; the operator may set policy.parameters.{name}",
            )
        parameters[name] = msgspec.structs.replace(old, value=value)
    return _sealed(pack.name, pack.rules, pack.gates, parameters)


def is_tighter(parameter: Parameter, value: Any) -> bool:
    """Return whether ``value`` is at least as strict as the parameter's own."""
    old = parameter.value
    try:
        match parameter.tighten:
            case "higher":
                return type(value) is type(old) and bool(value >= old)
            case "lower":
                return type(value) is type(old) and bool(value <= old)
            case "superset":
                return isinstance(value, list) and set(value) >= set(old)
            case "subset":
                return isinstance(value, list) and set(value) <= set(old)
            case _:
                return bool(value == old)
    except TypeError:
        return False


def _rule(name: str, text: str) -> Rule:
    found, package = _METADATA.search(text), _PACKAGE.search(text)
    if found is None or package is None or _DENY.search(text) is None:
        raise ValueError(f"{name}: no # METADATA block, no package, or no 'deny contains'")
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        raise ValueError(f"{name}: {forbidden[0]} is not for a judge; time and facts come with the input")
    annotations = yaml.safe_load("\n".join(line[2:] for line in found[1].splitlines()))
    custom = annotations["custom"]
    rule = Rule(
        id=str(custom["id"]),
        title=str(annotations["title"]),
        description=str(annotations["description"]).strip(),
        severity=str(custom["severity"]),
        facts=tuple(str(fact) for fact in custom["facts"]),
        remedy=str(custom["remedy"]).strip(),
        package=package[1],
        module=text,
        has_unknown=_UNKNOWN.search(text) is not None,
    )
    if not _ID.fullmatch(rule.id) or not rule.facts or not rule.remedy:
        raise ValueError(f"{name}: its id is not lower-case-with-dashes, or it names no facts or no remedy")
    return rule


def _sealed(
    name: str, rules: dict[str, Rule], gates: dict[str, tuple[str, ...]], parameters: dict[str, Parameter]
) -> Pack:
    text = msgspec.json.encode(
        {"name": name, "rules": {k: r.module for k, r in rules.items()}, "gates": gates, "parameters": parameters},
        order="sorted",
    )
    return Pack(name, rules, gates, parameters, sha256(text), text)


def _bad(why: str) -> Undecided:
    return Undecided(
        "bad-policy",
        "the policy pack cannot be used",
        why=why,
        next_step="mend it and try: safeconduct policy show",
    )
