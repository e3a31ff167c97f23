"""What a log entry is about: the same signature, by the same signer, over the same bytes as the bundle's.

Without this a valid entry of another artifact would do (CVE-2022-36056): nothing else ties the entry to the bundle.

Source: Rekor's entry types hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.2.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from safeconduct.capabilities.signing.bundle import LogEntry
from safeconduct.capabilities.signing.certificates import UNREADABLE
from safeconduct.capabilities.signing.dsse import Envelope, decode_base64
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.limits import LIMITS

_DIGESTS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_BEGIN = b"-----BEGIN "


class Logged(msgspec.Struct, frozen=True):
    """What an entry must be about.

    Attributes:
        verifier: DER of the signer's certificate, or of its public key.
        digest_of: hex digest of the signed bytes by the algorithm's name, None where it cannot be had.
        envelope: where a statement was signed.
    """

    signature: bytes
    verifier: bytes
    digest_of: Callable[[str], str | None]
    envelope: Envelope | None


def verify_entry(entry: LogEntry, logged: Logged) -> None:
    """Return nothing when the entry is about exactly this signature.

    Raises:
        Refused: ``wrong-log-entry`` (of another artifact, key or signature), ``malformed-log-entry``, or
            ``unsupported-log-entry`` for a kind that we cannot read.
    """
    read = _KINDS.get((entry.kind, entry.version))
    if read is None:
        raise _refused(
            "unsupported-log-entry", f"log entries of kind {entry.kind[:40]!r} {entry.version[:20]!r} cannot be read"
        )
    try:
        body = parse_strict(entry.body, max_bytes=LIMITS.bundle)
        if (body["kind"], body["apiVersion"]) != (entry.kind, entry.version):
            raise _refused("wrong-log-entry", "the log entry is of another kind than the bundle says")
        wrong = read(body["spec"], logged)
    except (KeyError, AttributeError, *UNREADABLE) as error:
        raise _refused("malformed-log-entry", f"the log entry cannot be read: {type(error).__name__}") from error
    if wrong:
        raise _refused("wrong-log-entry", f"the log entry is about another {wrong}")


def _hashedrekord_1(spec: dict[str, Any], logged: Logged) -> str:
    found = spec["data"]["hash"]
    if found["value"] != logged.digest_of(found["algorithm"]):
        return "artifact"
    signature = spec["signature"]
    return _same(signature["content"], logged, decode_base64(signature["publicKey"]["content"]))


def _hashedrekord_2(spec: dict[str, Any], logged: Logged) -> str:
    record = spec["hashedRekordV002"]
    if not _is_digest(record["data"], logged):
        return "artifact"
    return _same(record["signature"]["content"], logged, _verifier(record["signature"]["verifier"]))


def _dsse_1(spec: dict[str, Any], logged: Logged) -> str:
    found = spec["payloadHash"]
    if logged.envelope is None or found["value"] != _hex(found["algorithm"], logged.envelope.payload):
        return "statement"
    (signature,) = spec["signatures"]
    return _same(signature["signature"], logged, decode_base64(signature["verifier"]))


def _dsse_2(spec: dict[str, Any], logged: Logged) -> str:
    record = spec["dsseV002"]
    found = record["payloadHash"]
    if logged.envelope is None:
        return "statement"
    payload = hashlib.new(_DIGESTS[found["algorithm"]], logged.envelope.payload).digest()
    if decode_base64(found["digest"]) != payload:
        return "statement"
    (signature,) = record["signatures"]
    return _same(signature["content"], logged, _verifier(signature["verifier"]))


def _intoto_2(spec: dict[str, Any], logged: Logged) -> str:
    content = spec["content"]
    found = content["payloadHash"]
    if logged.envelope is None or found["value"] != _hex(found["algorithm"], logged.envelope.payload):
        return "statement"
    if content["envelope"]["payloadType"] != logged.envelope.payload_type:
        return "payload type"
    (signature,) = content["envelope"]["signatures"]
    if decode_base64(signature["sig"]) != base64.b64encode(logged.signature):  # base64 once more in base64
        return "signature"
    return "" if _der(decode_base64(signature["publicKey"])) == logged.verifier else "signer"


_KINDS = {
    ("hashedrekord", "0.0.1"): _hashedrekord_1,
    ("hashedrekord", "0.0.2"): _hashedrekord_2,
    ("dsse", "0.0.1"): _dsse_1,
    ("dsse", "0.0.2"): _dsse_2,
    ("intoto", "0.0.2"): _intoto_2,
}


def _same(signature: str, logged: Logged, verifier: bytes) -> str:
    """Return what differs, nothing when all is the bundle's own."""
    if decode_base64(signature) != logged.signature:
        return "signature"
    return "" if _der(verifier) == logged.verifier else "signer"


def _verifier(value: dict[str, Any]) -> bytes:
    holder = value.get("x509Certificate") or value["publicKey"]
    return decode_base64(holder["rawBytes"])


def _is_digest(data: dict[str, Any], logged: Logged) -> bool:
    name = _DIGESTS[data["algorithm"]]
    return decode_base64(data["digest"]).hex() == logged.digest_of(name)


def _hex(algorithm: str, data: bytes) -> str:
    if algorithm not in _DIGESTS.values():
        raise ValueError(f"hash {str(algorithm)[:40]!r}")
    return hashlib.new(algorithm, data).hexdigest()


def _der(verifier: bytes) -> bytes:
    """Return the DER inside a PEM block, or the bytes themselves; what it is shows when it is compared."""
    if not verifier.startswith(_BEGIN):
        return verifier
    _, begin, rest = verifier.partition(b"-----\n")
    body, end, tail = rest.partition(b"\n-----END ")
    if not (begin and end) or _BEGIN in tail or not tail.rstrip(b"\n").endswith(b"-----"):
        raise ValueError("not one PEM block")
    return binascii.a2b_base64(body.replace(b"\n", b""), strict_mode=True)


def _refused(error_id: str, what: str) -> Refused:
    return Refused(
        error_id,
        what,
        why="a log entry counts only for the signature, signer and bytes that it holds",
        next_step="fetch the bundle again from its producer; if it stays wrong, it was put together from others",
    )
