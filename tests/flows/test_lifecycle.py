"""One release from commit to cluster and back, through the public interface: the command line and HTTP over TLS.

Real are: git and ssh-keygen, Debian's docker-registry, the server's process and TLS, and the reviews and watches that
real API servers sent, which are posted as they were recorded.
"""

import base64
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.forgery import KINDS, published, push_other_image
from simulators.world import Webhook, World, advisory, write_project

APP, WEB = "reg.local/team/app", "reg.local/team/web"
NO, UNKNOWN = 1, 3
LATER = "TEST-2026-0001"


@dataclass(frozen=True)
class Flow:
    """A world with releases in a real registry, and the digests that its tags mean."""

    world: World
    app: str
    unsigned: str


@pytest.fixture(scope="session")
def flow(committed_world, docker_registry, tmp_path_factory) -> Flow:
    """Publish app:1.0 and web:2 signed, app:2.0 and job:1 and dbg:1 unsigned, over HTTP; cron:1 nowhere."""
    world = committed_world.copy(tmp_path_factory.mktemp("flow"))
    world.trust("scope", "team", APP, WEB)
    staged = World(world.folder)
    staged.run("build", "app", "-o", "stage/app", "--no-publish", "--no-record")
    world.registries(reg_local=docker_registry.url, shop_example=docker_registry.url)
    built = world.run("build", "app", "-o", "stage/app-1.0", "--json").json
    _publish_unsigned(world)
    write_project(world.app, "2")
    settings = world.app / "safeconduct.toml"
    settings.write_text(settings.read_text().replace(f'"{APP}"', f'"{WEB}"').replace('name = "app"', 'name = "web"'))
    world.commit("The web part")
    world.run("build", "app", "-o", "stage/web")
    unsigned = world.run("inspect", f"{APP}:2.0", "--json").json["digest"]
    return Flow(world, built["release"]["digest"], unsigned)


def _publish_unsigned(world: World) -> None:
    layout = world.folder / "registry" / "team" / "app"
    layout.parent.mkdir(parents=True)
    shutil.copytree(world.folder / "stage" / "app-1.0", layout)
    push_other_image(world, "unsigned")
    assert "unsigned" in published(world).tags()
    for target in (f"{APP}:2.0", "reg.local/team/job:1", "reg.local/dbg:1"):
        world.run("publish", "oci:registry/team/app:unsigned", target)


@pytest.fixture(scope="module")
def webhook(flow):
    """The webhook of cluster ``prod``, in a process of its own, over TLS."""
    with flow.world.serve("--cluster", "prod", "--region", "eu") as served:
        yield served


def recorded(shared_data: Path, name: str) -> bytes:
    [file] = (shared_data / "kubernetes" / "admission").glob(name)
    return file.read_bytes()


def denied(response, code=403) -> str:
    assert response["allowed"] is False
    assert response["status"]["code"] == code, response
    return response["status"]["message"]


def patched(response) -> list[str]:
    steps = json.loads(base64.b64decode(response.get("patch") or b"W10="))
    return [step["value"] for step in steps if str(step["path"]).endswith("image")]


VERSIONS = pytest.mark.parametrize("version", ["1.20.2", "1.36.2"])


def test_develop_refuses_what_is_unsigned_and_passes_what_is_mended(committed):
    assert committed.run("check", "app", "--json").json["decision"]["outcome"] == 0
    committed.commit("In haste", signed=False)
    refused = committed.run("check", "app", "--json", exits=NO)
    assert refused.rules() == {"commits-signed"}
    committed.git("commit", "-q", "--amend", "--allow-empty", "--no-edit", f"-S{committed.folder}/home/.ssh/dev")
    committed.run("check", "app")


def test_the_release_is_published_over_http_with_all_its_evidence(flow):
    verified = flow.world.run("verify", f"{APP}:1.0", "--json").json
    assert verified["digest"] == flow.app
    signed = {c["predicateType"]: c["signer"]["subject"] for c in verified["claims"]}
    assert signed == {kind: "gate" if kind == KINDS["vsa"] else "builder" for kind in KINDS.values()}


def test_a_build_of_the_same_commit_gives_the_same_digest_wherever_it_is_staged(flow):
    first = flow.world.run("inspect", "oci:stage/app:1.0", "--json").json["digest"]
    assert first == flow.app


def test_a_release_copied_to_another_registry_keeps_its_evidence_and_its_name(flow):
    world = flow.world
    world.run("publish", f"{APP}:1.0", "shop.example/mirror/app:1.0")
    world.run("verify", "shop.example/mirror/app:1.0", "--repository", APP)
    world.run("verify", "shop.example/mirror/app:1.0", exits=NO)


@VERSIONS
def test_a_recorded_pod_with_the_release_is_admitted_and_pinned(flow, webhook, shared_data, version):
    body = recorded(shared_data, f"{version}-*-CREATE-Pod-main.json")
    response = webhook.review("mutate", body)
    assert response["allowed"] is True
    assert patched(response) == [f"{APP}:1.0@{flow.app}"]
    review = json.loads(body)
    assert "not-pinned" in denied(webhook.review("validate", body))
    review["request"]["object"]["spec"]["containers"][0]["image"] = f"{APP}:1.0@{flow.app}"
    assert webhook.review("validate", json.dumps(review).encode())["allowed"] is True


@VERSIONS
def test_a_recorded_pod_update_that_changes_no_image_is_admitted(webhook, shared_data, version):
    body = recorded(shared_data, f"{version}-0[01][23]-UPDATE-Pod-main.json")
    for phase in ("mutate", "validate"):
        response = webhook.review(phase, body)
        assert response["allowed"] is True
        assert patched(response) == []


@VERSIONS
def test_a_recorded_pod_update_to_the_unsigned_image_is_denied(flow, webhook, shared_data, version):
    body = recorded(shared_data, f"{version}-0[01][78]-UPDATE-Pod-main.json")
    pinned = webhook.review("mutate", body)
    assert patched(pinned) == [f"{APP}:2.0@{flow.unsigned}"]
    review = json.loads(body)
    review["request"]["object"]["spec"]["containers"][0]["image"] = f"{APP}:2.0@{flow.unsigned}"
    message = denied(webhook.review("validate", json.dumps(review).encode()))
    assert "image-signed" in message
    assert "next:" in message


@VERSIONS
@pytest.mark.parametrize("what", ["CONNECT-PodExecOptions-exec", "DELETE-Pod-main"])
def test_recorded_execs_and_deletions_are_no_deployments(webhook, shared_data, version, what):
    files = sorted((shared_data / "kubernetes" / "admission").glob(f"{version}-*-{what}.json"))
    assert files
    for file in files:
        for phase in ("mutate", "validate"):
            assert webhook.review(phase, file.read_bytes())["allowed"] is True


@VERSIONS
def test_recorded_deployments_jobs_and_cron_jobs_are_judged(webhook, shared_data, version):
    """web:2 is a release, job:1 nobody signed, cron:1 is nowhere: the three answers."""
    deployment = recorded(shared_data, f"{version}-*-CREATE-Deployment-main.json")
    assert webhook.review("validate", deployment)["allowed"] is True
    job = recorded(shared_data, f"{version}-*-CREATE-Job-main.json")
    assert "image-signed" in denied(webhook.review("validate", job))
    if version == "1.36.2":
        cron = recorded(shared_data, f"{version}-*-CREATE-CronJob-main.json")
        assert "not-found" in denied(webhook.review("validate", cron), 503)


def test_a_recorded_ephemeral_container_is_judged(webhook, shared_data):
    body = recorded(shared_data, "1.36.2-*-UPDATE-Pod-ephemeralcontainers.json")
    mutated = webhook.review("mutate", body)
    assert mutated["allowed"] is True
    review = json.loads(body)
    [container] = review["request"]["object"]["spec"]["ephemeralContainers"]
    [container["image"]] = patched(mutated)
    message = denied(webhook.review("validate", json.dumps(review).encode()))
    assert container["image"] in message
    assert "image-signed" in message


def test_every_recorded_review_gets_an_answer_in_its_own_api_version(webhook, shared_data):
    files = sorted((shared_data / "kubernetes" / "admission").glob("*.json"))
    assert len(files) == 18
    for file in files:
        asked = json.loads(file.read_bytes())
        for phase in ("mutate", "validate"):
            status, answer = webhook.post(f"/admission/{phase}", file.read_bytes())
            assert (status, answer["apiVersion"]) == (200, asked["apiVersion"])


def test_recorded_watches_are_taken_in_and_tell_what_they_cannot(flow, shared_data, tmp_path):
    """The recorded Pods never started, so nothing is said to run; a server's own error is could not tell."""
    world = flow.world.copy(tmp_path / "w")
    folder = shared_data / "kubernetes" / "admission"
    seen = world.run("watch", "pods", folder / "1.20.2-watch-pods.ndjson", "--cluster", "old", "--json").json
    assert seen["running"] == []
    broken = world.run("watch", "pods", folder / "1.36.2-watch-pods.ndjson", "--cluster", "new", exits=UNKNOWN)
    assert "RequestWatchProgress" in broken.text
    # Neither stream told of anything that runs: nothing found, and nobody having looked, are two answers.
    assert world.run("ask", "runs", "pkg:npm/printer", "--json", exits=3).json["total"] == 0


def pod_event(name, image, digest, kind="MODIFIED", started="2026-11-01T00:00:00Z"):
    """One event of a watch: a Pod of a Deployment, running."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{name}-5c9d7f6b84",
        "uid": "u-1",
        "controller": True,
    }
    meta = {"name": f"{name}-5c9d7f6b84-q7x2m", "namespace": "team", "uid": f"uid-{name}", "ownerReferences": [owner]}
    meta |= {"labels": {"pod-template-hash": "5c9d7f6b84"}, "creationTimestamp": started}
    container = {"name": "c", "image": image, "imageID": f"{image.partition(':')[0]}@{digest}", "ready": True}
    container |= {"containerID": "containerd://" + "e7040d690842" * 5 + "abcd", "restartCount": 0}
    container |= {"state": {"running": {"startedAt": started}}}
    spec = {"containers": [{"name": "c", "image": image}]}
    status = {"phase": "Running", "startTime": started, "containerStatuses": [container]}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": status}
    return json.dumps({"type": kind, "object": pod})


def alert(name, digest):
    """What Falco posts about such a Pod."""
    fields = {"container.id": "e7040d690842", "container.image.digest": digest, "k8s.cluster.name": "prod"}
    fields |= {"k8s.ns.name": "team", "k8s.pod.name": f"{name}-5c9d7f6b84-q7x2m", "container.name": "c"}
    head = {"uuid": "0f1c6b1e-6d0e-4f7a-9a57-3f3d3c2b9d11", "priority": "Critical", "rule": "Drop and execute"}
    return json.dumps(head | {"source": "syscall", "time": "2026-11-02T00:00:00Z", "output_fields": fields})


@dataclass(frozen=True)
class Operated:
    """A world in which the release ran, an advisory came, and the answers before it came."""

    world: World
    app: str
    webhook: Webhook
    before: str
    audit: dict[str, object]


@pytest.fixture(scope="module")
def operated(flow, tmp_path_factory):
    """Report the release as running, over HTTPS and by file; let an advisory come, audit, and take an alert in."""
    world = flow.world.copy(tmp_path_factory.mktemp("operated"))
    with world.serve("--cluster", "prod", "--region", "eu") as served:
        world.gate(f"{APP}:1.0", "--record", *served.flags)
        events = pod_event("app", f"{APP}:1.0", flow.app).encode()
        status, taken = served.post("/events/pods?cluster=prod&region=eu", events, token=served.token)
        assert (status, taken["taken"]) == (202, 1)
        file = world.folder / "events.ndjson"
        file.write_bytes(events)
        world.run("watch", "pods", file, "--cluster", "prod-2", "--region", "us")
        before = world.run("graph", "lineage", flow.app, "--json").json and _now()
        world.run("db", "update", world.feed("later", advisory(LATER, "printer", fixed="3.2.0")))
        audit = world.run("audit", "--json", exits=NO).json
        status, taken = served.post("/events/falco?cluster=prod", alert("app", flow.app).encode(), token=served.token)
        assert (status, taken["taken"]) == (202, 1)
        yield Operated(world, flow.app, served, before, audit)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def questions(done):
    """Every question of the graph, and the same as of before the advisory."""
    asked = [
        ("runs", "pkg:npm/printer"),
        ("runs", "pkg:npm/printer@<3.2.0"),
        ("runs", "pkg:npm/printer@3.1.0"),
        ("reaches", LATER),
        ("path", done.app, "pkg:npm/printer"),
        ("digest", done.app),
        ("upgrades",),
    ]
    return [*asked, *((*line, "--as-of", done.before) for line in asked)]


def test_the_audit_finds_the_new_risk_in_what_runs(operated):
    [found] = [a for a in operated.audit["audited"] if a["release"]["digest"] == operated.app]
    assert (found["before"], found["deploy"]["outcome"], found["release"]["running"]) == (0, NO, True)
    assert [f["advisory"] for f in found["findings"]] == [LATER]
    assert [f["fix"]["smallest"] for f in found["findings"]] == ["3.2.0"]


def test_the_same_image_is_denied_to_new_deployments(operated, shared_data):
    review = json.loads(recorded(shared_data, "1.36.2-*-CREATE-Pod-main.json"))
    review["request"]["object"]["spec"]["containers"][0]["image"] = f"{APP}:1.0@{operated.app}"
    message = denied(operated.webhook.review("validate", json.dumps(review).encode()))
    assert LATER in message
    assert "3.2.0" in message
    operated.world.gate(f"{APP}:1.0", *operated.webhook.flags, exits=NO)


def test_an_alert_is_tied_to_cluster_workload_release_and_commit(operated):
    known = operated.world.run("ask", "digest", operated.app, "--json").json
    [violation] = known["violations"]
    assert (violation["cluster"], violation["rule"]) == ("prod", "Drop and execute")
    again = operated.world.folder / "alert.json"
    again.write_text(alert("app", operated.app))
    [tied] = operated.world.run("watch", "falco", again, "--cluster", "prod", "--json").json["items"]
    assert (tied["release"], tied["digest"], tied["workload"]) == ("app 1.0", operated.app, "deployment/app")
    assert tied["commit"] == known["release"]["commit"]["id"]
    assert len(operated.world.run("ask", "digest", operated.app, "--json").json["violations"]) == 1


def test_what_runs_a_package_is_told_with_place_release_commit_and_signers(operated):
    answer = operated.world.run("ask", "runs", "pkg:npm/printer@<3.2.0", "--json").json
    assert answer["total"] == 2
    assert {(r["place"]["cluster"], r["place"]["region"]) for r in answer["running"]} == {
        ("prod", "eu"),
        ("prod-2", "us"),
    }
    [release] = {json.dumps(r["release"]) for r in answer["running"]}
    told = json.loads(release)
    assert (told["product"], told["version"], told["commit_verified"]) == ("app", "1.0", True)
    assert "Dev" in told["commit"]["author"]
    assert told["commit"]["signer"]["subject"] == "dev@team.example"
    assert {s["subject"] for s in told["signers"]} == {"builder", "gate"}
    assert operated.world.run("ask", "runs", "pkg:npm/printer@>=3.2.0", "--json").json["total"] == 0


def test_an_advisory_reaches_what_runs_and_an_upgrade_repairs_it(operated):
    reach = operated.world.run("ask", "reaches", LATER, "--json").json
    assert (reach["running"], {r["release"]["digest"] for r in reach["releases"]} >= {operated.app}) == (2, True)
    [first, *_] = operated.world.run("ask", "upgrades", "--json").json["upgrades"]
    assert (first["purl"], first["to"], first["workloads"]) == ("pkg:npm/printer@3.1.0", "3.2.0", 2)
    path = operated.world.run("ask", "path", operated.app, "pkg:npm/printer", "--json").json
    assert [s.split("/")[-1] for s in path["steps"]] == ["web-server@1.0.0", "parser@2.0.0", "printer@3.1.0"]


def test_before_the_advisory_nothing_was_known_and_with_todays_knowledge_it_was_there(operated):
    world, then = operated.world, ("--as-of", operated.before)
    assert world.run("ask", "upgrades", *then, "--json").json["upgrades"] == []
    assert world.run("ask", "digest", operated.app, *then, "--json").json["findings"] == []
    known = world.run("ask", "digest", operated.app, *then, "--known", "now", "--json").json["findings"]
    assert [f["advisory"]["id"] for f in known] == [LATER]
    assert world.run("ask", "runs", "pkg:npm/printer", *then, "--json").json["total"] == 2


def test_every_question_answers_as_a_table_and_as_json(operated):
    for line in questions(operated):
        as_json = operated.world.run("ask", *line, "--json", exits=None)
        table = operated.world.run("ask", *line, exits=None)
        assert as_json.json["schema"] == f"safeconduct/ask-{line[0]}/v1"
        assert table.status == as_json.status
        assert table.out.strip()
        with pytest.raises(json.JSONDecodeError):
            json.loads(table.out)


def test_a_graph_rebuilt_from_documents_and_events_gives_the_same_answers(operated):
    world = operated.world
    told = world.run("graph", "rebuild", "--into", "rebuilt.db", "--json").json
    assert told["events"] > 0
    for line in [*(("ask", *q) for q in questions(operated)), ("db", "status"), ("graph", "lineage", operated.app)]:
        first = world.run(*line, "--json", exits=None)
        again = world.run(*line, "--json", "--store", "rebuilt.db", exits=None)
        assert (again.status, again.out) == (first.status, first.out), line


def test_the_lineage_is_one_file_that_names_everybody(operated):
    world = operated.world
    world.run("graph", "lineage", operated.app, "-o", "lineage.html")
    drawn = (world.folder / "lineage.html").read_text()
    for name in ("dev@team.example", "app 1.0", "prod-2", LATER, "builder"):
        assert name in drawn, name
    assert "src=" not in drawn
    assert "@import" not in drawn
