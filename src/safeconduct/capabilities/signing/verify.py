"""Verification: the one entry point. Bytes in; the verified payload, or an error, out.

Nothing here touches network, disk or clock, and nothing that the evidence names is fetched.
"""

from datetime import datetime

import msgspec

from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.bundle import read_bundle
from safeconduct.capabilities.signing.dsse import encode_pae
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.foundation.errors import Refused
from safeconduct.model.identity import Identity, Usage
from safeconduct.model.verified import Verified


class Expectation(msgspec.Struct, frozen=True):
    """What the caller wants to see vouched for.

    Attributes:
        usage: what the signing key must be trusted for.
        repository: what the key's scope must cover.
        payload_type: what the envelope must hold.
    """

    usage: Usage
    repository: str
    payload_type: str


def verify_bundle(
    data: bytes, expect: Expectation, trust: TrustStore, *, now: datetime, first_seen: datetime | None = None
) -> Verified:
    """Return the payload that a trusted key signed.

    Steps: (1) strict parse and shape, (2) the hint names a key in the trust store, (3) usage, scope, revocation
    and validity at the effective time, (4) the signature over type and payload, (5) the payload type.

    Args:
        data: a sigstore bundle v0.3.
        now: the time to judge at; the effective time is ``first_seen`` where that is known.
        first_seen: when these very bytes were first recorded; a claim inside the document is never used here.

    Raises:
        Refused: an id for each step; the first that fails.
    """
    bundle = read_bundle(data)  # (1)
    found = trust.by_hint.get(bundle.hint)  # (2)
    if found is None:
        raise Refused(
            "untrusted-key",
            "the signing key is not in the trust store",
            why=f"key hint {bundle.hint[:60]!r} is unknown in trust version {trust.version}",
            next_step="have the operator add the key (safeconduct trust add), or sign with a trusted one",
        )
    trusted, key = found
    at = min(now, first_seen) if first_seen else now
    trust.check_key(trusted, key.fingerprint, usage=expect.usage, repository=expect.repository, at=at)  # (3)
    envelope = bundle.envelope
    message = encode_pae(envelope.payload_type, envelope.payload)
    public_keys.verify_signature(key.key, envelope.signatures[0].sig, message)  # (4)
    if envelope.payload_type != expect.payload_type:  # (5)
        raise Refused(
            "wrong-payload-type",
            f"the envelope holds {envelope.payload_type[:80]!r}, not {expect.payload_type!r}",
            why="a signature over one kind of document must not count for another",
            next_step="sign a document of the kind that is wanted",
        )
    return Verified(
        payload=envelope.payload,
        payload_type=envelope.payload_type,
        signer=Identity("key", trusted.principals[0] if trusted.principals else trusted.name, key.fingerprint),
        trust_version=trust.version,
        checks=("strict-json", "shape", "trusted-key", "usage", "scope", "validity", "signature", "payload-type"),
        skipped=("timestamp", "transparency-log"),
        signed_at=first_seen,
        time_source="first-seen" if first_seen else "none",
    )
