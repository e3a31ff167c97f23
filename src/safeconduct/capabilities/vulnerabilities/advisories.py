"""Stored advisories: the tables of the graph's file, read for matching. Writing them is intake's work."""

from collections.abc import Collection, Mapping

import msgspec

from safeconduct.capabilities.vulnerabilities.listed import ANY
from safeconduct.capabilities.vulnerabilities.matching import Candidates, Facts, Reference
from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.capabilities.vulnerabilities.severity import level_of, score_of
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.advisory import Advisory
from safeconduct.model.digest import Digest, from_bytes
from safeconduct.model.finding import Feed, Level

_SQL = load_statements("safeconduct.capabilities.vulnerabilities", "advisories.sql")
_MOST_FACTS = 200_000
_MOST_ROUNDS = 16


class StoredAdvisories:
    """An ``AdvisorySource`` over a store. Facts of documents once read are kept: a document never changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents = TableDocuments(store)
        self._facts: dict[bytes, Facts] = {}

    def feeds(self) -> tuple[Feed, ...]:
        """Return the feeds that were taken in whole, by id."""
        rows = self._store.rows(_SQL["get_feeds"])
        return tuple(Feed(i, as_of, tuple(_texts(covers)), *rest) for i, as_of, covers, *rest in rows)

    def candidates(self, names: Collection[str], listed: Collection[tuple[str, str]]) -> Candidates:
        """Return all that is known of the purl bases ``names``, and of ``listed`` (base, version) what is listed so."""
        ranges: dict[str, list[tuple[bytes, bytes | None, str | None, Reference]]] = {}
        asked = {"names": _json(names)}
        for name, *row in self._store.rows(_SQL["get_ranges"], asked):
            ranges.setdefault(name, []).append(tuple(row))
        found: dict[tuple[str, str], list[tuple[str | None, Reference]]] = {}
        for name, last, advisory in self._store.rows(_SQL["get_uncompared"], asked | {"any": ANY}):
            found.setdefault((name, ANY), []).append((last, advisory))
        pairs = {"pairs": _json(listed)}
        for name, version, fixed, advisory in self._store.rows(_SQL["get_listed"], pairs) if listed else ():
            found.setdefault((name, version), []).append((fixed, advisory))
        return Candidates(ranges, found)

    def facts(self, advisories: Collection[Reference]) -> Mapping[Reference, Facts]:
        """Return the records of ``advisories`` and all that share an alias with them or that they rest on."""
        found: dict[Reference, Facts] = {}
        words: set[str] = set()
        asked, seen = set(advisories), set[Reference]()
        for _ in range(_MOST_ROUNDS):
            fresh = self._load(asked - seen)
            if words:
                # A record that only rests on the same CVE (each distribution has one) is no relative.
                fresh = {i: f for i, f in fresh.items() if f.id in words or not words.isdisjoint(f.aliases)}
            found |= fresh
            seen |= asked
            new_words = {w for f in fresh.values() for w in (f.id, *f.aliases, *f.upstream)} - words
            if not new_words:
                break
            words |= new_words
            asked = {row[0] for row in self._store.rows(_SQL["find_advisories"], {"words": _json(new_words)})}
        return found

    def find(self, advisory_id: str) -> list[tuple[Digest, Advisory]]:
        """Return the records known under an id, their own or an alias, withdrawn ones too, each with its digest."""
        words = _json([advisory_id])
        ids = [row[0] for row in self._store.rows(_SQL["find_advisories"], {"words": words})]
        rows = self._store.rows(_SQL["get_advisories"], {"ids": _json(ids)})
        found = [(from_bytes(doc), self._read(doc)) for _, _, doc, _, _ in rows]
        return sorted(found, key=lambda pair: pair[1].id)

    def _load(self, advisories: Collection[Reference]) -> dict[Reference, Facts]:
        if not advisories:
            return {}
        rows = self._store.rows(_SQL["get_advisories"], {"ids": _json(advisories)})
        return {i: self._facts_of(name, doc, severity) for i, name, doc, severity, gone in rows if not gone}

    def _facts_of(self, name: str, doc: bytes, severity: int) -> Facts:
        known = self._facts.get(doc)
        if known is None:
            if len(self._facts) >= _MOST_FACTS:
                self._facts.clear()
            try:
                known = facts_of(self._read(doc))
            except Undecided as error:
                if error.id != "document-erased":
                    raise
                # Its text was erased on request; that it exists, and how bad it is, is still known.
                return Facts(name, level=Level(severity))
            self._facts[doc] = known
        return known

    def _read(self, doc: bytes) -> Advisory:
        digest = from_bytes(doc)
        try:
            return parse_advisory(self._documents.get(digest))
        except Refused as error:
            raise Undecided(
                "advisory-unreadable",
                f"the advisory kept as {digest} cannot be read",
                why=error.why,
                next_step="safeconduct db update FEED, which takes its records in again",
            ) from error


def facts_of(advisory: Advisory) -> Facts:
    """Return what a finding shows of a record; the first line of its details where it has no summary."""
    summary = advisory.summary or next((line for line in advisory.details.splitlines() if line.strip()), "")
    return Facts(
        advisory.id,
        tuple(advisory.aliases or ()),
        tuple(advisory.upstream or ()),
        level_of(advisory),
        score_of(advisory),
        _short(summary.strip()),
    )


_SUMMARY = 200


def _short(text: str) -> str:
    return text if len(text) <= _SUMMARY else text[: _SUMMARY - 1].rstrip() + "…"


def _json(items: Collection[str] | Collection[int] | Collection[tuple[str, str]]) -> str:
    return msgspec.json.encode(sorted(items)).decode()


def _texts(covers: str) -> list[str]:
    return msgspec.json.decode(covers, type=list[str])
