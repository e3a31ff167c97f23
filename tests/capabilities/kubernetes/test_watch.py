import json
import random

import pytest

from safeconduct.capabilities.kubernetes.watch import (
    Place,
    controller_of,
    image_digest,
    read_list,
    read_pods,
    read_watch,
)
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import Refused, SafeconductError, Undecided
from safeconduct.model.workload import CompleteList

PLACE = Place("prod-eu", "eu-west-1")
NOW = from_rfc3339("2026-11-23T12:00:00Z")
DIGEST = "sha256:" + "a" * 64


def pod(*statuses, kind="containerStatuses", **metadata):
    meta = {"name": "web-7d4b9c6f5-x2x2x", "namespace": "shop", "resourceVersion": "7"} | metadata
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "status": {"phase": "Running", kind: list(statuses)}}


def container(state, image_id=f"docker.io/shop/web@{DIGEST}", name="web"):
    return {
        "name": name,
        "image": "shop/web:1.0",
        "imageID": image_id,
        "containerID": "containerd://" + "c" * 64,
        "state": state,
    }


def line(kind, body):
    return json.dumps({"type": kind, "object": body}).encode()


RUNNING = {"running": {"startedAt": "2026-11-23T11:00:00Z"}}
ENDED = {"terminated": {"finishedAt": "2026-11-23T11:30:00Z", "exitCode": 0}}


def test_a_running_container_is_seen_with_its_digest_and_place():
    seen = read_watch([line("MODIFIED", pod(container(RUNNING))), b"\n"], PLACE, NOW)
    [sighting] = seen.sightings
    assert (sighting.digest, sighting.running, sighting.at) == (DIGEST, True, from_rfc3339("2026-11-23T11:00:00Z"))
    where = sighting.where
    assert (where.cluster, where.region, where.namespace, where.container) == ("prod-eu", "eu-west-1", "shop", "web")
    assert (sighting.pod, sighting.container_id) == ("web-7d4b9c6f5-x2x2x", "c" * 64)
    assert (seen.unknown, seen.version) == ((), "7")


@pytest.mark.parametrize("kind", ["initContainerStatuses", "ephemeralContainerStatuses"])
def test_init_and_ephemeral_containers_are_seen_as_well(kind):
    assert len(read_watch([line("ADDED", pod(container(RUNNING), kind=kind))], PLACE, NOW).sightings) == 1


def test_a_container_that_ended_is_seen_ended_at_its_own_time():
    [sighting] = read_watch([line("MODIFIED", pod(container(ENDED)))], PLACE, NOW).sightings
    assert (sighting.running, sighting.at) == (False, from_rfc3339("2026-11-23T11:30:00Z"))


def test_a_deleted_pod_ends_what_still_ran_in_it():
    deleted = pod(container(RUNNING), deletionTimestamp="2026-11-23T11:45:00Z")
    [sighting] = read_watch([line("DELETED", deleted)], PLACE, NOW).sightings
    assert (sighting.running, sighting.at) == (False, from_rfc3339("2026-11-23T11:45:00Z"))
    [sighting] = read_watch([line("DELETED", pod(container(RUNNING)))], PLACE, NOW).sightings
    assert sighting.at == NOW


def test_what_runs_without_naming_a_registry_digest_is_told_apart():
    seen = read_watch([line("ADDED", pod(container(RUNNING, image_id=DIGEST)))], PLACE, NOW)
    assert seen.sightings == ()
    assert seen.unknown == ("shop/web-7d4b9c6f5-x2x2x/web",)
    waiting = container({"waiting": {"reason": "ImagePullBackOff"}}, image_id="")
    assert read_watch([line("ADDED", pod(waiting))], PLACE, NOW).unknown == ()


@pytest.mark.parametrize(
    ("image_id", "expected"),
    [
        (f"docker.io/library/nginx@{DIGEST}", DIGEST),
        (f"docker-pullable://nginx@{DIGEST}", DIGEST),
        (f"docker://{DIGEST}", None),
        (DIGEST, None),
        ("", None),
        ("nginx@sha512:" + "a" * 128, None),
    ],
)
def test_only_a_repository_digest_is_a_digest(image_id, expected):
    assert image_digest(image_id) == expected


@pytest.mark.parametrize(
    ("owners", "labels", "expected"),
    [
        ([("ReplicaSet", "web-7d4b9c6f5")], {"pod-template-hash": "7d4b9c6f5"}, "deployment/web"),
        ([("ReplicaSet", "a-b-7d4b9c6f5")], {"pod-template-hash": "7d4b9c6f5"}, "deployment/a-b"),
        ([("ReplicaSet", "web-7d4b9c6f5")], {}, "replicaset/web-7d4b9c6f5"),
        ([("ReplicaSet", "web-1")], {"rollouts-pod-template-hash": "1"}, "rollout/web"),
        ([("Job", "nightly-29012345")], {}, "cronjob/nightly"),
        ([("Job", "migrate-1")], {}, "job/migrate-1"),
        ([("StatefulSet", "db")], {}, "statefulset/db"),
        ([("Node", "n1")], {}, "pod/p"),
        ([], {}, "pod/p"),
    ],
)
def test_a_pod_belongs_to_the_controller_above_its_owner(owners, labels, expected):
    assert controller_of("p", owners, labels) == expected


def test_only_the_controlling_owner_counts():
    owners = [{"kind": "Deployment", "name": "forged"}, {"kind": "ReplicaSet", "name": "web-x", "controller": True}]
    body = pod(container(RUNNING), ownerReferences=owners, labels={"pod-template-hash": "x"})
    assert read_watch([line("ADDED", body)], PLACE, NOW).sightings[0].where.workload == "deployment/web"


def test_a_recorded_stream_of_pods_that_never_ran_shows_nothing_running(shared_data):
    """Recorded without a node: specifications name images, no status names a digest."""
    lines = (shared_data / "kubernetes/admission/1.20.2-watch-pods.ndjson").read_bytes().splitlines()
    assert len(lines) == 8
    seen = read_watch(lines, PLACE, NOW)
    assert (seen.sightings, seen.unknown, seen.version) == ((), (), "204")


def test_a_recorded_error_ends_the_stream_as_could_not_tell(shared_data):
    lines = (shared_data / "kubernetes/admission/1.36.2-watch-pods.ndjson").read_bytes().splitlines()
    with pytest.raises(Undecided) as caught:
        read_watch(lines, PLACE, NOW)
    assert caught.value.id == "watch-refused"


def test_a_forgotten_place_in_the_stream_asks_for_a_new_list():
    gone = {"kind": "Status", "status": "Failure", "message": "too old resource version", "code": 410}
    with pytest.raises(Undecided) as caught:
        read_watch([line("ERROR", gone)], PLACE, NOW)
    assert caught.value.id == "watch-expired"


def test_a_list_starts_a_watch():
    body = {"kind": "PodList", "metadata": {"resourceVersion": "99"}, "items": [pod(container(RUNNING))] * 2}
    seen = read_list(json.dumps(body).encode(), PLACE, NOW)
    assert (len(seen.sightings), seen.version) == (2, "99")


def test_events_and_lists_are_read_as_the_api_server_and_as_kubectl_print_them():
    events = [{"type": "ADDED", "object": pod(container(RUNNING))}, {"type": "BOOKMARK", "object": pod()}]
    plain = b"\n".join(json.dumps(event).encode() for event in events)
    pretty = "\n".join(json.dumps(event, indent=4) for event in events).encode()
    body = {"kind": "PodList", "metadata": {}, "items": [pod(container(RUNNING))]}
    for data in (plain, pretty, json.dumps(body).encode(), json.dumps(body, indent=4).encode()):
        assert len(read_pods(data, PLACE, NOW).sightings) == 1
    assert read_pods(b"", PLACE, NOW).sightings == ()
    for damaged in (pretty[:-5], pretty + b"{", b"\xff", b"[\n" * 100_000):
        with pytest.raises(Refused, match="bad-watch"):
            read_pods(damaged, PLACE, NOW)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'{"type":"ADDED"}',
        line("SURPRISE", {}),
        line("ADDED", {"kind": "Secret"}),
        line("ADDED", {"kind": "Pod", "status": 5}),
        line("ADDED", {"kind": "Pod", "status": {"containerStatuses": {}}}),
        b'{"type":"ADDED","object":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_event_is_refused(data):
    with pytest.raises(Refused) as caught:
        read_watch([data], PLACE, NOW)
    assert caught.value.id == "bad-watch"


def test_damaged_events_are_refused_or_read_and_never_crash():
    whole = line("MODIFIED", pod(container(RUNNING), container(ENDED, name="b")))
    chosen = random.Random(5)
    refused = set()
    for _ in range(1_000):
        data = bytearray(whole)
        for _ in range(chosen.randrange(1, 6)):
            data[chosen.randrange(len(data))] = chosen.randrange(256)
        try:
            read_watch([bytes(data)], PLACE, NOW)
        except SafeconductError as error:
            refused.add(error.id)
    assert refused == {"bad-watch"}


def listed(*pods, kind="PodList", **metadata) -> bytes:
    return json.dumps({"kind": kind, "items": list(pods), "metadata": {"resourceVersion": "9"} | metadata}).encode()


ALL = CompleteList("prod-eu", NOW)


def test_a_list_is_complete_only_when_whoever_took_it_says_so():
    data = listed(pod(container(RUNNING)))
    assert read_list(data, PLACE, NOW).complete is None
    assert read_list(data, PLACE, NOW, ALL).complete == ALL


@pytest.mark.parametrize("more", [{"continue": "token"}, {"remainingItemCount": 7}])
def test_a_page_of_a_list_is_never_complete(more):
    data = listed(pod(container(RUNNING)), **more)
    assert len(read_list(data, PLACE, NOW).sightings) == 1
    with pytest.raises(Undecided) as error:
        read_list(data, PLACE, NOW, ALL)
    assert error.value.id == "partial-list"


def test_an_empty_list_is_complete_only_from_an_api_server():
    """Kubectl prints an empty list as well when it is refused or cannot connect."""
    assert read_list(listed(), PLACE, NOW, ALL).complete == ALL
    with pytest.raises(Undecided) as error:
        read_list(listed(kind="List", resourceVersion=""), PLACE, NOW, ALL)
    assert error.value.id == "empty-list"


@pytest.mark.parametrize("data", [listed(kind="ServiceList"), listed({"kind": "Service"}, kind="List")])
def test_a_list_of_something_else_is_refused(data):
    with pytest.raises(Refused) as error:
        read_list(data, PLACE, NOW, ALL)
    assert error.value.id == "bad-watch"


WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


@pytest.mark.parametrize(
    ("one", "untold"),
    [
        (pod(container(RUNNING)), False),
        (pod(container(ENDED)), False),
        (pod(container(RUNNING), container(WAITING, name="side")), True),
        (pod(container(RUNNING, image_id="sha256:" + "a" * 64)), True),
        (pod(container(None)), True),
        (pod(), True),
        ({"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "status": {"phase": "Failed"}}, False),
    ],
)
def test_a_pod_that_does_not_say_all_of_what_it_runs_is_named(one, untold):
    complete = read_list(listed(one), PLACE, NOW, ALL).complete
    assert complete.untold == ((f"{one['metadata']['namespace']}/{one['metadata']['name']}",) if untold else ())
