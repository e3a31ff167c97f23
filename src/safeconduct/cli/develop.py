"""Developer commands: check, inventory, scan, explain, init."""

from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec

from safeconduct.cli.face import Face
from safeconduct.cli.options import command, make
from safeconduct.model.component import Inventory, Presence
from safeconduct.model.decision import Outcome
from safeconduct.model.finding import Finding, Level, Scan
from safeconduct.phases.authority import Authority

_GRADES = ("none", "range", "exact", "exact+hash", "exact+hash+signature")
_COLOURS = {Level.CRITICAL: "red", Level.HIGH: "red", Level.MEDIUM: "yellow"}
_MOST_GAPS = 5
_TEMPLATE = """# What this project is, and how it is built. It may tighten policy, never loosen it:
# trust, policy packs, registries and exemptions are the operator's and stand elsewhere.
[product]
name = "{name}"
version = "0.1.0"
repository = "registry.example/{name}"

[build]
base = "scratch"
copies = [{{ from = ".", to = "/srv/{name}" }}]
"""


@make()
@command(example="safeconduct init ../shop")
@click.argument("path", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(face: Face, authority: Authority, path: Path) -> None:  # noqa: ARG001 - every command is given both
    """Write a safeconduct.toml at PATH that says what the project is."""
    file = path / "safeconduct.toml"
    if file.exists():
        raise click.UsageError(f"{str(file)!r} is there already; it is not overwritten")
    file.write_text(_TEMPLATE.format(name=path.resolve().name), "utf-8")
    face.result("init", {"file": str(file)}, lambda: face.line(f"wrote {file}; put in what the project is called"))


@make()
@command(example="safeconduct check .   (in any repository, without configuration)")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--record", is_flag=True, help="Write the commits and their verification to the graph.")
@click.option("--all", "show_all", is_flag=True, help="List every component, not only what is wrong.")
def check(face: Face, authority: Authority, path: Path, *, record: bool, show_all: bool) -> None:
    """Judge the tree at PATH and its commits by the develop gate's policy.

    For a git repository the commit that is checked out is judged, from its objects; changes that are not committed
    are reported, not judged.
    """
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.phases.develop.check import check as run_check

    with RegoWorker() as engine, face.progress("files read") as progress:
        done = run_check(path, authority, engine, record=record, on_progress=progress)

    def render() -> None:
        inventory = done.source.inventory
        _summary(face, inventory, done.scan)
        if show_all:
            components(face, inventory)
        history = done.source.history
        if history:
            states = Counter(str(c.state) for c in history.commits)
            told = ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "none to judge"
            cut = "" if history.complete else " (history is cut off)"
            face.line(f"commits on {history.branch}: {told}{cut}")
            if history.dirty:
                shown = ", ".join(history.dirty[:3]) + (" …" if len(history.dirty) > 3 else "")  # noqa: PLR2004
                face.line(f"not committed, not judged: {len(history.dirty)} paths ({shown})")
        else:
            face.line(f"no history: {done.source.problem}")
        findings(face, done.scan)
        face.decision(done.decision)

    # The commits' raw bytes are for the graph; whoever reads the result has git.
    shown = msgspec.structs.replace(done, source=msgspec.structs.replace(done.source, raw_commits=()))
    face.result("check", shown, render)
    face.done(done.decision.outcome)


@make()
@command(example="safeconduct inventory oci:build/image:1.0.0")
@click.argument("target", default=".")
@click.option("--installed", is_flag=True, help="Only what is installed; lock files are evidence of another kind.")
def inventory(face: Face, authority: Authority, target: str, *, installed: bool) -> None:
    """List what is inside TARGET: a folder, or an image (oci:DIR[:tag], registry/repository@sha256:…)."""
    from safeconduct.capabilities.inventory.presence import select_installed
    from safeconduct.evidence.targets import read_target

    with face.progress("files read") as progress:
        found = read_target(target, authority.repository, on_progress=progress)
    if installed:
        found = select_installed(found)

    def render() -> None:
        components(face, found)
        _summary(face, found)

    face.result("inventory", found, render)
    face.done(Outcome.UNDECIDED if found.unread or not found.components else Outcome.PASSED)


@make()
@command(example="safeconduct scan .")
@click.argument("target", default=".")
@click.option("--installed", is_flag=True, help="Only what is installed.")
def scan(face: Face, authority: Authority, target: str, *, installed: bool) -> None:
    """Look up the vulnerabilities of TARGET, with what fixes each.

    Exit code 1 with findings, 3 when the advisory data cannot speak for every component.
    """
    from safeconduct.assessment.facts import without_covered_ranges
    from safeconduct.capabilities.inventory.presence import select_installed
    from safeconduct.capabilities.vulnerabilities.scan import scan as run_scan
    from safeconduct.evidence.targets import read_target
    from safeconduct.phases.authority import advisories_in

    with face.progress("files read") as progress:
        found = without_covered_ranges(read_target(target, authority.repository, on_progress=progress))
    if installed:
        found = select_installed(found)
    store = authority.graph() if authority.has_graph() else None
    result = run_scan(found, advisories_in(store))
    face.result("scan", result, lambda: _render_scan(face, found, result))
    unsure = result.gaps or found.unread or not found.components
    face.done(Outcome.DENIED if result.findings else Outcome.UNDECIDED if unsure else Outcome.PASSED)


@make()
@command(example="safeconduct explain CVE-2021-44906 pkg:npm/minimist@1.2.5")
@click.argument("advisory")
@click.argument("purl")
def explain(face: Face, authority: Authority, advisory: str, purl: str) -> None:
    """Show why ADVISORY matches PURL, or why it does not: ranges, version order, source record."""
    from safeconduct.capabilities.vulnerabilities.explain import explain as run_explain

    with authority.graph(must_exist=True) as store:
        found = run_explain(store, advisory, purl)

    def render() -> None:
        for line in found.lines:
            face.line(line)

    face.result("explain", found, render)
    face.done(Outcome.PASSED if found.matches is False else Outcome.DENIED if found.matches else Outcome.UNDECIDED)


def components(face: Face, inventory: Inventory) -> None:
    """Print a table of components."""
    rows: list[list[Any]] = []
    for c in inventory.components:
        first = c.locations[0] if c.locations else None
        where = f"{first.path}:{first.line}" if first and first.line else first.path if first else ""
        rows.append([c.purl, c.requirement or "", c.presence, c.scope, _GRADES[c.grade], ", ".join(c.licenses), where])
    face.table(["component", "asked", "is", "for", "pinned", "licence", "found in"], rows)


def findings(face: Face, result: Scan) -> None:
    """Print a table of findings, worst first, and what could not be told."""
    rows = [[f.level.word, f.advisory, f.component, f.fix.best or "no fix", via(f), f.summary] for f in result.findings]
    face.table(["severity", "advisory", "component", "fixed in", "comes by", "what"], rows)
    if result.gaps:
        shown = ", ".join(gap.component for gap in result.gaps[:_MOST_GAPS])
        more = " …" if len(result.gaps) > _MOST_GAPS else ""
        face.line(f"could not tell for {len(result.gaps)} components: {shown}{more}", colour="yellow")


def via(finding: Finding) -> str:
    """Return the witness path in short, without the component itself."""
    return " > ".join(key.rsplit("/", 1)[-1] for key in finding.path[:-1])


def _render_scan(face: Face, inventory: Inventory, result: Scan) -> None:
    findings(face, result)
    feeds = ", ".join(f"{f.id} of {f.as_of[:10]}" for f in result.feeds) or "none"
    face.line(f"{len(inventory.components)} components, {len(result.findings)} findings; advisory data: {feeds}")
    for part in inventory.unread:
        face.line(f"could not read {part.path or 'the tree'}: {part.reason}", colour="yellow")


def _summary(face: Face, inventory: Inventory, result: Scan | None = None) -> None:
    """Print one row for each kind of package: how many, how pinned, how many are vulnerable or cannot be judged."""
    rows = []
    kinds = sorted({_kind(c.purl) for c in inventory.components})
    for kind in kinds:
        own = [c for c in inventory.components if _kind(c.purl) == kind]
        grades = Counter(c.grade for c in own if c.presence is not Presence.INSTALLED)
        row: list[Any] = [kind, len(own), sum(c.direct is True for c in own), *(grades[g] or "" for g in (0, 1, 2, 3))]
        if result:
            met = {f.component for f in result.findings if _kind(f.component) == kind}
            row += [len(met) or "", sum(_kind(g.component) == kind for g in result.gaps) or ""]
        rows.append(row)
    columns = ["components", "all", "direct", *_GRADES[:4]] + (["vulnerable", "could not tell"] if result else [])
    face.table(columns, rows)
    if not rows:
        face.line(
            "no component was found: no lock file, manifest or installed package that can be read", colour="yellow"
        )
    for part in inventory.unread[:_MOST_GAPS]:
        face.line(f"could not read {part.path or 'the tree'}: {part.reason}", colour="yellow")


def _kind(purl: str) -> str:
    return purl.split("/", 1)[0].removeprefix("pkg:")
