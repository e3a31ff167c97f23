"""Queries: what is asked about one component, in the words of the advisory tables."""

from functools import lru_cache
from urllib.parse import unquote

import msgspec

from safeconduct.capabilities.vulnerabilities.distributions import source_of
from safeconduct.capabilities.vulnerabilities.ecosystems import language_ecosystem
from safeconduct.model.purl import parse_purl
from safeconduct.model.version import version_key

JUDGED_BY_CONTENT = frozenset({"docker", "oci"})
"""Container images: nobody publishes advisories about an image as such. What is inside is judged when its own
inventory is scanned, so an image is neither a finding nor a gap here. Its pinning is graded elsewhere."""


class Query(msgspec.Struct, frozen=True):
    """One component as the tables know it.

    Attributes:
        component: its purl as in the inventory.
        kind: purl type.
        name: the purl base its advisories stand under.
        version: what is compared: its own, or that of the source package it was built from.
        ecosystem: OSV's name, with the release of a distribution; None when no advisories can exist.
        key: its version's place; None without version or without a place.
    """

    component: str
    kind: str
    name: str
    version: str
    ecosystem: str | None
    key: bytes | None


@lru_cache(maxsize=65_536)
def query_of(purl: str) -> Query:
    """Return the query of a component's canonical purl; one that cannot be read has no ecosystem."""
    head = purl.partition("#")[0].partition("?")[0]
    base, at, version = head.rpartition("@")
    if not at:
        base, version = head, ""
    kind = base[4:].partition("/")[0]
    ecosystem = language_ecosystem(kind)
    if "%" in version:
        version = unquote(version)
    if ecosystem is None:
        return _system_query(purl, kind, base, version)
    return Query(purl, kind, base, version, ecosystem, version_key(kind, version) if version else None)


def _system_query(purl: str, kind: str, base: str, version: str) -> Query:
    try:
        found = source_of(parse_purl(purl))
    except ValueError:
        found = None
    if found is None:
        return Query(purl, kind, base, version, None, version_key(kind, version) if version else None)
    key = version_key(kind, found.version) if found.version else None
    return Query(purl, kind, found.base, found.version, found.ecosystem, key)
