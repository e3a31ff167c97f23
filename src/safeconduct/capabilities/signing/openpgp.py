"""OpenPGP signatures, verified by Sequoia where the extra ``pgp`` is installed.

Sequoia decides what a good signature is (bound and unrevoked subkeys, no SHA-1); here is whose key it may be. Nothing
asks a key server: the keys are those of the trust store.

Source: RFC 9580; Sequoia's standard policy.
"""

import importlib
from datetime import datetime
from functools import lru_cache
from typing import Any

from safeconduct.foundation.errors import Refused, Undecided

_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
ARMORS = ("-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----")
_LARGEST = 256 * 1024


def is_openpgp_key(text: str) -> bool:
    """Return whether a trust store's key is an armored OpenPGP certificate."""
    return text.lstrip().startswith(_KEY)


def fingerprint_of(key: str) -> str:
    """Return ``openpgp:`` and the fingerprint of an armored certificate's primary key.

    Raises:
        Refused: ``unsupported-key``; Undecided: ``pgp-missing``.
    """
    pysequoia = _library()
    try:
        return f"openpgp:{pysequoia.Cert.from_bytes(key.encode()).fingerprint.lower()}"
    except Exception as error:  # the library raises nothing narrower
        raise Refused(
            "unsupported-key",
            "this OpenPGP key cannot be used",
            why=_first_line(error),
            next_step="export it again with: gpg --armor --export",
        ) from error


def verify_openpgp(armored: str, payload: bytes, keys: dict[str, str], *, at: datetime) -> str:
    """Return the fingerprint, among ``keys``, of the certificate that signed ``payload``.

    Args:
        keys: fingerprint to armored certificate.
        at: when the signature is judged; a certificate that is expired then signs nothing, whatever its own date says.

    Raises:
        Refused: ``untrusted-key`` (none of ``keys`` made it), ``bad-signature``, ``revoked-key``, ``key-not-valid`` or
            ``malformed-signature``.
        Undecided: ``pgp-missing``.
    """
    if not keys:
        raise _untrusted("no OpenPGP key is in the trust store")
    pysequoia = _library()
    if len(armored) > _LARGEST:
        raise _malformed("it is too large")
    try:
        signature = pysequoia.Sig.from_bytes(armored.encode())
        issuer = str(signature.issuer_fingerprint or signature.issuer_key_id or "").lower()
        name = next((name for name, key in keys.items() if issuer and issuer in _ids(key)), None)
    except Exception as error:  # the library raises nothing narrower
        raise _malformed(_first_line(error)) from error
    if name is None:
        raise _untrusted(f"its issuer is {issuer or 'not named'}")
    certificate = pysequoia.Cert.from_bytes(keys[name].encode())
    try:
        verified = pysequoia.verify(bytes=payload, signature=signature, store=lambda _: [certificate])
        good = [s for s in verified.valid_sigs if f"openpgp:{s.certificate.lower()}" == name]
    except Exception as error:  # the library raises nothing narrower
        raise _bad(_first_line(error)) from error
    if not good:
        raise _bad("no signature of this key is valid")
    _check(certificate.is_revoked, certificate.expiration, at)
    return name


@lru_cache(maxsize=256)
def _ids(key: str) -> frozenset[str]:
    """Return fingerprints and ids of a certificate's keys."""
    library = _library()
    packets = library.packet.PacketPile.from_bytes(bytes(library.Cert.from_bytes(key.encode())))
    keys = [p for p in packets if p.fingerprint]
    return frozenset(str(value).lower() for p in keys for value in (p.fingerprint, p.key_id) if value)


def _first_line(error: Exception) -> str:
    """Return an error's text without the stack that the library puts behind it."""
    return str(error).strip().partition("\n")[0][:200]


def _bad(why: str) -> Refused:
    return Refused(
        "bad-signature",
        "the OpenPGP signature is not good",
        why=why,
        next_step="sign again with: git commit --amend -S --no-edit",
    )


def _check(revoked: object, expires: datetime | None, at: datetime) -> None:
    if revoked:
        raise Refused(
            "revoked-key",
            "the OpenPGP key was revoked by its owner",
            why="its certificate says so",
            next_step="sign with another key",
        )
    if expires is not None and at > expires:
        raise Refused(
            "key-not-valid",
            f"the OpenPGP key expired on {expires:%Y-%m-%d %H:%M} UTC",
            why="a signature's own date is its signer's claim and does not bring an expired key back",
            next_step="have its owner extend the key, and the operator take the newer one",
        )


def _library() -> Any:
    try:
        return importlib.import_module("pysequoia")
    except ImportError as error:
        raise Undecided(
            "pgp-missing",
            "OpenPGP signatures cannot be verified in this installation",
            why="the extra 'pgp' is not installed",
            next_step="pip install 'safeconduct[pgp]'",
        ) from error


def _untrusted(why: str) -> Refused:
    return Refused(
        "untrusted-key",
        "the OpenPGP key is not in the trust store",
        why=why,
        next_step="have the operator add the key: safeconduct trust add",
    )


def _malformed(why: str) -> Refused:
    return Refused(
        "malformed-signature",
        "an OpenPGP signature is not well formed",
        why=why,
        next_step="sign again with: git commit --amend -S --no-edit",
    )
