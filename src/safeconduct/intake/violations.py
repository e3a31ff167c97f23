"""Runtime violations taken in and tied to what runs, by the strongest join that holds.

Order: container id, then Pod with namespace and time, then digest, then the image's name among what runs in that
namespace (weak: a tag may have moved). What nothing ties to a release goes to the line of its workload.
"""

import json

import msgspec

from safeconduct.capabilities.graph.codes import JOINS
from safeconduct.capabilities.graph.directory import digest_at, find_entry
from safeconduct.capabilities.graph.keys import workload_key
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Row, Store
from safeconduct.intake.dictionary import intern_cluster
from safeconduct.intake.lines import OpenLine, close_line, last_estate_event, load_line, open_line
from safeconduct.model.digest import Digest, to_bytes
from safeconduct.model.violation import Violation

_SQL = load_statements("safeconduct.intake", "violations.sql")
_SHORT_ID = 12
_AFTER_HEX = "g"


class ViolationBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of one violation."""

    violation: Violation
    document: Digest
    estate: int = 0


class Attribution(msgspec.Struct, frozen=True):
    """What a violation was tied to; ``join`` is one of ``codes.JOINS``, ``digest`` the release's."""

    join: str
    workload: str = ""
    container: str = ""
    digest: Digest | None = None


class _Join(msgspec.Struct, frozen=True):
    line_id: int
    seq: int
    strength: str
    workload: str = ""
    container: str = ""


def record_violation(store: Store, *, at: int, violation: Violation, document: bytes) -> Attribution:
    """Take in one alert, its document kept verbatim; the same one again changes nothing.

    Raises:
        Undecided: ``store-busy``.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document)
        return apply_violation(store, at, ViolationBody(violation, doc, last_estate_event(store)[0]))


def apply_violation(store: Store, at: int, body: ViolationBody) -> Attribution:
    """Write what a violation's event says. Ingest and rebuild both come here."""
    violation = body.violation
    cluster_id = intern_cluster(store, violation.cluster)
    join = _join(store, violation, cluster_id)
    if join is None:
        key = workload_key(violation.cluster, violation.namespace, violation.pod)
        line, seq, answer = open_line(store, key), None, Attribution(JOINS[0])
    else:
        line, seq = load_line(store, join.line_id), join.seq
        digest = digest_at(store, line.line_id, join.seq)
        answer = Attribution(join.strength, join.workload, join.container, digest)
    place = {"line_id": line.line_id, "doc": to_bytes(body.document)}
    if store.row(_SQL["find_violation"], place) is None:
        _add(store, at, line, body, place | {"seq": seq, "cluster_id": cluster_id}, answer)
    return answer


def _add(
    store: Store, at: int, line: OpenLine, body: ViolationBody, place: dict[str, object], answer: Attribution
) -> None:
    line.begin(at)
    violation = body.violation
    row = {
        "ns": violation.namespace,
        "workload": answer.workload or (f"pod/{violation.pod}" if violation.pod else ""),
        "rule": violation.rule,
        "at": violation.at,
        "join_strength": JOINS.index(answer.join),
        "known_from": line.changed_at,
    }
    store.run(_SQL["add_violation"], place | row)
    close_line(store, line, "violation", body, body.document)


def _join(store: Store, violation: Violation, cluster_id: int) -> _Join | None:
    return (
        _by_container(store, violation)
        or _by_pod(store, violation, cluster_id)
        or _by_digest(store, violation)
        or _by_image(store, violation, cluster_id)
    )


def _by_container(store: Store, violation: Violation) -> _Join | None:
    found = violation.container_id
    if len(found) < _SHORT_ID:
        return None
    # Detectors cut container ids short: a prefix counts when only one container has it.
    rows = store.rows(_SQL["pods_of_container"], {"low": found, "high": found + _AFTER_HEX})
    return _only([(row[0], row[1], row[4], row[5]) for row in rows], "container")


def _by_pod(store: Store, violation: Violation, cluster_id: int) -> _Join | None:
    if not (violation.pod and violation.namespace):
        return None
    key = {"cluster_id": cluster_id, "ns": violation.namespace, "pod": violation.pod, "at": violation.at}
    rows = store.rows(_SQL["pods_of_name"], key)
    named = [row for row in rows if row[3] == violation.container]
    return _only(named or rows, "pod")


def _by_digest(store: Store, violation: Violation) -> _Join | None:
    digest = violation.digest
    entry = find_entry(store, digest) if digest else None
    return _Join(entry.line_id, entry.seq, "digest") if entry and entry.seq else None


def _by_image(store: Store, violation: Violation, cluster_id: int) -> _Join | None:
    repository = _repository_of(violation.image)
    if not (repository and violation.namespace):
        return None
    key = {"cluster_id": cluster_id, "ns": violation.namespace, "at": violation.at}
    rows = store.rows(_SQL["pods_of_namespace"], key)
    names: dict[int, str] = {row[0]: _repository_of_line(store, row[0]) for row in rows}
    return _only([row for row in rows if names[row[0]] == repository], "image name")


def _only(rows: list[Row], strength: str) -> _Join | None:
    releases = {(row[0], row[1]) for row in rows}
    if len(releases) != 1:
        return None
    line_id, seq, workload, container = rows[0]
    return _Join(line_id, seq, strength, workload, container)


def _repository_of(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return head + slash + tail.partition(":")[0]


def _repository_of_line(store: Store, line_id: int) -> str:
    row = store.row(_SQL["repository_of_line"], {"line_id": line_id})
    return str(json.loads(row[0]).get("repository", "")) if row else ""
