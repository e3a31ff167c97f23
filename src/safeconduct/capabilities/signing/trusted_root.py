"""Trusted root documents: the authorities, logs and clocks of one sigstore instance, as values.

Everything in the document must be readable: a key or window that cannot be read is not read as "none" or "for ever".

Source: sigstore protobuf-specs, trustroot v1 (media types trustedroot 0.1 and 0.2).
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509

from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.dsse import decode_base64
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.limits import LIMITS

_MEDIA_TYPES = frozenset(
    {
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    }
)
_MOST = 64
_SHA256 = "SHA2_256"


class Window(msgspec.Struct, frozen=True):
    """A closed interval; no end means: still valid."""

    start: datetime
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Return whether ``at`` lies inside, both ends included."""
        return self.start <= at and (self.end is None or at <= self.end)

    def text(self) -> str:
        """Return the window as people read it."""
        return f"{self.start:%Y-%m-%d %H:%M} to {f'{self.end:%Y-%m-%d %H:%M}' if self.end else 'now'} UTC"


class Log(msgspec.Struct, frozen=True):
    """A transparency or certificate log: what it signs with, and when."""

    id: bytes
    key: public_keys.PublicKey
    window: Window
    url: str

    def __hash__(self) -> int:
        """Return a hash of the log and its key; key objects have none of their own."""
        return hash((self.id, self.key.der, self.window))


class Authority(msgspec.Struct, frozen=True):
    """A certificate or timestamp authority: its chain, issuing end first, trust anchor last."""

    chain: tuple[x509.Certificate, ...]
    window: Window
    uri: str


class TrustedRoot(msgspec.Struct, frozen=True):
    """One sigstore instance. What it names is wanted of every bundle that rests on it."""

    certificate_authorities: tuple[Authority, ...]
    logs: tuple[Log, ...]
    certificate_logs: tuple[Log, ...]
    timestamp_authorities: tuple[Authority, ...]

    def find_log(self, log_id: bytes) -> Log | None:
        """Return the transparency log of this id, if it is one of ours."""
        return next((log for log in self.logs if log.id == log_id), None)


@lru_cache(maxsize=64)
def read_trusted_root(text: str) -> TrustedRoot:
    """Return the values of a trusted root document; the same text is read once.

    Raises:
        Refused: ``malformed-trusted-root``: another media type, or anything in it that cannot be read.
    """
    value = parse_strict(text.encode(), max_bytes=LIMITS.manifest)
    try:
        if value.get("mediaType") not in _MEDIA_TYPES:
            raise ValueError(f"media type {str(value.get('mediaType'))[:80]!r}")
        return TrustedRoot(
            tuple(_authority(v) for v in _list(value, "certificateAuthorities")),
            tuple(_log(v) for v in _list(value, "tlogs")),
            tuple(_log(v) for v in _list(value, "ctlogs")),
            tuple(_authority(v) for v in _list(value, "timestampAuthorities")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, x509.InvalidVersion, Refused) as error:
        raise Refused(
            "malformed-trusted-root",
            "a trusted root document is not well formed",
            why=str(error),
            next_step="take the document again from the sigstore instance's operator",
        ) from error


def _log(value: dict[str, Any]) -> Log:
    if value.get("hashAlgorithm", _SHA256) != _SHA256:
        raise ValueError(f"a log with hash {str(value['hashAlgorithm'])[:40]!r}")
    key = public_keys.load_der(decode_base64(value["publicKey"]["rawBytes"]))
    return Log(
        decode_base64(value["logId"]["keyId"]),
        key,
        _window(value["publicKey"]["validFor"]),
        str(value.get("baseUrl", "")),
    )


def _authority(value: dict[str, Any]) -> Authority:
    certificates = _list(value["certChain"], "certificates")
    if not certificates:
        raise ValueError("an authority without certificates")
    chain = tuple(x509.load_der_x509_certificate(decode_base64(c["rawBytes"])) for c in certificates)
    return Authority(chain, _window(value["validFor"]), str(value.get("uri", "")))


def _window(value: dict[str, Any]) -> Window:
    end = value.get("end")
    window = Window(_time(value["start"]), _time(end) if end is not None else None)
    if window.end is not None and window.end < window.start:
        raise ValueError("a window that ends before it starts")
    return window


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"a time without its zone: {value!r}")
    return time


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name) or []
    if not isinstance(found, list) or len(found) > _MOST:
        raise ValueError(f"{name} is no list of at most {_MOST}")
    return found
