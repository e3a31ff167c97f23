"""Real processes: killed in the middle of an ingest, and two that write at once."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.intake import estate
from simulators.releases import T0, dump

WRITER = """
import sys
from pathlib import Path
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.intake import estate
store = open_graph(Path(sys.argv[1]))
print("open", flush=True)
for document in estate.make_documents(int(sys.argv[2]), at=int(sys.argv[3])):
    with store.transaction():
        estate.ingest(store, document)
    print("one", flush=True)
feed, records = estate.make_feed(int(sys.argv[2]), at=int(sys.argv[3]) * 2)
from safeconduct.intake.feeds import record_feed
record_feed(store, at=int(sys.argv[3]) * 2, feed=feed, records=records)
"""


def start(path: Path, releases: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(releases), str(T0)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(path: Path, releases: int) -> None:
    writer = start(path, releases)
    _, errors = writer.communicate(timeout=120)
    assert writer.returncode == 0, errors


def content(path: Path) -> dict[str, list[tuple]]:
    with open_graph(path) as store:
        return dump(store)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, list[tuple]]:
    """What an undisturbed writer leaves."""
    path = tmp_path_factory.mktemp("whole") / "graph.db"
    run(path, 40)
    return content(path)


@pytest.mark.parametrize(("documents", "delay"), [(0, 0.0), (1, 0.002), (9, 0.0), (17, 0.004), (30, 0.001)])
def test_killed_in_the_middle_leaves_nothing_half_and_the_next_run_makes_it_whole(tmp_path, whole, documents, delay):
    """Kill -9 somewhere inside a document: whole documents stand, the next run ends where an undisturbed one does."""
    path = tmp_path / "graph.db"
    writer = start(path, 40)
    for _ in range(documents + 1):
        writer.stdout.readline()
    time.sleep(delay)
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=60)
    half = content(path)
    assert len(half["release"]) == len(half["digest"]) == len(half["attestation"]) // 3 >= documents
    assert all(row[2] is not None for row in half["digest"])
    run(path, 40)
    assert content(path) == whole


def test_two_writers_at_once_both_succeed_and_leave_what_one_would(tmp_path, whole):
    path = tmp_path / "graph.db"
    writers = [start(path, 40) for _ in range(2)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    after = content(path)
    for table in ("release", "span", "fspan", "digest", "deployment", "pod", "attestation", "pkg", "affects", "blob"):
        assert len(after[table]) == len(whole[table]), table


def test_a_reader_sees_one_state_while_a_writer_goes_on(tmp_path):
    path = tmp_path / "graph.db"
    with open_graph(path) as reader, open_graph(path) as writer:
        documents = estate.make_documents(20, at=T0)
        estate_first = next(documents)
        with writer.transaction():
            estate.ingest(writer, estate_first)
        with reader.reading():
            before = ask.find_digest(reader, "service-0@1.1.0")
            with writer.transaction():
                estate.ingest(writer, next(documents))
            assert ask.find_digest(reader, "service-0@1.1.0") == before is None
        assert ask.find_digest(reader, "service-0@1.1.0") is not None
