"""Admission: the demo's release, asked for by a Pod; in process and over TLS, warm and cold."""

import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from figures import Figure
from measure import cpu_of_process, memory_of_process
from safeconduct.capabilities.kubernetes.manifest import read_manifest
from safeconduct.capabilities.kubernetes.review import read_review
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.cli.demo.acts import build, develop, set_up
from safeconduct.cli.demo.stage import Stage, prepare
from safeconduct.foundation.clock import system_clock
from safeconduct.foundation.settings import load_settings
from safeconduct.intake.judgements import raise_epoch
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest
from safeconduct.phases.authority import Authority
from safeconduct.phases.deploy.admission import Admission, Cluster

WARM = 500
OVER_TLS = 1_000
COLD = 5
MARK = "0.90 (OPA as a server, 2 kB decision)"


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        stage = prepare(Path(folder).resolve())
        set_up(stage)
        develop(stage)
        digest = Digest(build(stage))
        pod = (stage.folder / "shop" / "k8s" / "pod.yaml").read_text("utf-8")
        pinned = pod.replace(":1.0.0", f"@{digest}").encode()
        return [*_in_process(stage, digest, pinned), *_served(stage, pinned)]


def _in_process(stage: Stage, digest: Digest, pod: bytes) -> list[Figure]:
    data = read_manifest(pod, dry_run=False)[0]
    dry = read_review(read_manifest(pod, dry_run=True)[0]).request
    request = read_review(data).request
    with RegoWorker() as engine:
        authority = _authority(stage, stage.folder / "operator" / "graph.db")
        admission = Admission(authority, engine, Cluster("bench", "here"))

        def touch() -> None:
            with authority.graph() as store:
                raise_epoch(store, at=system_clock(), digests=[digest], rejudge_by=0, reason="bench")

        warm, wall = _timed(lambda: _admitted(admission.review(request, phase="validate")), WARM)
        quiet, _ = _timed(lambda: _admitted(admission.review(dry, phase="validate")), WARM)
        known, _ = _timed(lambda: _admitted(admission.review(request, phase="validate")), COLD, before=touch)
        new, _ = _timed_new(stage, engine, request)
    return [
        Figure(
            "admission.warm.cpu",
            warm * 1e3,
            "ms",
            MARK,
            f"a validate request in process, recorded, Rego worker included, mean of {WARM}",
        ),
        Figure("admission.warm.wall", wall * 1e3, "ms", "", "median of the same"),
        Figure("admission.warm.dry-run.cpu", quiet * 1e3, "ms", MARK, "the same as a dry run: nothing is recorded"),
        Figure(
            "admission.cold.known.cpu",
            known * 1e3,
            "ms",
            "",
            f"its evidence held, its verdict old: judged again, mean of {COLD}",
        ),
        Figure(
            "admission.cold.new.cpu",
            new * 1e3,
            "ms",
            "",
            f"a digest never seen, fetched from its layout and judged, mean of {COLD}",
        ),
    ]


def _timed(work: Callable[[], None], times: int, before: Callable[[], None] | None = None) -> tuple[float, float]:
    """Return mean CPU seconds, with children, and median wall seconds of ``work``, once warmed."""
    for _ in range(2):
        work()
    cpu, walls = 0.0, []
    if before is None:
        began = cpu_of_process(os.getpid())
    for _ in range(times):
        if before is not None:
            before()
            began = cpu_of_process(os.getpid())
        started = time.perf_counter()
        work()
        walls.append(time.perf_counter() - started)
        if before is not None:
            cpu += cpu_of_process(os.getpid()) - began
    if before is None:
        cpu = cpu_of_process(os.getpid()) - began
    return cpu / times, median(walls)


def _timed_new(stage: Stage, engine: RegoWorker, request: object) -> tuple[float, float]:
    """The same over a graph that holds advisories and nothing else, a new one each time."""
    empty = stage.folder / "operator" / "empty.db"
    stage.run(f"safeconduct db update operator/feed --store {empty}", quiet=True)
    copy = stage.folder / "operator" / "new.db"
    admissions = []

    def fresh() -> None:
        shutil.copy(empty, copy.with_name(f"new-{len(admissions)}.db"))
        admissions.append(
            Admission(_authority(stage, copy.with_name(f"new-{len(admissions)}.db")), engine, Cluster("bench"))
        )

    fresh()
    return _timed(lambda: _admitted(admissions[-1].review(request, phase="validate")), COLD, before=fresh)


def _admitted(answer: object) -> None:
    if answer.outcome is not Outcome.PASSED:
        raise RuntimeError(f"not admitted: {answer.message}")


def _authority(stage: Stage, store: Path) -> Authority:
    operator = stage.folder / "operator"
    loaded = load_settings((operator / "safeconduct.toml",), {}, {"store": str(store)}, store)
    return Authority(loaded.settings, stage.environment, system_clock, operator / "data")


def _served(stage: Stage, pod: bytes) -> list[Figure]:
    command = f"serve --demo --port {stage.port} --folder operator/server --cluster bench --region here"
    server = subprocess.Popen(
        [sys.executable, "-m", "safeconduct", *command.split()],
        cwd=stage.folder, env=stage.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return _requests(stage, server.pid, read_manifest(pod, dry_run=False)[0])
    finally:
        server.terminate()
        server.wait(timeout=10)


def _requests(stage: Stage, server: int, body: bytes) -> list[Figure]:
    connection = _connect(stage)
    walls: list[float] = []
    for number in range(OVER_TLS + 20):
        if number == 20:  # the first ones start the worker and judge
            began, walls = cpu_of_process(server), []
        started = time.perf_counter()
        connection.request("POST", "/admission/validate?timeout=10s", body, {"content-type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        walls.append(time.perf_counter() - started)
        if not answer["response"]["allowed"]:
            raise RuntimeError(f"not admitted: {answer}")
    cpu = (cpu_of_process(server) - began) / OVER_TLS
    walls.sort()
    return [
        Figure(
            "admission.tls.cpu",
            cpu * 1e3,
            "ms",
            MARK,
            f"the server's, with its Rego worker, mean of {OVER_TLS:,} on one connection",
        ),
        Figure(
            "admission.tls.wall", median(walls) * 1e3, "ms", "0.79 (OPA as a server, without TLS)", "median of the same"
        ),
        Figure("admission.tls.wall.p99", walls[len(walls) * 99 // 100] * 1e3, "ms", "", "of the same"),
        Figure("admission.memory", memory_of_process(server), "MiB", "", "peak of the server; OPA 56"),
    ]


def _connect(stage: Stage) -> http.client.HTTPSConnection:
    ca = stage.folder / "operator" / "server" / "ca.pem"
    ends = time.monotonic() + 20
    while True:
        try:
            context = ssl.create_default_context(cafile=ca)
            connection = http.client.HTTPSConnection("127.0.0.1", stage.port, context=context)
            connection.connect()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return connection
