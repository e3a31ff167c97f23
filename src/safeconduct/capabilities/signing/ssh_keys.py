"""SSH keys and SSHSIG signatures, as git makes them with ``gpg.format = ssh``.

Source: OpenSSH PROTOCOL.sshsig, PROTOCOL.u2f (security keys), RFC 4253 section 6.6.
"""

import base64
import binascii
import hashlib
import struct

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from safeconduct.foundation.errors import Refused

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_RSA: dict[str, hashes.HashAlgorithm] = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}
_CURVES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
}
_SK_ED25519 = "sk-ssh-ed25519@openssh.com"
_USER_PRESENT = 0x01
_SMALLEST_RSA = 2048
_ED25519_BYTES = 32
KINDS = ("ssh-ed25519", "ssh-rsa", *_CURVES, _SK_ED25519)


class SshKey(msgspec.Struct, frozen=True):
    """A public key in SSH's wire form.

    Attributes:
        fingerprint: ``SHA256:`` and unpadded base64, as ssh-keygen prints it.
    """

    kind: str
    blob: bytes
    fingerprint: str


class SshSignature(msgspec.Struct, frozen=True):
    """A parsed SSHSIG; nothing in it is verified yet."""

    key: SshKey
    namespace: str
    hash_name: str
    signature: bytes


def is_ssh_key(text: str) -> bool:
    """Return whether a trust store's key is an OpenSSH public key line."""
    return text.split(" ", 1)[0] in KINDS


def load_line(line: str) -> SshKey:
    """Return the key of an OpenSSH public key line (``ssh-ed25519 AAAA… comment``).

    Raises:
        Refused: ``unsupported-key``.
    """
    parts = line.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        return _key(blob)
    except (IndexError, ValueError, binascii.Error) as error:
        raise Refused(
            "unsupported-key",
            "this SSH public key cannot be used",
            why=str(error),
            next_step=f"use one of {', '.join(KINDS)}",
        ) from error


def parse_signature(armored: str) -> SshSignature:
    """Return the SSHSIG in its armor.

    Raises:
        Refused: ``malformed-signature``: armor, magic, version, an unknown hash or key, or trailing bytes.
    """
    text = armored.strip()
    try:
        if not text.startswith(_BEGIN) or not text.endswith(_END):
            raise ValueError("no SSH SIGNATURE armor")
        body = "".join(text[len(_BEGIN) : -len(_END)].split())
        raw = base64.b64decode(body, validate=True)
        if raw[:6] != _MAGIC or raw[6:10] != b"\0\0\0\1":
            raise ValueError("no SSHSIG of version 1")
        blob, namespace, reserved, hash_name, signature = _strings(raw[10:], 5)
        if hash_name.decode() not in _HASHES or reserved:
            raise ValueError(f"hash {hash_name!r} or a reserved field that is not empty")
        return SshSignature(_key(blob), namespace.decode(), hash_name.decode(), signature)
    except (ValueError, binascii.Error, struct.error, UnicodeDecodeError) as error:
        raise Refused(
            "malformed-signature",
            "an SSH signature is not well formed",
            why=str(error),
            next_step="sign again with: git commit --amend -S --no-edit",
        ) from error


def verify(signature: SshSignature, message: bytes, *, namespace: str) -> None:
    """Return nothing when the signature is its own key's over ``message`` in this namespace.

    Whether that key is trusted is another question.

    Raises:
        Refused: ``bad-signature``, or ``wrong-namespace`` (signed for another use, such as a file).
    """
    if signature.namespace != namespace:
        raise Refused(
            "wrong-namespace",
            f"the signature was made for {signature.namespace[:40]!r}, not for {namespace!r}",
            why="a signature for one use must not count for another",
            next_step="sign with git, which uses the namespace 'git'",
        )
    digest = _HASHES[signature.hash_name](message).digest()
    signed = _MAGIC + b"".join(
        _string(part) for part in (namespace.encode(), b"", signature.hash_name.encode(), digest)
    )
    try:
        _verify_blob(signature.key, signature.signature, signed)
    except (InvalidSignature, ValueError, struct.error, UnsupportedAlgorithm) as error:
        raise Refused(
            "bad-signature",
            "the SSH signature does not belong to these bytes",
            why=f"key {signature.key.fingerprint} did not sign them {error}".rstrip(),
            next_step="sign again with: git commit --amend -S --no-edit",
        ) from error


def _verify_blob(key: SshKey, blob: bytes, signed: bytes) -> None:
    algorithm, rest = _first_string(blob)
    value, rest = _first_string(rest)
    name = algorithm.decode()
    if key.kind == _SK_ED25519:
        _verify_security_key(key, name, value, rest, signed)
        return
    if rest:
        raise ValueError("bytes behind the signature")
    public = load_ssh_public_key(key.kind.encode() + b" " + base64.b64encode(key.blob))
    if isinstance(public, ed25519.Ed25519PublicKey) and name == "ssh-ed25519":
        public.verify(value, signed)
    elif isinstance(public, rsa.RSAPublicKey) and name in _RSA and public.key_size >= _SMALLEST_RSA:
        public.verify(value, signed, padding.PKCS1v15(), _RSA[name])
    elif isinstance(public, ec.EllipticCurvePublicKey) and name == key.kind:
        r, s = _strings(value, 2)
        der = encode_dss_signature(int.from_bytes(r, signed=True), int.from_bytes(s, signed=True))
        public.verify(der, signed, ec.ECDSA(_CURVES[name]))
    else:
        raise ValueError(f"signature algorithm {name!r} does not fit key {key.kind!r}")


def _verify_security_key(key: SshKey, name: str, value: bytes, rest: bytes, signed: bytes) -> None:
    if name != _SK_ED25519 or len(rest) != 5:  # noqa: PLR2004 - one byte of flags, four of counter
        raise ValueError("not a security key signature")
    _, raw, application = _strings(key.blob, 3)
    if not rest[0] & _USER_PRESENT:
        raise ValueError("nobody touched the security key")
    message = hashlib.sha256(application).digest() + rest + hashlib.sha256(signed).digest()
    ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(value, message)


def _key(blob: bytes) -> SshKey:
    kind, rest = _first_string(blob)
    name = kind.decode()
    if name not in KINDS:
        raise ValueError(f"key type {name[:40]!r} is not accepted")
    if name in {"ssh-ed25519", _SK_ED25519} and len(_first_string(rest)[0]) != _ED25519_BYTES:
        raise ValueError("an Ed25519 key has 32 bytes")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return SshKey(name, blob, "SHA256:" + digest)


def _first_string(data: bytes) -> tuple[bytes, bytes]:
    (size,) = struct.unpack(">I", data[:4])
    if size > len(data) - 4:
        raise ValueError("cut short")
    return data[4 : 4 + size], data[4 + size :]


def _strings(data: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        value, data = _first_string(data)
        found.append(value)
    if data:
        raise ValueError("trailing bytes")
    return found


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value
