import json
import random

import pytest
import zstandard

from safeconduct.capabilities.runtime.falco import PRIORITIES, read_alerts
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import Refused

DIGEST = "sha256:" + "a" * 64
ALERT = {
    "uuid": "1",
    "rule": "Terminal shell in container",
    "priority": "Notice",
    "time": "2026-11-23T12:00:00.123456789Z",
    "output": "A shell was spawned",
    "source": "syscall",
    "tags": ["shell"],
    "hostname": "node-1",
    "output_fields": {
        "container.id": "f29b261f8831",
        "container.full_id": "f29b261f8831" + "0" * 52,
        "container.name": "web",
        "container.image.repository": "reg.local/team/app",
        "container.image.tag": "1.0",
        "container.image.digest": DIGEST,
        "k8s.ns.name": "shop",
        "k8s.pod.name": "web-1",
        "evt.time": 1_795_435_200_123_456_789,
    },
}


def body(**fields):
    return json.dumps({**ALERT, **fields}).encode()


def test_an_alert_says_where_it_happened():
    [violation] = read_alerts(body(), "prod-eu")
    assert (violation.rule, violation.priority, violation.detector) == (
        "Terminal shell in container",
        "notice",
        "falco",
    )
    assert violation.at == from_rfc3339("2026-11-23T12:00:00.123456Z")
    assert (violation.cluster, violation.namespace, violation.pod, violation.container) == (
        "prod-eu",
        "shop",
        "web-1",
        "web",
    )
    assert violation.container_id == "f29b261f8831" + "0" * 52
    assert (violation.image, violation.digest) == ("reg.local/team/app:1.0", DIGEST)


@pytest.mark.parametrize("absent", [None, "", "<NA>", "<na>", 5, ["x"]])
def test_what_an_alert_does_not_say_stays_empty(absent):
    fields = dict.fromkeys(ALERT["output_fields"], absent)
    [violation] = read_alerts(body(output_fields=fields, output=None))
    assert (violation.namespace, violation.pod, violation.container, violation.container_id, violation.image) == (
        ("",) * 5
    )
    assert (violation.digest, violation.output, violation.cluster) == (None, "", "")
    assert read_alerts(body(output_fields=None))[0].pod == ""


def test_the_cluster_an_alert_names_counts_before_the_receivers():
    fields = {**ALERT["output_fields"], "cluster": "edge-7"}
    assert read_alerts(body(output_fields=fields), "prod-eu")[0].cluster == "edge-7"


def test_an_alert_of_the_host_names_no_container():
    [violation] = read_alerts(body(output_fields={"container.id": "host", "container.name": "host"}))
    assert (violation.container_id, violation.container) == ("", "")


def test_a_time_that_cannot_be_read_gives_way_to_the_events_own():
    [violation] = read_alerts(body(time="2021-04-13T20:58:00.746609046Z+2"))
    assert violation.at == 1_795_435_200_123_456


def test_one_alert_a_line_is_read_all_or_nothing():
    lines = b"\n".join([body(), b"", body(rule="Other")])
    assert [violation.rule for violation in read_alerts(lines)] == ["Terminal shell in container", "Other"]
    with pytest.raises(Refused, match="bad-alert"):
        read_alerts(lines + b"\n{")


def test_every_alert_in_falcos_own_documentation_is_read_or_refused_with_a_reason(shared_data):
    packed = (shared_data / "kubernetes/runtime-events.jsonl.zst").open("rb")
    with packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        rows = [json.loads(line) for line in stream.read().splitlines()]
    events = [row["event"] for row in rows if row["tool"] == "falco"]
    assert len(events) == 16
    read = [
        found for event in events if event["rule"] != "Fake rule" for found in read_alerts(json.dumps(event).encode())
    ]
    assert len(read) == 10, "five of the sixteen are Falco's own metrics, one has no time that can be read"
    assert all(violation.priority in PRIORITIES and violation.at > 0 for violation in read)
    assert {violation.pod for violation in read} >= {"alpine", "kubecon"}
    [fake] = [event for event in events if event["rule"] == "Fake rule"]
    with pytest.raises(Refused, match="bad-alert"):
        read_alerts(json.dumps(fake).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        body(rule=""),
        body(rule=None),
        body(priority="Urgent"),
        body(time=None, output_fields={}),
        body(time="yesterday", output_fields={"evt.time": -5}),
        body(time="0001-01-01T00:00:00", output_fields={"evt.time": 2**80}),
        body(output_fields=[]),
        b"[" * 100_000,
        b" " * (4 * 1024 * 1024),
    ],
    ids=range(13),
)
def test_what_is_no_alert_is_refused(data):
    with pytest.raises(Refused) as caught:
        read_alerts(data)
    assert caught.value.id == "bad-alert"


def test_damaged_alerts_are_refused_or_read_and_never_crash():
    whole = body()
    chosen = random.Random(11)
    refused = set()
    for _ in range(1_000):
        data = bytearray(whole[: chosen.randrange(1, len(whole))] if chosen.random() < 0.2 else whole)
        data[chosen.randrange(len(data))] = chosen.randrange(256)
        try:
            read_alerts(bytes(data))
        except Refused as error:
            refused.add(error.id)
    assert refused == {"bad-alert"}
