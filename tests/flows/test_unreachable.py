"""A registry that is dead, stalled or lies; a webhook behind the wrong certificate: could not tell."""

import socket
import time
from datetime import UTC, datetime

import pytest

from safeconduct.server.certificates import make_server_certificate
from simulators.forgery import files_of, published
from simulators.registry import RegistrySimulator
from simulators.reviews import pod_review
from simulators.world import IMAGE, REPOSITORY

NO, USAGE, UNKNOWN = 1, 2, 3


@pytest.fixture
def simulator(world):
    """A registry with the referrers API that holds release 1.0; the world's settings name it."""
    with RegistrySimulator() as registry:
        world.set(**{"registries__src.local": "oci:../registry", "registries__reg.local": registry.url})
        world.run("publish", "src.local/team/app:1.0", IMAGE)
        yield registry


def forget(world):
    world.set(store="fresh.db")
    world.run("db", "update", "operator/feed")


def _dead_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_release_in_a_registry_with_the_referrers_api_is_admitted(world, simulator):
    forget(world)
    world.run("verify", IMAGE)
    world.gate(IMAGE)
    assert any("/referrers/" in path for path in simulator.paths())


def test_a_dead_registry_could_not_tell(world, simulator):
    world.run("verify", IMAGE)
    world.registries(reg_local=f"http://127.0.0.1:{_dead_port()}")
    for command in (("verify", IMAGE), ("inspect", IMAGE), ("inventory", IMAGE), ("publish", "oci:stage:1.0", IMAGE)):
        told = world.run(*command, "--json", exits=UNKNOWN).json
        assert told["id"] == "registry-unreachable"
    assert "registry-unreachable" in world.gate(IMAGE, exits=UNKNOWN).text


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403])
def test_a_registry_in_trouble_could_not_tell(world, simulator, status):
    forget(world)
    simulator.status = status
    world.run("verify", IMAGE, exits=UNKNOWN)
    world.gate(IMAGE, exits=UNKNOWN)
    simulator.status = None
    world.gate(IMAGE)


def test_a_stalled_registry_could_not_tell_within_the_webhooks_time(world, simulator):
    forget(world)
    digest = published(world).resolve("1.0").digest
    simulator.stall_seconds = 20
    with world.serve("--timeout", "3") as webhook:
        started = time.monotonic()
        response = webhook.review("validate", pod_review(f"{IMAGE}@{digest}"))
        assert time.monotonic() - started < 4
        assert (response["allowed"], response["status"]["code"]) == (False, 503)


def test_a_digest_that_the_graph_knows_is_admitted_with_the_registry_down(world, simulator):
    digest = published(world).resolve("1.0").digest
    world.registries(reg_local=f"http://127.0.0.1:{_dead_port()}")
    with world.serve() as webhook:
        assert webhook.review("validate", pod_review(f"{IMAGE}@{digest}"))["allowed"] is True
        unknown = webhook.review("validate", pod_review(f"{REPOSITORY}@sha256:{'0' * 64}"))
        assert (unknown["allowed"], unknown["status"]["code"]) == (False, 503)


def test_a_registry_that_is_not_configured_is_never_contacted(world, simulator):
    host = simulator.url.removeprefix("http://")
    before = len(simulator.requests)
    for image in (f"{host}/team/app:1.0", f"{host}/team/app@sha256:{'0' * 64}", "docker.io/library/nginx:1", "nginx"):
        assert "registry-not-allowed" in world.gate(image, exits=UNKNOWN).text
    assert len(simulator.requests) == before


def test_a_registry_that_sends_other_bytes_is_refused(world, simulator):
    forget(world)
    world.run("verify", IMAGE)
    layer = "sha256:" + files_of(world)["layer"].name
    simulator.replace[layer] = simulator.blobs[layer][:-1] + b"x"
    world.run("verify", IMAGE, exits=NO)


def test_a_registry_that_hides_the_evidence_gets_nothing_admitted(world, simulator):
    forget(world)
    simulator.hide_referrers = True
    assert world.run("verify", IMAGE, "--json", exits=None).status in {NO, UNKNOWN}
    assert world.gate(IMAGE, exits=None).status in {NO, UNKNOWN}


def test_a_webhook_behind_another_ca_could_not_tell(world, tmp_path):
    with world.serve() as webhook:
        world.gate(IMAGE, *webhook.flags)
        other = make_server_certificate(tmp_path / "other", ["127.0.0.1"], datetime.now(UTC)).ca
        told = world.gate(IMAGE, "--webhook", webhook.url, "--ca", other, exits=UNKNOWN).json
        assert told["id"] == "webhook-unreachable"
        bare = world.gate(IMAGE, "--webhook", webhook.url, exits=UNKNOWN).json
        assert bare["id"] == "webhook-unreachable"
    gone = world.gate(IMAGE, *webhook.flags, exits=UNKNOWN).json
    assert gone["id"] == "webhook-unreachable"


def test_a_revoked_builder_key_denies_its_release_at_once(world, simulator):
    digest = published(world).resolve("1.0").digest
    body = pod_review(f"{IMAGE}@{digest}")
    with world.serve() as webhook:
        assert webhook.review("validate", body)["allowed"] is True
        assert webhook.review("validate", body)["allowed"] is True
        world.trust("revoke", "builder", "--reason", "stolen laptop")
        response = webhook.review("validate", body)
        assert (response["allowed"], response["status"]["code"]) == (False, 403)
        assert "stolen laptop" in response["status"]["message"]
    world.run("verify", IMAGE, exits=NO)
    world.run("audit", exits=NO)


@pytest.mark.parametrize("flags", [("--port", "99999"), ("--port", "-1"), ("--timeout", "0"), ("--timeout", "31")])
def test_a_port_or_time_that_cannot_be_is_refused_before_anything_is_served(world, flags):
    """A port above 65535 would be cut to another one and served there."""
    world.run("serve", "--folder", "operator/server", *flags, exits=USAGE)
    assert not (world.operator / "server").exists()
