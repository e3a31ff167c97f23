"""``safeconduct audit``: what runs, judged with what is known now."""

from safeconduct.cli.develop import via
from safeconduct.cli.face import Face
from safeconduct.cli.options import command, make
from safeconduct.model.decision import Outcome
from safeconduct.phases.authority import Authority


@make()
@command(example="safeconduct audit --json")
def audit(face: Face, authority: Authority) -> None:
    """Judge every release that runs, and the newest of every line, with today's knowledge.

    What the audit denies is denied to new deployments at once. Run it on a schedule, after safeconduct db update.
    """
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.phases.operate.audit import audit as run_audit

    with RegoWorker() as engine, face.progress("releases judged") as progress:
        done = run_audit(authority, engine, on_progress=progress)

    def render() -> None:
        rows = []
        for a in done.audited:
            name = f"{a.release.product} {a.release.version}".strip() or a.release.repository
            risk = "NEW RISK" if a.is_new_risk else ""
            runs = "yes" if a.release.running else "no"
            rows.append([name, a.release.digest[:19], runs, a.decision.outcome.word, a.deploy.outcome.word, risk])
        face.table(["release", "digest", "runs", "audit", "new deployments", ""], rows)
        for a in done.audited:
            for f in a.findings:
                fix = f"fixed in {f.fix.best}" if f.fix.best else "no fix"
                face.line(f"  {f.level.word}: {f.advisory} in {f.component} ({fix}){_by(via(f))}")
            if a.decision.outcome is not Outcome.PASSED:
                face.decision(a.decision)
        if not done.audited:
            face.line("could not tell: the graph knows no release", colour="yellow")

    face.result("audit", done, render)
    face.done(done.outcome)


def _by(path: str) -> str:
    return f", comes by {path}" if path else ""
