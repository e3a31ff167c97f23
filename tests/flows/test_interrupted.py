"""Real processes, killed or racing: nothing is half-written, and running again makes it whole."""

import json
import signal
import subprocess
import time

from safeconduct.capabilities.kubernetes.review import read_review
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.foundation.clock import system_clock
from safeconduct.foundation.settings import load_settings
from safeconduct.phases.authority import Authority
from safeconduct.phases.deploy.admission import Admission, Cluster
from simulators.forgery import published
from simulators.reviews import pod_review
from simulators.world import IMAGE, advisory, command_line, wait_for

NO, UNKNOWN = 1, 3
MANY = 1_500


def killed(world, *args, when):
    """Start a command and kill it with SIGKILL at a moment; return whether it was still running then."""
    process = world.start(*args)
    when()
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def many_advisories(world):
    records = [
        advisory(f"TEST-{n:05}", ("parser", "printer", "other")[n % 3], fixed=f"{n % 4}.0.0") for n in range(MANY)
    ]
    return world.feed("many", *records)


def known(world):
    """What a user can ask of the advisories, without the times at which each became known."""
    scan = world.run("scan", "app", "--json", exits=None)
    feeds = world.run("db", "status", "--json", exits=None).out
    return scan.status, scan.out.replace(str(world.folder), ""), feeds.replace(str(world.folder), "")


def test_an_update_killed_at_any_moment_is_made_whole_by_the_next(committed, tmp_path):
    """Until all of a feed is in, it covers nothing: could not tell, never clean."""
    committed.set(store="many.db")
    feed = many_advisories(committed)
    whole = committed.copy(tmp_path / "whole")
    started = time.monotonic()
    whole.spawn("db", "update", feed.relative_to(committed.folder))
    took = time.monotonic() - started
    expected = known(whole)
    assert expected[0] == NO
    interrupted = 0
    for part in range(7):
        world = committed.copy(tmp_path / f"w{part}")

        def moment(store=world.operator / "many.db", seconds=took * part / 25):
            wait_for(store.exists)
            time.sleep(seconds)

        stopped = killed(world, "db", "update", "operator/many", when=moment)
        interrupted += stopped
        scan = world.run("scan", "app", "--json", exits=None)
        if stopped:
            assert scan.status in {NO, UNKNOWN}
            assert scan.json["gaps"] or known(world) == expected
        world.run("db", "update", "operator/many")
        assert known(world) == expected
        assert world.run("db", "update", "operator/many", "--json").json["items"][0]["report"]["new"] == 0
    assert interrupted >= 3


def test_a_build_killed_at_any_moment_leaves_no_tag_without_its_evidence(committed, tmp_path):
    committed.run("build", "app", "-o", "warm-up", "--no-publish", "--no-record")
    digest = committed.run("inspect", "oci:warm-up:1.0", "--json").json["digest"]
    interrupted = 0
    for part in range(8):
        world = committed.copy(tmp_path / f"w{part}")
        marks = [
            world.folder / "stage",
            world.folder / "stage" / "index.json",
            world.folder / "stage" / "blobs" / "sha256" / digest[7:],
            world.folder / "registry",
            *[world.folder / "registry" / "team" / "app" / "index.json"] * 4,
        ]

        def moment(place=marks[part], seconds=part * 0.005):
            wait_for(place.exists)
            time.sleep(seconds)

        interrupted += killed(world, "build", "app", "-o", "stage", when=moment)
        tags = published(world).tags()
        if tags:
            world.run("verify", IMAGE)
        else:
            world.gate(IMAGE, exits=UNKNOWN)
        if (world.operator / "graph.db").exists():
            told = world.run("ask", "digest", digest, "--json", exits=None)
            assert told.status in {0, UNKNOWN}
        world.run("build", "app", "-o", "stage")
        world.run("verify", IMAGE)
        world.gate(IMAGE)
        answer = world.run("ask", "digest", digest, "--json").json
        assert (answer["components"], answer["release"]["inventory_is"]) == (3, "verified")
        assert len({p["document"] for p in answer["proofs"]}) >= 5
    assert interrupted >= 4


def test_two_writers_at_once_both_succeed_or_one_says_so_clearly(committed):
    committed.set(store="many.db")
    many_advisories(committed)
    committed.feed("late", advisory("LATE-1", "printer", fixed="9.0.0"))
    lines = [("db", "update", "operator/many"), ("db", "update", "operator/late"), ("db", "update", "operator/feed")]
    running = [
        subprocess.Popen(
            command_line((*line, "--json")),
            cwd=committed.folder,
            env=committed.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for line in [*lines, lines[0]]
    ]
    for process in running:
        out, err = process.communicate(timeout=120)
        said = json.loads(out)
        assert b"Traceback" not in err
        assert process.returncode == 0 or said["id"] == "store-busy", said
    for line in lines:
        committed.run(*line)
    found = {f["advisory"] for f in committed.run("scan", "app", "--json", exits=NO).json["findings"]}
    assert "LATE-1" in found
    assert any(name.startswith("TEST-") for name in found)


def test_two_builds_at_once_publish_one_release(committed):
    running = [committed.start("build", "app", "-o", f"stage-{n}") for n in range(2)]
    assert [process.wait(120) for process in running] == [0, 0]
    committed.run("verify", IMAGE)
    digest = published(committed).resolve("1.0").digest
    assert committed.run("ask", "digest", digest, "--json").json["components"] == 3


class Meanwhile:
    """The real engine; during chosen judgements of the image (1 is the first), something else happens as well."""

    def __init__(self, engine, events):
        self.engine = engine
        self.events = events
        self.asked = 0

    def evaluate(self, pack, rules, encoded):
        if "image-signed" in {rule.id for rule in rules}:
            self.asked += 1
            self.events.get(self.asked, lambda: None)()
        return self.engine.evaluate(pack, rules, encoded)


def admit(world, events):
    """Return the answer to release 1.0 and how often it was judged for that, while ``events`` happen."""
    settings = load_settings((world.operator / "safeconduct.toml",), {}, {}, world.folder / "none.db").settings
    review = read_review(pod_review(f"{IMAGE}@{published(world).resolve('1.0').digest}"))
    with RegoWorker() as real:
        engine = Meanwhile(real, events)
        authority = Authority(settings, world.environment, system_clock, world.operator / "data")
        return Admission(authority, engine, Cluster("prod")).review(review.request, phase="validate"), engine.asked


def test_a_verdict_written_late_is_refused_by_its_epoch_and_judged_again(world, tmp_path):
    """An advisory arrives during the last judgement: its verdict must not be kept, nor let the Pod in."""
    later = world.feed("later", advisory("LATE-1", "printer", fixed="9.0.0"))
    calm, last = admit(world.copy(tmp_path / "calm"), {})
    assert calm.outcome == 0
    answer, asked = admit(world, {last: lambda: world.run("db", "update", later)})
    assert (answer.outcome, asked) == (NO, last + 1)
    assert "LATE-1" in answer.message
    world.gate(IMAGE, exits=NO)


def test_a_verdict_that_is_late_twice_is_no_answer(world, tmp_path):
    """The advisories block nothing, so only their coming too early can be the reason."""
    small = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}]
    feeds = [world.feed(f"f{n}", advisory(f"LATE-{n}", "printer", fixed=f"9.{n}.0", severity=small)) for n in range(2)]
    _, last = admit(world.copy(tmp_path / "calm"), {})
    first, second = (lambda feed=feed: world.run("db", "update", feed) for feed in feeds)
    answer, _ = admit(world, {last: first, last + 1: second})
    assert answer.outcome == UNKNOWN
    assert "stale-verdict" in answer.message
    assert admit(world, {})[0].outcome == 0
