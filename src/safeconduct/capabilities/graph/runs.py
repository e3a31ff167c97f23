"""Estate questions: what runs a package, what a vulnerability reaches, what to upgrade first."""

from collections.abc import Iterable

from safeconduct.capabilities.graph.answers import (
    AdvisoryFact,
    Finding,
    Gap,
    Reach,
    Reached,
    Running,
    Runs,
    Upgrade,
    Upgrades,
)
from safeconduct.capabilities.graph.facts import Facts, find_advisories
from safeconduct.capabilities.graph.moments import moment
from safeconduct.capabilities.graph.packages import key_of, name_packages, parse_wanted, resolve
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Row, Store
from safeconduct.foundation.wording import counted
from safeconduct.model.finding import Level
from safeconduct.model.purl import parse_purl
from safeconduct.model.version import version_key

_SQL = load_statements("safeconduct.capabilities.graph", "runs.sql")
LIMIT = 1_000


def runs(store: Store, text: str, *, as_of: int | None = None, known: int | None = None, limit: int = LIMIT) -> Runs:
    """Return what runs a package: where, since when, from which release, commit and author, signed by whom.

    Args:
        text: a purl, with a version, or with a range: ``pkg:npm/minimist@<1.2.6``.
        as_of: microseconds since 1970; state and knowledge then; None for now.
        known: the knowledge of another time than ``as_of``.
        limit: how many running containers are told in full.

    Raises:
        BadUsage: ``malformed-purl`` or ``unordered-version``.
    """
    wanted, when = parse_wanted(text), moment(as_of, known)
    with store.reading():
        found = resolve(store, wanted)
        facts = Facts(store, when)
        params = {} if when.is_now else when.params
        rows = [
            (facts.cluster(row[2])[0], *row[3:], purl, row[2], row[0], row[1])
            for pkg_id, purl in sorted(found.packages.items())
            for row in store.rows(_SQL[when.pick("deployments_of_package")], {"pkg_id": pkg_id} | params)
        ]
        rows.sort()
        running = []
        for _, ns, workload, container, since, purl, cluster_id, line_id, seq in rows[:limit]:
            release = facts.release(line_id, seq)
            if release is not None:
                running.append(Running(facts.place(cluster_id, ns, workload, container, since), purl, release))
        return Runs(
            asked=text,
            purls=tuple(sorted(found.packages.values())),
            running=tuple(running),
            total=len(rows),
            gaps=tuple(_gaps_of_clusters(store) + _gaps_of_packages(found.unordered) + _gaps_of_inventories(store)),
        )


def reaches(
    store: Store, text: str, *, as_of: int | None = None, known: int | None = None, limit: int = LIMIT
) -> Reach:
    """Return what a vulnerability reaches: releases with the package and its fix, and the workloads that run them.

    Args:
        text: the id of an advisory or any of its aliases.
        as_of: microseconds since 1970; state and knowledge then; None for now.
        known: the knowledge of another time than ``as_of``.
        limit: how many releases are told in full; those that run come first.
    """
    when = moment(as_of, known)
    params = {} if when.is_now else when.params
    with store.reading():
        facts = Facts(store, when)
        ids = {i: fact for i in find_advisories(store, text) if (fact := facts.advisory(i)) is not None}
        findings: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        places: dict[tuple[int, int], set[Row]] = {}
        for advisory_id in sorted(ids):
            key = {"advisory_id": advisory_id} | params
            for line_id, seq, pkg_id, since in store.rows(_SQL[when.pick("releases_of_advisory")], key):
                findings.setdefault((line_id, seq), []).append((pkg_id, advisory_id, since))
            for row in store.rows(_SQL[when.pick("deployments_of_advisory")], key):
                places.setdefault((row[0], row[1]), set()).add(row[2:])
        order = sorted(findings, key=lambda place: (place not in places, place))
        reached = [_reached(facts, place, findings[place], places.get(place, set())) for place in order[:limit]]
        return Reach(
            asked=text,
            advisories=tuple(sorted(ids.values(), key=lambda fact: fact.id)),
            releases=tuple(sorted((r for r in reached if r), key=_by_name)),
            total=len(findings),
            running=sum(len(found) for found in places.values()),
            gaps=tuple(_gaps_of_clusters(store) + _gaps_of_reach(store, text, ids)),
        )


def upgrades(store: Store, *, as_of: int | None = None, known: int | None = None, limit: int = 50) -> Upgrades:
    """Return which package to upgrade to what first: by running containers repaired, then by severity.

    The version proposed repairs everything that is known of the package version; None when something has no fix.
    """
    when = moment(as_of, known)
    with store.reading():
        facts = Facts(store, when)
        params = {} if when.is_now else when.params
        met: dict[int, list[tuple[int, int]]] = {}
        for pkg_id, advisory_id, count in store.rows(_SQL[when.pick("findings_of_running")], params):
            met.setdefault(pkg_id, []).append((advisory_id, count))
        # Only what can still be among the first is put into words.
        first = sorted(met, key=lambda pkg_id: -max(count for _, count in met[pkg_id]))
        floor = max(c for _, c in met[first[limit - 1]]) if len(first) > limit else 0
        chosen = [pkg_id for pkg_id in first if max(count for _, count in met[pkg_id]) >= floor]
        found = [_upgrade(facts, pkg_id, met[pkg_id]) for pkg_id in chosen]
        found.sort(key=lambda u: (-u.workloads, -u.level, u.purl))
        return Upgrades(tuple(found[:limit]), tuple(_gaps_of_clusters(store) + _gaps_of_inventories(store)))


def tell_findings(facts: Facts, rows: Iterable[tuple[int, int, int]]) -> tuple[Finding, ...]:
    """Return findings given as (package id, advisory id, known since), worst first."""
    listed = list(rows)
    purls = name_packages(facts.store, {pkg_id for pkg_id, _, _ in listed})
    found = [
        Finding(purls[pkg_id], advisory, facts.fixed(pkg_id, advisory_id), since)
        for pkg_id, advisory_id, since in listed
        if (advisory := facts.advisory(advisory_id)) is not None
    ]
    return tuple(sorted(found, key=lambda f: (-f.advisory.level, f.purl, f.advisory.id)))


def _reached(
    facts: Facts, place: tuple[int, int], rows: list[tuple[int, int, int]], places: set[Row]
) -> Reached | None:
    release = facts.release(*place)
    if release is None:
        return None
    return Reached(release, tell_findings(facts, rows), tuple(sorted(facts.place(*row) for row in places)))


def _by_name(reached: Reached) -> tuple[bool, str, str, str]:
    release = reached.release
    return not reached.places, release.product, release.version, release.digest


def _upgrade(facts: Facts, pkg_id: int, met: list[tuple[int, int]]) -> Upgrade:
    purl = name_packages(facts.store, [pkg_id])[pkg_id]
    advisories = [fact for advisory_id, _ in met if (fact := facts.advisory(advisory_id)) is not None]
    fixes = [facts.fixed(pkg_id, advisory_id) for advisory_id, _ in met]
    return Upgrade(
        purl=purl,
        to=_highest(purl, fixes),
        workloads=max(count for _, count in met),
        level=max((fact.level for fact in advisories), default=Level.UNKNOWN),
        advisories=tuple(sorted(fact.id for fact in advisories)),
    )


def _highest(purl: str, fixes: list[str | None]) -> str | None:
    kind = parse_purl(purl).type
    keyed = [(version_key(kind, fixed), fixed) for fixed in fixes if fixed is not None]
    ordered = [(key, fixed) for key, fixed in keyed if key is not None]
    return max(ordered)[1] if ordered and len(ordered) == len(fixes) else None


def _gaps_of_packages(unordered: Iterable[str]) -> list[Gap]:
    return [
        Gap(purl, "its version has no place in the order, so no range says whether it is meant") for purl in unordered
    ]


def _gaps_of_clusters(store: Store) -> list[Gap]:
    """Nothing running and nobody having looked are two answers."""
    if store.row(_SQL["any_deployment"]) is not None:
        return []
    return [Gap("every cluster", "none ever reported what it runs; take it in with: safeconduct watch pods")]


def _gaps_of_inventories(store: Store) -> list[Gap]:
    row: Row | None = store.row(_SQL["count_deployments_without_inventory"])
    count = row[0] if row else 0
    if not count:
        return []
    return [Gap(counted(count, "running container"), "no inventory of the image, so what it holds could not be told")]


def _gaps_of_reach(store: Store, text: str, ids: dict[int, AdvisoryFact]) -> list[Gap]:
    if not ids:
        return [Gap(text, "no feed that was taken in knows this advisory")]
    gaps = []
    for advisory_id in sorted(ids):
        key = {"advisory_id": advisory_id}
        met = {row[0] for row in store.rows(_SQL["unordered_of_advisory"], key)}
        unmet = {i for i in met if store.row(_SQL["is_affected"], key | {"pkg_id": i}) is None}
        gaps += [
            Gap(purl, f"its version cannot be compared with the ranges of {ids[advisory_id].id}")
            for i, purl in sorted(name_packages(store, unmet).items())
            if i in unmet and key_of(store, i) is None
        ]
    return gaps + _gaps_of_inventories(store)
