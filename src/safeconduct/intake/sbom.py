"""The reader of inventories that intake uses unless its caller brings another."""

from safeconduct.capabilities.sbom import cyclonedx
from safeconduct.model.component import Inventory


def read_sbom(document: bytes) -> Inventory:
    """Return the inventory in a CycloneDX document.

    Raises:
        Refused: it is none.
    """
    return cyclonedx.read(document)
