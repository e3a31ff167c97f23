"""Any signature document that somebody hands us: told apart, and verified where its form says how.

Three answers for each: verified; refused, because something in it is wrong; could not tell, because nothing is proven
false and nothing proven either (no signature, an unknown key, no trusted time, a form that we cannot read).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from cryptography import x509

from safeconduct.capabilities.signing import certificates, public_keys
from safeconduct.capabilities.signing.bundle import Bundle, MessageSignature, read_value
from safeconduct.capabilities.signing.dsse import encode_pae, parse_envelope
from safeconduct.capabilities.signing.notation import check_jws
from safeconduct.capabilities.signing.registry_attestations import read_list, read_publish_attestation
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_read, verify_read_artifact
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.digest import Digest
from safeconduct.model.identity import Usage
from safeconduct.model.limits import LIMITS
from safeconduct.model.verified import Verified

UNPROVEN = frozenset(
    {
        "untrusted-key",
        "untrusted-certificate",
        "artifact-wanted",
        "unsigned",
        "unsupported-document",
        "no-trusted-time",
        "plugin-wanted",
    }
)
"""Errors after which nothing is proven false."""
_SIGNED_FORMS = {"signed": "metadata"}
_UNSIGNED_FORMS = {
    "_type": "statement",
    "critical": "cosign-payload",
    "certificateAuthorities": "trusted-root",
    "timestampAuthorities": "trusted-root",
}


class Verdict(StrEnum):
    """The three answers."""

    VERIFIED = "verified"
    REFUSED = "refused"
    UNKNOWN = "could not tell"


class Judged(msgspec.Struct, frozen=True):
    """One signature of a document.

    Attributes:
        kind: ``bundle``, ``publish-attestation``, ``envelope``, ``notation``, ``metadata`` (TUF, in-toto),
            ``statement``, ``cosign-payload``, ``trusted-root`` or ``unknown``.
        reason: id of the error; empty where verified.
        payload: of an envelope, for showing; verified only where the verdict says so.
    """

    kind: str
    verdict: Verdict
    reason: str = ""
    problem: str = ""
    verified: Verified | None = None
    payload: bytes = b""


class Question(msgspec.Struct, frozen=True):
    """Under what a document is judged; ``artifact`` is wanted where an artifact itself was signed."""

    usage: Usage
    repository: str
    now: datetime
    artifact: bytes | Digest | None = None


def judge_document(data: bytes, question: Question, trust: TrustStore) -> tuple[Judged, ...]:
    """Return a verdict for each signature in a document, in its order; never none, and never an error.

    A document of several lines is one document for each line.
    """
    try:
        return _judge_value(parse_strict(data, max_bytes=LIMITS.bundle), question, trust)
    except Refused as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if error.id == "malformed-json" and 1 < len(lines) <= LIMITS.referrers and data.startswith(b"{"):
            parsed = [_parsed(line) for line in lines]
            if not all(isinstance(p, Refused) for p in parsed):
                return tuple(
                    j
                    for p in parsed
                    for j in ((_told("unknown", p),) if isinstance(p, Refused) else _judge_value(p, question, trust))
                )
        return (_told("unknown", error),)


def _parsed(line: bytes) -> Any:
    try:
        return parse_strict(line, max_bytes=LIMITS.bundle)
    except Refused as error:
        return error


def _judge_value(value: Any, question: Question, trust: TrustStore) -> tuple[Judged, ...]:
    fields = value if isinstance(value, dict) else {}
    kind = "unknown"
    try:
        if "attestations" in fields:
            kind = "bundle"
            return tuple(_judge_bundle(b, kind, question, trust) for b in read_list(value))
        if "verification_material" in fields:
            kind = "publish-attestation"
            return (_judge_bundle(read_publish_attestation(value), kind, question, trust),)
        if "verificationMaterial" in fields or "dsseEnvelope" in fields:
            kind = "bundle"
            return (_judge_bundle(read_value(value), kind, question, trust),)
        if "payloadType" in fields:
            kind = "envelope"
            return (_judge_envelope(fields, trust),)
        if "protected" in fields:
            kind = "notation"
            return (_told(kind, check_jws(fields)),)
        kind = next((k for f, k in (_SIGNED_FORMS | _UNSIGNED_FORMS).items() if f in fields), kind)
        if kind in _UNSIGNED_FORMS.values():
            raise Refused("unsigned", f"a {kind} carries no signature and proves nothing by itself")
        raise Refused("unsupported-document", f"a document of kind {kind} cannot be verified here")
    except Refused as error:
        return (_told(kind, error),)


def _judge_bundle(bundle: Bundle, kind: str, question: Question, trust: TrustStore) -> Judged:
    try:
        if not isinstance(bundle.content, MessageSignature):
            expect = Expectation(question.usage, question.repository, bundle.content.payload_type)
            verified = verify_read(bundle, expect, trust, now=question.now)
        elif question.artifact is None:
            raise Refused("artifact-wanted", "the signature is over an artifact, which was not given")
        else:
            expect = Expectation(question.usage, question.repository, "")
            verified = verify_read_artifact(bundle, question.artifact, expect, trust, now=question.now)
    except Refused as error:
        return _told(kind, error)
    return Judged(kind, Verdict.VERIFIED, verified=verified, payload=verified.payload)


def _judge_envelope(value: dict[str, Any], trust: TrustStore) -> Judged:
    """Return could not tell, or refused: an envelope alone has no proof of its time, at most a good signature."""
    envelope = parse_envelope(value)
    message = encode_pae(envelope.payload_type, envelope.payload)
    problem = Refused("untrusted-key", "no key or certificate of the trust store signed the envelope")
    for given, signature in zip(value["signatures"], envelope.signatures, strict=True):
        pem = given.get("cert")
        if isinstance(pem, str) and pem:
            signer = certificates.read_certificate(_der(pem))
            public_keys.verify_signature(signer.key.key, signature.sig, message)
            problem = _certified(signer, trust)
        elif signature.keyid in trust.by_hint:
            public_keys.verify_signature(trust.by_hint[signature.keyid][1].key, signature.sig, message)
            problem = Refused("no-trusted-time", "the signature is good, and nothing says when it was made")
    return msgspec.structs.replace(_told("envelope", problem), payload=envelope.payload)


def _certified(signer: certificates.SignerCertificate, trust: TrustStore) -> Refused:
    problem = Refused("untrusted-certificate", "no authority of the trust store issued the signer's certificate")
    for authority in trust.snapshot.authorities:
        try:
            certificates.verify_chains(signer, (), authority.trusted_root)
        except Refused as error:
            problem = error
            continue
        return Refused("no-trusted-time", "the signature is good, and no log or authority says when it was made")
    return problem


def _der(pem: str) -> bytes:
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode())
    except certificates.UNREADABLE as error:
        raise Refused("malformed-certificate", "the signer's certificate cannot be read", why=str(error)) from error
    return certificate.public_bytes(certificates.DER)


def _told(kind: str, error: Refused) -> Judged:
    verdict = Verdict.UNKNOWN if error.id in UNPROVEN else Verdict.REFUSED
    return Judged(kind, verdict, error.id, f"{error.what}: {error.why}" if error.why else error.what)
