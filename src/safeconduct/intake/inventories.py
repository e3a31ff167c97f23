"""The inventory of record: of all inventories that speak about a release, the one that its membership follows.

Verified by a trusted key before merely claimed, then the one signed first; replacing it later is a correction.
"""

from collections.abc import Callable

import msgspec

from safeconduct.capabilities.graph.codes import CLAIMED, OPEN_SEQ, VERIFIED
from safeconduct.foundation.documents import Documents
from safeconduct.foundation.errors import Refused
from safeconduct.intake.claims import Testimony, is_sbom, predicate_in
from safeconduct.model.component import Inventory
from safeconduct.model.digest import Digest

Reader = Callable[[bytes], Inventory]
"""Reads a CycloneDX document; raises ``Refused`` for anything else."""

_NEVER = OPEN_SEQ << 32


class OfRecord(msgspec.Struct, frozen=True):
    """An inventory with where it came from and how good that is (``codes.CLAIMED`` or ``codes.VERIFIED``)."""

    document: Digest
    rank: int
    inventory: Inventory


class Given(msgspec.Struct, frozen=True):
    """An inventory that the caller has read from ``document`` already."""

    document: Digest
    inventory: Inventory


def find_better(
    documents: Documents,
    testimony: Testimony,
    claimed: Digest | None,
    *,
    than: int,
    reader: Reader,
    given: Given | None,
) -> OfRecord | None:
    """Return the best inventory whose rank is above ``than``; None when there is none that can be read."""
    candidates = [(-VERIFIED, c.signed_at or _NEVER, c.document) for c in testimony.claims if is_sbom(c.predicate_type)]
    if claimed is not None and all(document != claimed for _, _, document in candidates):
        candidates.append((-CLAIMED, _NEVER, claimed))
    for rank, _, document in sorted(candidates):
        if -rank <= than:
            return None
        if given is not None and given.document == document:
            return OfRecord(document, -rank, given.inventory)
        inventory = _read(documents, document, reader)
        if inventory is not None:
            return OfRecord(document, -rank, inventory)
    return None


def _read(documents: Documents, document: Digest, reader: Reader) -> Inventory | None:
    predicate = predicate_in(documents, document)
    try:
        return None if predicate is None else reader(predicate)
    except Refused:
        # A signature over something that is no inventory is kept as an attestation; membership stays unknown.
        return None
