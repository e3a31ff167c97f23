import json
import random

import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.capabilities.graph.keys import artifact_key, bucket_of, fingerprint_of
from safeconduct.capabilities.graph.packages import parse_wanted
from safeconduct.foundation.errors import BadUsage, SafeconductError, Undecided
from safeconduct.intake.commits import record_commits
from safeconduct.intake.judgements import record_admission
from safeconduct.model.commit import CommitState, JudgedCommit
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import sha256
from safeconduct.model.identity import Identity
from safeconduct.model.release import Line
from safeconduct.model.workload import Workload
from simulators.releases import (
    BUILDER,
    COMMIT,
    MINUTE,
    RAW_COMMIT,
    T0,
    advisory,
    feed,
    inventory,
    put,
    release,
    see,
)

DEV = Identity("ssh", "dev@shop.example", "SHA256:dev")
DIGEST = release("1.0").digest


@pytest.fixture
def shop(store):
    """One release from commit to cluster, with a risk that came later."""
    judged = JudgedCommit(COMMIT, "Dev <dev@shop.example>", "first", 1, CommitState.VERIFIED, DEV)
    source = {"repository": "git+https://reg.example/shop", "trust_version": 1}
    record_commits(store, at=T0, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[judged], **source)
    edges = [("web@1.0.0", "mid@2.0.0"), ("mid@2.0.0", "left@1.0.0"), ("left@1.0.0", "mid@2.0.0")]
    put(store, "1.0", inventory("web@1.0.0", "mid@2.0.0", "left@1.0.0", edges=edges), at=T0 + 1)
    where = Workload("prod", "eu", "shop", "deployment/shop", "web")
    record_admission(store, at=T0 + 2, digest=DIGEST, where=where, outcome=Outcome.PASSED)
    see(store, DIGEST, at=T0 + 3)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0", aliases=["CVE-1"]), at=T0 + MINUTE)
    return store


@pytest.mark.parametrize(
    "text",
    [
        "pkg:npm/left",
        "pkg:npm/left@1.0.0",
        "pkg:npm/left@<1.2.0",
        "pkg:npm/left@>=1.0.0,<1.2.0",
        "pkg:npm/left@<=1.0.0",
        "pkg:npm/left@=1.0.0",
        "pkg:npm/left@>0.9, <2",
    ],
)
def test_what_runs_a_package_is_answered_with_its_whole_descent(shop, text):
    found = ask.runs(shop, text)
    assert (found.total, found.purls, found.gaps) == (1, ("pkg:npm/left@1.0.0",), ())
    (one,) = found.running
    assert (one.place.cluster, one.place.region, one.place.namespace) == ("prod", "eu", "shop")
    assert (one.place.workload, one.place.container, one.place.since) == ("deployment/shop", "web", T0 + 3)
    assert (one.release.product, one.release.version, one.release.digest) == ("shop", "1.0", DIGEST)
    assert one.release.commit.author == "Dev <dev@shop.example>"
    assert (one.release.commit.signer, one.release.signers) == (DEV, (BUILDER,))


@pytest.mark.parametrize("text", ["pkg:npm/left@>1.0.0", "pkg:npm/left@2.0.0", "pkg:npm/nothing", "pkg:pypi/left"])
def test_what_nobody_runs_is_an_empty_answer(shop, text):
    assert ask.runs(shop, text).total == 0


def test_as_of_before_it_ran_nothing_runs(shop):
    assert ask.runs(shop, "pkg:npm/left", as_of=T0 + 2).total == 0
    assert ask.runs(shop, "pkg:npm/left", as_of=T0 + 4).total == 1


def test_a_release_that_dropped_the_package_does_not_run_it(shop):
    put(shop, "1.1", inventory("web@1.0.0"), at=T0 + 2 * MINUTE)
    see(shop, release("1.1").digest, at=T0 + 3 * MINUTE, pod="new")
    assert ask.runs(shop, "pkg:npm/left").total == 1
    assert ask.runs(shop, "pkg:npm/left", as_of=T0 + 4 * MINUTE).total == 1
    assert ask.runs(shop, "pkg:npm/web").total == 2
    assert ask.reaches(shop, "GHSA-1").running == 1


def test_a_limit_never_hides_how_many_there_are(shop):
    see(shop, DIGEST, at=T0 + 9, pod="other")
    found = ask.runs(shop, "pkg:npm/left", limit=0)
    assert (found.total, found.running) == (1, ())


@pytest.mark.parametrize(
    ("text", "error_id"),
    [
        ("left", "malformed-purl"),
        ("", "malformed-purl"),
        ("pkg:", "malformed-purl"),
        ("pkg:npm/left@<", "unordered-version"),
        ("pkg:npm/left@<1,", "unordered-version"),
        ("pkg:npm/left@<one", "unordered-version"),
        ("pkg:nobody/left@<1", "unordered-version"),
    ],
)
def test_a_question_that_cannot_be_meant_is_bad_usage(shop, text, error_id):
    with pytest.raises(BadUsage) as error:
        ask.runs(shop, text)
    assert error.value.id == error_id


def test_scoped_names_may_be_written_as_npm_writes_them():
    assert parse_wanted("pkg:npm/@babel/core@7.0.0") == parse_wanted("pkg:npm/%40babel/core@7.0.0")
    assert parse_wanted("pkg:npm/@babel/core@<8").base == "pkg:npm/%40babel/core"
    assert parse_wanted("pkg:npm/@babel/core").version == ""


def test_a_version_of_no_order_is_named_when_a_range_is_asked(store):
    put(store, "1.0", inventory("left@oddity"), at=T0)
    assert "pkg:npm/left@oddity" in [gap.subject for gap in ask.runs(store, "pkg:npm/left@<2").gaps]


def test_nothing_running_is_not_told_where_no_cluster_ever_reported(store):
    """Nobody having looked is another answer than nothing being there."""
    put(store, "1.0", inventory("left@1.0.0"), at=T0)
    for answer in (ask.runs(store, "pkg:npm/left"), ask.upgrades(store)):
        assert [gap.subject for gap in answer.gaps] == ["every cluster"]
    see(store, release("1.0").digest, at=T0 + 1)
    for answer in (ask.runs(store, "pkg:npm/left"), ask.upgrades(store)):
        assert answer.gaps == ()


def test_one_witness_path_leads_to_a_package_through_a_cycle(shop):
    found = ask.path(shop, DIGEST, "pkg:npm/left")
    assert found.steps == ("pkg:npm/web@1.0.0", "pkg:npm/mid@2.0.0", "pkg:npm/left@1.0.0")
    assert found.inventory == found.release.inventory
    assert ask.path(shop, DIGEST, "pkg:npm/left@<0.1").steps == ()


def test_a_package_that_no_edge_leads_to_is_said_to_be_so(store):
    put(store, "1.0", inventory("web@1.0.0", "loose@1.0.0"), at=T0)
    found = ask.path(store, DIGEST, "pkg:npm/loose")
    assert found.steps == ("pkg:npm/loose@1.0.0",)
    assert found.gaps


def test_a_release_is_found_by_its_name(shop):
    assert ask.find_digest(shop, "shop@1.0") == DIGEST
    assert ask.find_digest(shop, DIGEST) == DIGEST
    assert ask.find_digest(shop, "shop@2.0") is None
    assert ask.find_digest(shop, "shop") is None


@pytest.mark.parametrize("moment", [{}, {"as_of": T0}])
def test_a_digest_nobody_recorded_is_could_not_tell(shop, moment):
    with pytest.raises(Undecided) as error:
        ask.digest(shop, DIGEST if moment else sha256(b"unknown"), **moment)
    assert error.value.id == "unknown-digest"


def test_the_lineage_leads_from_who_to_where_it_runs_with_the_risk_in_red(shop):
    drawn = ask.lineage(shop, DIGEST)
    columns = {node.column for node in drawn.nodes}
    assert columns == {"who", "source", "build", "release", "evidence", "admission", "running"}
    ids = [node.id for node in drawn.nodes]
    assert len(ids) == len(set(ids))
    assert all(link.start in ids and link.end in ids for link in drawn.links)
    red = [(link.start, link.end) for link in drawn.links if link.risk]
    assert ("release", "risk:GHSA-1:pkg:npm/left@1.0.0") in red
    assert any(end.startswith("run:prod") for _, end in red)
    assert drawn.alarm.startswith("1 critical risk")
    chain = dict(drawn.facts)["What to do"][1]
    assert chain == (
        f"GHSA-1 → prod/shop/deployment/shop → shop 1.0 → {COMMIT[:10]} → dev@shop.example → "
        "upgrade pkg:npm/left@1.0.0 to 1.2.0"
    )
    assert dict(drawn.facts)["How it got in"][-1] == "pkg:npm/left@1.0.0"


def test_the_lineage_of_before_the_advisory_has_no_red(shop):
    drawn = ask.lineage(shop, DIGEST, as_of=T0 + 9)
    assert not any(link.risk for link in drawn.links)
    assert drawn.alarm == ""


def test_the_panel_of_an_advisory_without_other_names_ends_where_its_text_ends(store):
    put(store, "1.0", inventory("left@1.0.0"), at=T0)
    see(store, DIGEST, at=T0 + 1)
    assert ask.lineage(store, DIGEST).facts == (("What is known", ("2 documents, 1 running container",)),)
    feed(store, advisory("GHSA-1", "left"), at=T0 + MINUTE)
    drawn = ask.lineage(store, DIGEST)
    assert drawn.facts[0] == ("advisory GHSA-1", ("left is broken", "critical"))
    assert drawn.summary.endswith("1 container in 1 cluster.")
    assert drawn.alarm.startswith("1 critical risk,")


def test_what_ran_without_an_admission_of_ours_is_a_dashed_line(store):
    put(store, "1.0", inventory("web@1.0.0"), at=T0)
    see(store, DIGEST, at=T0 + 1)
    drawn = ask.lineage(store, DIGEST)
    assert [link.verified for link in drawn.links if link.end.startswith("run:")] == [False]


def test_random_questions_are_answered_or_refused_never_worse(shop):
    chance = random.Random(7)
    for _ in range(300):
        text = "".join(chance.choice("pkg:npm/left@<>=1.,%\0\u202e ") for _ in range(chance.randrange(30)))
        try:
            ask.runs(shop, text)
            ask.reaches(shop, text)
        except SafeconductError:
            continue


def test_the_natural_key_of_a_line_is_canonical_and_its_bucket_stable():
    key = artifact_key(Line("reg.example/shop", "shop", "linux/amd64", "main"))
    assert json.loads(key)["kind"] == "artifact"
    assert (
        key
        == '{"branch":"main","kind":"artifact","name":"shop","platform":"linux/amd64","repository":"reg.example/shop"}'
    )
    assert bucket_of(fingerprint_of(key)) == int(fingerprint_of(key).hex()[:3], 16)
