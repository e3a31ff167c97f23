"""Signed certificate timestamps: that a trusted certificate log was shown the signer's certificate.

Source: RFC 6962 section 3.2 and 3.3; RFC 5280 for the key hash of the issuer.
"""

import hashlib
import struct
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.x509.certificate_transparency import SignedCertificateTimestamp

from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.certificates import UNREADABLE, key_of
from safeconduct.capabilities.signing.trusted_root import Log
from safeconduct.foundation.errors import Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRECERTIFICATE = 1
_MICROSECONDS = 1000


def verify_certificate_log(certificate: x509.Certificate, issuer: x509.Certificate, logs: tuple[Log, ...]) -> None:
    """Return nothing when a log of ``logs`` signed that it was shown ``certificate``.

    Every timestamp of a log that is known must be good; those of unknown logs prove nothing and are passed over.

    Raises:
        Refused: ``no-certificate-log``: none from a known log; ``bad-certificate-log``: one that is not right.
    """
    if not _count_good(certificate, issuer, logs):
        raise Refused(
            "no-certificate-log",
            "no trusted log says that it was shown the signer's certificate",
            why="the certificate carries no timestamp of a certificate log in the trusted root",
            next_step="sign with an instance whose certificate log is in the trusted root",
        )


@lru_cache(maxsize=512)
def _count_good(certificate: x509.Certificate, issuer: x509.Certificate, logs: tuple[Log, ...]) -> int:
    by_id = {log.id: log for log in logs}
    good = 0
    for stamp in _stamps(certificate):
        log = by_id.get(stamp.log_id)
        if log is not None:
            _verify(stamp, log, certificate, issuer)
            good += 1
    return good


def forget() -> None:
    """Forget what was verified: for measuring what the first sight of a certificate costs."""
    _count_good.cache_clear()


def _stamps(certificate: x509.Certificate) -> list[SignedCertificateTimestamp]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
        return list(extension.value)
    except x509.ExtensionNotFound:
        return []
    except ValueError as error:
        raise _bad(str(error)) from error


def _verify(
    stamp: SignedCertificateTimestamp, log: Log, certificate: x509.Certificate, issuer: x509.Certificate
) -> None:
    at = stamp.timestamp.replace(tzinfo=UTC)
    if not log.window.holds(at):
        raise _bad(f"its time {at:%Y-%m-%d %H:%M:%S} is outside the log's window {log.window.text()}")
    try:
        body = certificate.tbs_precertificate_bytes
        signed = b"".join(
            (
                b"\0\0",  # version 1, a certificate's timestamp
                struct.pack(">QH", _milliseconds(at), _PRECERTIFICATE),
                hashlib.sha256(key_of(issuer)).digest(),
                len(body).to_bytes(3, "big"),
                body,
                struct.pack(">H", len(stamp.extension_bytes)),
                stamp.extension_bytes,
            )
        )
        public_keys.verify_signature(log.key.key, stamp.signature, signed)
    except (Refused, struct.error, *UNREADABLE) as error:
        raise _bad(f"log {log.url or log.id.hex()[:16]} did not sign it") from error


def _milliseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // _MICROSECONDS


def _bad(why: str) -> Refused:
    return Refused(
        "bad-certificate-log",
        "a certificate log's timestamp does not belong to the signer's certificate",
        why=why,
        next_step="treat the certificate as tampered with, or update the trusted root",
    )
