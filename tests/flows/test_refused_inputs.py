"""What is damaged, missing or too large is could not tell, never clean; secrets never leave."""

import json

import pytest

from safeconduct.capabilities.graph.store import open_graph
from simulators.forgery import published, secret_of
from simulators.releases import dump
from simulators.reviews import pod_review
from simulators.world import IMAGE, REPOSITORY

NO, USAGE, UNKNOWN = 1, 2, 3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_lock_file_could_not_tell(committed, share):
    committed.run("check", "app")
    file = committed.app / "package-lock.json"
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    committed.commit("Cut")
    inventory = committed.run("inventory", "app", "--json", exits=UNKNOWN).json
    assert [part["path"] for part in inventory["unread"]] == ["package-lock.json"]
    committed.run("scan", "app", exits=UNKNOWN)
    checked = committed.run("check", "app", "--json", exits=NO)
    assert checked.rules() == {"inventory-complete", "versions-pinned"}
    (committed.app / "package.json").unlink()
    committed.commit("Nothing but the lock file")
    assert "inventory-complete" in committed.run("check", "app", "--json", exits=UNKNOWN).rules()
    assert committed.run("build", "app", "-o", "stage", "--json", exits=UNKNOWN).json["published"] is None
    assert not published(committed).tags()


def test_without_advisory_data_nothing_is_clean(committed):
    committed.run("scan", "app")
    committed.run("check", "app")
    committed.set(store="none.db")
    committed.run("db", "status", exits=UNKNOWN)
    for verb in (("runs", "pkg:npm/x"), ("reaches", "CVE-2020-1"), ("upgrades",)):
        committed.run("ask", *verb, exits=UNKNOWN)
    scan = committed.run("scan", "app", "--json", exits=UNKNOWN).json
    assert {gap["coverage"] for gap in scan["gaps"]} == {"no-feed"}
    assert len(scan["gaps"]) == 3
    checked = committed.run("check", "app", "--json", exits=UNKNOWN)
    assert checked.rules() == {"vulnerability-data-complete"}
    committed.run("build", "app", "-o", "stage", exits=UNKNOWN)


def test_a_feed_that_covers_only_some_packages_leaves_the_others_open(committed):
    committed.run("scan", "app")
    committed.set(store="some.db")
    committed.run("db", "update", committed.feed("some", covers=("parser", "web-server")))
    scan = committed.run("scan", "app", "--json", exits=UNKNOWN).json
    assert [gap["component"] for gap in scan["gaps"]] == ["pkg:npm/printer@3.1.0"]
    committed.run("check", "app", exits=UNKNOWN)


def test_an_advisory_that_cannot_be_read_is_told_and_the_feed_is_not_whole(committed):
    folder = committed.feed("broken")
    (folder / "X-1.json").write_text('{"id": "X-1", "affected": [')
    done = committed.run("db", "update", folder, "--json", exits=UNKNOWN)
    assert "X-1" in done.text


def test_an_empty_folder_and_an_empty_image_are_not_clean(committed):
    """Nothing to judge gives no answer: an empty input must never make a policy say yes."""
    committed.run("check", "app")
    empty = committed.folder / "empty"
    empty.mkdir()
    for command in ("check", "inventory", "scan", "sbom"):
        committed.run(command, empty, exits=UNKNOWN)
    committed.run("audit", exits=UNKNOWN)


def test_a_huge_review_is_refused_and_the_server_goes_on(world):
    digest = published(world).resolve("1.0").digest
    body = pod_review(f"{IMAGE}@{digest}")
    with world.serve() as webhook:
        assert webhook.review("validate", body)["allowed"] is True
        padded = body[:-1] + b', "pad": "' + b"x" * 4_000_000 + b'"}'
        status, answer = webhook.post("/admission/validate", padded)
        assert (status, answer["error"]["id"]) == (413, "body-too-large")
        for bad in (b"", b"{", b"[]", b"null", b"\xff" * 99, b"[" * 100_000, body[:-9]):
            status, answer = webhook.post("/admission/validate", bad)
            assert (status, set(answer)) == (400, {"error"}), bad[:20]
        assert webhook.review("validate", body)["allowed"] is True


def test_receivers_refuse_events_without_the_token_and_keep_nothing(world):
    digest = published(world).resolve("1.0").digest
    event = json.dumps(_running(digest)).encode()
    with world.serve() as webhook:
        before = _rows(world)
        for path in ("/events/pods?cluster=c", "/events/falco?cluster=c"):
            for token in ("", "wrong", webhook.token + "x", webhook.token[:-1]):
                status, answer = webhook.post(path, event, token=token)
                assert (status, answer["error"]["id"]) == (401, "no-token")
        assert _rows(world) == before
        assert webhook.post("/events/pods?cluster=c", event, token=webhook.token)[0] == 202
        assert _rows(world) != before


def _running(digest):
    container = {
        "name": "c",
        "image": IMAGE,
        "imageID": f"{REPOSITORY}@{digest}",
        "containerID": "containerd://" + "a" * 64,
    }
    container |= {"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    meta = {"name": "p", "namespace": "n", "uid": "u"}
    spec = {"containers": [{"name": "c", "image": IMAGE}]}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec}
    return {"type": "ADDED", "object": pod | {"status": {"phase": "Running", "containerStatuses": [container]}}}


def _rows(world):
    with open_graph(world.operator / "graph.db") as store:
        return dump(store)


def test_a_dry_run_records_nothing(world):
    digest = published(world).resolve("1.0").digest
    with world.serve() as webhook:
        before = _rows(world)
        assert webhook.review("validate", pod_review(f"{IMAGE}@{digest}", dryRun=True))["allowed"] is True
        world.gate(IMAGE, *webhook.flags)
        assert _rows(world) == before
        assert webhook.review("validate", pod_review(f"{IMAGE}@{digest}"))["allowed"] is True
        assert _rows(world) != before


def test_serve_refuses_the_keys_of_a_demonstration(world):
    with world.serve():
        pass
    world.trust_key("stranger", "build", "--demo")
    refused = world.spawn("serve", "--port", 0, "--folder", "operator/server", "--json", exits=NO)
    assert refused.json["id"] == "demo-keys"
    with world.serve("--demo"):
        pass


def test_secrets_are_never_printed(world):
    """Passphrase, token and private keys stay where they are, whatever is asked and however it fails."""
    with world.serve() as webhook:
        world.gate(IMAGE, "--record", *webhook.flags)
        webhook.post("/events/falco", b"{", token=webhook.token)
        secrets = [secret_of(world).decode(), webhook.token, "PRIVATE KEY"]
        secrets += [(world.operator / "keys" / f"{n}.key").read_text()[80:120] for n in ("root", "builder", "gate")]
        outputs = [webhook.log.read_text()]
    (world.operator / "keys" / "builder.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nbroken\n")
    lines = ["config", "keys list", "keys export gate", "trust show", "trust show operator/trust.json", "policy show"]
    lines += ["check app", "build app -o s", f"verify {IMAGE}", f"inspect {IMAGE}", "audit", "db status"]
    lines += ["build app -o s --builder-key file:operator/keys/passphrase", "sign oci:stage:1.0 --key nobody"]
    lines += ["keys create gate", "inventory operator", "scan operator", "inspect operator/keys/root.key"]
    for line in lines:
        outputs += [world.run(*line.split(), *more, exits=None).text for more in ([], ["--json"])]
    for secret in secrets:
        assert not any(secret in text for text in outputs), secret


def test_private_files_are_readable_by_their_owner_only(world):
    with world.serve():
        pass
    private = [*(world.operator / "keys").glob("*.key"), world.operator / "server" / "token"]
    private.append(world.operator / "server" / "server.key")
    assert len(private) == 6
    for file in private:
        assert file.stat().st_mode & 0o077 == 0, file.name
