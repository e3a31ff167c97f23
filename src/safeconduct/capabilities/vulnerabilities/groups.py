"""Groups: records that describe the same flaw, joined by their aliases.

``aliases`` holds both ways and goes on through others; ``upstream`` points one way (a distribution's advisory rests on
a CVE) and never joins two records; ``related`` says nothing here.

Source: OSV schema, "aliases", "upstream", "related".
"""

from collections.abc import Iterable, Mapping

from safeconduct.model.advisory import Advisory

_PREFERRED = {"MAL": 0, "GHSA": 1, "CVE": 2}


def ids_of(advisory: Advisory) -> tuple[str, ...]:
    """Return every id a record can be searched by: its own, its aliases and what it rests on, sorted."""
    return tuple(sorted({advisory.id, *(advisory.aliases or ()), *(advisory.upstream or ())}))


def group_ids(aliases: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return for each id its group: the preferred id of all that are joined to it.

    Args:
        aliases: ids of records with their aliases; aliases that are no records join as well.
    """
    parents: dict[str, str] = {}
    for record, others in aliases.items():
        parents.setdefault(record, record)
        for other in others:
            parents.setdefault(other, other)
            _join(parents, record, other)
    groups: dict[str, list[str]] = {}
    for member in parents:
        groups.setdefault(_root(parents, member), []).append(member)
    found: dict[str, str] = {}
    for members in groups.values():
        found |= dict.fromkeys(members, preferred(members))
    return found


def preferred(ids: Iterable[str]) -> str:
    """Return the id to show first: malicious package, GitHub's, the CVE, then the first of the others by name."""
    return min(ids, key=preference)


def preference(advisory_id: str) -> tuple[int, str]:
    """Return the sort key of ``preferred``."""
    return _PREFERRED.get(advisory_id.partition("-")[0], len(_PREFERRED)), advisory_id


def _root(parents: dict[str, str], member: str) -> str:
    while parents[member] != member:
        parents[member] = parents[parents[member]]
        member = parents[member]
    return member


def _join(parents: dict[str, str], a: str, b: str) -> None:
    first, second = _root(parents, a), _root(parents, b)
    if first != second:
        parents[second] = first
