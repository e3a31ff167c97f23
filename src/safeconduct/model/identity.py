"""Identities: who signed, as the trust store knows them."""

from enum import StrEnum

import msgspec


class Usage(StrEnum):
    """What a key may vouch for. One key, one trade: a builder does not sign verdicts."""

    COMMIT = "commit"
    BUILD = "build"
    GATE = "gate"


class Identity(msgspec.Struct, frozen=True, order=True):
    """A signer: the trusted key's name and principals, and its fingerprint.

    Attributes:
        kind: ``key`` (a trusted public key), ``ssh`` (an SSH key), ``openpgp``, or ``certificate`` (an identity that a
            trusted authority certified).
        subject: the principal, such as ``dev@shop.example`` or ``builder``.
        fingerprint: ``sha256:`` of the DER SubjectPublicKeyInfo, ``SHA256:`` as ssh prints it, or ``openpgp:``.
        issuer: who vouched for a certificate's subject, empty for the others.
    """

    kind: str
    subject: str
    fingerprint: str
    issuer: str = ""
