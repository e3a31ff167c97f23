"""Sigstore bundles 0.1, 0.2 and 0.3: read whole, with key or certificate; written as 0.3 with a public-key hint.

Reading checks the shape of everything and verifies nothing. Fields that a bundle leaves out because they are zero are
zero (proto3's JSON), and 64-bit numbers may be text.

Source: sigstore protobuf-specs, bundle v0.3 and rekor v1; proto3 JSON mapping.
"""

import json
from typing import Any

import msgspec

from safeconduct.capabilities.signing.dsse import Envelope, decode_base64, envelope_value, parse_envelope
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.image import BUNDLE
from safeconduct.model.limits import LIMITS

_LEGACY = "application/vnd.dev.sigstore.bundle+json;version="
_VERSIONS = {BUNDLE: "0.3", **{_LEGACY + version: version for version in ("0.1", "0.2", "0.3")}}
_CONTENTS = ("dsseEnvelope", "messageSignature")
_MATERIALS = ("publicKey", "certificate", "x509CertificateChain")
_MOST_CERTIFICATES = 8
_MOST_HASHES = 64
_LARGEST = 2**63


class InclusionProof(msgspec.Struct, frozen=True):
    """The claim that an entry stands in a log's tree; ``index`` counts inside that tree."""

    index: int
    root: bytes
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str


class LogEntry(msgspec.Struct, frozen=True):
    """One transparency-log entry as the bundle carries it.

    Attributes:
        index: the log-wide number, which the promise covers.
        integrated_time: seconds since 1970; 0 where the log promises no time (Rekor v2).
        promise: the signed entry timestamp, empty where there is none.
        body: the canonical bytes that the log holds.
    """

    log_id: bytes
    index: int
    kind: str
    version: str
    integrated_time: int
    promise: bytes
    proof: InclusionProof | None
    body: bytes


class MessageSignature(msgspec.Struct, frozen=True):
    """A signature over an artifact's bytes; the digest is the producer's hint, empty where there is none."""

    signature: bytes
    digest_algorithm: str = ""
    digest: bytes = b""


class Bundle(msgspec.Struct, frozen=True):
    """A parsed bundle: nothing in it is verified yet.

    Attributes:
        hint: which key to look for, no more; empty where a certificate is carried.
        certificates: DER, the signer's first; empty where a key is hinted at.
        version: of the format: ``0.1``, ``0.2`` or ``0.3``.
        timestamps: RFC 3161 responses, DER.
    """

    content: Envelope | MessageSignature
    hint: str = ""
    certificates: tuple[bytes, ...] = ()
    version: str = "0.3"
    entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()

    @property
    def envelope(self) -> Envelope:
        """The signed statement's envelope.

        Raises:
            Refused: ``unsupported-bundle``: it signs an artifact's bytes and holds no statement.
        """
        if isinstance(self.content, MessageSignature):
            raise _unsupported(
                "a signature over an artifact, not over a statement", "verify it together with its artifact"
            )
        return self.content

    @property
    def signature(self) -> bytes:
        """The one signature."""
        content = self.content
        return content.signature if isinstance(content, MessageSignature) else content.signatures[0].sig


def write_bundle(envelope: Envelope, hint: str) -> bytes:
    """Return a bundle; the same envelope and hint give the same bytes."""
    value = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": hint}},
        "dsseEnvelope": envelope_value(envelope),
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def read_bundle(data: bytes) -> Bundle:
    """Return the bundle in ``data``, shape checked, nothing verified.

    Raises:
        Refused: ``malformed-bundle``, ``malformed-envelope`` or ``malformed-json``; ``unsupported-bundle`` for a media
            type that we do not know.
    """
    return read_value(parse_strict(data, max_bytes=LIMITS.bundle))


def read_value(value: Any) -> Bundle:
    """Return the bundle in a value that was parsed strictly; raises as ``read_bundle``."""
    kind = value.get("mediaType") if isinstance(value, dict) else value
    version = _VERSIONS.get(kind) if isinstance(kind, str) else None
    if version is None:
        raise _unsupported(f"media type {str(kind)[:80]!r}", "have it written as a sigstore bundle 0.1 to 0.3")
    try:
        return _bundle(value, version)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _malformed(f"{type(error).__name__}: {error}"[:300]) from error


def _bundle(value: dict[str, Any], version: str) -> Bundle:
    material = value["verificationMaterial"]
    if not isinstance(material, dict):
        raise TypeError("verificationMaterial is no object")
    kind = _only(material, _MATERIALS)
    content = _content(value)
    certificates = _certificates(material[kind], kind, version) if kind != "publicKey" else ()
    hint = _hint(material[kind], content) if kind == "publicKey" else ""
    entries = tuple(read_entry(e, version) for e in _list(material, "tlogEntries"))
    stamps = _list(material.get("timestampVerificationData") or {}, "rfc3161Timestamps")
    # Command lines write tokens with line breaks; a token's bytes are checked as a whole, whatever its text.
    tokens = tuple(decode_base64(s["signedTimestamp"].replace("\n", "")) for s in stamps)
    return Bundle(content, hint, certificates, version, entries, tokens)


def _content(value: dict[str, Any]) -> Envelope | MessageSignature:
    if _only(value, _CONTENTS) == "dsseEnvelope":
        envelope = parse_envelope(value["dsseEnvelope"])
        if len(envelope.signatures) != 1:
            raise _malformed(f"{len(envelope.signatures)} signatures, a bundle has exactly one")
        return envelope
    message = value["messageSignature"]
    hint = message.get("messageDigest") or {}
    return MessageSignature(
        decode_base64(message["signature"]), str(hint.get("algorithm", "")), decode_base64(hint.get("digest", ""))
    )


def _hint(material: dict[str, Any], content: Envelope | MessageSignature) -> str:
    hint = material.get("hint")
    if not isinstance(hint, str) or not hint:
        raise ValueError("no key hint")
    keyid = content.signatures[0].keyid if isinstance(content, Envelope) else ""
    if keyid and keyid != hint:
        raise ValueError("the envelope's keyid is not the bundle's hint")
    return hint


def _certificates(material: dict[str, Any], kind: str, version: str) -> tuple[bytes, ...]:
    if kind == "certificate":
        return (decode_base64(material["rawBytes"]),)
    if version == "0.3":
        raise ValueError("a certificate chain, where version 0.3 has the signer's certificate alone")
    chain = material["certificates"]
    if not isinstance(chain, list) or not 0 < len(chain) <= _MOST_CERTIFICATES:
        raise ValueError(f"not 1 to {_MOST_CERTIFICATES} certificates")
    return tuple(decode_base64(c["rawBytes"]) for c in chain)


def read_entry(value: dict[str, Any], version: str) -> LogEntry:
    """Return one log entry of a bundle of this version.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not well formed; callers map them.
    """
    promise = decode_base64((value.get("inclusionPromise") or {}).get("signedEntryTimestamp", ""))
    proof = _proof(value["inclusionProof"]) if value.get("inclusionProof") else None
    if version == "0.1" and not promise:
        raise ValueError("a log entry without the log's promise, which version 0.1 wants")
    if version != "0.1" and proof is None:
        raise ValueError("a log entry without inclusion proof, which versions 0.2 and 0.3 want")
    kind = value["kindVersion"]
    return LogEntry(
        decode_base64(value["logId"]["keyId"]),
        _number(value, "logIndex"),
        str(kind["kind"]),
        str(kind["version"]),
        _number(value, "integratedTime"),
        promise,
        proof,
        decode_base64(value["canonicalizedBody"]),
    )


def _proof(value: dict[str, Any]) -> InclusionProof:
    hashes = _list(value, "hashes", _MOST_HASHES)
    checkpoint = (value.get("checkpoint") or {}).get("envelope", "")
    if not isinstance(checkpoint, str):
        raise TypeError("the checkpoint is no text")
    return InclusionProof(
        _number(value, "logIndex"),
        decode_base64(value["rootHash"]),
        _number(value, "treeSize"),
        tuple(decode_base64(h) for h in hashes),
        checkpoint,
    )


def _number(value: dict[str, Any], name: str) -> int:
    given = value.get(name, 0)
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20:  # noqa: PLR2004 - 64 bits
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < _LARGEST:
        raise ValueError(f"{name} is no number from 0")
    return given


def _list(value: dict[str, Any], name: str, most: int = LIMITS.signatures) -> list[Any]:
    found = value.get(name) or []
    if not isinstance(found, list) or len(found) > most:
        raise ValueError(f"{name} is no list of at most {most}")
    return found


def _only(value: dict[str, Any], names: tuple[str, ...]) -> str:
    present = [name for name in names if name in value]
    if len(present) != 1:
        raise _malformed(f"exactly one of {', '.join(names)} wanted, found {present or 'none'}")
    return present[0]


def _malformed(why: str) -> Refused:
    return Refused(
        "malformed-bundle",
        "a signature bundle is not well formed",
        why=why,
        next_step="have its producer sign the document again",
    )


def _unsupported(why: str, next_step: str) -> Refused:
    return Refused("unsupported-bundle", "this form of signature cannot be verified here", why=why, next_step=next_step)
