import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.capabilities.signing.trust import Revocation
from safeconduct.foundation.errors import Refused
from safeconduct.intake.commits import record_commits
from safeconduct.intake.judgements import raise_epoch, record_admission, record_decision, record_verdict
from safeconduct.intake.operator import record_exemption, record_policy, record_trust
from safeconduct.intake.releases import record_release
from safeconduct.model.commit import CommitState, JudgedCommit
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.digest import sha256
from safeconduct.model.exemption import Exemption
from safeconduct.model.identity import Identity
from safeconduct.model.workload import Workload
from simulators.releases import (
    BUILDER,
    COMMIT,
    MINUTE,
    RAW_COMMIT,
    T0,
    advisory,
    dump,
    evidence,
    feed,
    inventory,
    put,
    release,
    see,
)

POLICY = sha256(b"policy")
DIGEST = release("1.0").digest
HELD = inventory("web@1.0.0", "left@1.0.0")


def decision(outcome: Outcome = Outcome.PASSED, *, valid_until: int = 0) -> Decision:
    return Decision("deploy", outcome, (), POLICY, sha256(b"input"), ("rule",), T0, 1, "", valid_until)


def judge(store, *, at: int, epoch: int | None = None, digest=DIGEST, **more) -> None:
    began = ask.find_epoch(store, digest) if epoch is None else epoch
    record_verdict(
        store, at=at, digest=digest, scope="deploy", decision=decision(**more), document=b"decision", epoch=began
    )


def verdict(store, now: int, *, digest=DIGEST, policy=POLICY, trust: int = 1):
    return ask.find_verdict(store, digest, scope="deploy", policy=policy, trust_version=trust, now=now)


@pytest.fixture
def judged(store):
    put(store, "1.0", HELD, at=T0)
    judge(store, at=T0 + 1)
    return store


def test_a_verdict_is_read_back_for_its_policy_and_trust_version_only(judged):
    assert verdict(judged, T0 + 2).outcome is Outcome.PASSED
    assert verdict(judged, T0 + 2, policy=sha256(b"another")) is None
    assert verdict(judged, T0 + 2, trust=2) is None
    assert verdict(judged, T0 + 2, digest=sha256(b"unknown")) is None


def test_a_verdict_written_late_is_refused_by_its_epoch(judged):
    began = ask.find_epoch(judged, DIGEST)
    feed(judged, advisory("GHSA-1", "left"), at=T0 + MINUTE)
    before = dump(judged)
    with pytest.raises(Refused) as error:
        judge(judged, at=T0 + MINUTE + 1, epoch=began)
    assert error.value.id == "stale-verdict"
    assert dump(judged) == before


def test_a_touched_digest_keeps_its_verdict_for_a_minute_at_most(judged):
    feed(judged, advisory("GHSA-1", "left"), at=T0 + MINUTE)
    assert verdict(judged, T0 + MINUTE + 1).grace
    assert verdict(judged, T0 + 2 * MINUTE + 1) is None
    judge(judged, at=T0 + MINUTE + 2, outcome=Outcome.DENIED)
    found = verdict(judged, T0 + 3 * MINUTE)
    assert (found.outcome, found.grace) == (Outcome.DENIED, False)


def test_a_second_touch_never_prolongs_the_time_of_an_old_verdict(judged):
    """The deadline that the first touch set stands, and once it has run out nothing brings the verdict back."""
    feed(judged, advisory("GHSA-1", "left"), at=T0 + MINUTE)
    feed(judged, advisory("GHSA-2", "left"), at=T0 + MINUTE + MINUTE // 2)
    assert verdict(judged, T0 + 2 * MINUTE - 1).grace
    assert verdict(judged, T0 + 2 * MINUTE + 1) is None
    feed(judged, advisory("GHSA-3", "left"), at=T0 + 3 * MINUTE)
    assert verdict(judged, T0 + 3 * MINUTE + 1) is None


def test_malware_leaves_no_time_at_all(judged):
    feed(judged, advisory("MAL-1", "left"), at=T0 + MINUTE)
    assert verdict(judged, T0 + MINUTE) is None


def test_malware_cuts_short_the_time_that_another_touch_left(judged):
    feed(judged, advisory("GHSA-1", "left"), at=T0 + MINUTE)
    feed(judged, advisory("MAL-1", "left"), at=T0 + MINUTE + 1)
    assert verdict(judged, T0 + MINUTE + 2) is None


def test_a_verdict_ends_when_what_it_rests_on_expires(store):
    put(store, "1.0", HELD, at=T0)
    judge(store, at=T0 + 1, valid_until=T0 + MINUTE)
    assert verdict(store, T0 + MINUTE - 1) is not None
    assert verdict(store, T0 + MINUTE) is None


def test_new_evidence_makes_a_verdict_old(judged):
    more = evidence(DIGEST, HELD, commit="d0" * 20)
    record_release(judged, at=T0 + MINUTE, release=release("1.0", built_at=T0), evidence=more)
    assert verdict(judged, T0 + 3 * MINUTE) is None


def test_the_same_verdict_again_changes_nothing(judged):
    before = dump(judged)
    judge(judged, at=T0 + 5)
    assert dump(judged) == before


def test_an_epoch_raised_by_hand_with_no_time_left(judged):
    raise_epoch(judged, at=T0 + 2, digests=[DIGEST], rejudge_by=0, reason="known exploited")
    assert verdict(judged, T0 + 3) is None
    assert ask.find_epoch(judged, DIGEST) == 1


def test_a_verdict_on_a_platform_manifest_is_the_releases(store):
    manifest = sha256(b"linux/amd64")
    put(store, "1.0", HELD, at=T0, manifest=manifest)
    judge(store, at=T0 + 1, digest=manifest)
    assert verdict(store, T0 + 2).outcome is Outcome.PASSED
    feed(store, advisory("MAL-1", "left"), at=T0 + MINUTE)
    assert verdict(store, T0 + MINUTE, digest=manifest) is None


def test_a_digest_seen_before_its_release_loses_its_verdict_when_it_gets_one(store):
    see(store, DIGEST, at=T0)
    judge(store, at=T0 + 1, outcome=Outcome.UNDECIDED)
    put(store, "1.0", HELD, at=T0 + MINUTE)
    assert verdict(store, T0 + 3 * MINUTE) is None


def test_a_manifest_judged_before_its_release_was_known_is_judged_again(store):
    manifest = sha256(b"linux/amd64")
    see(store, manifest, at=T0)
    judge(store, at=T0 + 1, digest=manifest)
    put(store, "1.0", HELD, at=T0 + MINUTE, manifest=manifest)
    assert verdict(store, T0 + 3 * MINUTE, digest=manifest) is None


def test_decisions_and_admissions_stand_beside_the_release(judged):
    record_decision(judged, at=T0 + 5, decision=decision(Outcome.DENIED), document=b"denied", digest=DIGEST)
    where = Workload("prod", "eu", "shop", "deployment/shop", "web")
    record_admission(judged, at=T0 + 6, digest=DIGEST, where=where, outcome=Outcome.DENIED)
    found = ask.digest(judged, DIGEST).judgements
    assert [(j.kind, j.outcome.word) for j in found] == [
        ("verdict", "passed"),
        ("decision", "denied"),
        ("admission", "denied"),
    ]
    assert found[2].place == "prod/shop/deployment/shop"
    assert len(ask.digest(judged, DIGEST, as_of=T0 + 5).judgements) == 2


def test_an_admission_is_no_deployment(judged):
    where = Workload("prod", "eu", "shop", "deployment/shop", "web")
    record_admission(judged, at=T0 + 6, digest=DIGEST, where=where, outcome=Outcome.PASSED)
    assert ask.runs(judged, "pkg:npm/left").total == 0


def test_a_decision_about_a_source_needs_no_digest(store):
    record_decision(store, at=T0, decision=decision(), document=b"d", repository="git+https://reg.example/shop")
    assert [row[3] for row in dump(store)["event"]] == ["decision"]


def test_a_revoked_key_takes_every_verdict_on_what_it_vouched_for_at_once(judged):
    put(judged, "2.0", inventory("third@1.0.0"), at=T0 + 2, name="other")
    record_trust(judged, at=T0 + 3, version=1, document=b"trust 1")
    assert verdict(judged, T0 + 4) is not None
    record_trust(judged, at=T0 + 5, version=2, document=b"trust 2", revoked=(Revocation(BUILDER.fingerprint, "lost"),))
    assert verdict(judged, T0 + 6) is None


def test_a_revoked_committer_takes_the_verdicts_on_what_was_built_from_his_commits(judged):
    dev = Identity("ssh", "dev@shop.example", "SHA256:dev")
    commit = JudgedCommit(COMMIT, "Dev <dev@shop.example>", "first", 1, CommitState.VERIFIED, dev)
    source = {"repository": "git+https://reg.example/shop", "trust_version": 1}
    record_commits(judged, at=T0 + 2, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[commit], **source)
    record_trust(judged, at=T0 + 3, version=2, document=b"trust 2", revoked=(Revocation(dev.fingerprint, "lost"),))
    assert verdict(judged, T0 + 4) is None


def test_a_risk_that_got_worse_makes_the_verdict_old(store):
    feed(store, advisory("GHSA-1", "left", severity=[]), at=T0 - MINUTE)
    put(store, "1.0", HELD, at=T0)
    judge(store, at=T0 + 1)
    report = feed(store, advisory("GHSA-1", "left", modified="2026-02-01T00:00:00Z"), at=T0 + MINUTE)
    assert report.releases == (DIGEST,)
    assert verdict(store, T0 + 3 * MINUTE) is None


def test_an_older_trust_snapshot_is_refused(store):
    record_trust(store, at=T0, version=2, document=b"trust 2")
    before = dump(store)
    for version, text in ((1, b"trust 1"), (2, b"another 2")):
        with pytest.raises(Refused) as error:
            record_trust(store, at=T0 + 1, version=version, document=text)
        assert error.value.id == "trust-rollback"
    record_trust(store, at=T0 + 1, version=2, document=b"trust 2")
    assert dump(store) == before


def test_a_policy_in_force_is_recorded_once(store):
    record_policy(store, at=T0, scope="deploy", policy=POLICY, document=b"pack")
    before = dump(store)
    record_policy(store, at=T0 + 1, scope="deploy", policy=POLICY, document=b"pack")
    assert dump(store) == before


@pytest.mark.parametrize("scope", [DIGEST, "reg.example/shop", "pkg:npm/left", "pkg:npm/left@1.0.0", "*"])
def test_an_exemption_makes_the_verdicts_that_it_covers_old(judged, scope):
    granted = Exemption("rule", scope, "because", "me", "2027-01-01T00:00:00Z")
    record_exemption(judged, at=T0 + 2, exemption=granted, document=b"exemption")
    assert verdict(judged, T0 + 3).grace
    before = dump(judged)
    record_exemption(judged, at=T0 + 4, exemption=granted, document=b"exemption")
    assert dump(judged) == before


@pytest.mark.parametrize("scope", [release("2.0").digest, "reg.example/other", "pkg:npm/right", "pkg:npm/left@2.0.0"])
def test_an_exemption_leaves_other_verdicts_alone(judged, scope):
    granted = Exemption("rule", scope, "because", "me", "2027-01-01T00:00:00Z")
    record_exemption(judged, at=T0 + 2, exemption=granted, document=b"exemption")
    assert not verdict(judged, T0 + 3).grace


@pytest.mark.parametrize(("until", "scope"), [("soon", "*"), ("2027-01-01", "*"), ("2027-01-01T00:00:00Z", "pkg:")])
def test_an_exemption_without_end_or_scope_is_refused(judged, until, scope):
    with pytest.raises(Refused) as error:
        record_exemption(judged, at=T0, exemption=Exemption("r", scope, "b", "m", until), document=b"x")
    assert error.value.id == "malformed-exemption"
