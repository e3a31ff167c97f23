"""Commits signed by the real git and ssh-keygen, judged by our own parser."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safeconduct.capabilities.signing.trust import Snapshot, TrustedKey, TrustStore
from safeconduct.capabilities.source.objects import parse_commit
from safeconduct.capabilities.source.repository import GitRepository
from safeconduct.capabilities.source.tree import CommitTree
from safeconduct.evidence.commits import judge_commits
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.commit import CommitState
from safeconduct.model.identity import Usage

NOW = datetime.now(UTC)
REPOSITORY = "shop.example/shop/checkout"


class Shop:
    """A real repository in a folder of its own, with its own HOME."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shop"
        self.folder.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
        self.keys = folder
        self.git("init", "-q", "-b", "main")
        for name, value in {"user.name": "Dev", "user.email": "dev@shop.example", "gpg.format": "ssh"}.items():
            self.git("config", name, value)

    def git(self, *words: str, **more: str) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**self.environment, **more},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def key(self, name: str, kind: str = "ed25519", bits: str = "") -> str:
        size = ["-b", bits] if bits else []
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-f", str(self.keys / name)],
            check=True,
            capture_output=True,
        )
        return (self.keys / f"{name}.pub").read_text().strip()

    def commit(self, text: str, key: str | None, **more: str) -> str:
        (self.folder / "file.txt").write_text(text)
        self.git("add", ".")
        sign = ["-c", f"user.signingkey={self.keys / key}", "commit", "-S"] if key else ["commit", "--no-gpg-sign"]
        self.git(*sign, "-q", "-m", text, **more)
        return self.git("rev-parse", "HEAD")

    def judge(self, trust: TrustStore | None) -> list:
        with GitRepository(self.folder, self.environment) as repository:
            commits = list(repository.history(repository.head()))
        return list(judge_commits(commits, trust, repository=REPOSITORY, now=NOW))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def trust_in(public: str, **changes: object) -> TrustStore:
    fields: dict[str, object] = {
        "name": "dev",
        "public": public,
        "usages": (Usage.COMMIT,),
        "scopes": ("shop",),
        "not_before": NOW - timedelta(days=1),
        "not_after": NOW + timedelta(days=1),
        "principals": ("dev@shop.example",),
    }
    key = TrustedKey(**{**fields, **changes})
    return TrustStore(Snapshot(1, NOW, NOW + timedelta(days=1), {"shop": (REPOSITORY,)}, (key,)))


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", ""), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "3072")]
)
def test_commits_signed_by_git_with_every_kind_of_key_verify(shop: Shop, kind: str, bits: str) -> None:
    public = shop.key("dev", kind, bits)
    shop.commit("one", "dev")
    (judged,) = shop.judge(trust_in(public))
    assert (judged.state, judged.signer.subject) == (CommitState.VERIFIED, "dev@shop.example")


def test_unsigned_untrusted_wrong_usage_and_expired_are_told_apart(shop: Shop) -> None:
    public = shop.key("dev")
    other = shop.key("other")
    shop.commit("signed", "dev")
    shop.commit("unsigned", None)
    shop.commit("stranger", "other")
    assert [c.state for c in shop.judge(trust_in(public))] == ["untrusted", "unsigned", "verified"]
    assert [c.state for c in shop.judge(trust_in(public, usages=(Usage.BUILD,)))][2] == CommitState.UNTRUSTED
    assert [c.state for c in shop.judge(None)] == ["unknown", "unsigned", "unknown"]
    assert other != public


def test_a_back_dated_commit_does_not_revive_an_expired_key(shop: Shop) -> None:
    public = shop.key("dev")
    old = str(int((NOW - timedelta(days=300)).timestamp())) + " +0000"
    shop.commit("back-dated", "dev", GIT_COMMITTER_DATE=old, GIT_AUTHOR_DATE=old)
    expired = trust_in(public, not_before=NOW - timedelta(days=400), not_after=NOW - timedelta(days=200))
    (judged,) = shop.judge(expired)
    assert judged.state == CommitState.UNTRUSTED
    assert "not at" in judged.problem


def test_a_changed_payload_under_a_real_signature_is_invalid(shop: Shop) -> None:
    public = shop.key("dev")
    shop.commit("one", "dev")
    raw = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=shop.folder, env=shop.environment, check=True, capture_output=True
    ).stdout
    forged = (
        subprocess.run(
            ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
            cwd=shop.folder,
            env=shop.environment,
            check=True,
            capture_output=True,
            input=raw.replace(b"\none", b"\nevil"),
        )
        .stdout.decode()
        .strip()
    )
    shop.git("update-ref", "refs/heads/main", forged)
    (judged,) = shop.judge(trust_in(public))
    assert judged.state == CommitState.INVALID


def test_a_file_signature_does_not_count_as_a_commit_signature(shop: Shop) -> None:
    """The same key signed the same bytes, but in the namespace of files."""
    public = shop.key("dev")
    shop.commit("one", None)
    raw = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=shop.folder, env=shop.environment, check=True, capture_output=True
    ).stdout
    signature = (
        subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", "file", "-f", str(shop.keys / "dev")],
            check=True,
            capture_output=True,
            input=raw,
        )
        .stdout.decode()
        .strip()
    )
    head, message = raw.split(b"\n\n", 1)
    body = head + b"\ngpgsig " + signature.replace("\n", "\n ").encode() + b"\n\n" + message
    forged = (
        subprocess.run(
            ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
            cwd=shop.folder,
            env=shop.environment,
            check=True,
            capture_output=True,
            input=body,
        )
        .stdout.decode()
        .strip()
    )
    shop.git("update-ref", "refs/heads/main", forged)
    (judged,) = shop.judge(trust_in(public))
    assert (judged.state, "namespace" in judged.problem or "made for" in judged.problem) == (CommitState.INVALID, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.replace(b"author ", b"author x <x@y> 1 +0000\nauthor ", 1),
        lambda b: b.replace(b"tree ", b"tree " + b"0" * 40 + b"\ntree ", 1),
        lambda b: b.replace(b"committer ", b"gpgsig x\ngpgsig y\ncommitter ", 1),
        lambda b: b.split(b"\n\n", 1)[0],
        lambda b: b.replace(b"author", b"Author", 1),
        lambda b: b"\n" + b,
        lambda _: b"",
    ],
)
def test_doubled_or_misplaced_headers_are_refused(shop: Shop, change) -> None:
    """Parsers disagree about which of two headers counts; we take none."""
    import hashlib

    shop.commit("one", None)
    raw = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=shop.folder, env=shop.environment, check=True, capture_output=True
    ).stdout
    body = change(raw)
    object_id = hashlib.sha1(b"commit %d\0" % len(body) + body).hexdigest()
    with pytest.raises(Refused, match="malformed-commit"):
        parse_commit(object_id, body)


def test_an_object_whose_bytes_are_not_its_id_is_refused(shop: Shop) -> None:
    shop.commit("one", None)
    with GitRepository(shop.folder, shop.environment) as repository:
        body = repository.read(repository.head(), "commit")
    with pytest.raises(Refused, match="object-mismatch"):
        parse_commit("0" * 40, body)


def test_a_replacement_object_does_not_change_what_is_judged(shop: Shop) -> None:
    public = shop.key("dev")
    unsigned = shop.commit("unsigned", None)
    signed = shop.commit("signed", "dev")
    shop.git("replace", "-f", unsigned, signed)
    states = {c.id: c.state for c in shop.judge(trust_in(public))}
    assert states[unsigned] == CommitState.UNSIGNED


def test_a_hostile_git_configuration_runs_nothing(shop: Shop, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    shop.commit("one", None)
    (shop.folder / ".gitattributes").write_text("* filter=evil\n")
    (shop.folder / "file.txt").write_text("changed")
    for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "core.sshCommand", "core.pager"):
        shop.git("config", name, f"touch {trap}; cat")
    with GitRepository(shop.folder, shop.environment) as repository:
        assert repository.changed_paths() == (".gitattributes", "file.txt")
    assert not trap.exists()


def test_git_variables_of_the_environment_do_not_lead_elsewhere(shop: Shop, tmp_path: Path) -> None:
    head = shop.commit("one", None)
    hostile = {**shop.environment, "GIT_DIR": str(tmp_path / "elsewhere"), "GIT_OBJECT_DIRECTORY": "/nowhere"}
    with GitRepository(shop.folder, hostile) as repository:
        assert repository.head() == head


def test_a_shallow_clone_says_so_and_its_missing_parents_cannot_be_told(shop: Shop, tmp_path: Path) -> None:
    shop.commit("one", None)
    shop.commit("two", None)
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{shop.folder}", str(tmp_path / "clone")],
        env=shop.environment,
        check=True,
        capture_output=True,
    )
    with GitRepository(tmp_path / "clone", shop.environment) as repository:
        assert repository.is_shallow()
        with pytest.raises(Undecided, match="missing-object"):
            list(repository.history(repository.head()))


def test_the_tree_of_a_commit_is_its_objects_not_the_working_tree(shop: Shop) -> None:
    shop.commit("committed", None)
    (shop.folder / "file.txt").write_text("changed since")
    (shop.folder / "untracked").write_text("x")
    with GitRepository(shop.folder, shop.environment) as repository:
        commit = next(iter(repository.history(repository.head())))
        files = {e.path: e.read() for e in CommitTree(repository, commit.tree).entries()}
    assert files == {"file.txt": b"committed"}
