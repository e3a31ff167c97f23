import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.foundation.errors import Refused
from safeconduct.intake.commits import record_commits
from safeconduct.model.commit import CommitState, JudgedCommit
from safeconduct.model.identity import Identity
from simulators.releases import COMMIT, MINUTE, RAW_COMMIT, T0, dump, inventory, put, release

DEV = Identity("ssh", "dev@shop.example", "SHA256:dev")
JUDGED = JudgedCommit(COMMIT, "Dev <dev@shop.example>", "first", 1, CommitState.VERIFIED, DEV)
SOURCE = {"repository": "git+https://reg.example/shop", "trust_version": 1}


def test_a_release_names_its_commit_author_and_signer(store):
    record_commits(store, at=T0, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[JUDGED], **SOURCE)
    put(store, "1.0", inventory("web@1.0.0"), at=T0 + 1)
    commit = ask.digest(store, release("1.0").digest).release.commit
    assert (commit.subject, commit.author, commit.state) == ("first", "Dev <dev@shop.example>", "verified")
    assert (commit.signer, commit.repository) == (DEV, SOURCE["repository"])


def test_the_same_commits_again_change_nothing(store):
    record_commits(store, at=T0, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[JUDGED], **SOURCE)
    before = dump(store)
    assert record_commits(store, at=T0 + 1, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[JUDGED], **SOURCE) == 0
    assert dump(store) == before


def test_a_commit_is_as_the_trust_of_the_moment_said(store):
    record_commits(store, at=T0, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[JUDGED], **SOURCE)
    put(store, "1.0", inventory("web@1.0.0"), at=T0 + 1)
    untrusted = JudgedCommit(COMMIT, JUDGED.author, "first", 1, CommitState.UNTRUSTED)
    later = SOURCE | {"trust_version": 2}
    record_commits(store, at=T0 + MINUTE, raw_commits=[(COMMIT, RAW_COMMIT)], judged=[untrusted], **later)
    digest = release("1.0").digest
    assert ask.digest(store, digest).release.commit.state == "untrusted"
    assert ask.digest(store, digest, as_of=T0 + 2).release.commit.state == "verified"


def test_a_commit_whose_bytes_are_others_is_refused_and_leaves_nothing(store):
    before = dump(store)
    with pytest.raises(Refused) as error:
        record_commits(store, at=T0, raw_commits=[(COMMIT, RAW_COMMIT + b"x")], judged=[JUDGED], **SOURCE)
    assert error.value.id == "object-mismatch"
    assert dump(store) == before
