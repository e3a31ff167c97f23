"""Digests: what a thing is, whatever it is called."""

import hashlib
import re
from typing import NewType

Digest = NewType("Digest", str)
"""``sha256:`` and 64 lower-case hex digits. Other algorithms are not identities here."""

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")


def sha256(data: bytes) -> Digest:
    """Return the digest of ``data``."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def is_digest(text: str) -> bool:
    """Return whether ``text`` is spelled as a digest."""
    return _PATTERN.fullmatch(text) is not None


def parse_digest(text: str) -> Digest:
    """Return ``text`` as a digest.

    Raises:
        ValueError: not ``sha256:`` and 64 lower-case hex digits.
    """
    if not is_digest(text):
        raise ValueError(f"not a sha256 digest: {text[:100]!r}")
    return Digest(text)


def to_bytes(digest: Digest) -> bytes:
    """Return the 32 bytes of ``digest``, as the store keeps it."""
    return bytes.fromhex(digest[7:])


def from_bytes(raw: bytes) -> Digest:
    """Return the digest that ``to_bytes`` gave."""
    return Digest("sha256:" + raw.hex())
