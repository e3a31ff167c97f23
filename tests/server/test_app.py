"""The webhook over real TLS, asked with reviews that real API servers sent."""

import base64
import json
import logging
import ssl
import threading
import time

import httpx2
import pytest

from safeconduct.capabilities.kubernetes.review import allow, deny
from safeconduct.capabilities.kubernetes.workload import image_uses, pin_patch
from safeconduct.foundation.clock import from_rfc3339, to_datetime
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.limits import LIMITS
from safeconduct.server.access import Access, make_token
from safeconduct.server.app import Bounds, create_app
from safeconduct.server.certificates import make_server_certificate
from safeconduct.server.serve import Tls, serving

DIGEST = "sha256:" + "a" * 64
KNOWN = {"reg.local/team/app:1.0": DIGEST}
TOKEN = make_token()


class KnownImages:
    """A small real reviewer: known images are pinned and pass; the image's name decides about the rest."""

    def __init__(self):
        self.release = threading.Event()

    def review(self, request, *, phase):
        uses = image_uses(request)
        images = {use.image for use in uses}
        if "reg.local/team/job:1" in images:
            self.release.wait(10)
        if "reg.local/team/web:2" in images:
            raise Undecided("registry-unreachable", "the registry did not answer", next_step="try again")
        if "reg.local/team/cron:1" in images:
            raise ValueError("an error of ours with a secret in it")
        if "reg.local/dbg:1" in images:
            raise Refused("bad-reference", "no such image")
        unknown = images - set(KNOWN)
        if unknown:
            return deny(f"{min(unknown)} is not signed")
        return allow(patch=pin_patch(request, uses, KNOWN) if phase == "mutate" else b"", audit={"phase": phase})


class Records:
    def __init__(self):
        self.violations, self.seen = [], []
        self.broken = False

    def take_violations(self, violations):
        if self.broken:
            raise OSError("disk full")
        self.violations += violations

    def take_sightings(self, seen):
        self.seen.append(seen)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    now = to_datetime(time.time_ns() // 1_000)
    return make_server_certificate(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1"], now)


@pytest.fixture(scope="module")
def reviewer():
    return KnownImages()


@pytest.fixture(scope="module")
def records():
    return Records()


@pytest.fixture(scope="module")
def client(certificate, reviewer, records):
    app = create_app(reviewer, records, Access([TOKEN]), timeout_seconds=5, bounds=Bounds(workers=2, waiting=4))
    with (
        serving(app, Tls(certificate.certificate, certificate.key)) as url,
        httpx2.Client(base_url=url, verify=ssl.create_default_context(cafile=certificate.ca), timeout=20) as client,
    ):
        assert url.startswith("https://127.0.0.1:")
        yield client
        reviewer.release.set()


@pytest.fixture
def recorded(shared_data):
    return lambda name: next((shared_data / "kubernetes/admission").glob(f"*{name}*")).read_bytes()


def response_of(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()["response"]


@pytest.mark.parametrize("name", ["1.20.2-012-CREATE-Pod", "1.36.2-001-CREATE-Pod"])
def test_a_known_image_is_pinned_when_mutating_and_passes_when_validating(client, recorded, name):
    body = recorded(name)
    response = response_of(client.post("/admission/mutate?timeout=10s", content=body))
    assert (response["uid"], response["allowed"]) == (json.loads(body)["request"]["uid"], True)
    [step] = json.loads(base64.b64decode(response["patch"]))
    assert (step["path"], step["value"]) == ("/spec/containers/0/image", f"reg.local/team/app:1.0@{DIGEST}")
    response = response_of(client.post("/admission/validate?timeout=10s", content=body))
    assert response["allowed"]
    assert "patch" not in response
    assert response["auditAnnotations"] == {"phase": "validate"}


def test_every_recorded_review_gets_an_answer_with_its_uid(client, shared_data, reviewer):
    reviewer.release.set()
    for file in sorted((shared_data / "kubernetes/admission").glob("*.json")):
        body = file.read_bytes()
        for phase in ("mutate", "validate"):
            response = response_of(client.post(f"/admission/{phase}", content=body))
            assert response["uid"] == json.loads(body)["request"]["uid"]
    reviewer.release.clear()


def test_an_unknown_image_is_denied_with_403(client, recorded):
    response = response_of(client.post("/admission/validate", content=recorded("1.20.2-017-UPDATE-Pod")))
    assert (response["allowed"], response["status"]["code"]) == (False, 403)
    assert response["status"]["message"] == "reg.local/team/app:2.0 is not signed"


def test_a_refusal_raised_while_judging_is_a_no(client, recorded):
    response = response_of(client.post("/admission/validate", content=recorded("007-UPDATE-Pod-ephemeral")))
    assert response["status"]["code"] == 403
    assert "[bad-reference] no such image" in response["status"]["message"]


def test_could_not_tell_is_503_with_retry(client, recorded):
    response = response_of(client.post("/admission/validate", content=recorded("1.36.2-003-CREATE-Deployment")))
    assert (response["allowed"], response["status"]["code"]) == (False, 503)
    assert "retry" in response["status"]["message"]
    assert "[registry-unreachable]" in response["status"]["message"]


def test_an_error_of_ours_admits_nothing_and_tells_nothing(client, recorded, caplog):
    with caplog.at_level(logging.ERROR, "safeconduct.server"):
        response = response_of(client.post("/admission/validate", content=recorded("005-CREATE-CronJob")))
    assert (response["allowed"], response["status"]["code"]) == (False, 503)
    assert "secret" not in response["status"]["message"]
    assert "secret" in caplog.text


def test_the_answer_comes_before_the_api_server_hangs_up(client, recorded, reviewer):
    started = time.monotonic()
    response = response_of(client.post("/admission/validate?timeout=2s", content=recorded("004-CREATE-Job")))
    assert 0.9 < time.monotonic() - started < 1.8
    assert (response["allowed"], response["status"]["code"]) == (False, 503)
    reviewer.release.set()
    assert not response_of(client.post("/admission/validate", content=recorded("004-CREATE-Job")))["allowed"]
    reviewer.release.clear()


def test_more_reviews_than_fit_are_could_not_tell_at_once(client, recorded, reviewer):
    body = recorded("004-CREATE-Job")
    replies = []

    def ask():
        replies.append(response_of(client.post("/admission/validate?timeout=4s", content=body)))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 2
    while len(replies) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    reviewer.release.set()
    for thread in threads:
        thread.join(20)
    reviewer.release.clear()
    full = [reply for reply in replies if "too many reviews" in reply["status"]["message"]]
    assert len(full) == 2
    assert {reply["status"]["code"] for reply in full} == {503}


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b'{"apiVersion":"v1"}'])
def test_a_malformed_review_is_400_and_says_why(client, body):
    reply = client.post("/admission/validate", content=body)
    assert (reply.status_code, reply.json()["error"]["id"]) == (400, "bad-review")
    assert reply.json()["error"]["next"]


def test_a_review_beyond_its_cap_is_413(client):
    reply = client.post("/admission/validate", content=b" " * (LIMITS.review + 1))
    assert (reply.status_code, reply.json()["error"]["id"]) == (413, "body-too-large")


def test_other_ways_to_ask_are_refused_without_an_error_of_ours(client):
    assert client.get("/admission/validate").status_code == 405
    assert client.post("/admission/other", content=b"{}").status_code == 404
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").status_code == 200


ALERT = {"rule": "Shell", "priority": "Notice", "time": "2026-11-23T12:00:00Z", "output_fields": {"k8s.pod.name": "p"}}
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer"}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": f"Basic {TOKEN}"}],
)
@pytest.mark.parametrize("path", ["/events/falco", "/events/pods?cluster=c"])
def test_events_are_taken_only_with_the_token(client, records, headers, path):
    before = len(records.violations) + len(records.seen)
    reply = client.post(path, json=ALERT, headers=headers)
    assert (reply.status_code, reply.json()["error"]["id"]) == (401, "no-token")
    assert len(records.violations) + len(records.seen) == before


def test_without_tokens_nobody_is_let_in(certificate, records):
    app = create_app(KnownImages(), records, Access([]))
    with serving(app, None) as url:
        assert httpx2.post(f"{url}/events/falco", json=ALERT, headers={"authorization": "Bearer x"}).status_code == 401


def test_an_alert_is_recorded(client, records):
    records.violations.clear()
    reply = client.post("/events/falco?cluster=prod-eu", json=ALERT, headers=BEARER)
    assert (reply.status_code, reply.json()) == (202, {"taken": 1, "unknown": []})
    [violation] = records.violations
    assert (violation.rule, violation.pod, violation.cluster) == ("Shell", "p", "prod-eu")


def pod(image_id):
    state = {"running": {"startedAt": "2026-11-23T11:00:00Z"}}
    status = {"containerStatuses": [{"name": "web", "imageID": image_id, "state": state}]}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "status": status}


def test_pods_are_recorded_from_a_watch_and_from_a_list(client, records):
    records.seen.clear()
    line = json.dumps({"type": "ADDED", "object": pod(f"r/x@{DIGEST}")}).encode()
    reply = client.post("/events/pods?cluster=prod-eu&region=eu", content=line + b"\n" + line, headers=BEARER)
    assert (reply.status_code, reply.json()["taken"]) == (202, 2)
    whole = json.dumps({"kind": "PodList", "metadata": {}, "items": [pod(f"r/x@{DIGEST}"), pod("sha256:x")]})
    reply = client.post("/events/pods?cluster=prod-eu", content=whole.encode(), headers=BEARER)
    assert reply.json() == {"taken": 1, "unknown": ["n/p/web"]}
    first = records.seen[0].sightings[0]
    assert (first.where.cluster, first.where.region, first.at) == (
        "prod-eu",
        "eu",
        from_rfc3339("2026-11-23T11:00:00Z"),
    )


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/events/falco", b"{", (400, "bad-alert")),
        ("/events/pods?cluster=c", b"{", (400, "bad-watch")),
        ("/events/pods", b"", (400, "bad-place")),
        ("/events/pods?cluster=%1b", b"", (400, "bad-place")),
        ("/events/pods?cluster=c", b'{"type":"ERROR","object":{"code":410}}', (503, "watch-expired")),
        ("/events/falco", b" " * (LIMITS.bundle + 1), (413, "body-too-large")),
    ],
)
def test_malformed_events_are_refused_with_a_reason_and_record_nothing(client, records, path, body, expected):
    before = len(records.violations) + len(records.seen)
    reply = client.post(path, content=body, headers=BEARER)
    assert (reply.status_code, reply.json()["error"]["id"]) == expected
    assert len(records.violations) + len(records.seen) == before


def test_what_could_not_be_recorded_is_said_so(client, records):
    records.broken = True
    reply = client.post("/events/falco", json=ALERT, headers=BEARER)
    records.broken = False
    assert (reply.status_code, reply.json()["error"]["id"]) == (503, "not-recorded")


def test_counters_name_no_image(client, recorded):
    client.post("/admission/validate", content=recorded("1.20.2-012-CREATE-Pod"))
    text = client.get("/metrics").text
    assert 'safeconduct_admissions_total{outcome="passed",phase="validate"}' in text
    assert "# TYPE safeconduct_events_total counter" in text
    assert "reg.local" not in text
