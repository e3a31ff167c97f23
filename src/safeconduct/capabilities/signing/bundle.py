"""Sigstore bundles v0.3 with a DSSE envelope and a public-key hint: the one form that we write.

Source: sigstore protobuf-specs, bundle v0.3.
"""

import json
from typing import Any

import msgspec

from safeconduct.capabilities.signing.dsse import Envelope, envelope_value, parse_envelope
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.image import BUNDLE
from safeconduct.model.limits import LIMITS

_MEDIA_TYPES = frozenset({BUNDLE, "application/vnd.dev.sigstore.bundle+json;version=0.3"})
_CONTENTS = ("dsseEnvelope", "messageSignature")
_MATERIALS = ("publicKey", "certificate", "x509CertificateChain")


class Bundle(msgspec.Struct, frozen=True):
    """A parsed bundle: nothing in it is verified yet. ``hint`` says which key to look for, no more."""

    envelope: Envelope
    hint: str


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
        Refused: ``malformed-bundle`` or ``malformed-json``; ``unsupported-bundle`` for forms we cannot read yet.
    """
    value = parse_strict(data, max_bytes=LIMITS.bundle)
    if not isinstance(value, dict) or value.get("mediaType") not in _MEDIA_TYPES:
        raise _unsupported(f"media type {str(value.get('mediaType') if isinstance(value, dict) else value)[:80]!r}")
    material = value.get("verificationMaterial")
    content = _only(value, _CONTENTS)
    if not isinstance(material, dict) or _only(material, _MATERIALS) != "publicKey":
        raise _unsupported("signed with a certificate, not with a managed key")
    if content != "dsseEnvelope":
        raise _unsupported("a signature over a message digest, not over a statement")
    envelope = parse_envelope(value["dsseEnvelope"])
    if len(envelope.signatures) != 1:
        raise _malformed(f"{len(envelope.signatures)} signatures, a bundle has exactly one")
    hint = material["publicKey"].get("hint") if isinstance(material["publicKey"], dict) else None
    keyid = envelope.signatures[0].keyid
    if not isinstance(hint, str) or not hint:
        raise _malformed("no key hint")
    if keyid and keyid != hint:
        raise _malformed("the envelope's keyid is not the bundle's hint")
    return Bundle(envelope, hint)


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


def _unsupported(why: str) -> Refused:
    return Refused(
        "unsupported-bundle",
        "this form of signature cannot be verified here",
        why=why,
        next_step="sign with: safeconduct sign, or any tool that writes a v0.3 bundle with a managed key",
    )
