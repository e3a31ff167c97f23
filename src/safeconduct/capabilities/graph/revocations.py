"""Revocations: which keys the trust snapshot of a moment believes no longer, and what that takes from the evidence."""

import msgspec

from safeconduct.foundation.clock import to_rfc3339
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.identity import Identity

_SQL = load_statements("safeconduct.capabilities.graph", "revocations.sql")
_MINUTE = 16


class Revoked(msgspec.Struct, frozen=True):
    """What a snapshot says of a key; ``since`` None: nothing that it ever signed counts."""

    reason: str
    since: int | None = None

    @property
    def text(self) -> str:
        """The reason, with the time where there is one."""
        reason = self.reason or "no reason given"
        return (
            reason if self.since is None else f"{reason} (since {to_rfc3339(self.since)[:_MINUTE].replace('T', ' ')})"
        )


class Revocations:
    """The revocations in force with the knowledge of one moment."""

    def __init__(self, store: Store, known: int) -> None:
        rows = store.rows(_SQL["revocations_in_force"], {"known": known})
        self._revoked = {fingerprint: Revoked(reason, since) for fingerprint, reason, since in rows}

    def find(self, signer: Identity | None, at: int) -> str:
        """Return why ``signer`` is not believed for what is proven to be as old as ``at``; empty when it is.

        Args:
            at: microseconds since 1970: when the graph first saw it, or an older time that somebody trusted proves.
                What a signer claims about time is no proof: a stolen key would date back.
        """
        revoked = self._revoked.get(signer.fingerprint) if signer else None
        if revoked is None or (revoked.since is not None and at < revoked.since):
            return ""
        return revoked.text
