"""``watch pods``: a stream is recorded as it arrives, and ends cleanly however it ends."""

import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

DIGEST = "sha256:" + "a" * 64
PASSED, USAGE, UNKNOWN = 0, 2, 3


def pod(name: str) -> dict:
    container = {
        "name": "web",
        "imageID": f"shop.example/web@{DIGEST}",
        "containerID": f"containerd://{name.encode().hex():0<64}",
        "state": {"running": {"startedAt": "2026-11-01T00:00:00Z"}},
    }
    status = {"phase": "Running", "containerStatuses": [container]}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "status": status}


def printed(name: str, kind: str = "ADDED") -> bytes:
    """As kubectl prints an event."""
    return json.dumps({"type": kind, "object": pod(name)}, indent=4).encode() + b"\n"


def pod_list(*names: str, kind: str = "PodList", version: str = "9") -> bytes:
    body = {"kind": kind, "items": [pod(name) for name in names], "metadata": {"resourceVersion": version}}
    return json.dumps(body).encode()


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return tmp_path / "graph.db"


def start(graph: Path, *more: str, **streams) -> subprocess.Popen:
    command = [sys.executable, "-m", "safeconduct", "watch", "pods", "-", "--cluster", "prod", "--store", str(graph)]
    pipe = subprocess.PIPE
    env = os.environ | {"HOME": str(graph.parent), "SAFECONDUCT_DATA": str(graph.parent)}
    return subprocess.Popen([*command, *more], env=env, **{"stdin": pipe, "stdout": pipe, "stderr": pipe} | streams)


def watch(graph: Path, data: bytes, *more: str) -> tuple[int, dict, str]:
    with start(graph, "--json", *more) as process:
        out, err = process.communicate(data)
    return process.returncode, json.loads(out) if out else {}, err.decode()


def running(graph: Path) -> list[str]:
    if not graph.exists():
        return []
    connection = sqlite3.connect(graph)
    try:
        return [row[0] for row in connection.execute("SELECT pod FROM pod WHERE until IS NULL ORDER BY pod")]
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def seconds_until(graph: Path, name: str, at_most: float = 60) -> float:
    began = time.monotonic()
    while name not in running(graph):
        assert time.monotonic() - began < at_most, f"{name} was not recorded"
        time.sleep(0.01)
    return time.monotonic() - began


def send(process: subprocess.Popen, data: bytes) -> None:
    process.stdin.write(data)
    process.stdin.flush()


def test_each_event_is_recorded_within_a_second_of_its_arrival(graph):
    with start(graph, "--json") as process:
        send(process, printed("first"))
        seconds_until(graph, "first")
        waited = []
        for name in ("a", "b", "c", "d", "e"):
            send(process, printed(name)[:100])
            send(process, printed(name)[100:])
            waited.append(seconds_until(graph, name))
        assert process.poll() is None
        send(process, printed("a", "DELETED"))
        out, err = process.communicate()
    assert statistics.median(waited) < 1
    assert (process.returncode, running(graph)) == (PASSED, ["b", "c", "d", "e", "first"])
    assert json.loads(out)["running"] == [["shop", f"pod/{name}", "web", DIGEST] for name in running(graph)]
    assert b"shop/pod/a/web ended" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stream_ends_with_its_result(graph, number):
    with start(graph, "--json") as process:
        send(process, printed("first"))
        seconds_until(graph, "first")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out)["broken"]) == (PASSED, [])
    assert b"Traceback" not in err


def test_a_reader_that_went_away_costs_nothing_that_arrived(graph):
    with start(graph) as process:
        process.stdout.close()
        send(process, printed("first"))
        process.stdin.close()
        err = process.stderr.read()
        process.wait(30)
    assert (process.returncode, running(graph)) == (UNKNOWN, ["first"])
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    "bad",
    [
        b"error: the server is gone\n",
        b'{"type": "ADDED", "object": {"kind": "Po\n',
        b'{"type": "ADDED", "object": {"kind": "Service"}}\n',
        b'{"type": "ERROR", "object": {"code": 410, "message": "too old"}}\n',
    ],
)
def test_a_broken_event_is_told_and_the_rest_goes_on(graph, bad):
    status, found, err = watch(graph, printed("a") + bad + printed("b"))
    assert (status, running(graph)) == (UNKNOWN, ["a", "b"])
    assert [problem["event"] for problem in found["broken"]] == [2]
    assert "event 2 was passed over" in err


def test_only_a_list_that_is_said_to_be_complete_ends_what_it_does_not_name(graph):
    watch(graph, printed("a") + printed("b") + printed("c"))
    assert watch(graph, pod_list("a"))[0] == PASSED
    assert running(graph) == ["a", "b", "c"]
    watch(graph, pod_list("a"), "--complete", "--namespace", "kitchen")
    watch(graph, pod_list("a"), "--complete", "--taken", "2026-11-01T00:00:00Z")
    assert running(graph) == ["a", "b", "c"]
    status, found, _ = watch(graph, pod_list("a"), "--complete")
    assert (status, running(graph)) == (PASSED, ["a"])
    assert found["ended"] == [["shop", f"pod/{name}", "web", DIGEST] for name in ("b", "c")]
    watch(graph, pod_list(), "--complete", "--namespace", "shop")
    assert running(graph) == []


def test_an_empty_list_as_kubectl_prints_it_on_failure_ends_nothing(graph):
    watch(graph, printed("a"))
    status, found, _ = watch(graph, pod_list(kind="List", version=""), "--complete")
    assert (status, found["id"], running(graph)) == (UNKNOWN, "empty-list", ["a"])


@pytest.mark.parametrize("more", [["--namespace", "shop"], ["--taken", "2026-11-01T00:00:00Z"]])
def test_what_is_said_of_a_complete_list_needs_one(graph, more):
    status, said, err = watch(graph, printed("a"), *more)
    assert (status, running(graph)) == (USAGE, [])
    assert "--complete" in f"{said}{err}"


def test_a_stream_is_never_a_complete_list(graph):
    status, found, _ = watch(graph, printed("a"), "--complete")
    assert (status, found["id"], running(graph)) == (USAGE, "not-a-list", [])
