"""``safeconduct source``: the commits of a repository."""

from pathlib import Path

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import add, command
from safeconduct.foundation.clock import to_datetime
from safeconduct.model.commit import CommitState
from safeconduct.model.decision import Outcome
from safeconduct.phases.authority import Authority

_COLOURS = {CommitState.VERIFIED: "green", CommitState.UNKNOWN: "yellow"}


@click.group(epilog="Example: safeconduct source verify . --since v1.0.0")
def source() -> None:
    """The commits of a repository and who vouches for them."""


@add(source)
@command(example="safeconduct source verify . --since v1.0.0")
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--since", help="A revision; commits that it reaches are not judged.")
@click.option("--repository", help="What the keys' scopes must cover; default: what the tree declares.")
def verify(face: Face, authority: Authority, path: Path, since: str | None, repository: str | None) -> None:
    """Verify the signature of every commit that is reachable at PATH, from its raw objects."""
    from safeconduct.capabilities.source.repository import GitRepository
    from safeconduct.evidence.commits import judge_commits
    from safeconduct.evidence.sources import read_files

    trust = authority.trust()
    named = repository or read_files(path, authority.environment).settings.product.repository
    with GitRepository(path, authority.environment) as opened:
        commits = list(opened.history(opened.head(), since or authority.settings.source.since))
        complete = not opened.is_shallow()
    judged = judge_commits(commits, trust, repository=named, now=to_datetime(authority.clock()))

    def render() -> None:
        for c in judged:
            who = c.signer.subject if c.signer else c.problem
            face.line(f"{c.id[:9]} {c.state:<9} {c.subject[:50]} ({who})", colour=_COLOURS.get(c.state, "red"))
        face.line(f"{sum(c.state is CommitState.VERIFIED for c in judged)} of {len(judged)} commits verified")

    face.result("source-verify", judged, render)
    states = {c.state for c in judged}
    if states & {CommitState.UNSIGNED, CommitState.UNTRUSTED, CommitState.INVALID}:
        face.done(Outcome.DENIED)
    face.done(Outcome.PASSED if states == {CommitState.VERIFIED} and complete else Outcome.UNDECIDED)
