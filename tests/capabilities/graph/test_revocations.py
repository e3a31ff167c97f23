"""After a revocation no answer vouches with the key any more; what was known before stays as it was known."""

import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.signing.trust import Revocation
from safeconduct.foundation.clock import to_datetime
from safeconduct.intake.commits import record_commits
from safeconduct.intake.operator import record_trust
from safeconduct.intake.releases import Arrival, record_release
from safeconduct.model.commit import CommitState, JudgedCommit
from safeconduct.model.identity import Identity
from simulators.releases import BUILDER, COMMIT, MINUTE, RAW_COMMIT, T0, evidence, inventory, put, release, see

HELD = inventory("web@1.0.0", "left@1.0.0")
DIGEST = release("1.0").digest
DEV = Identity("ssh", "dev@shop.example", "SHA256:dev")
OTHER = Identity("key", "builder-2", "sha256:" + "c" * 64)


@pytest.fixture
def store(tmp_path):
    with open_graph(tmp_path / "graph.db") as opened:
        record_trust(opened, at=T0 - MINUTE, version=1, document=b"trust 1")
        put(opened, "1.0", HELD, at=T0)
        see(opened, DIGEST, at=T0 + 1)
        yield opened


def revoke(store, *identities, at, version=2, since=None, reason="stolen"):
    when = None if since is None else to_datetime(since)
    revoked = tuple(Revocation(identity.fingerprint, reason, when) for identity in identities)
    record_trust(store, at=at, version=version, document=b"trust %d" % version, revoked=revoked)


def commit(store, at, *, trust=1):
    judged = [JudgedCommit(COMMIT, "Dev <dev@shop.example>", "first", 1, CommitState.VERIFIED, DEV)]
    source = {"repository": "git+https://reg.example/shop", "trust_version": trust}
    record_commits(store, at=at, raw_commits=[(COMMIT, RAW_COMMIT)], judged=judged, **source)


def test_a_revoked_key_vouches_for_nothing_any_more(store):
    assert all(proof.verified and not proof.revoked for proof in ask.digest(store, DIGEST).proofs)
    revoke(store, BUILDER, at=T0 + MINUTE)
    found = ask.digest(store, DIGEST)
    assert {(proof.verified, proof.revoked) for proof in found.proofs} == {(False, "stolen")}
    assert {proof.signer for proof in found.proofs} == {BUILDER}
    assert (found.release.signers, found.release.revoked) == ((), (BUILDER,))
    assert (found.release.commit_verified, found.release.inventory_is) == (False, "claimed")
    [running] = ask.runs(store, "pkg:npm/left").running
    assert running.release.signers == ()


def test_who_asks_by_the_knowledge_of_before_hears_what_was_believed_then(store):
    revoke(store, BUILDER, at=T0 + MINUTE)
    then = ask.digest(store, DIGEST, as_of=T0 + MINUTE - 1)
    assert all(proof.verified for proof in then.proofs)
    assert (then.release.signers, then.release.inventory_is) == ((BUILDER,), "verified")
    today = ask.digest(store, DIGEST, as_of=T0 + MINUTE - 1, known=T0 + 2 * MINUTE)
    assert not any(proof.verified for proof in today.proofs)


def test_what_was_recorded_before_the_key_was_lost_stays_verified(store):
    put(store, "1.1", HELD, at=T0 + 2 * MINUTE)
    revoke(store, BUILDER, at=T0 + 9 * MINUTE, since=T0 + MINUTE)
    before, after = (ask.digest(store, release(version).digest) for version in ("1.0", "1.1"))
    assert all(proof.verified for proof in before.proofs)
    assert (before.release.signers, before.release.revoked) == ((BUILDER,), ())
    assert {proof.revoked for proof in after.proofs} == {"stolen (since 2023-11-14 22:14)"}
    assert after.release.signers == ()


def test_a_key_that_a_newer_snapshot_believes_again_vouches_again(store):
    revoke(store, BUILDER, at=T0 + MINUTE)
    revoke(store, at=T0 + 2 * MINUTE, version=3)
    assert all(proof.verified for proof in ask.digest(store, DIGEST).proofs)


def test_a_revoked_committer_signed_nothing_that_counts(store):
    commit(store, T0 + 2)
    assert ask.digest(store, DIGEST).release.commit.state == "verified"
    revoke(store, DEV, at=T0 + MINUTE)
    found = ask.digest(store, DIGEST).release
    assert (found.commit.state, found.commit.revoked, found.commit.signer) == ("untrusted", "stolen", DEV)
    assert found.signers == (BUILDER,)


def test_a_commit_seen_before_the_key_was_lost_stays_verified_under_every_trust_version(store):
    commit(store, T0 + 2)
    commit(store, T0 + 5 * MINUTE, trust=2)
    revoke(store, DEV, at=T0 + 9 * MINUTE, version=3, since=T0 + MINUTE)
    assert ask.digest(store, DIGEST).release.commit.state == "verified"


def test_the_lineage_marks_what_a_revoked_key_signed(store):
    commit(store, T0 + 2)
    revoke(store, BUILDER, DEV, at=T0 + MINUTE)
    drawn = ask.lineage(store, DIGEST)
    marks = {node.id.partition(":")[0]: (node.mark, node.detail) for node in drawn.nodes}
    assert marks["doc"] == ("bad", "key of builder revoked: stolen")
    assert marks["build"][0] == marks["who"][0] == marks["commit"][0] == "bad"
    links = {(link.start.partition(":")[0], link.end.partition(":")[0]): link.verified for link in drawn.links}
    assert not any(links[ends] for ends in [("who", "commit"), ("who", "build"), ("release", "doc")])
    assert "dev@shop.example" in drawn.summary
    assert "signed" not in drawn.summary


def test_an_inventory_that_another_key_signs_anew_takes_the_place_of_a_revoked_one(store):
    renewed = inventory("web@1.0.0", "right@1.0.0")
    heard = evidence(DIGEST, renewed, signer=OTHER, trust=2)
    revoke(store, BUILDER, at=T0 + MINUTE)
    assert (
        record_release(store, at=T0 + 2 * MINUTE, release=release("1.0", built_at=T0), evidence=heard) is Arrival.MORE
    )
    found = ask.digest(store, DIGEST).release
    assert (found.inventory_is, found.signers, found.revoked) == ("verified", (OTHER,), (BUILDER,))
    assert ask.runs(store, "pkg:npm/right").total == 1
    assert ask.runs(store, "pkg:npm/left").total == 0
    assert ask.runs(store, "pkg:npm/left", as_of=T0 + MINUTE).total == 1
