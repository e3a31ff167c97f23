"""What runs in a cluster: Pods as a watch or a list reports them, read into sightings.

A sighting comes from the digest in ``status…imageID`` and from nowhere else: what was admitted, and what the
specification asks for, is not what runs.

Source: Kubernetes API, watch events; core/v1 PodStatus; container runtimes' spellings of imageID.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.digest import Digest, is_digest
from safeconduct.model.workload import CompleteList, Sighting, Workload

_LINE = 8 * 1024 * 1024
_GONE = 410
_OVER = frozenset({"Succeeded", "Failed"})
_LISTS = frozenset({"", "List", "PodList"})
_HASHES = (("pod-template-hash", "deployment"), ("rollouts-pod-template-hash", "rollout"))
_VALUE = re.compile(r"\S")
_CRON_JOB = re.compile(r"(.+)-\d{8,10}")


class Place(msgspec.Struct, frozen=True):
    """The cluster that a stream comes from: its stream does not say."""

    cluster: str
    region: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What one or many events said.

    Attributes:
        sightings: in the order reported; the same again is no news, and recording it twice changes nothing.
        unknown: ``namespace/pod/container`` that runs without naming a registry digest: could not tell what.
        version: resource version to go on from; empty when none was given.
        complete: set when this is a list of all that runs: then what it does not name has ended.
    """

    sightings: tuple[Sighting, ...] = ()
    unknown: tuple[str, ...] = ()
    version: str = ""
    complete: CompleteList | None = None


class _Owner(msgspec.Struct, frozen=True):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    owner_references: tuple[_Owner, ...] | None = None


class _Running(msgspec.Struct, frozen=True, rename="camel"):
    started_at: str | None = None


class _Terminated(msgspec.Struct, frozen=True, rename="camel"):
    started_at: str | None = None
    finished_at: str | None = None
    container_id: str | None = msgspec.field(default=None, name="containerID")


class _State(msgspec.Struct, frozen=True):
    running: _Running | None = None
    terminated: _Terminated | None = None


class _ContainerStatus(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    image_id: str | None = msgspec.field(default=None, name="imageID")
    container_id: str | None = msgspec.field(default=None, name="containerID")
    state: _State | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    container_statuses: tuple[_ContainerStatus, ...] | None = None
    init_container_statuses: tuple[_ContainerStatus, ...] | None = None
    ephemeral_container_statuses: tuple[_ContainerStatus, ...] | None = None
    phase: str | None = None
    message: str | None = None
    code: int | None = None


class _Pod(msgspec.Struct, frozen=True):
    kind: str = ""
    metadata: _Metadata = _Metadata()
    status: Any = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _Failure(msgspec.Struct, frozen=True):
    message: str = ""
    code: int = 0


class _Shape(msgspec.Struct, frozen=True):
    items: msgspec.Raw = msgspec.Raw(b"")


class _ListMetadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    token: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class _List(msgspec.Struct, frozen=True):
    items: tuple[_Pod, ...]
    kind: str = ""
    metadata: _ListMetadata = _ListMetadata()


def read_watch(lines: Iterable[bytes], place: Place, now: int) -> Seen:
    """Return what a watch stream said, one JSON event a line; blank lines are passed over.

    Args:
        lines: ADDED, MODIFIED, DELETED and BOOKMARK events of Pods.
        place: where the stream comes from.
        now: microseconds since 1970, for what carries no time of its own.

    Raises:
        Undecided: ``watch-expired`` when the API server forgot our place (410): list all Pods, then watch from there;
            ``watch-refused`` for its other errors.
        Refused: ``bad-watch`` for a line that is no event. All or nothing; read_event takes line by line.
    """
    sightings: list[Sighting] = []
    unknown: list[str] = []
    version = ""
    for line in lines:
        if not line.strip():
            continue
        seen = read_event(line, place, now)
        sightings += seen.sightings
        unknown += seen.unknown
        version = seen.version or version
    return Seen(tuple(sightings), tuple(unknown), version)


def read_event(line: bytes, place: Place, now: int) -> Seen:
    """Return what one event says; errors as for read_watch."""
    if len(line) > _LINE:
        raise _bad(f"a line of {len(line)} bytes")
    event: _Event = _decode(line, _Event)
    if event.type == "ERROR":
        raise _failed(_decode(bytes(event.object), _Failure))
    if event.type not in {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"}:
        raise _bad(f"an event of type {event.type[:40]!r}")
    pod: _Pod = _decode(bytes(event.object), _Pod)
    if event.type == "BOOKMARK":
        return Seen((), (), pod.metadata.resource_version)
    return _checked(pod, place, now, deleted=event.type == "DELETED")


def read_list(data: bytes, place: Place, now: int, complete: CompleteList | None = None) -> Seen:
    """Return what a list of Pods says (``GET /api/v1/pods``): the start of a watch, and its restart.

    Args:
        complete: whoever asked for the list says that it is all that runs in the cluster, or in some namespaces. No
            list says so itself: one of a namespace, or of Pods with a label, has the same form.

    Raises:
        Refused: ``bad-watch`` when it is no list of Pods.
        Undecided: ``partial-list`` when it is said to be complete, and is one page of several; ``empty-list`` when it
            is empty and does not come from an API server.
    """
    found: _List = _decode(data, _List)
    if found.kind not in _LISTS:
        raise _bad(f"a list of kind {found.kind[:40]!r}, not of Pods")
    if complete is not None:
        _must_be_whole(found)
    every = [_checked(pod, place, now, deleted=False) for pod in found.items]
    if complete is not None:
        untold = (pod for pod in found.items if not _is_told(pod))
        names = tuple(f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in untold)
        complete = msgspec.structs.replace(complete, untold=names)
    return Seen(
        tuple(sighting for seen in every for sighting in seen.sightings),
        tuple(name for seen in every for name in seen.unknown),
        found.metadata.resource_version,
        complete,
    )


def read_pods(data: bytes, place: Place, now: int) -> Seen:
    """Return what a file or request body says, whichever it is: a list of Pods, or events one after the other.

    Events may stand one a line, as the API server sends them, or spread over lines, as kubectl prints them.

    Raises:
        as read_watch.
    """
    if is_list(data):
        return read_list(data, place, now)
    lines = data.splitlines()
    first = next((line for line in lines if line.strip()), b"")
    return read_watch(lines if _is_whole(first) else _split(data), place, now)


def is_list(data: bytes) -> bool:
    """Return whether ``data`` is one object with items, as a list is, rather than events one a line."""
    try:
        return bool(msgspec.json.decode(data, type=_Shape).items)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False


def controller_of(pod: str, owners: Iterable[tuple[str, str]], labels: dict[str, str]) -> str:
    """Return ``kind/name`` of what a Pod belongs to, one step further up than its owner where its name shows it.

    A ReplicaSet that carries its template's hash in name and label was made by a Deployment (or an Argo Rollout) of
    the name before it; a Job that ends in a time in minutes by a CronJob.

    Args:
        pod: the Pod's name, for Pods of their own and those of a node.
        owners: kind and name of its controlling owner; none or one.
        labels: the Pod's labels.
    """
    for kind, name in owners:
        if kind == "ReplicaSet":
            for label, above in _HASHES:
                tail = f"-{labels.get(label, '')}"
                if len(tail) > 1 and name.endswith(tail) and name != tail:
                    return f"{above}/{name.removesuffix(tail)}"
        cron = _CRON_JOB.fullmatch(name) if kind == "Job" else None
        if cron is not None:
            return f"cronjob/{cron[1]}"
        if kind != "Node":
            return f"{kind.lower()}/{name}"
    return f"pod/{pod}"


def image_digest(image_id: str) -> Digest | None:
    """Return the registry digest in an imageID; None where there is none.

    ``repo@sha256:…``, with ``docker-pullable://`` before it or not, names a manifest. A bare ``sha256:…`` is the
    digest of an image's configuration on that node, which no registry knows.
    """
    _, at, digest = image_id.rpartition("@")
    return Digest(digest) if at and is_digest(digest) else None


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _split(data: bytes) -> list[bytes]:
    """Return the JSON values that stand one after the other in ``data``."""
    found: list[bytes] = []
    try:
        text, decoder, at = data.decode("utf-8"), json.JSONDecoder(), 0
        while start := _VALUE.search(text, at):
            _, at = decoder.raw_decode(text, start.start())
            found.append(text[start.start() : at].encode())
    except (ValueError, RecursionError) as error:
        raise _bad(str(error)) from error
    return found


def _must_be_whole(found: _List) -> None:
    metadata = found.metadata
    if metadata.token or metadata.remaining_item_count:
        raise Undecided(
            "partial-list",
            "the list is one page of several, so it does not name all that runs",
            why="metadata.continue says that more Pods follow",
            next_step="ask for all of them: kubectl get --raw /api/v1/pods, without a limit",
        )
    if not found.items and not metadata.resource_version:
        raise Undecided(
            "empty-list",
            "the list is empty, and nothing says that an API server wrote it",
            why="kubectl prints the same when it is refused or cannot connect; then nothing has ended",
            next_step="take it with: kubectl get --raw /api/v1/pods, whose answer carries a resourceVersion",
        )


def _is_told(pod: _Pod) -> bool:
    """Return whether a listed Pod says of each container what it runs, or that it ended."""
    status = _status(pod)
    if status.phase in _OVER:
        return True
    groups = (status.init_container_statuses, status.container_statuses, status.ephemeral_container_statuses)
    containers = [container for group in groups for container in group or ()]
    return bool(containers) and all(
        container.state is not None
        and (
            container.state.terminated is not None or (container.state.running is not None and _names_digest(container))
        )
        for container in containers
    )


def _names_digest(container: _ContainerStatus) -> bool:
    return image_digest(container.image_id or "") is not None


def _status(pod: _Pod) -> _Status:
    try:
        return msgspec.convert(pod.status or {}, _Status)
    except msgspec.ValidationError as error:
        raise _bad(str(error)) from error


def _checked(pod: _Pod, place: Place, now: int, *, deleted: bool) -> Seen:
    if pod.kind not in {"", "Pod"}:
        raise _bad(f"an object of kind {pod.kind[:40]!r}, not a Pod")
    return _pod(pod, place, now, deleted=deleted)


def _pod(pod: _Pod, place: Place, now: int, *, deleted: bool) -> Seen:
    status, meta = _status(pod), pod.metadata
    owners = [(owner.kind, owner.name) for owner in meta.owner_references or () if owner.controller]
    workload = controller_of(meta.name, owners, meta.labels or {})
    ended = _time(meta.deletion_timestamp, now) if deleted else None
    sightings: list[Sighting] = []
    unknown: list[str] = []
    groups = (status.init_container_statuses, status.container_statuses, status.ephemeral_container_statuses)
    for container in (container for group in groups for container in group or ()):
        where = Workload(place.cluster, place.region, meta.namespace, workload, container.name)
        seen = _container(container, where, meta.name, now, ended)
        if isinstance(seen, Sighting):
            sightings.append(seen)
        elif seen:
            unknown.append(f"{meta.namespace}/{meta.name}/{container.name}")
    return Seen(tuple(sightings), tuple(unknown), meta.resource_version)


def _container(container: _ContainerStatus, where: Workload, pod: str, now: int, ended: int | None) -> Sighting | bool:
    """Return a sighting; True for one that runs but does not say what; False for one that neither runs nor ran."""
    state = container.state or _State()
    if state.running is None and state.terminated is None:
        return False
    digest = image_digest(container.image_id or "")
    if digest is None:
        return state.running is not None and ended is None
    identity = (container.container_id or "").partition("://")[2]
    if state.terminated is not None:
        return Sighting(where, digest, _time(state.terminated.finished_at, ended or now), False, pod, identity)
    if ended is not None:
        return Sighting(where, digest, ended, False, pod, identity)
    started = state.running.started_at if state.running else None
    return Sighting(where, digest, _time(started, now), True, pod, identity)


def _time(text: str | None, otherwise: int) -> int:
    try:
        return from_rfc3339(text) if text else otherwise
    except (ValueError, OverflowError):
        return otherwise


def _decode(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _bad(str(error)) from error


def _failed(failure: _Failure) -> Undecided:
    if failure.code == _GONE:
        return Undecided(
            "watch-expired",
            "the API server no longer knows our place in its stream of Pods",
            why=failure.message[:300],
            next_step="list all Pods, then watch from the version of that list",
        )
    return Undecided(
        "watch-refused",
        "the API server ended its stream of Pods with an error",
        why=f"{failure.code}: {failure.message[:300]}",
        next_step="check that server, then list all Pods and watch again",
    )


def _bad(why: str) -> Refused:
    return Refused(
        "bad-watch",
        "this is not a stream or list of Pods",
        why=why[:300],
        next_step="send what 'kubectl get pods -A --watch --output-watch-events -o json' gives, one event a line",
    )
