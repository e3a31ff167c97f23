"""Fixes: the smallest step that leaves a flaw behind."""

from collections.abc import Iterable

from safeconduct.capabilities.vulnerabilities.query import Query
from safeconduct.capabilities.vulnerabilities.ranges import Interval
from safeconduct.model.finding import Fix
from safeconduct.model.version import major_of, version_key


def fix_of(query: Query, intervals: Iterable[Interval]) -> Fix:
    """Return the fix of one flaw for one component.

    Args:
        query: the installed version.
        intervals: all that the flaw's records say of this package, also those that do not hold this version: what
            repairs one branch may be affected in another.

    A version counts when it is named as fixed, is newer than the installed one and is itself not affected. The major
    is the epoch and first number; for a version without a place only a single fix can be named.
    """
    known = list(intervals)
    named = {fixed for _, _, fixed in known if fixed}
    if query.key is None:
        return Fix(smallest=named.pop()) if len(named) == 1 else Fix()
    newer = sorted(
        (key, fixed)
        for fixed in named
        if (key := version_key(query.kind, fixed)) is not None and key > query.key and not _holds(known, key)
    )
    major = major_of(query.version)
    same = next((fixed for _, fixed in newer if major_of(fixed) == major), None)
    return Fix(same, newer[0][1] if newer else None)


def _holds(intervals: list[Interval], key: bytes) -> bool:
    return any(lo <= key and (hi is None or key < hi) for lo, hi, _ in intervals)
