"""What log entries and timestamps prove of one signature: that it existed at a time."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519

from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.bundle import Bundle, LogEntry
from safeconduct.capabilities.signing.dsse import Envelope
from safeconduct.capabilities.signing.log_entry import Logged, verify_entry
from safeconduct.capabilities.signing.log_proof import verify_head, verify_inclusion, verify_promise
from safeconduct.capabilities.signing.trusted_root import Log, TrustedRoot
from safeconduct.foundation.errors import Refused

LOG, TIMESTAMP = "log", "timestamp"


class Signed(msgspec.Struct, frozen=True):
    """A bundle with what its signature covers.

    Attributes:
        message: the signed bytes; None when only their digest is known.
        sha256: hex digest of the signed bytes, where the bytes are not given.
        envelope: where a statement is signed.
    """

    bundle: Bundle
    message: bytes | None
    sha256: str
    envelope: Envelope | None

    def verify_signature(self, key: public_keys.KeyObject) -> None:
        """Return nothing when the bundle's signature is the key's.

        Raises:
            Refused: ``bad-signature``, or ``artifact-wanted``.
        """
        if self.message is not None:
            public_keys.verify_signature(key, self.bundle.signature, self.message)
            return
        if isinstance(key, ed25519.Ed25519PublicKey):
            raise Refused(
                "artifact-wanted",
                "a digest is not enough to check this signature",
                why="Ed25519 signs the bytes themselves",
                next_step="give the artifact instead of its digest",
            )
        public_keys.verify_digest(key, self.bundle.signature, bytes.fromhex(self.sha256))

    def digest_of(self, algorithm: str) -> str | None:
        """Return the hex digest of the signed bytes; None where it cannot be had."""
        if self.message is None:
            return self.sha256 if algorithm == "sha256" else None
        if algorithm == "sha256" and self.sha256:
            return self.sha256
        return hashlib.new(algorithm, self.message).hexdigest() if algorithm in {"sha256", "sha384", "sha512"} else None


class Proven(msgspec.Struct, frozen=True):
    """Times that somebody whom we trust vouched for, each with its source, and what was checked or passed over."""

    times: tuple[tuple[datetime, str], ...] = ()
    checks: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ("timestamp", "transparency-log")


def prove_time(signed: Signed, verifier: bytes, roots: Sequence[TrustedRoot], now: datetime) -> Proven:
    """Return the proven times of a signature by a key of the trust store.

    Entries of logs and timestamps of authorities that no root names prove nothing and are named as skipped; one that
    claims to be of a known log or authority must be right.

    Args:
        verifier: DER of the signer's public key.

    Raises:
        Refused: as ``verify_entries`` and ``verify_timestamps``.
    """
    for root in roots:
        known = [e for e in signed.bundle.entries if root.find_log(e.log_id)]
        log = verify_entries(signed, known, verifier, root, now)
        stamps, _ = verify_timestamps(signed, root, now)
        if log or stamps:
            check_logs(known, root, stamps)
            checks = (*(("transparency-log",) if log else ()), *(("timestamp",) if stamps else ()))
            skipped = tuple(name for name in ("timestamp", "transparency-log") if name not in checks)
            return Proven((*_times(log, LOG), *_times(stamps, TIMESTAMP)), checks, skipped)
    return Proven()


def verify_entries(
    signed: Signed, entries: Sequence[LogEntry], verifier: bytes, root: TrustedRoot, now: datetime
) -> tuple[datetime | None, ...]:
    """Return the time of each entry, None where its log promises none.

    Steps for each: (1) its log is in the root, (2) the entry is about this signature, signer and artifact, (3) the
    log's promise, (4) the inclusion proof and the checkpoint, (5) its time lies in the log's window and is not to come.

    Args:
        verifier: DER of the signer's certificate or public key.

    Raises:
        Refused: an id for each step.
    """
    times: list[datetime | None] = []
    for entry in entries:
        log = root.find_log(entry.log_id)  # (1)
        if log is None:
            raise _refused("untrusted-log", "the log entry is of a log that is not in the trusted root")
        verify_entry(entry, Logged(signed.bundle.signature, verifier, signed.digest_of, signed.envelope))  # (2)
        if entry.promise:
            verify_promise(entry, log)  # (3)
        if entry.proof is not None:
            verify_inclusion(entry, entry.proof)  # (4)
        if entry.proof is not None and (entry.proof.checkpoint or signed.bundle.version != "0.1"):
            verify_head(entry.proof, log)
        at = _promised(entry)
        if at is not None:
            check_not_to_come(at, now)
            _check_log(log, at)  # (5)
        times.append(at)
    return tuple(times)


def verify_timestamps(signed: Signed, root: TrustedRoot, now: datetime) -> tuple[tuple[datetime, ...], Refused | None]:
    """Return the times at which authorities of the root saw the signature, and why a token was passed over.

    A token of an authority that the root does not name proves nothing, and spoils nothing; every other must be right.

    Raises:
        Refused: ``bad-timestamp`` or ``time-to-come``.
    """
    if not signed.bundle.timestamps or not root.timestamp_authorities:
        return (), None
    from safeconduct.capabilities.signing.timestamps import verify_timestamp  # its library is loaded when needed

    times, passed_over = [], None
    for token in signed.bundle.timestamps:
        try:
            at = verify_timestamp(token, signed.bundle.signature, root.timestamp_authorities)
        except Refused as error:
            if error.id != "untrusted-timestamp":
                raise
            passed_over = error
            continue
        check_not_to_come(at, now)
        times.append(at)
    return tuple(times), passed_over


def check_logs(entries: Sequence[LogEntry], root: TrustedRoot, stamps: Sequence[datetime]) -> None:
    """Return nothing when the logs that promise no time of their own signed at the times of the timestamps.

    Raises:
        Refused: ``log-not-valid``.
    """
    for entry in entries:
        log = root.find_log(entry.log_id)
        for at in stamps:
            if log is not None and not entry.promise:
                _check_log(log, at)


def _check_log(log: Log, at: datetime) -> None:
    if not log.window.holds(at):
        raise _refused("log-not-valid", f"the log signed {log.window.text()}, not at {at:%Y-%m-%d %H:%M:%S}")


def check_not_to_come(at: datetime, now: datetime) -> None:
    """Return nothing when ``at`` is not later than ``now``; no skew is allowed.

    Raises:
        Refused: ``time-to-come``.
    """
    if at > now:
        raise _refused("time-to-come", f"the signature's proven time {at:%Y-%m-%d %H:%M:%S} UTC is still to come")


def _promised(entry: LogEntry) -> datetime | None:
    """Return the time that the promise covers: without a promise an integrated time is only a claim."""
    if not entry.promise:
        return None
    try:
        return datetime.fromtimestamp(entry.integrated_time, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise _refused("bad-log-promise", "the log entry's time is no time") from error


def _times(found: Sequence[datetime | None], source: str) -> tuple[tuple[datetime, str], ...]:
    return tuple((at, source) for at in found if at is not None)


def _refused(error_id: str, what: str) -> Refused:
    return Refused(
        error_id,
        what,
        why="only what a trusted log or authority signed counts as proof of a time",
        next_step="have the document signed again, or have the operator update the trusted root",
    )
