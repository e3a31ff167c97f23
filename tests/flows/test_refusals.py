"""What must be refused about an image and its evidence. Every test first sees the untouched thing pass."""

import base64
import json
import threading

import pytest

from simulators.forgery import (
    KINDS,
    attach,
    edit_bundle,
    evidence_of,
    files_of,
    flip,
    move_tag,
    published,
    push_other_image,
    replace_evidence,
    resign,
)
from simulators.reviews import pod_review
from simulators.world import IMAGE, REPOSITORY, wait_for

NO, UNKNOWN = 1, 3


def deploy_decision(world, **more):
    return world.run("verify", IMAGE, "--json", **more)


def forget(world):
    """Start with a graph that knows the advisories and no release, so that the registry must be asked."""
    world.set(store="fresh.db")
    world.run("db", "update", "operator/feed")


@pytest.mark.parametrize("part", ["layer", "manifest", "index", "config"])
def test_one_flipped_byte_in_the_image_is_refused_by_verify_and_inventory(world, part):
    digest = published(world).resolve("1.0").digest
    world.run("verify", IMAGE)
    assert world.run("inventory", f"{REPOSITORY}@{digest}", "--json").json["components"]
    flip(files_of(world)[part])
    for command in (("verify", IMAGE), ("inventory", f"{REPOSITORY}@{digest}"), ("scan", f"{REPOSITORY}@{digest}")):
        refused = world.run(*command, "--json", exits=NO).json
        assert (refused["schema"], refused["id"]) == ("safeconduct/error/v1", "digest-mismatch")


def test_one_flipped_byte_in_a_layer_is_seen_when_the_build_reads_it_back(world):
    layer = files_of(world)["layer"].name
    staged = world.folder / "again" / "blobs" / "sha256" / layer

    def attacker():
        wait_for(staged.exists)
        flip(staged)

    thread = threading.Thread(target=attacker)
    thread.start()
    refused = world.run("build", "app", "-o", "again", "--no-publish", "--no-record", "--json", exits=NO).json
    thread.join()
    assert refused["id"] == "digest-mismatch"
    world.run("build", "app", "-o", "once-more", "--no-publish", "--no-record")


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("what", ["", " referrer"])
def test_one_flipped_byte_of_stored_evidence_is_could_not_tell(world, kind, what):
    forget(world)
    deploy_decision(world)
    flip(files_of(world)[kind + what])
    done = deploy_decision(world, exits=UNKNOWN)
    assert "digest-mismatch" in done.text
    world.gate(IMAGE, exits=UNKNOWN)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("part", ["payload", "signature"])
def test_a_document_pushed_with_one_flipped_byte_inside_is_denied(world, kind, part):
    forget(world)
    replace_evidence(world, {})
    deploy_decision(world)

    def edit(value):
        envelope = value["dsseEnvelope"]
        holder, name = (envelope, "payload") if part == "payload" else (envelope["signatures"][0], "sig")
        data = bytearray(base64.b64decode(holder[name]))
        data[-5] ^= 1  # of a name, so that the payload stays JSON and only the signature can tell
        holder[name] = base64.b64encode(data).decode()

    replace_evidence(world, {KINDS[kind]: edit_bundle(edit)})
    _denied(world)


def test_another_images_valid_evidence_is_denied(world):
    world.gate(IMAGE)
    other = push_other_image(world, "other")
    attach(world, other, list(evidence_of(world).values()))
    denied = world.gate(f"{REPOSITORY}:other", exits=NO).text
    assert "image-signed" in denied
    assert "is not about sha256:" in denied
    assert world.run("verify", f"{REPOSITORY}:other", "--json", exits=NO).json["claims"] == []


@pytest.mark.parametrize("key", ["stranger", "gate", "elsewhere"])
@pytest.mark.parametrize("kind", ["signature", "sbom", "provenance", "scan"])
def test_evidence_by_a_key_unknown_or_trusted_for_another_usage_or_scope_is_denied(world, key, kind):
    forget(world)
    world.trust("scope", "other", "reg.local/other/*")
    world.run("keys", "create", "elsewhere")
    world.trust_key("elsewhere", "build", scope="other")
    replace_evidence(world, {KINDS[kind]: resign(world, "builder")})
    deploy_decision(world)
    replace_evidence(world, {KINDS[kind]: resign(world, key)})
    refused = _denied(world)
    why = {"stranger": "untrusted-key", "gate": "wrong-usage", "elsewhere": "wrong-scope"}
    assert refused["error"] == why[key]


@pytest.mark.parametrize("key", ["builder", "stranger", "dev"])
def test_a_summary_signed_by_anyone_but_the_gate_key_is_denied(world, key):
    forget(world)
    replace_evidence(world, {KINDS["vsa"]: resign(world, "gate")})
    deploy_decision(world)
    if key == "dev":
        world.run("keys", "create", "dev")
        world.trust_key("dev2", "commit", key="operator/keys/dev.pub")
    replace_evidence(world, {KINDS["vsa"]: resign(world, key)})
    denied = deploy_decision(world, exits=NO)
    assert denied.rules() == {"release-approved"}
    assert "release-approved" in world.gate(IMAGE, exits=NO).text


def test_a_build_by_an_untrusted_builder_key_or_with_one_key_for_both_trades_is_not_published(committed):
    denied = committed.run("build", "app", "-o", "s1", "--builder-key", "stranger", "--json", exits=NO)
    assert "artifacts-signed" in denied.rules()
    assert denied.json["published"] is None
    for gate in ("builder", "stranger"):
        refused = committed.run("build", "app", "-o", f"s2-{gate}", "--gate-key", gate, "--json", exits=NO)
        assert refused.json["id"] == "approval-not-believed"
        assert not published(committed).tags()
    committed.run("build", "app", "-o", "s3")
    assert published(committed).tags() == ["1.0"]


def test_an_empty_sbom_is_denied_though_its_signature_is_good(world):
    forget(world)

    def emptied(payload):
        statement = json.loads(payload)
        statement["predicate"]["components"] = []
        statement["predicate"].pop("dependencies", None)
        return json.dumps(statement).encode()

    replace_evidence(world, {KINDS["sbom"]: resign(world, "builder", lambda p: json.dumps(json.loads(p)).encode())})
    deploy_decision(world)
    replace_evidence(world, {KINDS["sbom"]: resign(world, "builder", emptied)})
    denied = deploy_decision(world, exits=NO)
    assert "sbom-has-components" in denied.rules()
    assert "sbom-has-components" in world.gate(IMAGE, exits=NO).text


def test_a_project_without_components_is_never_released(committed):
    for name in ("package.json", "package-lock.json"):
        (committed.app / name).unlink()
    committed.commit("Nothing left")
    refused = committed.run("build", "app", "-o", "stage", "--json", exits=None)
    assert refused.status in {NO, UNKNOWN}
    assert not published(committed).tags()


@pytest.mark.parametrize("kind", ["sbom", "vsa", "provenance"])
def test_duplicate_keys_in_signed_json_are_refused(world, kind):
    """The first value and the last differ: which one is meant depends on who reads, so it is nobody's."""
    forget(world)
    key = "gate" if kind == "vsa" else "builder"
    first = b'{"_type":"https://in-toto.io/Statement/v1",'
    replace_evidence(world, {KINDS[kind]: resign(world, key, lambda p: first + p.partition(b",")[2])})
    deploy_decision(world)
    replace_evidence(world, {KINDS[kind]: resign(world, key, lambda p: first + p.lstrip()[1:])})
    done = deploy_decision(world, exits=None)
    assert done.status in {NO, UNKNOWN}
    [refused] = done.json["refused"]
    assert "duplicate" in refused["problem"] or "twice" in refused["problem"], refused
    world.gate(IMAGE, exits=done.status)


def test_missing_evidence_is_could_not_tell_and_names_what_is_missing(world):
    forget(world)
    replace_evidence(world, {})
    deploy_decision(world)
    replace_evidence(world, {KINDS["sbom"]: lambda _: None})
    done = deploy_decision(world, exits=UNKNOWN)
    assert "evidence-complete" in done.rules()


def test_a_tag_moved_between_check_and_use_does_not_get_in(world):
    """Mutation pinned the Pod to what the tag meant; what validation judges is that digest, not the tag."""
    good = published(world).resolve("1.0").digest
    bad = push_other_image(world, "bad")
    with world.serve() as webhook:
        review = pod_review(IMAGE)
        patch = json.loads(base64.b64decode(webhook.review("mutate", review)["patch"]))
        pinned = next(step["value"] for step in patch if step["path"].endswith("/image"))
        assert pinned == f"{IMAGE}@{good}"
        move_tag(world, "1.0", bad)
        assert webhook.review("validate", pod_review(pinned))["allowed"]
        denied = webhook.review("validate", pod_review(f"{IMAGE}@{bad}"))
        assert (denied["allowed"], denied["status"]["code"]) == (False, 403)
        unpinned = webhook.review("validate", review)
        assert (unpinned["allowed"], unpinned["status"]["code"]) == (False, 403)
        assert "not-pinned" in unpinned["status"]["message"]
        moved = json.loads(base64.b64decode(webhook.review("mutate", review)["patch"]))
        assert any(str(step.get("value", "")).endswith(bad) for step in moved)
    world.gate(IMAGE, exits=NO)
    move_tag(world, "1.0", good)
    world.gate(IMAGE)


def _denied(world):
    """See that verify and the gate say no, and return the one refusal."""
    done = deploy_decision(world, exits=NO)
    [refused] = done.json["refused"]
    world.gate(IMAGE, exits=NO)
    return refused
