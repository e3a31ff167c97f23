"""Ranges: the affected versions of an advisory as half-open intervals of version keys.

To the letter of the OSV schema, "Evaluation": events are sorted, ``introduced: "0"`` stands before everything,
``fixed`` ends a range without itself, ``last_affected`` with itself, ``limit`` bounds them all; a version is affected
when a range holds it or ``versions`` names it. GIT ranges speak of commits and are passed over.

Where an event of a range cannot be ordered (``2.9.0-NA``, CPE's word for "no update"), the entry's list of versions
says what the range means. Without a list nothing can be compared with the range, and ``unsure_of`` says so.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from safeconduct.capabilities.vulnerabilities.ecosystems import base_of, type_of
from safeconduct.model.advisory import Advisory, Affected, Event
from safeconduct.model.version import is_ordered, version_key

Interval = tuple[bytes, bytes | None, str | None]
"""lo (inclusive), hi (exclusive, None = no end), the version that fixes it."""

FIRST = b""
"""Before every version, pre-releases of 0 included."""


class RangeRow(msgspec.Struct, frozen=True, order=True):
    """One interval of affected versions of one package.

    Attributes:
        name: purl base, as ``ecosystems.base_of`` gives it.
        lo: first affected key.
        hi: first key behind it that is not affected; None: all that follow are.
        fixed: the version at ``hi``, when the advisory says that it repairs.
    """

    name: str
    lo: bytes
    hi: bytes | None
    fixed: str | None


def rows_of(advisory: Advisory) -> tuple[RangeRow, ...]:
    """Return the intervals of ``advisory``, sorted; those of one name are apart, so (name, lo) is a key.

    A withdrawn advisory has none. Versions that have no place in the order are ``listed.versions_of``'s.
    """
    if advisory.withdrawn:
        return ()
    found: dict[str, list[Interval]] = {}
    for base, affected in affected_by_base(advisory):
        found.setdefault(base, []).extend(_intervals(type_of(base), affected))
    return tuple(RangeRow(base, *interval) for base in sorted(found) for interval in _merged(found[base]))


def affected_by_base(advisory: Advisory) -> Iterator[tuple[str, Affected]]:
    """Yield each affected entry that names a package, with its purl base."""
    for affected in advisory.affected or ():
        package = affected.package
        base = base_of(package.ecosystem, package.name, package.purl) if package else None
        if base is not None:
            yield base, affected


def unsure_of(advisory: Advisory) -> dict[str, str | None]:
    """Return the purl bases of which a range cannot be compared, each with the last release that it can mean.

    The last release is the leading numbers of its last bound (``2.9.0`` of ``2.9.0-NA``); None where no end has any.
    """
    found: dict[str, str | None] = {}
    if advisory.withdrawn:
        return found
    for base, affected in affected_by_base(advisory):
        kind = type_of(base)
        for span in () if affected.versions else affected.ranges:
            if span.type != "GIT" and _has_unordered(kind, span.events):
                last = _last_release(kind, span.events)
                known = found.get(base, last)
                found[base] = last and known and max(last, known, key=lambda v: version_key(kind, v) or FIRST)
    return found


def _last_release(kind: str, events: Iterable[Event]) -> str | None:
    ends = [end for event in events for end in (event.fixed, event.last_affected) if end is not None]
    matches = [_LEADING_RELEASE.match(end) for end in ends]
    releases = [found.group() for found in matches if found and version_key(kind, found.group()) is not None]
    if not ends or len(releases) < len(ends):
        return None
    return max(releases, key=lambda v: version_key(kind, v) or FIRST)


def fixed_versions(affected: Affected) -> list[str]:
    """Return what the entry's version ranges name as fixed, in their order, each once."""
    events = (event for span in affected.ranges if span.type != "GIT" for event in span.events)
    return list(dict.fromkeys(event.fixed for event in events if event.fixed))


def _intervals(kind: str, affected: Affected) -> list[Interval]:
    found: list[Interval] = []
    for span in affected.ranges:
        if span.type != "GIT" and not _has_unordered(kind, span.events):
            found += intervals_of(kind, span.events)
    for version in affected.versions:
        key = version_key(kind, version)
        if key is not None and not any(lo <= key and (hi is None or key < hi) for lo, hi, _ in found):
            found.append((key, key + b"\0", None))
    return found


def intervals_of(kind: str, events: Iterable[Event]) -> list[Interval]:
    """Return the intervals of one range of versions of purl type ``kind``, sorted.

    A type without a known order can only say "every version": introduced at 0 and never ended.
    """
    if not is_ordered(kind):
        return [(FIRST, None, None)] if _is_everything(events) else []
    found: list[Interval] = []
    opened: bytes | None = None
    stops, limit = _by_key(kind, events)
    for key in sorted(stops):
        begins, fixed, last = stops[key]
        if opened is None and begins:
            opened, begins = key, False
        if opened is not None and (fixed is not None or last):
            # At one key the fix of what came before precedes the next introduction.
            end = key if fixed is not None else key + b"\0"
            found.append((opened, end, fixed))
            opened = None
        if begins and opened is None:
            opened = key
    if opened is not None:
        found.append((opened, None, None))
    return _limited([i for i in found if i[0] != i[1]], limit)


_Stop = tuple[bool, str | None, bool]
"""What stands at one key: an introduction, the fixed version, a last affected one."""


def _by_key(kind: str, events: Iterable[Event]) -> tuple[dict[bytes, _Stop], bytes | None]:
    stops: dict[bytes, _Stop] = {}
    limits: list[bytes | None] = []
    for event in events:
        if event.introduced is not None:
            key = FIRST if event.introduced == "0" else version_key(kind, event.introduced) or FIRST
            stops[key] = (True, *stops.get(key, (False, None, False))[1:])
        if event.fixed is not None or event.last_affected is not None:
            _add_ends(kind, event, stops)
        if event.limit is not None:
            limits.append(version_key(kind, event.limit))
    bounds = [limit for limit in limits if limit is not None]
    # "*" and what cannot be ordered bound nothing; of several limits the highest counts.
    return stops, max(bounds) if limits and len(bounds) == len(limits) else None


def _add_ends(kind: str, event: Event, stops: dict[bytes, _Stop]) -> None:
    for text, repairs in ((event.fixed, True), (event.last_affected, False)):
        key = None if text is None else version_key(kind, text)
        if key is not None:
            begins, fixed, last = stops.get(key, (False, None, False))
            stops[key] = (begins, text, last) if repairs else (begins, fixed, True)


_LEADING_RELEASE = re.compile(r"[vV]?[0-9]+(?:\.[0-9]+)*", re.ASCII)


def _limited(intervals: list[Interval], limit: bytes | None) -> list[Interval]:
    if limit is None:
        return intervals
    below = [i for i in intervals if i[0] < limit]
    return [(lo, limit, None) if hi is None or hi > limit else (lo, hi, fixed) for lo, hi, fixed in below]


def _has_unordered(kind: str, events: Iterable[Event]) -> bool:
    if not is_ordered(kind):
        return False
    bounds = (b for e in events for b in (e.introduced, e.fixed, e.last_affected) if b is not None and b != "0")
    return any(version_key(kind, bound) is None for bound in bounds)


def _is_everything(events: Iterable[Event]) -> bool:
    listed = list(events)
    ends = any(e.fixed or e.last_affected or (e.limit and e.limit != "*") for e in listed)
    return not ends and any(e.introduced == "0" for e in listed)


def _merged(intervals: list[Interval]) -> list[Interval]:
    """Overlapping and touching intervals made one; the fix of the one that ends last stands."""
    merged: list[Interval] = []
    for lo, hi, fixed in sorted(intervals, key=lambda i: (i[0], i[1] is None, i[1] or b"", i[2] is None)):
        if merged and (merged[-1][1] is None or lo <= merged[-1][1]):
            before, end, repaired = merged[-1]
            if end is not None and (hi is None or hi > end):
                merged[-1] = (before, hi, fixed)
            elif end == hi:
                merged[-1] = (before, end, repaired or fixed)
        else:
            merged.append((lo, hi, fixed))
    return merged
