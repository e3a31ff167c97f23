"""Other people's signatures: sigstore's conformance cases, and documents and git objects with a committed expectation.

    for suite, case, passed, why in sigstore_cases(data): ...

``data`` is the folder of real data. Nothing here opens a socket.
"""

import base64
import hashlib
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

from safeconduct.capabilities.attestations.statements import match_subject, read_statement
from safeconduct.capabilities.signing import certificates, cms, public_keys, ssh_keys
from safeconduct.capabilities.signing.authorities import TrustedAuthority, TrustedIdentity
from safeconduct.capabilities.signing.bundle import MessageSignature, read_bundle
from safeconduct.capabilities.signing.documents import Judged, Question, judge_document
from safeconduct.capabilities.signing.dsse import decode_base64
from safeconduct.capabilities.signing.trust import Snapshot, TrustedKey, TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_artifact, verify_bundle
from safeconduct.capabilities.source.objects import parse_commit
from safeconduct.capabilities.source.tags import parse_tag
from safeconduct.evidence.commits import JudgedSignature, judge_signature
from safeconduct.foundation.errors import Refused, SafeconductError
from safeconduct.model.identity import Usage
from safeconduct.model.statement import PAYLOAD_TYPE
from safeconduct.model.verified import Verified

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ALWAYS = (datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
REPOSITORY = "elsewhere.example/thing"
EXPECT = Expectation(Usage.BUILD, REPOSITORY, PAYLOAD_TYPE)
PUBLIC_ROOT = "moby__buildkit/vendor/github.com/moby/policy-helpers/roots/tuf-root/targets/trusted_root.json"
ROOTS = (
    PUBLIC_ROOT,
    "sigstore__sigstore-rust/crates/sigstore-trust-root/src/trusted_root_github.json",
    "sigstore__sigstore-rust/crates/sigstore-trust-root/src/trusted_root_staging.json",
    "sigstore__sigstore-go/pkg/testing/data/trusted-roots/scaffolding.json",
)
BEACON = TrustedIdentity(
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
    "extremely-dangerous-oidc-beacon.yml@refs/heads/main",
    "https://token.actions.githubusercontent.com",
)
EXPECTED = Path(__file__).resolve().parents[1] / "tests" / "cases" / "signing"
REASONS: dict[str, str] = {
    "bundle-invalid-base64-signature_fail": "malformed-bundle",
    "bundle-malformed-json_fail": "malformed-json",
    "bundle-with-root-cert_fail": "root-in-bundle",
    "checkpoint-bad-keyhint_fail": "bad-checkpoint",
    "dsse-invalid-sig_fail": "bad-signature",
    "dsse-mismatch-envelope_fail": "wrong-log-entry",
    "incorrect-public-key_fail": "wrong-log-entry",
    "intoto-expired-certificate_fail": "authority-not-valid",
    "intoto-log-entry-mismatch_fail": "wrong-log-entry",
    "intoto-missing-inclusion-proof_fail": "malformed-bundle",
    "intoto-set-outside-signing-cert-validity_fail": "certificate-not-valid",
    "invalid-checkpoint-signature_fail": "bad-checkpoint",
    "invalid-ct-key_fail": "no-certificate-log",
    "invalid-inclusion-proof_fail": "bad-inclusion-proof",
    "managed-key-no-key_fail": "untrusted-key",
    "message-digest-mismatch_fail": "wrong-digest",
    "rekor2-checkpoint-missing-log-signature_fail": "malformed-checkpoint",
    "rekor2-checkpoint-missing-origin_fail": "malformed-checkpoint",
    "rekor2-dsse-mismatch-sig_fail": "wrong-log-entry",
    "rekor2-no-timestamp_fail": "no-trusted-time",
    "rekor2-timestamp-outside-tsa-cert-validity_fail": "bad-timestamp",
    "rekor2-timestamp-payload-mismatch_fail": "bad-timestamp",
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": "untrusted-timestamp",
    "rekor2-timestamp-with-incorrect-time_fail": "certificate-not-valid",
    "set-invalid-signature_fail": "bad-log-promise",
    "trust-root-tlog-missing-validity-start_fail": "malformed-trusted-root",
    "wrong-hashedrekord-cert-and-sig_fail": "wrong-log-entry",
}
"""The error that is the reason which each case's README gives."""


class Case(NamedTuple):
    """One case of a suite and how it went."""

    suite: str
    case: str
    passed: bool
    why: str = ""


def sigstore_cases(data: Path) -> Iterator[Case]:
    """Yield sigstore's client conformance cases: accepted, or refused for the reason that their README gives."""
    files = members(data, "sigstore-conformance")
    root = members(data, "signatures")[PUBLIC_ROOT].decode()
    folder = next(name.removesuffix("a.txt") for name in files if name.endswith("bundle-verify/a.txt"))
    artifact = files[folder + "a.txt"]
    names = {name.removeprefix(folder).split("/")[0] for name in files if name.endswith("/bundle.sigstore.json")}
    for name in sorted(names):
        own = {k.removeprefix(f"{folder}{name}/"): v for k, v in files.items() if k.startswith(f"{folder}{name}/")}
        wanted = REASONS.get(name, "accepted")
        try:
            verify_case({"trusted_root.json": root.encode(), "artifact": artifact, **own})
            got = "accepted"
        except SafeconductError as error:
            got = error.id
        yield Case("sigstore.conformance", name, got == wanted, f"{got}, wanted {wanted}")


def verify_case(own: dict[str, bytes], now: datetime = NOW) -> Verified:
    """Return what verification says of a case's files; an artifact is given once as bytes, once as digest."""
    identity = BEACON
    if "identity" in own or "issuer" in own:
        identity = TrustedIdentity(
            own.get("identity", BEACON.subject.encode()).decode().strip(),
            own.get("issuer", BEACON.issuer.encode()).decode().strip(),
        )
    trust = trust_in([own["trusted_root.json"].decode()], (identity,), own.get("key.pub"))
    for authority in trust.snapshot.authorities:
        authority.trusted_root  # noqa: B018 - as loading a snapshot does it
    data, artifact = own["bundle.sigstore.json"], own["artifact"]
    digest = "sha256:" + hashlib.sha256(artifact).hexdigest()
    if isinstance(read_bundle(data).content, MessageSignature):
        verify_artifact(data, digest, EXPECT, trust, now=now)
        return verify_artifact(data, artifact, EXPECT, trust, now=now)
    verified = verify_bundle(data, EXPECT, trust, now=now)
    match_subject(read_statement(verified.payload), digest)
    return verified


def trust_in(roots: list[str], identities: tuple[TrustedIdentity, ...], key: bytes | None = None) -> TrustStore:
    """Return a trust store with these roots and identities, and perhaps a managed key in PEM."""
    keys = ()
    if key is not None:
        public = base64.b64encode(public_keys.load_pem(key).der).decode()
        keys = (TrustedKey("key", public, (Usage.BUILD,), ("all",), *ALWAYS),)
    authorities = tuple(
        TrustedAuthority(f"root {n}", root, identities, (Usage.BUILD,), ("all",), *ALWAYS, legacy=True)
        for n, root in enumerate(roots)
    )
    return TrustStore(Snapshot(1, NOW, ALWAYS[1], {"all": (REPOSITORY,)}, keys, (), authorities))


def documents(data: Path) -> Iterator[Case]:
    """Yield every signature document with whether its verdicts are those that are committed."""
    expected = json.loads((EXPECTED / "documents.json").read_text("utf-8"))
    found = judge_documents(data)
    for name in sorted(expected.keys() | found.keys()):
        got = [row(judged) for judged in found.get(name, ())]
        yield Case("signatures.documents", name, got == expected.get(name), f"{got}, wanted {expected.get(name)}")


def row(judged: Judged) -> list[str]:
    """Return a verdict as it is committed: kind, answer, and the reason or the source of the proven time."""
    return [judged.kind, judged.verdict.value, judged.verified.time_source if judged.verified else judged.reason]


def judge_documents(data: Path, now: datetime = NOW) -> dict[str, tuple[Judged, ...]]:
    """Return the verdicts on all signature documents, by name; signed artifacts among them are left out."""
    files = members(data, "signatures")
    roots = [files[name].decode() for name in ROOTS]
    return {
        entry["name"]: judge(files[entry["name"]], entry.get("artifact_sha256"), roots, now)
        for entry in entries(data)
        if entry["name"] in files
    }


def judge(body: bytes, artifact: str | None, roots: list[str], now: datetime = NOW) -> tuple[Judged, ...]:
    """Return the verdicts on one document, its own signers being trusted: what is judged is the proof, not the name."""
    digest = artifact or _digest_in(body)
    question = Question(Usage.BUILD, REPOSITORY, now, f"sha256:{digest}" if digest else None)
    return judge_document(body, question, trust_in(roots, tuple(identities_in(body))))


def _digest_in(body: bytes) -> str | None:
    """Return the digest of which an artifact's signature speaks itself, where the artifact is not at hand."""
    try:
        content = read_bundle(body).content
    except Refused:
        return None
    return content.digest.hex() if isinstance(content, MessageSignature) else None


def subject_cases(data: Path) -> Iterator[Case]:
    """Yield statements whose artifact is known: about it, and about no other."""
    files = members(data, "signatures")
    roots = [files[name].decode() for name in ROOTS]
    for entry in entries(data):
        digest = entry.get("artifact_sha256")
        if not digest:
            continue
        for judged in judge(files[entry["name"]], digest, roots):
            try:
                statement = read_statement(judged.payload)
            except Refused:
                continue
            yield Case("signatures.subjects", entry["name"], _is_about(statement, digest), "its own artifact")
            yield Case("signatures.subjects", entry["name"], not _is_about(statement, "0" * 64), "another artifact")


def _is_about(statement: Any, digest: str) -> bool:
    try:
        match_subject(statement, f"sha256:{digest}")
    except Refused:
        return False
    return True


GIT_ANSWERS = {
    "ssh": ("verified", ""),
    "openpgp": ("unknown", "untrusted-key"),
    "openpgp-github": ("unknown", "untrusted-key"),
    "unsigned": ("unsigned", ""),
}
"""What is wanted of a git object by the kind of its signature; x509 depends on the proof of time that it carries."""


def git_cases(data: Path) -> Iterator[Case]:
    """Yield signed commits and tags of real projects: ssh keys and certificate identities trusted, no OpenPGP key."""
    trust = git_trust(data)
    for line in git_lines(data):
        judged = judge_git(line, trust)
        wanted = GIT_ANSWERS.get(line["signature"])
        if wanted is None:
            wanted = ("verified", "") if has_log_entry(line) else ("unknown", "no-trusted-time")
        got = (judged.state.value, judged.reason)
        yield Case(f"git.{line['signature']}", line["id"], got == wanted, f"{got}, wanted {wanted}: {judged.problem}")


def judge_git(line: dict[str, Any], trust: TrustStore, now: datetime = NOW) -> JudgedSignature:
    """Return the verdict on one git object."""
    signature, payload = split_git(line)
    return judge_signature(signature, payload, trust, repository=REPOSITORY, at=now)


def split_git(line: dict[str, Any]) -> tuple[str | None, bytes]:
    """Return the armored signature and the signed bytes of one git object, its id recomputed."""
    body = base64.b64decode(line["raw_base64"])
    read = parse_tag if line["object"] == "tag" else parse_commit
    found = read(line["id"], body)
    return found.signature, found.payload


def git_lines(data: Path) -> list[dict[str, Any]]:
    """Return the recorded git objects."""
    with (data / "attestations" / "signed-git-objects.jsonl.zst").open("rb") as file:
        return [json.loads(line) for line in zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()]


def git_trust(data: Path) -> TrustStore:
    """Return a trust store with the ssh keys and certificate identities of the recorded git objects."""
    keys: dict[str, TrustedKey] = {}
    identities = set()
    for line in git_lines(data):
        signature, payload = split_git(line)
        if line["signature"] == "ssh":
            key = ssh_keys.parse_signature(signature or "").key
            public = f"{key.kind} {base64.b64encode(key.blob).decode()}"
            keys[public] = TrustedKey(f"key {len(keys)}", public, (Usage.COMMIT,), ("all",), *ALWAYS)
        if line["signature"] == "x509":
            found = cms.parse_cms(signature or "", payload)
            identities |= {i for der in found.certificates for i in _identities_of(der)}
    root = members(data, "signatures")[PUBLIC_ROOT].decode()
    authority = TrustedAuthority("public", root, tuple(identities), (Usage.COMMIT,), ("all",), *ALWAYS)
    return TrustStore(Snapshot(1, NOW, ALWAYS[1], {"all": (REPOSITORY,)}, tuple(keys.values()), (), (authority,)))


def has_log_entry(line: dict[str, Any]) -> bool:
    """Return whether a git object's certificate signature brings its log entry along (gitsign's offline mode)."""
    signature, payload = split_git(line)
    return "1.3.6.1.4.1.57264.3.1" in cms.parse_cms(signature or "", payload).unsigned


def entries(data: Path) -> list[dict[str, Any]]:
    """Return the index of the signature documents, signed artifacts left out."""
    index = json.loads((data / "attestations" / "index.json").read_text("utf-8"))
    mine = [e for e in index if e["tar"] == "attestations/signatures.tar.zst"]
    return [e for e in mine if not e["type"].startswith("artifact")]


def members(data: Path, archive: str) -> dict[str, bytes]:
    """Return the files of one archive of attestations, by name."""
    with (data / "attestations" / f"{archive}.tar.zst").open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file)
        with tarfile.open(fileobj=stream, mode="r|") as opened:
            return {m.name: held.read() for m in opened if (held := opened.extractfile(m)) is not None}


def identities_in(body: bytes) -> Iterator[TrustedIdentity]:
    """Yield whoever the certificates in a document name."""
    for value in _values(body):
        try:
            yield from _identities_of(decode_base64(value))
        except ValueError:
            continue


def _identities_of(der: bytes) -> Iterator[TrustedIdentity]:
    try:
        signer = certificates.read_certificate(der)
    except Refused:
        return
    yield TrustedIdentity(signer.subject.replace("*", ""), signer.issuer)


def _values(body: bytes) -> Iterator[str]:
    for line in (body, *body.splitlines()):
        try:
            waiting = [json.loads(line)]
        except ValueError:
            continue
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                yield from (v for k, v in value.items() if k in {"rawBytes", "certificate"} and isinstance(v, str))
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
