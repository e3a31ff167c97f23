"""Listed versions that have no place in an order: they match by their text alone.

Beside them stands what cannot be compared at all: a row whose version is ``ANY`` says that a range of the record about
this package has a bound without a place.
"""

import msgspec

from safeconduct.capabilities.vulnerabilities.ecosystems import type_of
from safeconduct.capabilities.vulnerabilities.ranges import affected_by_base, fixed_versions, unsure_of
from safeconduct.model.advisory import Advisory
from safeconduct.model.version import version_key

ANY = "*"
"""No version is called so."""


class ListedRow(msgspec.Struct, frozen=True, order=True):
    """One version, as written, of the package ``name`` (a purl base); ``fixed`` only when the entry names one fix.

    Of ``ANY``, ``fixed`` is the last release that the range can mean.
    """

    name: str
    version: str
    fixed: str | None = None


def rows_of(advisory: Advisory) -> tuple[ListedRow, ...]:
    """Return the listed versions that cannot be ordered and the rows of ``ANY``, sorted; none when withdrawn."""
    if advisory.withdrawn:
        return ()
    found: dict[tuple[str, str], str | None] = {}
    for base, affected in affected_by_base(advisory):
        kind, fixes = type_of(base), fixed_versions(affected)
        for version in affected.versions:
            if version_key(kind, version) is None:
                found[base, version] = fixes[0] if len(fixes) == 1 else None
    found |= {(base, ANY): last for base, last in unsure_of(advisory).items()}
    return tuple(ListedRow(name, version, fixed) for (name, version), fixed in sorted(found.items()))


def versions_of(advisory: Advisory) -> tuple[tuple[str, str], ...]:
    """Return ``rows_of`` as (purl base, version), without those of ``ANY``."""
    return tuple((row.name, row.version) for row in rows_of(advisory) if row.version != ANY)
