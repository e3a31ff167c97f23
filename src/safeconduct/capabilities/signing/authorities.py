"""Authorities in the trust store: whose certificates are believed, and for which identities.

A certificate says who somebody is, never that they may vouch for us: an authority without identities believes nobody.
"""

import re
from datetime import datetime
from functools import lru_cache

import msgspec

from safeconduct.capabilities.signing.trusted_root import TrustedRoot, read_trusted_root
from safeconduct.model.identity import Usage

_ANY = "*"
_PART = "[^/@]+"


class TrustedIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may sign.

    Attributes:
        subject: the certificate's subject alternative name, whole; each ``*`` stands for one or more characters
            other than ``/`` and ``@``.
        issuer: who vouched for the subject, exactly as the certificate says it; empty for certificates that say
            nothing of it, as those of some private authorities.
    """

    subject: str
    issuer: str

    def __post_init__(self) -> None:
        """Refuse identities that would be anybody.

        Raises:
            ValueError: no subject, or a subject of wildcards alone.
        """
        if not self.subject.replace(_ANY, "").strip("/@:."):
            raise ValueError("an identity needs a subject that is more than wildcards")

    def matches(self, subject: str, issuer: str) -> bool:
        """Return whether a certificate's subject and issuer are this identity."""
        return issuer == self.issuer and _pattern(self.subject).fullmatch(subject) is not None


class TrustedAuthority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sigstore instance with what those whom it certifies may vouch for.

    Attributes:
        root: its trusted root document, whole, as text: what it names (logs, clocks) is wanted of every bundle.
        identities: whom of its certificates' holders we believe.
        usages, scopes, not_before, not_after: as of a trusted key.
        legacy: accept bundles of version 0.1, whose log entries may lack an inclusion proof.
    """

    name: str
    root: str
    identities: tuple[TrustedIdentity, ...]
    usages: tuple[Usage, ...]
    scopes: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    legacy: bool = False

    @property
    def trusted_root(self) -> TrustedRoot:
        """The root document's values.

        Raises:
            Refused: ``malformed-trusted-root``.
        """
        return read_trusted_root(self.root)

    def knows(self, subject: str, issuer: str) -> bool:
        """Return whether one of the identities is this one."""
        return any(identity.matches(subject, issuer) for identity in self.identities)


@lru_cache(maxsize=256)
def _pattern(subject: str) -> re.Pattern[str]:
    return re.compile(_PART.join(re.escape(part) for part in subject.split(_ANY)))
