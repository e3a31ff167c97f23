"""Commits signed by a certificate's holder, with the log entry that gitsign puts beside the signature.

gitsign leaves out the entry's body, because it follows from the signature: it is made again here, so that an entry can
only ever be about this very signature (the class of CVE-2024-51746 cannot occur).

Source: gitsign docs, bundle-cms.md; sigstore protobuf-specs, rekor v1 TransparencyLogEntry; protobuf encoding.
"""

import base64
import hashlib
import json
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from safeconduct.capabilities.signing.bundle import Bundle, InclusionProof, LogEntry, MessageSignature
from safeconduct.capabilities.signing.certificates import UNREADABLE
from safeconduct.capabilities.signing.cms import CmsSignature, parse_cms
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.verify_certificate import verify_certified
from safeconduct.capabilities.signing.verify_log import Signed
from safeconduct.foundation.errors import Refused
from safeconduct.model.identity import Usage
from safeconduct.model.limits import LIMITS
from safeconduct.model.verified import Verified

_LOG_ENTRY = "1.3.6.1.4.1.57264.3.1"
_VARINT, _BYTES = 0, 2
_MOST_FIELDS = 256
_MOST_SHIFT = 63
Fields = dict[int, list[bytes | int]]


def verify_signed_message(
    armored: str, payload: bytes, trust: TrustStore, *, usage: Usage, repository: str, now: datetime
) -> Verified:
    """Return the proof that a trusted identity signed ``payload``, as ``verify_certified`` does.

    Raises:
        Refused: ``malformed-signature``, ``bad-signature``, or an id of ``verify_certified``; ``no-log-entry`` means:
            the signature is good, and nothing proves when it was made.
    """
    signature = parse_cms(armored, payload)
    certificates = _signer_first(signature)
    entry = signature.unsigned.get(_LOG_ENTRY)
    bundle = Bundle(
        MessageSignature(signature.signature),
        certificates=certificates,
        entries=(_entry(entry, signature, certificates[0]),) if entry is not None else (),
    )
    return verify_certified(Signed(bundle, signature.signed, "", None), usage, repository, trust, now)


def _signer_first(signature: CmsSignature) -> tuple[bytes, ...]:
    try:
        serials = [x509.load_der_x509_certificate(der).serial_number for der in signature.certificates]
    except UNREADABLE as error:
        raise _malformed(str(error)) from error
    if serials.count(signature.serial) != 1:
        raise _malformed("its certificates do not hold the signer's once")
    place = serials.index(signature.serial)
    others = [der for number, der in enumerate(signature.certificates) if number != place]
    return (signature.certificates[place], *others)


def _entry(data: bytes, signature: CmsSignature, certificate: bytes) -> LogEntry:
    """Return the entry with its body, which gitsign leaves out, made again."""
    try:
        fields = _fields(data)
        kind = _fields(_bytes(fields, 3))
        promise, proof = _bytes(fields, 5), _bytes(fields, 6)
        return LogEntry(
            log_id=_bytes(_fields(_bytes(fields, 2)), 1),
            index=_number(fields, 1),
            kind=_bytes(kind, 1).decode(),
            version=_bytes(kind, 2).decode(),
            integrated_time=_number(fields, 4),
            promise=_bytes(_fields(promise), 1),
            proof=_proof(_fields(proof)) if proof else None,
            body=_bytes(fields, 7) or _body(signature, certificate),
        )
    except (ValueError, TypeError, IndexError) as error:
        raise _malformed(f"its log entry: {error}") from error


def _proof(fields: Fields) -> InclusionProof:
    hashes = fields.get(4, [])
    if len(hashes) > LIMITS.json_depth or not all(isinstance(h, bytes) for h in hashes):
        raise ValueError("its hashes are none, or too many")
    return InclusionProof(
        _number(fields, 1),
        _bytes(fields, 2),
        _number(fields, 3),
        tuple(h for h in hashes if isinstance(h, bytes)),
        _bytes(_fields(_bytes(fields, 5)), 1).decode(),
    )


def _body(signature: CmsSignature, certificate: bytes) -> bytes:
    pem = x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)
    value = {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": hashlib.sha256(signature.signed).hexdigest()}},
            "signature": {
                "content": base64.b64encode(signature.signature).decode(),
                "publicKey": {"content": base64.b64encode(pem).decode()},
            },
        },
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _fields(data: bytes) -> Fields:
    """Return a protobuf message's fields by number: numbers and byte strings, in order."""
    found: Fields = {}
    place = count = 0
    while place < len(data):
        count += 1
        tag, place = _varint(data, place)
        if count > _MOST_FIELDS or tag & 7 not in {_VARINT, _BYTES}:
            raise ValueError("too many fields, or one of another kind")
        value, place = _varint(data, place)
        if tag & 7 == _VARINT:
            found.setdefault(tag >> 3, []).append(value)
            continue
        if value > len(data) - place:
            raise ValueError("cut short")
        found.setdefault(tag >> 3, []).append(data[place : place + value])
        place += value
    return found


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place
        if shift > _MOST_SHIFT:
            raise ValueError("a number that is too long")


def _number(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise TypeError("bytes where a number is wanted")
    return value


def _bytes(fields: Fields, number: int) -> bytes:
    values = fields.get(number, [b""])
    if len(values) != 1 or not isinstance(values[0], bytes):
        raise TypeError("not one byte string where one is wanted")
    return values[0]


def _malformed(why: str) -> Refused:
    return Refused(
        "malformed-signature",
        "a signed message is not well formed",
        why=why[:200],
        next_step="sign again with: git commit --amend -S --no-edit",
    )
