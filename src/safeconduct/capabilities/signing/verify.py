"""Verification: the one entry point. Bytes in; the verified payload, or an error, out.

Nothing here touches network, disk or clock, and nothing that the evidence names is fetched.
"""

import hashlib
from datetime import datetime

import msgspec

from safeconduct.capabilities.signing.bundle import Bundle, MessageSignature, read_bundle
from safeconduct.capabilities.signing.certificates import UNREADABLE
from safeconduct.capabilities.signing.dsse import Envelope, encode_pae
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.verify_certificate import verify_certified
from safeconduct.capabilities.signing.verify_log import Proven, Signed, prove_time
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest
from safeconduct.model.identity import Identity, Usage
from safeconduct.model.verified import Verified

ARTIFACT_TYPE = "application/vnd.safeconduct.artifact-digest"
"""Payload type of a verified artifact signature, whose payload is the artifact's digest."""


class Expectation(msgspec.Struct, frozen=True):
    """What the caller wants to see vouched for.

    Attributes:
        usage: what the signing key must be trusted for.
        repository: what the key's scope must cover.
        payload_type: what the envelope must hold; of no meaning for an artifact's signature.
    """

    usage: Usage
    repository: str
    payload_type: str


def verify_bundle(
    data: bytes, expect: Expectation, trust: TrustStore, *, now: datetime, first_seen: datetime | None = None
) -> Verified:
    """Return the payload that a trusted key or identity signed.

    Args:
        data: a sigstore bundle 0.1 to 0.3 with a statement in a DSSE envelope.
        now: the time to judge at.
        first_seen: when these very bytes were first recorded; a claim inside the document is never used here.

    Raises:
        Refused: an id for each step; the first that fails.
    """
    return verify_read(read_bundle(data), expect, trust, now=now, first_seen=first_seen)


def verify_read(
    bundle: Bundle, expect: Expectation, trust: TrustStore, *, now: datetime, first_seen: datetime | None = None
) -> Verified:
    """Return what ``verify_bundle`` does, of a bundle that was read already: (1) strict parse and shape are done.

    Steps: (2) the signer is trusted, by key or by certificate, (3) the signature over type and payload, (4) the payload
    type. Each way of (2) numbers its own steps: ``_verify_keyed``, ``verify_certified``.
    """
    envelope = bundle.envelope
    signed = Signed(bundle, encode_pae(envelope.payload_type, envelope.payload), "", envelope)
    verified = _verify(signed, expect, trust, now, first_seen)
    if envelope.payload_type != expect.payload_type:  # (4)
        raise Refused(
            "wrong-payload-type",
            f"the envelope holds {envelope.payload_type[:80]!r}, not {expect.payload_type!r}",
            why="a signature over one kind of document must not count for another",
            next_step="sign a document of the kind that is wanted",
        )
    return msgspec.structs.replace(
        verified,
        payload=envelope.payload,
        payload_type=envelope.payload_type,
        checks=(*verified.checks, "payload-type"),
    )


def verify_artifact(
    data: bytes,
    artifact: bytes | Digest,
    expect: Expectation,
    trust: TrustStore,
    *,
    now: datetime,
    first_seen: datetime | None = None,
) -> Verified:
    """Return the digest of an artifact whose very bytes a trusted key or identity signed.

    Args:
        data: a sigstore bundle with a signature over the artifact, not over a statement.
        artifact: its bytes, or its sha256 digest, which does for ECDSA with SHA-256 and for RSA.

    Raises:
        Refused: as ``verify_bundle``; ``wrong-digest`` when the bundle's hint is another artifact's,
            ``artifact-wanted`` when the signer's algorithm needs the bytes themselves.
    """
    return verify_read_artifact(read_bundle(data), artifact, expect, trust, now=now, first_seen=first_seen)


def verify_read_artifact(
    bundle: Bundle,
    artifact: bytes | Digest,
    expect: Expectation,
    trust: TrustStore,
    *,
    now: datetime,
    first_seen: datetime | None = None,
) -> Verified:
    """Return what ``verify_artifact`` does, of a bundle that was read already."""
    content = bundle.content
    if isinstance(content, Envelope):
        raise Refused(
            "unsupported-bundle",
            "the bundle signs a statement, not an artifact",
            why="a statement's subjects are matched instead",
            next_step="verify it as an attestation of the artifact's digest",
        )
    digest = artifact if isinstance(artifact, str) else "sha256:" + hashlib.sha256(artifact).hexdigest()
    _check_hint(content, digest)
    signed = Signed(bundle, None if isinstance(artifact, str) else artifact, digest.removeprefix("sha256:"), None)
    verified = _verify(signed, expect, trust, now, first_seen)
    return msgspec.structs.replace(verified, payload=digest.encode(), payload_type=ARTIFACT_TYPE)


def _verify(
    signed: Signed, expect: Expectation, trust: TrustStore, now: datetime, first_seen: datetime | None
) -> Verified:
    try:
        if signed.bundle.certificates:
            return verify_certified(signed, expect.usage, expect.repository, trust, now)
        return _verify_keyed(signed, expect, trust, now, first_seen)
    except UNREADABLE as error:  # whatever the parts' own readers let through: an exception is never a yes
        raise Refused(
            "unsupported-key", "a key, certificate or signature is of a kind that is not accepted", why=str(error)[:200]
        ) from error


def _verify_keyed(
    signed: Signed, expect: Expectation, trust: TrustStore, now: datetime, first_seen: datetime | None
) -> Verified:
    """Return the proof of a signature by a managed key; payload fields are left to the caller.

    Steps: (1) the hint names a key in the trust store, (2) the signature, (3) log entries and timestamps of authorities
    in scope, (4) usage, scope, revocation and validity at the effective time: the earliest of proven and first seen.
    """
    bundle = signed.bundle
    authorities = trust.authorities_for(expect.repository)
    if bundle.version == "0.1" and not any(a.legacy for a in authorities):
        raise Refused(
            "outdated-bundle",
            "bundles of version 0.1 are not accepted here",
            why="their log entries may lack proofs that later versions carry",
            next_step="have its producer write a newer bundle, or the operator accept old ones of an authority",
        )
    found = trust.by_hint.get(bundle.hint)  # (1)
    if found is None:
        raise Refused(
            "untrusted-key",
            "the signing key is not in the trust store",
            why=f"key hint {bundle.hint[:60]!r} is unknown in trust version {trust.version}",
            next_step="have the operator add the key (safeconduct trust add), or sign with a trusted one",
        )
    trusted, key = found
    signed.verify_signature(key.key)  # (2)
    proven = Proven()
    if bundle.entries or bundle.timestamps:
        roots = [a.trusted_root for a in authorities]
        proven = prove_time(signed, key.der, roots, now)  # (3)
    times = [(now, "none"), *proven.times, *([(first_seen, "first-seen")] if first_seen else [])]
    at, source = min(times)
    trust.check_key(trusted, key.fingerprint, usage=expect.usage, repository=expect.repository, at=at)  # (4)
    return Verified(
        payload=b"",
        payload_type="",
        signer=Identity("key", trusted.principals[0] if trusted.principals else trusted.name, key.fingerprint),
        trust_version=trust.version,
        checks=("strict-json", "shape", "trusted-key", "signature", *proven.checks, "usage", "scope", "validity"),
        skipped=proven.skipped,
        signed_at=None if source == "none" else at,
        time_source=source,
    )


def _check_hint(content: MessageSignature, digest: str) -> None:
    if content.digest and content.digest_algorithm == "SHA2_256" and "sha256:" + content.digest.hex() != digest:
        raise Refused(
            "wrong-digest",
            "the bundle is about another artifact",
            why=f"it names sha256:{content.digest.hex()[:12]}…, the artifact is {digest[:19]}…",
            next_step="verify the artifact with the bundle that was made for it",
        )
