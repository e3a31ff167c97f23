"""Everything about one digest, and how a package got into it."""

from safeconduct.capabilities.graph.answers import (
    Everything,
    Gap,
    Judgement,
    Place,
    ReleaseFact,
    ViolationFact,
    Witness,
)
from safeconduct.capabilities.graph.codes import JOINS, JUDGEMENTS, to_digest
from safeconduct.capabilities.graph.directory import EARLIER, MIRROR, Entry, find_aliases, find_entry
from safeconduct.capabilities.graph.facts import Facts, find_named
from safeconduct.capabilities.graph.moments import Moment, moment
from safeconduct.capabilities.graph.packages import name_packages, parse_wanted, resolve
from safeconduct.capabilities.graph.packed import Graph, find_path, unpack
from safeconduct.capabilities.graph.runs import tell_findings
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest, from_bytes, is_digest

_SQL = load_statements("safeconduct.capabilities.graph", "digests.sql")


def find_digest(store: Store, text: str) -> Digest | None:
    """Return the digest that ``text`` names: a digest, or ``product@version``, the newest build first."""
    if is_digest(text):
        return Digest(text)
    product, at, version = text.rpartition("@")
    with store.reading():
        for line_id, seq in find_named(store, product, version) if at else ():
            row = Facts(store, Moment()).row(line_id, seq)
            if row is not None:
                return from_bytes(row.digest)
    return None


def everything(store: Store, digest: Digest, *, as_of: int | None = None, known: int | None = None) -> Everything:
    """Return everything about a digest with its evidence: of the release, for one of its platform manifests.

    Raises:
        Undecided: ``unknown-digest``: the graph never heard of it, or had not by then.
    """
    when = moment(as_of, known)
    with store.reading():
        facts = Facts(store, when)
        entry, release = _found(store, facts, digest)
        held_by = [entry, *(other for other in find_aliases(store, digest) if other.relation == EARLIER)]
        findings = _rows(store, when, "findings_of_release", entry)
        running, ran = _deployments(store, facts, held_by)
        proofs = facts.proofs(entry.line_id, entry.seq)
        return Everything(
            asked=digest,
            release=release,
            other_names=_other_names(store, facts, digest, entry),
            components=_count(store, when, entry) if release.inventory_is != "none" else None,
            proofs=proofs,
            findings=tell_findings(facts, findings),
            judgements=_judgements(store, facts, held_by),
            running=running,
            ran=ran,
            violations=_violations(store, facts, held_by),
            gaps=_gaps(release) + tuple(Gap(p.document, "this proof was erased") for p in proofs if not p.kept),
        )


def path(store: Store, digest: Digest, text: str, *, as_of: int | None = None, known: int | None = None) -> Witness:
    """Return how a package got into a release: one shortest path of its inventory's edges.

    Args:
        text: a purl, with a version, or with a range.

    Raises:
        Undecided: ``unknown-digest``.
        BadUsage: ``malformed-purl`` or ``unordered-version``.
    """
    wanted, when = parse_wanted(text), moment(as_of, known)
    with store.reading():
        facts = Facts(store, when)
        entry, release = _found(store, facts, digest)
        row = facts.row(entry.line_id, entry.seq)
        graph = _graph(store, entry, row.graph if row else None)
        packages = resolve(store, wanted).packages
        targets = [node for node, pkg_id in enumerate(graph.packages) if pkg_id in packages] if graph else []
        steps, gaps = _walk(store, graph, targets)
        return Witness(text, release, steps, release.inventory, _gaps(release) + gaps)


def _walk(store: Store, graph: Graph | None, targets: list[int]) -> tuple[tuple[str, ...], tuple[Gap, ...]]:
    if graph is None or not targets:
        return (), ()
    found = find_path(graph, targets)
    names = name_packages(store, {graph.packages[node] for node in found or targets})
    if found is None:
        purl = names[graph.packages[targets[0]]]
        return (purl,), (Gap(purl, "no edge of the inventory says what brings it in"),)
    return tuple(names[graph.packages[node]] for node in found), ()


def _found(store: Store, facts: Facts, digest: Digest) -> tuple[Entry, ReleaseFact]:
    entry = find_entry(store, digest)
    release = facts.release(entry.line_id, entry.seq) if entry and entry.seq else None
    if entry is not None and release is None:
        entry, release = _earlier(store, facts, digest)
    if entry is None or release is None:
        raise Undecided(
            "unknown-digest",
            f"the graph knows nothing about {digest}",
            why="it was never recorded, never seen running, or not yet at the time asked for",
            next_step="safeconduct inspect it, or record it with safeconduct build or publish",
        )
    return entry, release


def _earlier(store: Store, facts: Facts, digest: Digest) -> tuple[Entry | None, ReleaseFact | None]:
    for entry in find_aliases(store, digest):
        if entry.relation == EARLIER:
            return entry, facts.release(entry.line_id, entry.seq)
    return None, None


def _graph(store: Store, entry: Entry, key: bytes | None) -> Graph | None:
    row = store.row(_SQL["get_graph"], {"line_id": entry.line_id, "graph": key}) if key else None
    return unpack(row[0], row[1]) if row else None


def _rows(store: Store, when: Moment, name: str, entry: Entry) -> list[tuple[int, int, int]]:
    key = {"line_id": entry.line_id, "seq": entry.seq}
    params = key if when.is_now else key | {"known": when.known}
    return [(row[0], row[1], row[2]) for row in store.rows(_SQL[when.pick(name)], params)]


def _count(store: Store, when: Moment, entry: Entry) -> int:
    key = {"line_id": entry.line_id, "seq": entry.seq}
    params = key if when.is_now else key | {"known": when.known}
    row = store.row(_SQL[when.pick("count_components")], params)
    return row[0] if row else 0


def _deployments(store: Store, facts: Facts, held_by: list[Entry]) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    running: set[Place] = set()
    ran: set[Place] = set()
    for entry in held_by:
        key = {"line_id": entry.line_id, "seq": entry.seq} | facts.moment.params
        for *place, still in store.rows(_SQL["deployments_of_release"], key):
            (running if still else ran).add(facts.place(*place))
    return tuple(sorted(running)), tuple(sorted(ran))


def _judgements(store: Store, facts: Facts, held_by: list[Entry]) -> tuple[Judgement, ...]:
    found = []
    for entry in held_by:
        key = {"line_id": entry.line_id, "seq": entry.seq, "known": facts.moment.known}
        for kind, scope, outcome, policy, trust, decision, cluster_id, ns, workload, at in store.rows(
            _SQL["judgements_of_release"], key
        ):
            place = "" if cluster_id is None else f"{facts.cluster(cluster_id)[0]}/{ns}/{workload}"
            found.append(
                Judgement(
                    kind=JUDGEMENTS[kind],
                    scope=scope,
                    outcome=Outcome(outcome),
                    policy=to_digest(policy),
                    trust_version=trust,
                    decision=to_digest(decision),
                    place=place,
                    at=at,
                )
            )
    return tuple(sorted(found, key=lambda judgement: judgement.at))


def _violations(store: Store, facts: Facts, held_by: list[Entry]) -> tuple[ViolationFact, ...]:
    found = []
    for entry in held_by:
        key = {"line_id": entry.line_id, "seq": entry.seq} | facts.moment.params
        for rule, cluster_id, ns, workload, join, doc, at, known in store.rows(_SQL["violations_of_release"], key):
            found.append(
                ViolationFact(
                    rule=rule,
                    cluster=facts.cluster(cluster_id)[0],
                    namespace=ns or "",
                    workload=workload or "",
                    join=JOINS[join],
                    document=from_bytes(doc),
                    at=at,
                    known_since=known,
                )
            )
    return tuple(sorted(found, key=lambda violation: (violation.at, violation.document)))


def _other_names(store: Store, facts: Facts, digest: Digest, entry: Entry) -> tuple[tuple[str, str], ...]:
    names = {
        (relation, str(from_bytes(raw)))
        for raw, seq, relation in store.rows(_SQL["aliases_of_line"], {"line_id": entry.line_id})
        if seq == entry.seq and relation != EARLIER
    }
    names |= {
        (MIRROR, facts.repository(other.line_id)) for other in find_aliases(store, digest) if other.relation == MIRROR
    }
    return tuple(sorted(names))


def _gaps(release: ReleaseFact) -> tuple[Gap, ...]:
    if release.inventory_is == "none":
        return (Gap(release.digest, "it has no inventory, so what it holds and what affects it could not be told"),)
    return ()
