"""``safeconduct db``: advisory data."""

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import add, command
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.model.decision import Outcome
from safeconduct.phases.authority import Authority

_DAY = 86_400_000_000


@click.group(epilog="Example: safeconduct db update https://osv-mirror.example/ --ecosystem PyPI --ecosystem npm")
def db() -> None:
    """Advisory data: bring it up to date, see how old it is."""


@add(db)
@command(example="safeconduct db update ./osv-export --ecosystem PyPI")
@click.argument("location")
@click.option("--ecosystem", "ecosystems", multiple=True, help="Only this ecosystem of an export.")
def update(face: Face, authority: Authority, location: str, ecosystems: tuple[str, ...]) -> None:
    """Take in the advisories at LOCATION: an OSV export (folder, URL or one all.zip), a feed folder, or one .json."""
    from safeconduct.phases.operate.feeds import update as run_update

    with face.progress("advisories read") as progress:
        done = run_update(authority, location, ecosystems=ecosystems, on_progress=progress)

    def render() -> None:
        rows = []
        for u in done:
            r = u.report
            touched = len(r.releases)
            rows.append([u.feed, u.as_of[:10] or "unknown", r.read, r.new, r.changed, r.withdrawn, touched])
        face.table(["feed", "as of", "read", "new", "changed", "withdrawn", "releases touched"], rows)
        for u in done:
            for problem in u.problems[:3]:
                face.line(f"not taken in: {problem}", colour="yellow")

    face.result("db-update", done, render)
    face.done(Outcome.UNDECIDED if any(u.problems for u in done) else Outcome.PASSED)


@add(db)
@command(example="safeconduct db status")
def status(face: Face, authority: Authority) -> None:
    """Show each feed: how old its data is, what it covers, under which terms."""
    from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories

    with authority.graph(must_exist=True) as store:
        feeds = StoredAdvisories(store).feeds()
    now = authority.clock()
    rows = [
        [
            f.id,
            f.as_of[:10],
            f"{(now - from_rfc3339(f.as_of)) // _DAY} days" if f.as_of else "?",
            _covers(f.covers),
            f.license,
        ]
        for f in feeds
    ]
    face.result("db-status", feeds, lambda: face.table(["feed", "as of", "age", "covers", "licence"], rows))
    face.done(Outcome.PASSED if feeds else Outcome.UNDECIDED)


def _covers(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004 - fits a line
