"""DSSE envelopes: payload, its type, and signatures over both.

Source: DSSE 1.0.2, protocol and envelope.
"""

import base64
import binascii
from typing import Any

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.limits import LIMITS


class Signature(msgspec.Struct, frozen=True):
    """One signature; ``keyid`` is a hint only."""

    sig: bytes
    keyid: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """A payload with its signatures, decoded."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]


def encode_pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def parse_envelope(value: Any) -> Envelope:
    """Return the envelope in a strictly parsed JSON value.

    Raises:
        Refused: ``malformed-envelope``: a field is missing or no base64, no signature, or more than the limit.
    """
    try:
        signatures = value["signatures"]
        payload_type = value["payloadType"]
        if not isinstance(payload_type, str) or not isinstance(signatures, list):
            raise TypeError("payloadType is no text or signatures is no list")
        if not 0 < len(signatures) <= LIMITS.signatures:
            raise ValueError(f"{len(signatures)} signatures, wanted 1 to {LIMITS.signatures}")
        return Envelope(
            decode_base64(value["payload"]),
            payload_type,
            tuple(Signature(decode_base64(s["sig"]), str(s.get("keyid") or "")) for s in signatures),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(
            "malformed-envelope",
            "a signed envelope is not well formed",
            why=f"{type(error).__name__}: {error}",
            next_step="have its producer sign the document again",
        ) from error


def envelope_value(envelope: Envelope) -> dict[str, Any]:
    """Return the JSON value of an envelope."""
    return {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [
            {"sig": base64.b64encode(s.sig).decode(), **({"keyid": s.keyid} if s.keyid else {})}
            for s in envelope.signatures
        ],
    }


def decode_base64(text: object) -> bytes:
    """Return the bytes of standard or URL-safe base64 with its padding; nothing else is let through.

    Raises:
        ValueError: another alphabet, both alphabets mixed, white space, wrong padding, or no text.
    """
    if not isinstance(text, str):
        raise TypeError("base64 text expected")
    plain = text
    if "-" in text or "_" in text:
        if "+" in text or "/" in text:
            raise ValueError("two base64 alphabets in one text")
        plain = text.replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(plain, strict_mode=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
