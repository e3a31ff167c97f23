"""``safeconduct policy``: the policy in force."""

from pathlib import Path

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import add, command
from safeconduct.model.decision import Outcome
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


@add(policy)
@command(example="safeconduct policy test ./our-policy")
@click.argument("pack", required=False)
def test(face: Face, authority: Authority, pack: str | None) -> None:
    """Run the tests of a policy PACK (a folder; default: the one in force): its *_test.yaml files.

    A file is a list of cases: name, gate, input (facts), expect (passed, denied, could not tell), rules, parameters.
    """
    from safeconduct.capabilities.policy.cases import read_cases, run_case
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.capabilities.policy.pack import load_pack
    from safeconduct.capabilities.policy.store import read_pack

    files = read_pack(pack or authority.settings.policy.pack)
    loaded = load_pack(files)
    with RegoWorker() as engine:
        results = [run_case(file, case, loaded, engine) for file, case in read_cases(files)]
    failed = [r for r in results if r.problem]
    tested = {rule for _, case in read_cases(files) for rule in case.rules}
    untested = sorted(set(loaded.rules) - tested)

    def render() -> None:
        for r in failed:
            face.line(f"failed  {r.gate}: {r.name}: {r.problem}", colour="red")
        face.line(f"{len(results) - len(failed)} passed, {len(failed)} failed", bold=True)
        if untested:
            face.line(f"no case sees these rules give a reason: {', '.join(untested)}", colour="yellow")

    face.result("policy-test", {"results": results, "untested": untested}, render)
    # A policy without a single test has shown nothing.
    face.done(Outcome.DENIED if failed else Outcome.PASSED if results else Outcome.UNDECIDED)


@add(policy)
@command(example="safeconduct policy export ./our-policy")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(face: Face, authority: Authority, folder: Path) -> None:
    """Copy the policy in force into a new FOLDER, as a start for one of your own: rules, parameters and tests."""
    from safeconduct.capabilities.policy.store import read_pack

    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    files = read_pack(authority.settings.policy.pack)
    for name, data in sorted(files.items()):
        (folder / name).write_bytes(data)
    told = {"folder": str(folder), "files": sorted(files)}
    face.result(
        "policy-export",
        told,
        lambda: face.line(f"{folder}: {len(files)} files; use it with policy.pack = {str(folder)!r}"),
    )
