"""A scan: the findings of one inventory, what could not be told, and the feeds that the answer rests on."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from safeconduct.capabilities.vulnerabilities.coverage import gaps_of
from safeconduct.capabilities.vulnerabilities.matching import (
    Candidates,
    Facts,
    Reference,
    findings_of,
    know,
    match,
    unsure,
)
from safeconduct.capabilities.vulnerabilities.owners import suppress_owned, system_owners
from safeconduct.capabilities.vulnerabilities.query import query_of
from safeconduct.capabilities.vulnerabilities.vex import VexStatement, suppress_stated
from safeconduct.capabilities.vulnerabilities.witness import paths_to
from safeconduct.model.component import Inventory
from safeconduct.model.finding import Feed, Scan


class AdvisorySource(Protocol):
    """Where advisories are kept, already as rows."""

    def feeds(self) -> tuple[Feed, ...]:
        """Return the feeds that were taken in whole."""
        ...

    def candidates(self, names: Collection[str], listed: Collection[tuple[str, str]]) -> Candidates:
        """Return all ranges of the purl bases ``names`` and, under ``listed.ANY``, what cannot be compared about them.

        Of ``listed`` (base, version) also what is listed so.
        """
        ...

    def facts(self, advisories: Collection[Reference]) -> Mapping[Reference, Facts]:
        """Return the records of ``advisories`` and all that share an alias with them or that they rest on."""
        ...


class NoAdvisories:
    """The source where nothing was ever taken in: every component is a gap."""

    def feeds(self) -> tuple[Feed, ...]:
        """Return nothing."""
        return ()

    def candidates(
        self,
        names: Collection[str],  # noqa: ARG002 - the Protocol's shape
        listed: Collection[tuple[str, str]],  # noqa: ARG002 - the same
    ) -> Candidates:
        """Return nothing."""
        return Candidates()

    def facts(self, advisories: Collection[Reference]) -> Mapping[Reference, Facts]:  # noqa: ARG002 - the same
        """Return nothing."""
        return {}


def scan(
    inventory: Inventory,
    source: AdvisorySource,
    statements: Sequence[VexStatement] = (),
    subjects: Sequence[str] = (),
) -> Scan:
    """Return what ``source`` knows about the components of ``inventory``.

    Findings are sorted worst first. A component that no feed covers, without a version or with one that cannot be
    ordered is a gap, whether or not something was found in it: what was not found there may still be. What an
    operating system package owns is suppressed, and its owner is judged in its place.

    Args:
        inventory: what is asked about.
        source: what is known.
        statements: VEX that the operator accepts; what it denies is suppressed.
        subjects: names of what the inventory is of, for statements about parts of it.
    """
    owners = system_owners(inventory)
    purls = dict.fromkeys(component.purl for component in inventory.components) | dict.fromkeys(owners.values())
    queries = [query_of(purl) for purl in purls]
    known = [query for query in queries if query.ecosystem]
    unordered = {(query.name, query.version) for query in known if query.key is None and query.version}
    candidates = source.candidates({query.name for query in known}, unordered)
    hits = match(queries, candidates)
    knowledge = know(source.facts({hit.advisory for hit in hits}) if hits else {})
    paths = paths_to(inventory, {hit.query.component for hit in hits}) if hits else {}
    feeds = source.feeds()
    counted, owned = suppress_owned(findings_of(hits, candidates, knowledge, paths), owners)
    counted, stated = suppress_stated(counted, statements, subjects) if statements else (counted, ())
    suppressed = owned + stated
    return Scan(counted, gaps_of(queries, feeds, unsure(known, candidates, hits)), feeds, suppressed)
