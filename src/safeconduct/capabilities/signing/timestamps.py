"""RFC 3161 timestamps: that a trusted authority saw these bytes at a time.

The token's form and signature are ``rfc3161-client``'s work; here is which authority may have made it, and when.

Source: RFC 3161 section 2.4.2; RFC 5816.
"""

from datetime import datetime

import rfc3161_client
from cryptography import x509

from safeconduct.capabilities.signing.certificates import UNREADABLE
from safeconduct.capabilities.signing.trusted_root import Authority
from safeconduct.foundation.errors import Refused

_LARGEST = 64 * 1024


def verify_timestamp(token: bytes, signed: bytes, authorities: tuple[Authority, ...]) -> datetime:
    """Return the time at which a trusted authority saw ``signed``.

    An authority counts only inside its own window; another one's window is not borrowed.

    Raises:
        Refused: ``untrusted-timestamp``: no authority of ours made it; ``bad-timestamp``: it is of other bytes, was
            changed, or lies outside the authority's window.
    """
    try:
        if len(token) > _LARGEST:
            raise ValueError(f"{len(token)} bytes")
        response = rfc3161_client.decode_timestamp_response(token)
        signers = {s.serial_number for s in response.signed_data.signer_infos}
    except ValueError as error:
        raise _bad(str(error)[:200]) from error
    ours = [a for a in authorities if a.chain[0].serial_number in signers]
    problem: Refused | None = None
    for authority in ours:
        try:
            return _verify(response, signed, authority)
        except Refused as error:
            problem = error
    raise problem or Refused(
        "untrusted-timestamp",
        "the timestamp was made by an authority that is not trusted",
        why="no timestamp authority of the trusted root has the token's certificate",
        next_step="take timestamps from a trusted authority, or have the operator add this one",
    )


def _verify(response: rfc3161_client.TimeStampResponse, signed: bytes, authority: Authority) -> datetime:
    leaf, *middle = authority.chain
    top = middle.pop() if middle else leaf
    builder = rfc3161_client.VerifierBuilder(tsa_certificate=leaf, intermediates=middle, roots=[top])
    try:
        builder.build().verify_message(response, signed)
        at = response.tst_info.gen_time
    except (rfc3161_client.VerificationError, x509.ExtensionNotFound, *UNREADABLE) as error:
        raise _bad(str(error).partition(": ErrorStack")[0][:200]) from error
    if not authority.window.holds(at):
        raise _bad(f"its time {at:%Y-%m-%d %H:%M:%S} is outside the authority's window {authority.window.text()}")
    return at


def _bad(why: str) -> Refused:
    return Refused(
        "bad-timestamp",
        "a timestamp does not belong to this signature",
        why=why,
        next_step="have the document signed and timestamped again",
    )
