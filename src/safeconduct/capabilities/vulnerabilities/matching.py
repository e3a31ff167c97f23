"""Matching: components against candidate rows, and hits into findings. Pure; the rows come from outside."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from safeconduct.capabilities.vulnerabilities.fixes import fix_of
from safeconduct.capabilities.vulnerabilities.groups import group_ids, preference
from safeconduct.capabilities.vulnerabilities.listed import ANY
from safeconduct.capabilities.vulnerabilities.query import Query
from safeconduct.capabilities.vulnerabilities.ranges import FIRST, Interval
from safeconduct.capabilities.vulnerabilities.severity import is_malicious
from safeconduct.model.finding import Certainty, Finding, Level
from safeconduct.model.version import version_key

Reference = int
"""How a source numbers its advisories."""


class Candidates(msgspec.Struct, frozen=True):
    """All that is known about the asked names.

    Attributes:
        ranges: by purl base, (lo, hi, fixed, advisory).
        listed: by (purl base, version as written), (fixed, advisory): versions without a place in the order; and
            under the version ``listed.ANY`` what cannot be compared.
    """

    ranges: Mapping[str, Sequence[tuple[bytes, bytes | None, str | None, Reference]]] = {}
    listed: Mapping[tuple[str, str], Sequence[tuple[str | None, Reference]]] = {}


class Facts(msgspec.Struct, frozen=True):
    """What a finding shows of one record."""

    id: str
    aliases: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    level: Level = Level.UNKNOWN
    score: float | None = None
    summary: str = ""


class Hit(msgspec.Struct, frozen=True):
    """One component met by one record; ``fixed`` only where the version had no place in the order."""

    query: Query
    advisory: Reference
    certainty: Certainty
    fixed: str | None = None


def match(queries: Iterable[Query], candidates: Candidates) -> list[Hit]:
    """Return every meeting of a component and a record, in the order of ``queries``, each once."""
    return [hit for query in queries for hit in _hits(query, candidates)]


def unsure(queries: Iterable[Query], candidates: Candidates, hits: Iterable[Hit]) -> list[str]:
    """Return the components about which a record cannot be compared that does not meet them anyway."""
    met = {(hit.query.component, hit.advisory) for hit in hits}
    return [
        query.component
        for query in queries
        for last, advisory in candidates.listed.get((query.name, ANY), ())
        if (query.component, advisory) not in met and _may_mean(query, last)
    ]


def _may_mean(query: Query, last: str | None) -> bool:
    end = None if last is None else version_key(query.kind, last)
    return query.key is None or end is None or query.key <= end


def _hits(query: Query, candidates: Candidates) -> list[Hit]:
    ranges = candidates.ranges.get(query.name)
    key = query.key
    if key is not None:
        return [
            Hit(query, advisory, Certainty.LISTED if hi == lo + b"\0" else Certainty.RANGE)
            for lo, hi, _, advisory in ranges or ()
            if lo <= key and (hi is None or key < hi)
        ]
    # Whatever the version may be: an advisory on every version (a malicious package) meets it.
    found = {a: Hit(query, a, Certainty.RANGE) for lo, hi, _, a in ranges or () if hi is None and lo == FIRST}
    for fixed, advisory in candidates.listed.get((query.name, query.version), ()):
        found.setdefault(advisory, Hit(query, advisory, Certainty.UNORDERED, fixed))
    return list(found.values())


class Knowledge(msgspec.Struct, frozen=True):
    """The records around a set of hits: facts by reference, and the group of every id they name."""

    facts: Mapping[Reference, Facts]
    groups: Mapping[str, str]
    members: Mapping[str, Sequence[Facts]]


def know(facts: Mapping[Reference, Facts]) -> Knowledge:
    """Return ``facts`` with their groups; they should hold every record that shares an alias with one of them."""
    groups = group_ids({record.id: record.aliases for record in facts.values()})
    members: dict[str, list[Facts]] = {}
    for record in facts.values():
        members.setdefault(groups[record.id], []).append(record)
    return Knowledge(facts, groups, members)


def findings_of(
    hits: Collection[Hit], candidates: Candidates, knowledge: Knowledge, paths: Mapping[str, tuple[str, ...]]
) -> tuple[Finding, ...]:
    """Return one finding for each component and group of aliased records, worst first, then by component and id.

    Args:
        hits: of ``match``; one whose record is not in ``knowledge`` (withdrawn meanwhile) is left out.
        candidates: the same that were matched; they hold the fixes.
        knowledge: what ``know`` gave.
        paths: witness path by component purl.
    """
    grouped: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        record = knowledge.facts.get(hit.advisory)
        if record is not None:
            grouped.setdefault((hit.query.component, knowledge.groups[record.id]), []).append(hit)
    intervals = _by_advisory(candidates, {(hit.query.name, hit.advisory) for hit in hits})
    found = [
        _finding(meeting, group, intervals, knowledge, paths.get(component, ()))
        for (component, group), meeting in grouped.items()
    ]
    return tuple(sorted(found, key=lambda f: (-f.level, f.component, f.advisory)))


_Intervals = dict[tuple[str, Reference], list[Interval]]
"""By purl base and advisory, all intervals: a name with hundreds of records is walked once."""

_CERTAINTY_ORDER = (Certainty.LISTED, Certainty.RANGE, Certainty.UNORDERED)


def _finding(
    hits: list[Hit], group: str, intervals: _Intervals, knowledge: Knowledge, path: tuple[str, ...]
) -> Finding:
    query = hits[0].query
    matched = sorted((knowledge.facts[hit.advisory] for hit in hits), key=lambda record: preference(record.id))
    shown = next((record for record in matched if record.summary), matched[0])
    ids, records = _closure(group, knowledge)
    scores = [record.score for record in records if record.score is not None]
    return Finding(
        component=query.component,
        advisory=matched[0].id,
        ids=ids,
        level=_worst(records),
        certainty=min((hit.certainty for hit in hits), key=_CERTAINTY_ORDER.index),
        fix=fix_of(query, _intervals_of(hits, intervals)),
        summary=shown.summary,
        score=max(scores, default=None),
        path=path,
        malicious=is_malicious(ids),
    )


def _worst(records: Sequence[Facts]) -> Level:
    # A record that says NONE and one that says nothing: what is known stands.
    known = [record.level for record in records if record.level is not Level.UNKNOWN]
    return max(known, default=Level.UNKNOWN)


def _closure(group: str, knowledge: Knowledge) -> tuple[tuple[str, ...], list[Facts]]:
    """The ids and records of a group and, one way, of what it rests on."""
    records: list[Facts] = []
    ids: set[str] = set()
    waiting, seen = [group], {group}
    while waiting:
        for record in knowledge.members.get(waiting.pop(), ()):
            records.append(record)
            ids.update((record.id, *record.aliases, *record.upstream))
            above = {knowledge.groups.get(i, i) for i in record.upstream} - seen
            seen |= above
            waiting += above
    return tuple(sorted(ids)), records


def _by_advisory(candidates: Candidates, met: Collection[tuple[str, Reference]]) -> _Intervals:
    found: _Intervals = {pair: [] for pair in met}
    for name in {name for name, _ in met}:
        for lo, hi, fixed, advisory in candidates.ranges.get(name, ()):
            intervals = found.get((name, advisory))
            if intervals is not None:
                intervals.append((lo, hi, fixed))
    return found


def _intervals_of(hits: list[Hit], intervals: _Intervals) -> list[Interval]:
    found = [i for hit in hits for i in intervals.get((hit.query.name, hit.advisory), ())]
    return found + [(FIRST, FIRST, hit.fixed) for hit in hits if hit.fixed]
