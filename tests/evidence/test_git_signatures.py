"""Signed commits and tags of real projects, and OpenPGP by the real gpg."""

import base64
import os
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safeconduct.capabilities.signing import ssh_keys
from safeconduct.capabilities.signing.trust import Snapshot, TrustedKey, TrustStore
from safeconduct.capabilities.source.objects import parse_commit
from safeconduct.capabilities.source.tags import check_tag, parse_tag
from safeconduct.evidence.commits import judge_commit, judge_signature
from safeconduct.foundation.errors import Refused
from safeconduct.model.commit import CommitState
from safeconduct.model.identity import Usage

BENCH = Path(__file__).resolve().parents[2] / "bench"
NOW = datetime.now(UTC)
REPOSITORY = "shop.example/shop/checkout"


@pytest.fixture(scope="module")
def suites():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        import suites_signing

        yield suites_signing


def test_328_git_objects_are_told_apart(suites, shared_data) -> None:
    cases = list(suites.git_cases(shared_data))
    assert [case for case in cases if not case.passed] == []
    trust = suites.git_trust(shared_data)
    found = Counter(
        (j.state.value, j.reason) for j in (suites.judge_git(x, trust) for x in suites.git_lines(shared_data))
    )
    assert found == {
        ("verified", ""): 83 + 17,
        ("unknown", "no-trusted-time"): 16,
        ("unknown", "untrusted-key"): 164,
        ("unsigned", ""): 48,
    }


def test_a_signature_over_other_bytes_or_for_another_use_is_invalid(suites, shared_data) -> None:
    """Each verified signature is moved to another object, and looked at under another namespace."""
    trust = suites.git_trust(shared_data)
    count = 0
    for line in suites.git_lines(shared_data):
        signature, payload = suites.split_git(line)
        if suites.judge_git(line, trust).state is not CommitState.VERIFIED:
            continue
        moved = judge_signature(signature, payload + b"x", trust, repository=suites.REPOSITORY, at=suites.NOW)
        assert (moved.state, moved.reason) == (CommitState.INVALID, "bad-signature")
        if line["signature"] == "ssh":
            with pytest.raises(Refused, match="wrong-namespace"):
                ssh_keys.verify(ssh_keys.parse_signature(signature), payload, namespace="file")
        count += 1
    assert count == 100


def test_a_bit_flipped_in_a_signed_message_or_its_log_entry_is_never_verified(suites, shared_data) -> None:
    """Attacks 13, 52 and 55: whatever the change, the answer is an answer, and never yes."""
    trust = suites.git_trust(shared_data)
    line = next(x for x in suites.git_lines(shared_data) if x["signature"] == "x509" and suites.has_log_entry(x))
    signature, payload = suites.split_git(line)
    begin, *body, end = signature.strip().split("\n")
    whole = base64.b64decode("".join(body))
    passed = []
    for place in range(0, len(whole), 5):
        changed = bytearray(whole)
        changed[place] ^= 4
        armored = "\n".join([begin, base64.b64encode(changed).decode(), end])
        judged = judge_signature(armored, payload, trust, repository=suites.REPOSITORY, at=suites.NOW)
        if judged.state is CommitState.VERIFIED:
            passed.append(place)
    # What is left is unsigned and says nothing: the issuer's name beside the serial number, and the like.
    assert all(judge_unsigned(whole, place) for place in passed), passed


def judge_unsigned(whole: bytes, place: int) -> bool:
    from safeconduct.capabilities.signing.cms import _parse

    changed = bytearray(whole)
    changed[place] ^= 4
    before, after = _parse(whole)[0], _parse(bytes(changed))[0]
    return (before.signed, before.signature, before.certificates) == (after.signed, after.signature, after.certificates)


@pytest.mark.parametrize("text", ["", "!!!!", "AAAA", "MIIB", "MAA="])
def test_attack_52_an_empty_signed_message_is_invalid(text: str) -> None:
    armored = f"-----BEGIN SIGNED MESSAGE-----\n{text}\n-----END SIGNED MESSAGE-----\n"
    judged = judge_signature(armored, b"x", None, repository=REPOSITORY, at=NOW)
    assert (judged.state, judged.reason) == (CommitState.INVALID, "malformed-signature")


class Gpg:
    """A real gpg with a home of its own, and a repository."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "shop", folder / "gnupg"
        self.folder.mkdir()
        self.home.mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GNUPGHOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.run("git", "init", "-q", "-b", "main")
        for name, value in {"user.name": "Dev", "user.email": "dev@shop.example"}.items():
            self.run("git", "config", name, value)

    def run(self, *words: str, **more: str) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env={**self.environment, **more}, check=True, capture_output=True, text=True
        )
        return done.stdout

    def key(self, mail: str, expires: str = "0") -> str:
        self.run(
            "gpg", "--batch", "--passphrase", "", "--quick-generate-key", f"Dev <{mail}>", "ed25519", "sign", expires
        )
        return self.run("gpg", "--armor", "--export", mail)

    def commit(self, mail: str, **more: str):
        self.run("git", "commit", "--allow-empty", "-q", "-m", "text", f"--gpg-sign={mail}", **more)
        commit = self.run("git", "rev-parse", "HEAD").strip()
        body = subprocess.run(
            ["git", "cat-file", "commit", commit],
            cwd=self.folder,
            env=self.environment,
            check=True,
            capture_output=True,
        )
        return parse_commit(commit, body.stdout)

    def stop(self) -> None:
        subprocess.run(["gpgconf", "--kill", "all"], env=self.environment, check=False, capture_output=True)


@pytest.fixture
def gpg(tmp_path: Path):
    if not (shutil.which("gpg") and shutil.which("gpgconf")):
        pytest.skip("gpg is not here: apt-get install gnupg")
    pytest.importorskip("pysequoia", reason="the extra 'pgp' is not installed")
    made = Gpg(tmp_path)
    yield made
    made.stop()


def trust_in(*keys: str, **changes: object) -> TrustStore:
    window = (NOW - timedelta(days=1), NOW + timedelta(days=1))
    trusted = tuple(
        TrustedKey(f"dev {n}", key, (Usage.COMMIT,), ("shop",), *window, ("dev@shop.example",), **changes)
        for n, key in enumerate(keys)
    )
    return TrustStore(Snapshot(1, NOW, NOW + timedelta(days=1), {"shop": (REPOSITORY,)}, trusted))


def test_a_commit_signed_by_gpg_verifies_under_its_own_key_only(gpg: Gpg) -> None:
    own, other = gpg.key("dev@shop.example"), gpg.key("other@shop.example")
    commit = gpg.commit("dev@shop.example")
    judged = judge_commit(commit, trust_in(other, own), repository=REPOSITORY, at=NOW)
    assert (judged.state, judged.signer.kind, judged.signer.subject) == ("verified", "openpgp", "dev@shop.example")
    assert judge_commit(commit, trust_in(other), repository=REPOSITORY, at=NOW).reason == "untrusted-key"
    assert judge_commit(commit, trust_in(), repository=REPOSITORY, at=NOW).state is CommitState.UNKNOWN
    moved = judge_signature(commit.signature, commit.payload + b"x", trust_in(own), repository=REPOSITORY, at=NOW)
    assert (moved.state, moved.reason) == (CommitState.INVALID, "bad-signature")
    elsewhere = judge_commit(commit, trust_in(own), repository="evil.example/x", at=NOW)
    assert (elsewhere.state, elsewhere.reason) == (CommitState.UNTRUSTED, "wrong-scope")


def test_attack_54_an_expired_openpgp_key_is_not_revived_by_a_back_dated_commit(gpg: Gpg) -> None:
    """The key lived for a day, long ago; the commit and its signature say that they were made then."""
    old = NOW - timedelta(days=300)
    then = f"--faked-system-time={int(old.timestamp())}!"
    gpg.run(
        "gpg",
        "--batch",
        "--passphrase",
        "",
        then,
        "--quick-generate-key",
        "Dev <dev@shop.example>",
        "ed25519",
        "sign",
        "1d",
    )
    own = gpg.run("gpg", "--armor", "--export", "dev@shop.example")
    program = gpg.folder / "gpg-then"
    program.write_text(f'#!/bin/sh\nexec gpg {then} "$@"\n')
    program.chmod(0o755)
    gpg.run("git", "config", "gpg.program", str(program))
    stamp = f"{int(old.timestamp())} +0000"
    commit = gpg.commit("dev@shop.example", GIT_COMMITTER_DATE=stamp, GIT_AUTHOR_DATE=stamp)
    judged = judge_commit(commit, trust_in(own), repository=REPOSITORY, at=NOW)
    assert (judged.state, judged.reason) == (CommitState.UNTRUSTED, "key-not-valid")


def test_openpgp_without_its_extra_cannot_tell(gpg: Gpg, monkeypatch: pytest.MonkeyPatch) -> None:
    own = gpg.key("dev@shop.example")
    commit = gpg.commit("dev@shop.example")
    monkeypatch.setitem(__import__("sys").modules, "pysequoia", None)
    judged = judge_commit(commit, trust_in(own), repository=REPOSITORY, at=NOW)
    assert (judged.state, judged.reason) == (CommitState.UNKNOWN, "pgp-missing")


def tag_of(body: bytes):
    import hashlib

    return parse_tag(hashlib.sha1(b"tag %d\0" % len(body) + body).hexdigest(), body)


TAG = b"object " + b"0" * 40 + b"\ntype commit\ntag v1\ntagger Dev <dev@shop.example> 1 +0000\n\ntext\n"


@pytest.mark.parametrize(
    "body",
    [
        TAG.replace(b"type commit", b"type commit\ntype tree"),
        TAG.replace(b"tag v1\n", b"tag v1\ntag v2\n"),
        TAG.replace(b"tag v1\n", b""),
        TAG.replace(b"type commit", b"type nothing"),
        TAG.replace(b"<dev@shop.example>", b"dev"),
        TAG.replace(b"\n\n", b"\n"),
        b"",
        b"\n\n",
    ],
)
def test_attack_51_a_tag_that_two_readers_would_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="malformed-tag"):
        tag_of(body)


def test_attack_58_a_good_tag_under_another_name_or_on_another_kind_is_refused() -> None:
    tag = tag_of(TAG)
    check_tag(tag, "v1")
    for wanted in (("v2", "commit"), ("v1", "tree")):
        with pytest.raises(Refused, match="wrong-tag"):
            check_tag(tag, *wanted)
