"""Notation's JWS envelopes: told apart, their signature checked; whose they may be is not in the trust store yet.

Source: notaryproject specifications, signature-envelope-jws.md and signature-specification.md; RFC 7515, RFC 7518.
"""

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import load_der_x509_certificate

from safeconduct.capabilities.signing.certificates import UNREADABLE
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.limits import LIMITS

_PREFIX = "io.cncf.notary."
_KNOWN = frozenset(_PREFIX + name for name in ("signingScheme", "authenticSigningTime", "expiry"))
_PLUGIN = _PREFIX + "verificationPlugin"
_MOST_CERTIFICATES = 8
_RSA: dict[str, tuple[int, hashes.HashAlgorithm]] = {
    "PS256": (2048, hashes.SHA256()),
    "PS384": (3072, hashes.SHA384()),
    "PS512": (4096, hashes.SHA512()),
}
_EC: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "ES256": ("secp256r1", hashes.SHA256()),
    "ES384": ("secp384r1", hashes.SHA384()),
    "ES512": ("secp521r1", hashes.SHA512()),
}


def check_jws(value: dict[str, Any]) -> Refused:
    """Return why the envelope is not verified, when nothing in it is wrong: nobody here says yes to one yet.

    The algorithm is the one that the key's kind and size demand, never the header's choice; what the envelope marks as
    critical must be understood; the signature is checked before anything else is believed.

    Raises:
        Refused: ``malformed-envelope``, or ``bad-signature``.
    """
    try:
        protected = parse_strict(_decoded(value["protected"]), max_bytes=LIMITS.manifest)
        critical = protected.get("crit") or []
        chain = value["header"]["x5c"]
        if not isinstance(chain, list) or not 0 < len(chain) <= _MOST_CERTIFICATES or not isinstance(critical, list):
            raise ValueError("no certificates, or too many")
        key = load_der_x509_certificate(base64.b64decode(chain[0], validate=True)).public_key()
        message = f"{value['protected']}.{value['payload']}".encode("ascii")
        _verify(key, str(protected["alg"]), _decoded(value["signature"]), message)
    except (KeyError, AttributeError, binascii.Error, *UNREADABLE) as error:
        if isinstance(error, InvalidSignature):
            raise Refused(
                "bad-signature",
                "the signature does not belong to these bytes and this key",
                why="the envelope was changed after signing, or another key signed it",
                next_step="fetch it again from its producer; if it stays wrong, treat it as tampered",
            ) from error
        raise Refused(
            "malformed-envelope",
            "a signed envelope is not well formed",
            why=f"{type(error).__name__}: {error}"[:200],
            next_step="have its producer sign the artifact again",
        ) from error
    if _PLUGIN in protected or not set(critical) <= _KNOWN:
        return Refused("plugin-wanted", "the signature is good, and wants a plugin or attribute that is not known")
    return Refused("untrusted-certificate", "the signature is good, and its root is not one that the trust store names")


def _verify(key: object, algorithm: str, signature: bytes, message: bytes) -> None:
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA and key.key_size == _RSA[algorithm][0]:
        hashed = _RSA[algorithm][1]
        key.verify(signature, message, padding.PSS(padding.MGF1(hashed), padding.PSS.DIGEST_LENGTH), hashed)
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _EC and key.curve.name == _EC[algorithm][0]:
        size = (key.curve.key_size + 7) // 8
        if len(signature) != 2 * size:
            raise ValueError("a signature of another length")
        der = encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
        key.verify(der, message, ec.ECDSA(_EC[algorithm][1]))
    else:
        raise ValueError(f"algorithm {algorithm[:20]!r} is not the one that the key demands")


def _decoded(text: object) -> bytes:
    """Return the bytes of unpadded URL-safe base64, as JWS has it."""
    if not isinstance(text, str) or "=" in text or "+" in text or "/" in text:
        raise ValueError("no base64url text")
    plain = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return binascii.a2b_base64(plain, strict_mode=True)
