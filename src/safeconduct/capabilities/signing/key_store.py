"""The certificate store's first form: a folder of encrypted private keys, named by URI ``file:``.

Private keys are PKCS#8 PEM encrypted under a passphrase, mode 0600, written whole or not at all.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from safeconduct.capabilities.signing.public_keys import PublicKey, public_key
from safeconduct.foundation.errors import BadUsage, Refused, Undecided

ALGORITHMS = ("ecdsa-p256", "ed25519")
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_PRIVATE = 0o600


class Signer(Protocol):
    """Whatever can sign: a file here, a token or a service later."""

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signs."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over ``message``."""


class FileSigner:
    """A private key held in memory."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._public = public_key(key.public_key())

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signs."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature over ``message``: DER for ECDSA, 64 bytes for Ed25519."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))


def create_key(folder: Path, name: str, passphrase: bytes, algorithm: str = "ecdsa-p256") -> FileSigner:
    """Return a new key, kept encrypted in ``folder`` as ``NAME.key`` with its public half in ``NAME.pub``.

    Raises:
        BadUsage: ``key-exists``, ``bad-key-name``, ``empty-passphrase`` or ``unknown-algorithm``.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise BadUsage("bad-key-name", f"{name!r} cannot name a key", next_step="use letters, digits, - and _")
    if not passphrase:
        raise BadUsage(
            "empty-passphrase",
            "a key needs a passphrase",
            next_step="set keys.passphrase_file to a file that holds one",
        )
    if algorithm not in ALGORITHMS:
        raise BadUsage("unknown-algorithm", f"no algorithm {algorithm!r}", next_step=f"one of {', '.join(ALGORITHMS)}")
    key: PrivateKey = (
        ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name}.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError as error:
        raise BadUsage(
            "key-exists", f"a key {name!r} is there already", next_step="choose another name; keys are not overwritten"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    signer = FileSigner(key)
    (folder / f"{name}.pub").write_bytes(export_public(signer.public))
    return signer


def export_public(key: PublicKey) -> bytes:
    """Return the public key as PEM."""
    return key.key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_signer(uri: str, passphrase: bytes) -> FileSigner:
    """Return the signer that a key URI names; ``file:PATH`` or a plain path.

    Raises:
        Undecided: ``no-key``: there is no such file, or the scheme is not built in.
        Refused: ``key-exposed``: others may read the file; ``wrong-passphrase``.
    """
    scheme, _, rest = uri.partition(":")
    path = Path(rest if scheme == "file" else uri)
    if scheme != "file" and not path.exists():
        raise Undecided("no-key", f"no key at {uri!r}", next_step="safeconduct keys create NAME, or name a file: URI")
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise Undecided("no-key", f"no key at {uri!r}", why=str(error), next_step="safeconduct keys list") from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(
            "key-exposed",
            f"{path.name} can be read by others",
            why=f"mode {stat.S_IMODE(mode):04o}",
            next_step=f"chmod 600 {path.name}, and replace the key if others may have read it",
        )
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except (ValueError, TypeError) as error:
        raise Refused(
            "wrong-passphrase",
            f"{path.name} does not open with this passphrase",
            why=str(error),
            next_step="set keys.passphrase_file to the file with the right one",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise Refused("unsupported-key", f"{path.name} is no ECDSA or Ed25519 key", next_step="safeconduct keys create")
    return FileSigner(key)
