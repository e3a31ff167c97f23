"""``safeconduct ask``: the graph's questions, each as a table and as JSON."""

import click

from safeconduct.capabilities.graph.answers import CommitFact, Gap, Place, ReleaseFact
from safeconduct.cli.face import Face
from safeconduct.cli.instants import Instant
from safeconduct.cli.options import add, command
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.wording import counted
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest, is_digest
from safeconduct.phases.authority import Authority

_SHORT = 19


AS_OF = click.option("--as-of", type=Instant(), help="State and knowledge at that time (RFC 3339).")
KNOWN = click.option("--known", type=Instant(), help="With --as-of: the knowledge of another time, or 'now'.")
LIMIT = click.option("--limit", default=50, show_default=True, help="How many rows are told in full.")


@click.group(epilog="Example: safeconduct ask runs 'pkg:npm/minimist@<1.2.6'")
def ask() -> None:
    """Ask the graph: what runs where, what a vulnerability reaches, how it got in, what to upgrade first."""


@add(ask)
@command(example="safeconduct ask runs 'pkg:maven/org.apache.logging.log4j/log4j-core@<2.17.1'")
@click.argument("purl")
@AS_OF
@KNOWN
@LIMIT
def runs(face: Face, authority: Authority, purl: str, as_of: int | None, known: int | None, limit: int) -> None:
    """What runs PURL (any version, one, or a range such as @<1.2.6): where, since when, from which commit, by whom."""
    from safeconduct.capabilities.graph.questions import runs as run_question

    with authority.graph(must_exist=True) as store:
        answer = run_question(store, purl, as_of=as_of, known=known, limit=limit)

    def render() -> None:
        rows = [
            [
                *_place(r.place),
                r.purl.rsplit("/", 1)[-1],
                _name(r.release),
                *_commit(r.release.commit),
                _signers(r.release),
            ]
            for r in answer.running
        ]
        columns = [
            "cluster",
            "region",
            "workload",
            "since",
            "package",
            "release",
            "commit",
            "by",
            "commit signed by",
            "vouched for by",
        ]
        face.table(columns, rows)
        versions = ", ".join(answer.purls) or "none"
        face.line(f"{counted(answer.total, 'running container')}; versions known: {versions}")
        _gaps(face, answer.gaps)

    face.result("ask-runs", answer, render)
    face.done(_outcome(answer.gaps))


@add(ask)
@command(example="safeconduct ask reaches CVE-2021-44228")
@click.argument("advisory")
@AS_OF
@KNOWN
@LIMIT
def reaches(face: Face, authority: Authority, advisory: str, as_of: int | None, known: int | None, limit: int) -> None:
    """What ADVISORY (its id or any alias) reaches: releases, running workloads, and the fix."""
    from safeconduct.capabilities.graph.questions import reaches as run_question

    with authority.graph(must_exist=True) as store:
        answer = run_question(store, advisory, as_of=as_of, known=known, limit=limit)

    def render() -> None:
        for fact in answer.advisories:
            face.line(f"{fact.id} {fact.level.word}, known since {_time(fact.known_since)}: {fact.summary}", bold=True)
        rows = []
        for reached in answer.releases:
            met = ", ".join(
                sorted({f"{f.purl.rsplit('/', 1)[-1]} (fixed in {f.fixed or 'nothing'})" for f in reached.findings})
            )
            where = ", ".join(f"{p.cluster}/{p.namespace}/{p.workload}" for p in reached.places) or "nowhere"
            rows.append([_name(reached.release), reached.release.digest[:_SHORT], met, where])
        face.table(["release", "digest", "by", "runs in"], rows)
        face.line(f"{counted(answer.total, 'release')}, {counted(answer.running, 'running container')}")
        _gaps(face, answer.gaps)

    face.result("ask-reaches", answer, render)
    face.done(_outcome(answer.gaps))


@add(ask)
@command(example="safeconduct ask path sha256:… pkg:npm/minimist")
@click.argument("digest")
@click.argument("purl")
@AS_OF
@KNOWN
def path(face: Face, authority: Authority, digest: str, purl: str, as_of: int | None, known: int | None) -> None:
    """How PURL got into the release DIGEST: one shortest path from what the project names itself."""
    from safeconduct.capabilities.graph.questions import path as run_question

    with authority.graph(must_exist=True) as store:
        answer = run_question(store, _digest(digest), purl, as_of=as_of, known=known)

    def render() -> None:
        if answer.steps:
            face.line(" > ".join([_name(answer.release), *(s.split("/", 1)[-1] for s in answer.steps)]))
            face.line(f"says inventory {answer.inventory}, {answer.release.inventory_is}")
        else:
            face.line(
                f"{_name(answer.release)} does not hold {purl}" if not answer.gaps else f"could not tell about {purl}"
            )
        _gaps(face, answer.gaps)

    face.result("ask-path", answer, render)
    face.done(_outcome(answer.gaps))


@add(ask, "digest")
@command(example="safeconduct ask digest sha256:… --as-of 2026-11-23T10:00:00Z")
@click.argument("digest")
@AS_OF
@KNOWN
def ask_digest(face: Face, authority: Authority, digest: str, as_of: int | None, known: int | None) -> None:
    """Everything about DIGEST, with the evidence for it."""
    from safeconduct.capabilities.graph.questions import everything

    with authority.graph(must_exist=True) as store:
        answer = everything(store, _digest(digest), as_of=as_of, known=known)

    def render() -> None:
        release = answer.release
        face.line(f"{_name(release)}  {release.digest}", bold=True)
        commit = _commit(release.commit)
        how = "verified" if release.commit_verified else "claimed"
        face.line(f"built from {commit[0]} ({how}) by {commit[1]}, commit signed by {commit[2]}")
        face.line(f"{counted(answer.components or 0, 'component')}, inventory {release.inventory_is}")
        proofs = [
            [
                p.kind,
                p.signer.subject if p.signer else "",
                f"revoked: {p.revoked}" if p.revoked else "verified" if p.verified else "claimed",
                p.document[:_SHORT],
                _time(p.known_since),
            ]
            for p in answer.proofs
        ]
        face.table(["evidence", "signed by", "", "document", "known since"], proofs)
        findings = [
            [f.advisory.level.word, f.advisory.id, f.purl, f.fixed or "no fix", _time(f.known_since)]
            for f in answer.findings
        ]
        face.table(["finding", "advisory", "component", "fixed in", "known since"], findings)
        judged = [[_time(j.at), j.kind, j.scope, j.outcome.word, j.place] for j in answer.judgements]
        face.table(["judged", "as", "scope", "answer", "where"], judged)
        face.table(["runs in", "region", "workload", "since"], [_place(p) for p in answer.running])
        alerts = [[_time(v.at), v.rule, v.cluster, v.workload, v.join] for v in answer.violations]
        face.table(["violation", "rule", "cluster", "workload", "tied by"], alerts)
        _gaps(face, answer.gaps)

    face.result("ask-digest", answer, render)
    face.done(_outcome(answer.gaps))


@add(ask)
@command(example="safeconduct ask upgrades --limit 10")
@AS_OF
@KNOWN
@LIMIT
def upgrades(face: Face, authority: Authority, as_of: int | None, known: int | None, limit: int) -> None:
    """What to upgrade first: by running workloads repaired, then by severity."""
    from safeconduct.capabilities.graph.questions import upgrades as run_question

    with authority.graph(must_exist=True) as store:
        answer = run_question(store, as_of=as_of, known=known, limit=limit)

    def render() -> None:
        rows = [[u.purl, u.to or "no fix", u.workloads, u.level.word, ", ".join(u.advisories)] for u in answer.upgrades]
        face.table(["upgrade", "to", "repairs containers", "worst", "for"], rows)
        if not rows:
            face.line("nothing that runs has a known finding")
        _gaps(face, answer.gaps)

    face.result("ask-upgrades", answer, render)
    face.done(_outcome(answer.gaps))


def _outcome(gaps: tuple[Gap, ...]) -> Outcome:
    return Outcome.UNDECIDED if gaps else Outcome.PASSED


def _gaps(face: Face, gaps: tuple[Gap, ...]) -> None:
    for gap in gaps[:5]:
        face.line(f"could not tell all: {gap.subject}: {gap.why}", colour="yellow")


def _digest(text: str) -> Digest:
    if not is_digest(text):
        raise click.UsageError(f"{text!r} is no digest: sha256: and 64 hex digits")
    return Digest(text)


def _name(release: ReleaseFact) -> str:
    return f"{release.product} {release.version}".strip() or release.repository or release.digest[:_SHORT]


def _place(place: Place) -> list[str]:
    return [place.cluster, place.region, f"{place.namespace}/{place.workload}/{place.container}", _time(place.since)]


def _commit(commit: CommitFact | None) -> list[str]:
    if commit is None:
        return ["unknown", "", ""]
    signed = commit.signer.subject if commit.signer else commit.state
    if commit.revoked:
        signed = f"nobody (revoked: {signed})"
    return [commit.id[:9], commit.author, signed]


def _signers(release: ReleaseFact) -> str:
    believed = {signer.subject for signer in release.signers}
    revoked = sorted({signer.subject for signer in release.revoked} - believed)
    named = ", ".join(sorted(believed)) or "nobody"
    return f"{named} (revoked: {', '.join(revoked)})" if revoked else named


def _time(at: int) -> str:
    return f"{to_datetime(at):%Y-%m-%d %H:%M:%S}" if at else "unknown"
