"""``safeconduct serve``: the admission webhook and the receivers."""

import os
from pathlib import Path

import click

from safeconduct.cli.deploy import CLUSTER, REGION
from safeconduct.cli.face import Face
from safeconduct.cli.options import command, make
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.errors import Refused
from safeconduct.phases.authority import Authority

_PRIVATE = 0o600


@make()
@command(example="safeconduct serve --port 8443 --cluster prod-eu-1 --region eu-central")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8443, show_default=True, type=click.IntRange(0, 65_535), help="0 for any free one.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Where certificate and token are kept."
)
@click.option("--name", "names", multiple=True, help="Further DNS names of the server's certificate.")
@click.option(
    "--timeout",
    default=10.0,
    show_default=True,
    type=click.FloatRange(1, 30),
    help="Seconds; the webhook configuration's own.",
)
@click.option("--demo", is_flag=True, help="Accept a trust store with keys made by the demonstration.")
@CLUSTER
@REGION
def serve(
    face: Face,
    authority: Authority,
    host: str,
    port: int,
    folder: Path | None,
    names: tuple[str, ...],
    timeout: float,
    cluster: str,
    region: str,
    *,
    demo: bool,
) -> None:
    """Serve the admission webhook over TLS, and the receivers of events.

    A certificate, its CA and a token for the receivers are made in the folder when they are not there.
    """
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.phases.deploy.admission import Admission, Cluster
    from safeconduct.phases.deploy.admissions import KeepLater
    from safeconduct.phases.operate.events import Recorder
    from safeconduct.server.access import Access
    from safeconduct.server.app import create_app
    from safeconduct.server.serve import Tls
    from safeconduct.server.serve import serve as run_server

    _no_demo_keys(authority, allowed=demo)
    place = folder or authority.data / "server"
    tls = _certificate(face, place, names, authority)
    token = _token(place)
    with KeepLater(authority.graph) as keeper, RegoWorker(deadline_seconds=max(1.0, timeout - 2)) as engine:
        admission = Admission(authority, engine, Cluster(cluster or "default", region), keeper)
        app = create_app(
            admission,
            Recorder(authority),
            Access([token]),
            timeout_seconds=timeout,
            ready=admission.ready,
            clock=authority.clock,
        )
        face.note(f"CA certificate: {place / 'ca.pem'}; token for receivers: {place / 'token'}")
        run_server(app, host, port, Tls(tls[0], tls[1]), lambda url: face.line(f"serving {url}"))


def _no_demo_keys(authority: Authority, *, allowed: bool) -> None:
    trust = authority.required_trust()
    demo = [key.name for key in trust.snapshot.keys if key.demo]
    if demo and not allowed:
        raise Refused(
            "demo-keys",
            f"the trust store believes keys of a demonstration: {', '.join(demo)}",
            why="they were made for one run, and anybody may have them",
            next_step="install your own trust snapshot, or give --demo on a machine where nothing is at stake",
        )


def _certificate(face: Face, folder: Path, names: tuple[str, ...], authority: Authority) -> tuple[Path, Path]:
    """Return certificate and key, made anew when they are missing or a third of their time or less is left."""
    from safeconduct.server.certificates import make_server_certificate, needs_renewal

    now = to_datetime(authority.clock())
    certificate, key = folder / "server.pem", folder / "server.key"
    there = all((folder / file).is_file() for file in ("ca.pem", "server.pem", "server.key"))
    if there and not needs_renewal(certificate, now):
        return certificate, key
    made = make_server_certificate(folder, ["localhost", "127.0.0.1", *names], now)
    if there:
        face.note(f"the certificate was about to expire and is made anew: put {made.ca} into the webhook configuration")
    return made.certificate, made.key


def _token(folder: Path) -> str:
    from safeconduct.server.access import make_token

    file = folder / "token"
    if not file.is_file():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(make_token())
    return file.read_text().strip()
