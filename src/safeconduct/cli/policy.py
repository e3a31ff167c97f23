"""``safeconduct policy``: the policy in force."""

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import add, command
from safeconduct.phases.authority import Authority


@click.group(epilog="Example: safeconduct policy show")
def policy() -> None:
    """Show the policy in force: gates, rules, parameters."""


@add(policy)
@command(example="safeconduct policy show no-blocked-vulnerabilities")
@click.argument("rule", required=False)
def show(face: Face, authority: Authority, rule: str | None) -> None:
    """Show gates and parameters, or all about one RULE."""
    pack = authority.pack()
    if rule:
        found = pack.rules.get(rule)
        if found is None:
            raise click.UsageError(f"no rule {rule!r}; there are: {', '.join(sorted(pack.rules))}")
        text = f"{found.id} ({found.severity}): {found.title}\n\n{found.description}\n\nneeds: {', '.join(found.facts)}"
        face.result("rule", found, lambda: face.line(f"{text}\nnext:  {found.remedy}\n\n{found.module}"))
        return

    def render() -> None:
        face.line(f"policy {pack.name}  {pack.digest}")
        rows = [
            [gate, pack.rules[r].id, pack.rules[r].severity, pack.rules[r].title]
            for gate in pack.gates
            for r in pack.gates[gate]
        ]
        face.table(["gate", "rule", "severity", "says"], rows)
        face.line()
        face.table(
            ["parameter", "value", "a project may"], [[n, p.value, p.tighten] for n, p in pack.parameters.items()]
        )

    face.result(
        "policy", {"name": pack.name, "digest": pack.digest, "gates": pack.gates, "parameters": pack.values}, render
    )
