"""``safeconduct graph``: the graph itself."""

from pathlib import Path

import click

from safeconduct.cli.ask import AS_OF, KNOWN, _digest
from safeconduct.cli.face import Face
from safeconduct.cli.options import add, command
from safeconduct.phases.authority import Authority


@click.group(epilog="Example: safeconduct graph lineage sha256:… -o lineage.html")
def graph() -> None:
    """The graph itself: rebuild it from its documents and events, draw a lineage."""


@add(graph)
@command(example="safeconduct graph rebuild --into rebuilt.db")
@click.option("--into", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A new file.")
def rebuild(face: Face, authority: Authority, into: Path) -> None:
    """Make the graph anew from its documents and events; everything else in it is derived."""
    from safeconduct.capabilities.graph.store import open_graph
    from safeconduct.intake.rebuild import rebuild as run_rebuild

    if into.exists():
        raise click.UsageError(f"{str(into)!r} is there already; name a new file")
    with authority.graph(must_exist=True) as source, open_graph(into) as target, face.progress("events") as progress:
        events = run_rebuild(source, target, on_progress=progress)
    told = {"store": str(into), "events": events}
    face.result("graph-rebuild", told, lambda: face.line(f"{into}: rebuilt from {events} events"))


@add(graph)
@command(example="safeconduct graph lineage sha256:… -o lineage.html")
@click.argument("digest")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="An HTML file to write.")
@AS_OF
@KNOWN
def lineage(
    face: Face, authority: Authority, digest: str, output: Path | None, as_of: int | None, known: int | None
) -> None:
    """Draw the lineage of DIGEST: who, source, build, release, evidence and risk, admission, running."""
    from safeconduct.capabilities.graph.lineage import lineage as read_lineage
    from safeconduct.server.lineage import draw

    with authority.graph(must_exist=True) as store:
        drawing = read_lineage(store, _digest(digest), as_of=as_of, known=known)
    if output:
        output.write_text(draw(drawing), "utf-8")

    def render() -> None:
        for heading, lines in drawing.facts:
            face.line(heading, bold=True)
            for text in lines:
                face.line(f"  {text}")
        if output:
            face.line(f"drawn in {output}")

    face.result("graph-lineage", drawing, render)
