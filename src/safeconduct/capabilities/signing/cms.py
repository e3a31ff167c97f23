"""CMS signatures as gitsign and git's x509 format make them: detached, one signer, signed attributes.

The ASN.1 is read by ``cryptography``; here is which shape is accepted. Anything that two readers could take differently
(content inside, no signed attributes, two signers, an attribute twice) is refused.

Source: RFC 5652 sections 5.3, 5.4 and 11.
"""

import base64
import binascii
import hashlib
from typing import Annotated

import msgspec
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from safeconduct.foundation.errors import Refused

BEGIN, END = "-----BEGIN SIGNED MESSAGE-----", "-----END SIGNED MESSAGE-----"
_LARGEST = 256 * 1024
_SHORT = 0x80
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_DATA = "1.2.840.113549.1.7.1"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_ALGORITHMS = frozenset(
    {
        "1.2.840.10045.4.3.2",  # ECDSA with SHA-256
        "1.2.840.113549.1.1.11",  # RSA PKCS #1 with SHA-256
        "1.2.840.113549.1.1.1",  # RSA, the digest named beside it
        "1.2.840.10045.2.1",  # an ECDSA key, the digest named beside it
    }
)
_OCTETS = b"\x04"
_OID = b"\x06"


@asn1.sequence
class _Algorithm:
    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Attribute:
    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _Content:
    kind: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class _IssuerAndSerial:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _Signer:
    version: int
    sid: _IssuerAndSerial
    digest: _Algorithm
    signed: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(0)]
    algorithm: _Algorithm
    signature: bytes
    unsigned: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _SignedData:
    version: int
    digests: asn1.SetOf[_Algorithm]
    content: _Content
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    signers: asn1.SetOf[_Signer]


@asn1.sequence
class _Message:
    kind: ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


@asn1.sequence
class _Attributes:
    signed: asn1.SetOf[_Attribute]


class CmsSignature(msgspec.Struct, frozen=True):
    """A parsed signature; its message digest is compared already, its signature is not yet verified.

    Attributes:
        signed: the DER of the signed attributes, which the signature is over.
        certificates: DER, in the message's order.
        serial: of the signer's certificate among them.
        unsigned: value of each unsigned attribute by its OID, DER without the outermost tag.
    """

    signed: bytes
    signature: bytes
    certificates: tuple[bytes, ...]
    serial: int
    unsigned: dict[str, bytes]


def parse_cms(armored: str, payload: bytes) -> CmsSignature:
    """Return the signature in its armor, whose message digest is the payload's.

    Raises:
        Refused: ``malformed-signature``; ``bad-signature`` when it is over other bytes.
    """
    try:
        found = _parse(_unarmored(armored))
    except (ValueError, binascii.Error, TypeError) as error:
        raise Refused(
            "malformed-signature",
            "a signed message is not well formed",
            why=str(error)[:200],
            next_step="sign again with: git commit --amend -S --no-edit",
        ) from error
    signature, digest = found
    if digest != hashlib.sha256(payload).digest():
        raise Refused(
            "bad-signature",
            "the signature does not belong to these bytes",
            why="its message digest is of other bytes",
            next_step="sign again with: git commit --amend -S --no-edit",
        )
    return signature


def _unarmored(armored: str) -> bytes:
    text = armored.strip()
    if not text.startswith(BEGIN) or not text.endswith(END) or len(text) > _LARGEST:
        raise ValueError("no SIGNED MESSAGE armor, or too much in it")
    return base64.b64decode("".join(text[len(BEGIN) : -len(END)].split()), validate=True)


def _parse(der: bytes) -> tuple[CmsSignature, bytes]:
    message = asn1.decode_der(_Message, der)
    data = message.content
    signers = data.signers.as_list()
    if message.kind.dotted_string != _SIGNED_DATA or data.content.kind.dotted_string != _DATA:
        raise ValueError("not signed data")
    if data.content.content is not None:
        raise ValueError("it carries content of its own")
    if len(signers) != 1:
        raise ValueError(f"{len(signers)} signers, wanted one")
    signer = signers[0]
    if signer.digest.algorithm.dotted_string != _SHA256 or signer.algorithm.algorithm.dotted_string not in _ALGORITHMS:
        raise ValueError("an algorithm that is not accepted")
    if signer.signed is None or data.certificates is None:
        raise ValueError("no signed attributes or no certificates")
    attributes = _values(signer.signed)
    if attributes.get(_CONTENT_TYPE, b"")[:1] != _OID or attributes.get(_MESSAGE_DIGEST, b"")[:1] != _OCTETS:
        raise ValueError("no content type or message digest among the signed attributes")
    encoded = asn1.encode_der(_Attributes(signed=signer.signed))
    unsigned = _values(signer.unsigned) if signer.unsigned is not None else {}
    return CmsSignature(
        signed=encoded[_header(encoded) :],
        signature=signer.signature,
        certificates=tuple(_whole(c) for c in data.certificates.as_list()),
        serial=signer.sid.serial,
        unsigned={kind: value[_header(value) :] for kind, value in unsigned.items()},
    ), attributes[_MESSAGE_DIGEST][2:]


def _values(attributes: asn1.SetOf[_Attribute]) -> dict[str, bytes]:
    """Return each attribute's one value, whole DER."""
    found: dict[str, bytes] = {}
    for attribute in attributes.as_list():
        kind, values = attribute.kind.dotted_string, attribute.values.as_list()
        if kind in found or len(values) != 1:
            raise ValueError("an attribute stands twice or has not one value")
        found[kind] = _whole(values[0])
    return found


def _whole(value: asn1.TLV) -> bytes:
    """Return a value with its header, which DER makes the only possible one."""
    data = bytes(value.data)
    size = len(data)
    if size < _SHORT:
        return bytes(value.tag_bytes) + bytes((size,)) + data
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes(value.tag_bytes) + bytes((_SHORT | len(length),)) + length + data


def _header(der: bytes) -> int:
    return 2 if der[1] < _SHORT else 2 + der[1] - _SHORT
