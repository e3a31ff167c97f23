"""Subresource integrity, as npm's files give it: algorithm, dash, base64.

Source: W3C Subresource Integrity, "The integrity attribute".
"""

import base64
import binascii
from functools import lru_cache

from safeconduct.model.component import Hash

_LENGTHS = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


@lru_cache(maxsize=16_384)
def hashes_of(integrity: str) -> tuple[Hash, ...]:
    """Return the hashes of an integrity text in hex, sorted; words that are none are left out."""
    found = []
    for word in integrity.split():
        algorithm, _, rest = word.partition("-")
        value = _decode(rest.partition("?")[0])
        if len(value) == _LENGTHS.get(algorithm, -1):
            found.append(Hash(algorithm, value.hex()))
    return tuple(sorted(found))


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
