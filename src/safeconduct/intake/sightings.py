"""Sightings taken in: which release runs where. An unknown digest gets a line of its own: nothing seen is lost."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from safeconduct.capabilities.graph.directory import Entry, digest_at, find_entry
from safeconduct.capabilities.graph.keys import single_key
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.dictionary import intern_cluster
from safeconduct.intake.directory import claim, fill
from safeconduct.intake.lines import OpenLine, close_line, last_estate_event, load_line, open_line
from safeconduct.model.digest import Digest, to_bytes
from safeconduct.model.workload import CompleteList, Sighting, Workload

_SQL = load_statements("safeconduct.intake", "sightings.sql")
_RELEASES = load_statements("safeconduct.intake", "releases.sql")


class SightingsBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of what was seen of one line's releases."""

    sightings: tuple[Sighting, ...]
    estate: int = 0


class SeenBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of a digest that was seen before anybody said what it is."""

    digest: Digest
    estate: int = 0


def record_sightings(store: Store, *, at: int, sightings: Iterable[Sighting], document: bytes | None = None) -> int:
    """Take in what clusters run; return how many sightings told something new.

    Args:
        at: microseconds since 1970.
        document: what was received, verbatim; kept as the proof.

    Raises:
        Undecided: ``store-busy``.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document) if document is not None else None
        return apply_sightings(store, at, tuple(sightings), doc)


def record_list(
    store: Store, *, at: int, complete: CompleteList, sightings: Iterable[Sighting], document: bytes | None = None
) -> tuple[Sighting, ...]:
    """Take in a list of all that a cluster runs; return what ended, because the list does not name it.

    What ended is written as sightings of their end, at the list's time: so a rebuild ends the same.

    Args:
        at: microseconds since 1970.
        complete: what the list is complete for, and when it was taken. Of what became known later it says nothing.
        sightings: what the list says.
        document: what was received, verbatim; kept as the proof.

    Raises:
        Undecided: ``store-busy``.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document) if document is not None else None
        named = tuple(sightings)
        ended = tuple(_find_ended(store, complete, named))
        apply_sightings(store, at, (*named, *ended), doc)
        return ended


def apply_sightings(store: Store, at: int, sightings: tuple[Sighting, ...], doc: Digest | None = None) -> int:
    """Write sightings, one event for each line that they concern. Ingest and rebuild both come here."""
    estate = last_estate_event(store)[0]
    by_line: dict[int, list[tuple[int, Sighting]]] = {}
    for sighting in sorted(sightings, key=_order):
        entry = open_single(store, at, sighting.digest)
        by_line.setdefault(entry.line_id, []).append((entry.seq, sighting))
    changed = 0
    for line_id, seen in by_line.items():
        line = load_line(store, line_id)
        before = line.changed_at
        line.begin(at)
        new = tuple(sighting for seq, sighting in seen if _apply(store, line, seq, sighting))
        if new:
            close_line(store, line, "sightings", SightingsBody(new, estate), doc)
            changed += len(new)
        else:
            line.changed_at = before
    return changed


def move_deployments(store: Store, source: Entry, line: OpenLine, seq: int) -> None:
    """Move what runs from the line of an unknown digest to the release that it turned out to be.

    On the old line it never ran, as we know now; who asks by the knowledge of then still finds it there.
    """
    old = {"line_id": source.line_id, "seq": source.seq}
    deployments = store.rows(_SQL["running_deployments"], old)
    pods = store.rows(_SQL["running_pods"], old)
    store.run(_SQL["withdraw_deployments"], old | {"at": line.changed_at})
    store.run(_SQL["withdraw_pods"], old)
    new = {"line_id": line.line_id, "seq": seq}
    for cluster_id, ns, workload, container, since in deployments:
        place = {"cluster_id": cluster_id, "ns": ns, "workload": workload, "container": container, "since": since}
        store.run(_SQL["add_deployment"], new | place | {"known_from": line.changed_at})
    names = ("cluster_id", "ns", "workload", "container", "pod", "container_id", "since")
    for row in pods:
        store.run(_SQL["add_pod"], new | dict(zip(names, row, strict=True)) | {"known_from": line.changed_at})


def open_single(store: Store, at: int, digest: Digest) -> Entry:
    """Return where a digest stands, after giving an unknown one a line of its own."""
    return find_entry(store, digest) or apply_seen(store, at, SeenBody(digest, last_estate_event(store)[0]))


def apply_seen(store: Store, at: int, body: SeenBody) -> Entry:
    """Open the line of an unknown digest. Ingest and rebuild both come here."""
    digest = body.digest
    line = open_line(store, single_key(digest))
    line.begin(at)
    line.head_seq = 1
    claim(store, digest, line.line_id)
    nothing = dict.fromkeys(("inventory_doc", "graph", "commit_sha", "provenance_doc"))
    row = {"line_id": line.line_id, "seq": 1, "digest": to_bytes(digest), "known_from": line.changed_at, "gen": 1}
    store.run(
        _RELEASES["add_release"], row | nothing | {"inventory_rank": 0, "product": "", "version": "", "built_at": 0}
    )
    fill(store, digest, line.line_id, 1)
    close_line(store, line, "seen", body)
    return Entry(line.line_id, 1)


def _find_ended(store: Store, complete: CompleteList, named: tuple[Sighting, ...]) -> Iterator[Sighting]:
    running = [sighting for sighting in named if sighting.running]
    still = {(s.where.namespace, s.pod, s.where.container, s.container_id) for s in running}
    # One of the two may not have told the container's id: then the same image in the same place is the same.
    alike = {(s.where.namespace, s.pod, s.where.container, s.digest): s.container_id for s in running}
    cluster_id = intern_cluster(store, complete.cluster)
    for line_id, seq, region, ns, workload, container, pod, container_id, since in store.rows(
        _SQL["running_in_cluster"], {"cluster_id": cluster_id, "at": complete.at}
    ):
        digest = digest_at(store, line_id, seq)
        elsewhere = bool(complete.namespaces) and ns not in complete.namespaces
        if digest is None or elsewhere or not pod or f"{ns}/{pod}" in complete.untold:
            continue
        told = alike.get((ns, pod, container, digest))
        if (ns, pod, container, container_id) in still or (told is not None and "" in {told, container_id}):
            continue
        where = Workload(complete.cluster, region, ns, workload, container)
        yield Sighting(where, digest, max(complete.at, since), running=False, pod=pod, container_id=container_id)


def _apply(store: Store, line: OpenLine, seq: int, sighting: Sighting) -> bool:
    where = sighting.where
    place: dict[str, Any] = {
        "line_id": line.line_id,
        "seq": seq,
        "cluster_id": intern_cluster(store, where.cluster, where.region),
        "ns": where.namespace,
        "workload": where.workload,
        "container": where.container,
    }
    pod = place | {"pod": sighting.pod, "container_id": sighting.container_id}
    if not sighting.running:
        return _stop(store, line, place, pod, sighting.at)
    if store.row(_SQL["find_pod"], pod) is not None or not store.run(
        _SQL["add_pod"], pod | {"since": sighting.at, "known_from": line.changed_at}
    ):
        return False
    # A container that was restarted has another id: what it replaced in the same Pod is gone.
    if sighting.pod:
        store.run(_SQL["close_other_containers"], pod | {"until": sighting.at})
    if store.row(_SQL["open_deployment"], place) is None:
        store.run(_SQL["add_deployment"], place | {"since": sighting.at, "known_from": line.changed_at})
    return True


def _stop(store: Store, line: OpenLine, place: dict[str, Any], pod: dict[str, Any], at: int) -> bool:
    if not store.run(_SQL["close_pod"], pod | {"until": at}):
        return False
    if store.row(_SQL["pods_left"], place) is None:
        store.run(_SQL["close_deployment"], place | {"until": at, "until_known": line.changed_at})
    return True


def _order(sighting: Sighting) -> tuple[int, bool, Digest, str, str]:
    return sighting.at, sighting.running, sighting.digest, sighting.pod, sighting.container_id
