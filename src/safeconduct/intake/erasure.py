"""Erasure: an event like any other. The bytes go, a tombstone stays, answers that lost their proof say so."""

import msgspec

from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.lines import begin_estate, write_estate_event
from safeconduct.model.digest import Digest, to_bytes

_SQL = load_statements("safeconduct.intake", "erasure.sql")


class ErasureBody(msgspec.Struct, frozen=True):
    """The estate event of an erased document."""

    document: Digest
    reason: str


def erase(store: Store, *, at: int, document: Digest, reason: str) -> bool:
    """Erase a document's bytes; return whether there were any.

    What was derived from it stays until a rebuild, which skips it.

    Raises:
        Undecided: ``store-busy``.
    """
    with store.transaction():
        found = TableDocuments(store).empty(document)
        if found:
            apply_erasure(store, at, ErasureBody(document, reason))
    return found


def apply_erasure(store: Store, at: int, body: ErasureBody) -> None:
    """Write an erasure's event. Ingest and rebuild both come here."""
    at = begin_estate(store, at)
    store.run(_SQL["add_erased"], {"doc": to_bytes(body.document), "reason": body.reason, "at": at})
    write_estate_event(store, at, "erasure", body, body.document)
