"""Deploy commands: try the gate, take in what clusters run."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from safeconduct.cli.face import Face
from safeconduct.cli.instants import Instant
from safeconduct.cli.options import add, command
from safeconduct.cli.streams import is_live, until_interrupted
from safeconduct.foundation.errors import BadUsage, Undecided
from safeconduct.model.decision import Outcome
from safeconduct.model.workload import CompleteList
from safeconduct.phases.authority import Authority
from safeconduct.phases.deploy.trial import Ask

CLUSTER = click.option("--cluster", default="", help="Name of the cluster that this is about.")
REGION = click.option("--region", default="", help="Its region.")
_SECONDS = 30
_OK = 200


@click.group(epilog="Example: safeconduct gate deploy pod.yaml")
def gate() -> None:
    """Try a gate on a file, as the cluster would."""


@add(gate)
@command(example="safeconduct gate deploy pod.yaml --webhook https://127.0.0.1:8443 --ca ca.pem")
@click.argument("manifests", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--webhook", help="URL of a running webhook; without it the gate is judged here.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificate of the webhook.")
@click.option("--namespace", default="default", show_default=True, help="For objects that name none.")
@click.option("--record", is_flag=True, help="Ask for real: the webhook records the admission. Default: a dry run.")
@CLUSTER
@REGION
def deploy(
    face: Face,
    authority: Authority,
    manifests: tuple[Path, ...],
    webhook: str | None,
    ca: str | None,
    namespace: str,
    cluster: str,
    region: str,
    *,
    record: bool,
) -> None:
    """Say whether the workloads in MANIFESTS would be admitted, and as which digests."""
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.phases.deploy.admission import Admission, Cluster
    from safeconduct.phases.deploy.trial import ask_in_process, try_manifest

    with ExitStack() as opened:
        if webhook:
            ask = opened.enter_context(_over_https(webhook, ca))
        else:
            engine = opened.enter_context(RegoWorker())
            ask = ask_in_process(Admission(authority, engine, Cluster(cluster or "trial", region)))
        trials = [
            trial
            for manifest in manifests
            for trial in try_manifest(manifest.name, manifest.read_bytes(), ask, namespace=namespace, record=record)
        ]

    def render() -> None:
        for trial in trials:
            about = f"{trial.kind.lower()}/{trial.name}"
            if trial.outcome is Outcome.PASSED:
                face.line(f"{about} admitted: {', '.join(trial.images)}", colour="green")
            else:
                status = "Forbidden" if trial.outcome is Outcome.DENIED else "ServiceUnavailable"
                face.line(
                    f'Error from server ({status}): error when creating "{trial.file}": admission webhook '
                    f'"validate.safeconduct.dev" denied the request: {trial.message}',
                    colour="red" if trial.outcome is Outcome.DENIED else "yellow",
                )

    face.result("gate-deploy", trials, render)
    outcomes = {t.outcome for t in trials}
    worst = Outcome.DENIED if Outcome.DENIED in outcomes else Outcome.UNDECIDED
    face.done(Outcome.PASSED if outcomes == {Outcome.PASSED} else worst)


@click.group(epilog="Example: safeconduct watch pods events.ndjson --cluster prod-eu-1 --region eu-central")
def watch() -> None:
    """Take in what clusters run and what misbehaves there."""


@add(watch)
@command(example="kubectl get pods -A -w --output-watch-events -o json | safeconduct watch pods - --cluster prod-eu-1")
@click.argument("events", type=click.File("rb"))
@CLUSTER
@REGION
@click.option("--complete", is_flag=True, help="EVENTS is a list of all Pods: what it does not name has ended.")
@click.option("--namespace", "namespaces", multiple=True, help="With --complete: it lists all Pods of this one only.")
@click.option("--taken", type=Instant(), help="With --complete: when the list was taken. Default: now.")
def pods(
    face: Face,
    authority: Authority,
    events: BinaryIO,
    cluster: str,
    region: str,
    namespaces: tuple[str, ...],
    taken: int | None,
    *,
    complete: bool,
) -> None:
    """Take in EVENTS: a stream of Pod events as kubectl prints it, or a list of Pods.

    Each event is recorded when it arrives. What is broken is passed over and told; the exit code is 3 then. End of
    input, Ctrl-C and SIGTERM end the stream alike: what has arrived is recorded.

    A list says what runs, never by itself what has ended: one of a namespace, or of Pods with a label, looks the same
    as one of all. Only --complete ends what a list does not name, in the whole cluster or in each --namespace, at the
    time it was taken; give --taken for a list that was kept. Best taken with: kubectl get --raw /api/v1/pods
    """
    from safeconduct.capabilities.kubernetes.watch import Place
    from safeconduct.phases.operate.pods import Follower

    if not cluster:
        raise click.UsageError("--cluster must say which cluster the events are from")
    if (namespaces or taken is not None) and not complete:
        raise click.UsageError("--namespace and --taken say what a --complete list is of")
    # Before anything is read: a list that a pipe brings is taken after its reader started.
    now = authority.clock()
    at = now if taken is None else min(taken, now)
    whole = CompleteList(cluster, at, namespaces) if complete else None
    follower = Follower(
        authority, Place(cluster, region), complete=whole, tell=face.note if is_live(events) else _quiet
    )
    with until_interrupted(events) as pieces:
        found = follower.follow(pieces)

    def render() -> None:
        face.table(
            ["cluster", "namespace", "workload", "container", "runs"], [[cluster, *row] for row in found.running]
        )
        face.table(["cluster", "namespace", "workload", "container", "ended"], [[cluster, *row] for row in found.ended])
        for name in found.unknown:
            face.line(f"could not tell what {name} runs: it names no registry digest", colour="yellow")
        for problem in found.broken:
            face.line(f"event {problem.event} was passed over: {problem.why}", colour="yellow")

    face.result("watch-pods", found, render)
    face.done(Outcome.UNDECIDED if found.unknown or found.broken else Outcome.PASSED)


@add(watch)
@command(example="safeconduct watch falco alert.json --cluster prod-eu-1")
@click.argument("alerts", type=click.File("rb"))
@CLUSTER
def falco(face: Face, authority: Authority, alerts: BinaryIO, cluster: str) -> None:
    """Take in Falco's JSON alerts and tie each to workload, release and commit."""
    from safeconduct.capabilities.runtime.falco import read_alerts
    from safeconduct.phases.operate.events import Recorder

    violations = read_alerts(alerts.read(), cluster)
    tied = Recorder(authority).tie_violations(violations)
    rows = [[t.rule, t.priority, t.cluster, t.workload, t.joined, t.release, t.commit[:9], t.author] for t in tied]
    columns = ["rule", "priority", "cluster", "workload", "tied by", "release", "commit", "author"]
    face.result("watch-falco", tied, lambda: face.table(columns, rows))
    face.done(Outcome.UNDECIDED if any(not t.release for t in tied) else Outcome.PASSED)


def _quiet(_: str) -> None:
    """What a file brings is told together, at its end."""


@contextmanager
def _over_https(webhook: str, ca: str | None) -> Iterator[Ask]:
    import httpx2

    with httpx2.Client(verify=_context(ca), trust_env=False, timeout=_SECONDS) as client:

        def ask(phase: str, body: bytes) -> bytes:
            url = f"{webhook.rstrip('/')}/admission/{phase}"
            try:
                reply = client.post(url, content=body, headers={"Content-Type": "application/json"})
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise Undecided(
                    "webhook-unreachable", f"the webhook at {webhook} does not answer", why=str(error),
                    next_step="safeconduct serve, and give its CA with --ca",
                ) from error  # fmt: skip
            if reply.status_code != _OK:
                raise Undecided("bad-answer", f"the webhook answered {reply.status_code}", why=reply.text[:500],
                                next_step="see the webhook's own log")  # fmt: skip
            content: bytes = reply.content
            return content

        yield ask


def _context(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise BadUsage(
            "bad-ca", f"the CA certificate {ca} cannot be used", why=str(error),
            next_step="give the ca.pem that safeconduct serve wrote into its --folder",
        ) from error  # fmt: skip
