"""Who may post events: bearers of a token that this server made, or all whom TLS let in with a certificate."""

import hashlib
import hmac
import secrets
from collections.abc import Collection

from starlette.requests import Request

_SCHEME = "bearer "


def make_token() -> str:
    """Return a new token, 256 bits from the system's random source."""
    return secrets.token_urlsafe(32)


class Access:
    """Decides about one request. Without tokens and without client certificates nobody is let in."""

    def __init__(self, tokens: Collection[str], *, client_certificates: bool = False) -> None:
        """Take the tokens that open, and whether TLS let in only holders of a certificate from our own CA."""
        self._digests = tuple(hashlib.sha256(token.encode()).digest() for token in tokens if token)
        self._client_certificates = client_certificates

    def is_granted(self, request: Request) -> bool:
        """Return whether the request may post events; takes the same time whichever token is wrong."""
        if self._client_certificates:
            return True
        header = request.headers.get("authorization", "")
        if not header.lower().startswith(_SCHEME):
            return False
        given = hashlib.sha256(header[len(_SCHEME) :].strip().encode()).digest()
        found = [hmac.compare_digest(given, digest) for digest in self._digests]
        return any(found)
