import json

import msgspec
import pytest

from safeconduct.capabilities.kubernetes.review import Kind, Request, UserInfo, read_review
from safeconduct.capabilities.kubernetes.workload import (
    POD_SPECS,
    Concern,
    ImageUse,
    changed_uses,
    concern,
    image_uses,
    is_mirror_pod,
    old_uses,
    pin_patch,
    pod_facts,
)
from safeconduct.foundation.errors import Refused

DIGEST = "sha256:" + "a" * 64
SPEC = {
    "containers": [{"name": "app", "image": "reg.local/app:1"}],
    "initContainers": [{"name": "setup", "image": "reg.local/setup:1"}, {"name": "side", "image": "reg.local/side:1"}],
    "ephemeralContainers": [{"name": "debug", "image": "reg.local/debug:1"}],
    "volumes": [{"name": "model", "image": {"reference": "reg.local/model:1"}}, {"name": "tmp", "emptyDir": {}}],
}


def request(kind, body, *, old=None, operation="CREATE", sub="", user=None):
    group, _, name = kind.rpartition("/")
    return Request(
        "uid",
        Kind(group, "v1", name),
        operation=operation,
        sub_resource=sub,
        user_info=user or UserInfo(),
        object=msgspec.Raw(json.dumps(body).encode()),
        old_object=msgspec.Raw(json.dumps(old).encode()),
    )


def wrapped(pointer, spec):
    for key in reversed(pointer.split("/")[1:]):
        spec = {key: spec}
    return spec


@pytest.mark.parametrize("kind", sorted(POD_SPECS))
def test_every_kind_of_workload_names_all_its_images(kind):
    uses = image_uses(request(kind, wrapped(POD_SPECS[kind], SPEC)))
    assert [(use.kind, use.container, use.image) for use in uses] == [
        ("container", "app", "reg.local/app:1"),
        ("init", "setup", "reg.local/setup:1"),
        ("init", "side", "reg.local/side:1"),
        ("ephemeral", "debug", "reg.local/debug:1"),
        ("volume", "model", "reg.local/model:1"),
    ]
    body = wrapped(POD_SPECS[kind], SPEC)
    for use in uses:
        assert at(body, use.pointer) == use.image


def at(body, pointer):
    for key in pointer.split("/")[1:]:
        body = body[int(key) if isinstance(body, list) else key]
    return body


def test_every_recorded_review_names_its_images(shared_data):
    folder = shared_data / "kubernetes/admission"
    found = {
        file.name: [use.image for use in image_uses(read_review(file.read_bytes()).request)]
        for file in folder.glob("*.json")
    }
    assert found["1.36.2-001-CREATE-Pod-main.json"] == ["reg.local/team/app:1.0"]
    assert found["1.36.2-005-CREATE-CronJob-main.json"] == ["reg.local/team/cron:1"]
    assert found["1.36.2-007-UPDATE-Pod-ephemeralcontainers.json"] == ["reg.local/team/app:1.0", "reg.local/dbg:1"]
    for name, images in found.items():
        assert bool(images) == ("CONNECT" not in name and "DELETE" not in name), name


def test_recorded_updates_change_what_they_change(shared_data):
    changed = {}
    for file in (shared_data / "kubernetes/admission").glob("*UPDATE*.json"):
        asked = read_review(file.read_bytes()).request
        changed[file.name] = [use.image for use in changed_uses(old_uses(asked), image_uses(asked))]
    assert changed == {
        "1.20.2-013-UPDATE-Pod-main.json": [],
        "1.20.2-017-UPDATE-Pod-main.json": ["reg.local/team/app:2.0"],
        "1.36.2-002-UPDATE-Pod-main.json": [],
        "1.36.2-007-UPDATE-Pod-ephemeralcontainers.json": ["reg.local/dbg:1"],
        "1.36.2-008-UPDATE-Pod-main.json": ["reg.local/team/app:2.0"],
    }


@pytest.mark.parametrize(("operation", "sub"), [("DELETE", ""), ("CONNECT", "exec"), ("UPDATE", "status")])
def test_what_brings_no_image_is_not_judged(operation, sub):
    asked = request("Pod", {"spec": SPEC}, operation=operation, sub=sub)
    assert concern(asked) is Concern.NOTHING
    assert image_uses(asked) == ()


@pytest.mark.parametrize("sub", ["", "ephemeralcontainers", "resize", "anything"])
def test_any_other_sub_resource_of_a_pod_is_judged(sub):
    assert concern(request("Pod", {"spec": SPEC}, operation="UPDATE", sub=sub)) is Concern.IMAGES


def test_a_kind_that_holds_a_pod_template_is_never_passed_over():
    rollout = request("argoproj.io/Rollout", {"spec": {"template": {"spec": SPEC}}})
    assert concern(rollout) is Concern.UNKNOWN
    kinds = {**POD_SPECS, "argoproj.io/Rollout": "/spec/template/spec"}
    assert concern(rollout, kinds) is Concern.IMAGES
    assert len(image_uses(rollout, kinds)) == 5
    assert concern(request("ConfigMap", {"data": {"containers": "none"}})) is Concern.NOTHING


def test_a_scale_down_that_swaps_an_image_is_a_change():
    old, new = {"replicas": 3, "template": {"spec": SPEC}}, {"replicas": 0, "template": {"spec": SPEC}}
    asked = request("apps/Deployment", {"spec": new}, old={"spec": old}, operation="UPDATE")
    assert changed_uses(old_uses(asked), image_uses(asked)) == ()
    other = json.loads(json.dumps(new).replace("reg.local/side:1", "evil.example/side:1"))
    asked = request("apps/Deployment", {"spec": other}, old={"spec": old}, operation="UPDATE")
    assert [use.image for use in changed_uses(old_uses(asked), image_uses(asked))] == ["evil.example/side:1"]


def test_an_image_moved_to_another_container_is_a_change():
    old = (ImageUse("/spec/containers/0/image", "a", "x", "container"),)
    assert changed_uses(old, (ImageUse("/spec/containers/1/image", "a", "x", "container"),)) == ()
    moved = (ImageUse("/spec/containers/0/image", "b", "x", "container"),)
    assert changed_uses(old, moved) == moved


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"spec": None},
        {"spec": {"containers": {}}},
        {"spec": {"containers": [{"name": "app"}]}},
        {"spec": {"containers": [{"name": "app", "image": ""}]}},
        {"spec": {"containers": [{"name": "app", "image": 5}]}},
        {"spec": {"volumes": [{"name": "v", "image": {}}]}},
        [],
    ],
)
def test_a_pod_that_is_none_is_refused(body):
    with pytest.raises(Refused, match="bad-review"):
        image_uses(request("Pod", body))


def test_the_patch_pins_what_is_not_pinned_and_nothing_else():
    asked = request(
        "Pod",
        {"spec": {"containers": [{"name": "a", "image": "r.io/a:1"}, {"name": "b", "image": f"r.io/b@{DIGEST}"}]}},
    )
    patch = json.loads(pin_patch(asked, image_uses(asked), {"r.io/a:1": DIGEST, f"r.io/b@{DIGEST}": DIGEST}))
    assert patch == [{"op": "replace", "path": "/spec/containers/0/image", "value": f"r.io/a:1@{DIGEST}"}]
    assert pin_patch(asked, image_uses(asked), {}) == b""


def test_controllers_are_not_patched():
    asked = request("apps/Deployment", {"spec": {"template": {"spec": SPEC}}})
    assert pin_patch(asked, image_uses(asked), {"reg.local/app:1": DIGEST}) == b""


def test_a_mirror_pod_is_one_only_when_a_node_makes_it():
    body = {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}, "spec": SPEC}
    node = UserInfo("system:node:n1", "", ("system:nodes", "system:authenticated"))
    assert is_mirror_pod(request("Pod", body, user=node))
    assert (
        pin_patch(request("Pod", body, user=node), image_uses(request("Pod", body)), {"reg.local/app:1": DIGEST}) == b""
    )
    assert not is_mirror_pod(request("Pod", body))
    assert not is_mirror_pod(request("Pod", body, user=UserInfo("system:node:fake")))


def test_the_facts_of_a_pod_name_what_it_asks_of_its_node():
    spec = {
        "hostNetwork": True,
        "hostPID": True,
        "hostIPC": True,
        "serviceAccountName": "robot",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsUser": 0},
        "containers": [
            {
                "name": "b",
                "image": "x",
                "securityContext": {"privileged": True, "capabilities": {"add": ["CAP_SYS_ADMIN", "net_raw"]}},
                "ports": [{"hostPort": 80}, {"containerPort": 8080}],
            },
        ],
        "initContainers": [
            {"name": "a", "image": "x", "securityContext": {"allowPrivilegeEscalation": True, "runAsUser": 5}}
        ],
        "ephemeralContainers": [{"name": "c", "image": "x", "securityContext": {"privileged": True}}],
        "volumes": [{"name": "v", "hostPath": {"path": "/etc"}}],
    }
    facts = pod_facts(request("Pod", {"spec": spec}))
    assert facts is not None
    assert (facts.host_network, facts.host_pid, facts.host_ipc, facts.token) == (True, True, True, False)
    assert (facts.privileged, facts.escalating, facts.root) == (("b", "c"), ("a",), ("b", "c"))
    assert (facts.host_paths, facts.host_ports) == (("/etc",), (80,))
    assert (facts.capabilities, facts.service_account) == (("NET_RAW", "SYS_ADMIN"), "robot")


def test_the_facts_of_a_plain_pod_are_all_quiet(shared_data):
    file = shared_data / "kubernetes/admission/1.36.2-001-CREATE-Pod-main.json"
    facts = pod_facts(read_review(file.read_bytes()).request)
    assert facts is not None
    assert not any(value for name, value in msgspec.structs.asdict(facts).items() if name != "token")
