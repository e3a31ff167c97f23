"""Coverage: about which components the advisory data can speak at all.

A component without a finding is clean only when a feed declares its ecosystem (``npm``, ``Debian:12``) or its very
package (``pkg:npm/left-pad``). Everything else is a gap: could not tell. "Debian" alone covers no release of it.
"""

from collections.abc import Iterable

from safeconduct.capabilities.vulnerabilities.query import JUDGED_BY_CONTENT, Query
from safeconduct.model.finding import Coverage, Feed, Gap


def coverage_of(query: Query, covers: frozenset[str]) -> Coverage:
    """Return what can be said about one component, given the words that all feeds declare."""
    if query.kind in JUDGED_BY_CONTENT:
        return Coverage.COVERED
    if query.ecosystem not in covers and query.name not in covers:
        return Coverage.NO_FEED
    if not query.version:
        return Coverage.NO_VERSION
    return Coverage.UNORDERED if query.key is None else Coverage.COVERED


def gaps_of(queries: Iterable[Query], feeds: Iterable[Feed], unsure: Iterable[str] = ()) -> tuple[Gap, ...]:
    """Return the components that could not be judged, sorted, each once.

    Args:
        queries: one for each component.
        feeds: what was taken in.
        unsure: components of which ``matching.unsure`` says that a record cannot be compared with them.
    """
    covers = frozenset(word for feed in feeds for word in feed.covers)
    found = ((query.component, coverage_of(query, covers)) for query in queries)
    gaps = {component: state for component, state in found if state is not Coverage.COVERED}
    gaps |= {component: Coverage.UNCOMPARED for component in unsure if component not in gaps}
    return tuple(sorted(Gap(component, state) for component, state in gaps.items()))
