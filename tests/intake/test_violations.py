import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.intake.violations import record_violation
from safeconduct.model.digest import sha256
from safeconduct.model.violation import Violation
from simulators.releases import MINUTE, T0, dump, inventory, put, release, see

HELD = inventory("web@1.0.0")
DIGEST = release("1.0").digest
CONTAINER = sha256(b"shop-1")[7:]


def alert(**fields) -> Violation:
    return Violation(rule="Shell in container", priority="warning", at=T0 + 10, detector="falco", output="", **fields)


@pytest.fixture
def running(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1)
    return store


@pytest.mark.parametrize(
    ("fields", "join"),
    [
        ({"container_id": CONTAINER}, "container"),
        ({"container_id": CONTAINER[:12]}, "container"),
        ({"cluster": "prod", "namespace": "shop", "pod": "shop-1"}, "pod"),
        ({"cluster": "prod", "namespace": "shop", "pod": "shop-1", "container": "web"}, "pod"),
        ({"container_id": "0" * 12, "cluster": "prod", "namespace": "shop", "pod": "shop-1"}, "pod"),
        ({"digest": DIGEST}, "digest"),
        ({"cluster": "prod", "namespace": "shop", "image": "reg.example/shop:latest"}, "image name"),
        ({"cluster": "prod", "namespace": "shop", "pod": "gone", "image": "reg.example/shop:1.0"}, "image name"),
    ],
)
def test_an_alert_is_tied_to_its_release_by_the_strongest_join(running, fields, join):
    found = record_violation(running, at=T0 + 20, violation=alert(**fields), document=b"alert")
    assert found.join == join
    assert [v.join for v in ask.digest(running, DIGEST).violations] == [join]


@pytest.mark.parametrize(
    "fields",
    [
        {"container_id": CONTAINER[:11]},
        {"container_id": "%"},
        {"cluster": "prod", "namespace": "shop", "pod": "shop"},
        {"cluster": "test", "namespace": "shop", "pod": "shop-1"},
        {"cluster": "prod", "namespace": "other", "image": "reg.example/shop:1.0"},
        {"cluster": "prod", "namespace": "shop", "image": "evil.example/shop:1.0"},
        {"digest": sha256(b"unknown")},
        {},
    ],
)
def test_an_alert_that_nothing_ties_is_kept_with_its_workload(running, fields):
    found = record_violation(running, at=T0 + 20, violation=alert(**fields), document=b"alert")
    assert found.join == "none"
    assert not ask.digest(running, DIGEST).violations
    assert len(dump(running)["violation"]) == 1


def test_an_alert_from_after_the_pod_ended_is_not_tied_by_its_name(running):
    see(running, DIGEST, at=T0 + 5, running=False)
    found = record_violation(
        running, at=T0 + 20, violation=alert(cluster="prod", namespace="shop", pod="shop-1"), document=b"alert"
    )
    assert found.join == "none"


def test_a_short_container_id_that_two_containers_share_ties_nothing(running):
    put(running, "2.0", HELD, at=T0 + 2)
    see(running, release("2.0").digest, at=T0 + 3, pod="shop-2", container_id=CONTAINER[:20] + "0" * 44)
    found = record_violation(running, at=T0 + 20, violation=alert(container_id=CONTAINER[:12]), document=b"alert")
    assert found.join == "none"


def test_the_same_alert_again_changes_nothing(running):
    record_violation(running, at=T0 + 20, violation=alert(container_id=CONTAINER), document=b"alert")
    before = dump(running)
    record_violation(running, at=T0 + MINUTE, violation=alert(container_id=CONTAINER), document=b"alert")
    assert dump(running) == before
