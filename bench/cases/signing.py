"""Signing: bundles verified in process, and 1,000 commits that ssh-keygen's form of signature is on."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from figures import Figure
from measure import cpu_of, cpu_of_many, peak_memory
from safeconduct.capabilities.attestations.statements import write_statement
from safeconduct.capabilities.signing.key_store import FileSigner
from safeconduct.capabilities.signing.sign import sign_payload
from safeconduct.capabilities.signing.trust import Snapshot, TrustedKey, TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_bundle
from safeconduct.capabilities.source.objects import parse_commit
from safeconduct.evidence.commits import judge_commits
from safeconduct.evidence.images import judge_bundles
from safeconduct.model.commit import CommitState
from safeconduct.model.digest import sha256
from safeconduct.model.identity import Usage
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate

COMMITS = 1_000
SBOM_BYTES = 280_000
REPOSITORY = "shop.example/shop/checkout"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
EXPECT = Expectation(Usage.BUILD, REPOSITORY, PAYLOAD_TYPE)


def figures() -> list[Figure]:
    signer = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    trust = _trust(TrustedKey("builder", base64.b64encode(signer.public.der).decode(), (Usage.BUILD,), *_SCOPE))
    image = sha256(b"image")
    small = sign_payload(write_statement({"image": image}, Predicate.SIGNATURE, {}), PAYLOAD_TYPE, signer)
    parts = [{"purl": f"pkg:npm/p{n}@1.0.{n}", "bom-ref": str(n), "name": f"p{n}"} for n in range(SBOM_BYTES // 65)]
    large = sign_payload(
        write_statement({"image": image}, Predicate.CYCLONEDX, {"components": parts}), PAYLOAD_TYPE, signer
    )
    one = cpu_of_many(lambda: verify_bundle(small, EXPECT, trust, now=NOW), 500)
    big = cpu_of_many(lambda: verify_bundle(large, EXPECT, trust, now=NOW), 50)
    judged = cpu_of_many(lambda: judge_bundles(image, [large], trust, repository=REPOSITORY, now=NOW), 20)
    if not judge_bundles(image, [large], trust, repository=REPOSITORY, now=NOW).claims:
        raise RuntimeError("the large bundle does not verify")
    return [
        Figure(
            "signing.bundle.cpu", one.median * 1e6, "µs", "<= 100 (@sigstore/verify 188)",
            f"a bundle of {len(small)} bytes; {one.text('µs')}",
        ),
        Figure(
            "signing.sbom-bundle.cpu", big.median * 1e6, "µs", "<= 1000 (@sigstore/verify 1360)",
            f"a bundle of {len(large):,} bytes; {big.text('µs')}",
        ),
        Figure(
            "signing.evidence.cpu", judged.median * 1e6, "µs", "",
            f"the same, its statement read and its subject matched; {judged.text('µs')}",
        ),
        *_commits(),
        Figure("signing.memory", peak_memory(), "MiB", "", "peak of the process"),
    ]  # fmt: skip


_SCOPE = (("shop",), NOW - timedelta(days=1), NOW + timedelta(days=1), ("dev@shop.example",))


def _trust(key: TrustedKey) -> TrustStore:
    return TrustStore(Snapshot(1, NOW, NOW + timedelta(days=30), {"shop": (REPOSITORY,)}, (key,)))


def _commits() -> list[Figure]:
    key = ed25519.Ed25519PrivateKey.generate()
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    trust = _trust(TrustedKey("dev", line, (Usage.COMMIT,), *_SCOPE))
    raw = [_commit(number, key, base64.b64decode(line.split()[1])) for number in range(COMMITS)]

    def judge() -> list[CommitState]:
        commits = [parse_commit(object_id, body) for object_id, body in raw]
        return [c.state for c in judge_commits(commits, trust, repository=REPOSITORY, now=NOW)]

    if set(judge()) != {CommitState.VERIFIED}:
        raise RuntimeError("a commit does not verify")
    spread = cpu_of(judge)
    context = f"{COMMITS:,} commits parsed, their ids recomputed, judged; {spread.text()}"
    return [Figure("signing.commits.cpu", spread.median * 1e3, "ms", "<= 250 (git 7390, gittuf 10800)", context)]


def _commit(number: int, key: ed25519.Ed25519PrivateKey, blob: bytes) -> tuple[str, bytes]:
    """Return id and bytes of a commit signed as ssh-keygen -Y sign -n git does it."""
    head = b"tree " + b"0" * 40 + b"\nauthor Dev <dev@shop.example> 1 +0000\ncommitter Dev <dev@shop.example> 1 +0000"
    message = f"commit number {number}\n".encode()
    hashed = hashlib.sha512(head + b"\n\n" + message).digest()
    signed = b"SSHSIG" + b"".join(_string(part) for part in (b"git", b"", b"sha512", hashed))
    signature = _string(b"ssh-ed25519") + _string(key.sign(signed))
    parts = (blob, b"git", b"", b"sha512", signature)
    armoured = base64.encodebytes(b"SSHSIG\0\0\0\1" + b"".join(_string(part) for part in parts)).decode().strip()
    text = f"-----BEGIN SSH SIGNATURE-----\n{armoured}\n-----END SSH SIGNATURE-----"
    body = head + b"\ngpgsig " + text.replace("\n", "\n ").encode() + b"\n\n" + message
    return hashlib.sha1(b"commit %d\0" % len(body) + body).hexdigest(), body


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value
