"""What verification returns: the verified bytes, and everything that was checked on the way."""

from datetime import datetime

import msgspec

from safeconduct.model.identity import Identity


class Verified(msgspec.Struct, frozen=True):
    """A payload that a trusted key signed.

    Attributes:
        payload: the very bytes that were signed.
        payload_type: media type from the envelope.
        signed_at: effective time, or None where nothing trustworthy says when.
        time_source: ``timestamp`` (RFC 3161), ``log`` (a transparency log's promise), ``first-seen``, ``claimed`` or
            ``none``; a claim can age, never freshen.
        trust_version: version of the trust snapshot that said yes.
        checks: names of the checks made, in order.
        skipped: names of checks that did not apply.
    """

    payload: bytes
    payload_type: str
    signer: Identity
    trust_version: int
    checks: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    signed_at: datetime | None = None
    time_source: str = "none"
