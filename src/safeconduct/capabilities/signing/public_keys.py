"""Public keys: read, named by fingerprint, and used to check one signature.

The primitives are ``cryptography``'s; here is only which forms are accepted. ECDSA signatures come as DER, or as
raw r‖s of exact length, because both occur in real envelopes.
"""

import base64
import binascii
import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from safeconduct.foundation.errors import Refused

KeyObject = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
_HASHES: dict[str, tuple[hashes.HashAlgorithm, ...]] = {
    "secp256r1": (hashes.SHA256(),),
    "secp384r1": (
        hashes.SHA384(),
        hashes.SHA256(),
    ),  # the second is what sigstore's Python client signed with for years
}
_SMALLEST_RSA = 2048


class PublicKey(msgspec.Struct, frozen=True):
    """A key that can check signatures.

    Attributes:
        der: SubjectPublicKeyInfo.
        fingerprint: ``sha256:`` and the hex digest of ``der``.
        hint: base64 of the same digest, as sigstore bundles spell it.
    """

    key: KeyObject
    der: bytes
    fingerprint: str
    hint: str


def public_key(key: object) -> PublicKey:
    """Return a key object of ``cryptography`` as a PublicKey.

    Raises:
        Refused: ``unsupported-key`` for another algorithm, curve or a short RSA modulus.
    """
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _HASHES:
        raise _unsupported(f"curve {key.curve.name}")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise _unsupported(f"RSA with {key.key_size} bits")
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise _unsupported(type(key).__name__)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(der).digest()
    return PublicKey(key, der, "sha256:" + digest.hex(), base64.b64encode(digest).decode())


def fingerprint_of(der: bytes) -> str:
    """Return the fingerprint of a DER SubjectPublicKeyInfo: ``sha256:`` and the hex digest."""
    return "sha256:" + hashlib.sha256(der).hexdigest()


def load_der(der: bytes) -> PublicKey:
    """Return the key in a DER SubjectPublicKeyInfo.

    Raises:
        Refused: ``unsupported-key`` when it cannot be read or its algorithm is not accepted.
    """
    try:
        return public_key(serialization.load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unsupported(str(error)) from error


def load_pem(pem: bytes) -> PublicKey:
    """Return the key in a PEM SubjectPublicKeyInfo; raises as ``load_der``."""
    try:
        return public_key(serialization.load_pem_public_key(pem))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unsupported(str(error)) from error


def load_base64(text: str) -> PublicKey:
    """Return the key in base64 DER, as the trust store spells it; raises as ``load_der``."""
    try:
        der = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise _unsupported(f"not base64: {error}") from error
    return load_der(der)


def verify_signature(key: KeyObject, signature: bytes, message: bytes) -> None:
    """Return nothing when ``signature`` is the key's over ``message``.

    Raises:
        Refused: ``bad-signature``.
    """
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            _verify_ecdsa(key, signature, message)
        else:
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError, KeyError) as error:
        raise _bad_signature() from error


def _verify_ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    der = _as_der(key, signature)
    first, *others = _HASHES[key.curve.name]
    try:
        key.verify(der, message, ec.ECDSA(first))
    except InvalidSignature:
        if not others:
            raise
        key.verify(der, message, ec.ECDSA(others[0]))


def verify_digest(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, signature: bytes, digest: bytes) -> None:
    """Return nothing when ``signature`` is the key's over the bytes with this SHA-256 digest.

    Raises:
        Refused: ``bad-signature``; also where the key signed another digest of these bytes.
    """
    hashed = hashes.SHA256()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashed))
            return
        key.verify(_as_der(key, signature), digest, ec.ECDSA(Prehashed(hashed)))
    except (InvalidSignature, ValueError, KeyError) as error:
        raise _bad_signature() from error


def _bad_signature() -> Refused:
    return Refused(
        "bad-signature",
        "the signature does not belong to these bytes and this key",
        why="the bytes were changed after signing, or another key signed them",
        next_step="fetch the document again from its producer; if it stays wrong, treat it as tampered",
    )


def _as_der(key: ec.EllipticCurvePublicKey, signature: bytes) -> bytes:
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return signature
    try:
        return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
    except ValueError:
        return signature


def _unsupported(why: str) -> Refused:
    return Refused(
        "unsupported-key",
        "this public key cannot be used",
        why=why,
        next_step="use ECDSA P-256 or P-384, Ed25519, or RSA with at least 2048 bits",
    )
