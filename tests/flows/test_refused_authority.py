"""The judged never configure their judge; the operator's word is signed, newest and not expired."""

import json
import shutil
from datetime import timedelta
from importlib import resources

import pytest

from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.capabilities.signing.dsse import Signature, encode_pae, envelope_value, parse_envelope
from safeconduct.capabilities.signing.key_store import load_signer
from safeconduct.capabilities.signing.trust import PAYLOAD_TYPE
from safeconduct.foundation.clock import system_clock, to_datetime
from safeconduct.foundation.settings import load_settings
from safeconduct.phases.authority import Authority
from safeconduct.phases.deploy.admission import Admission, Cluster
from safeconduct.server.access import Access
from safeconduct.server.app import create_app
from safeconduct.server.certificates import make_server_certificate
from safeconduct.server.serve import Tls, serving
from simulators.forgery import published, secret_of
from simulators.reviews import pod_review
from simulators.world import IMAGE, REPOSITORY, Webhook

NO, USAGE, UNKNOWN = 1, 2, 3


def snapshot(world):
    return world.operator / "trust.json"


def test_an_old_trust_snapshot_is_refused_once_a_newer_one_was_seen(world):
    old = snapshot(world).read_bytes()
    world.trust_key("stranger", "build")
    world.run("verify", IMAGE)
    snapshot(world).write_bytes(old)
    for command in (("verify", IMAGE), ("check", "app"), ("audit",), ("build", "app", "-o", "s")):
        assert world.run(*command, "--json", exits=NO).json["id"] == "trust-rollback"
    world.gate(IMAGE, exits=NO)


def test_a_trust_snapshot_of_another_root_or_with_one_flipped_byte_is_refused(world):
    world.run("verify", IMAGE)
    whole = snapshot(world).read_text()
    world.run("trust", "init", "operator/other.json", "--root", "stranger", "--scope", f"team={REPOSITORY}")
    for text in ((world.operator / "other.json").read_text(), whole.replace("eyJ", "eyK", 1), whole[:-40]):
        snapshot(world).write_text(text)
        refused = world.run("verify", IMAGE, "--json", exits=None)
        assert (refused.status, refused.json["schema"]) == (NO, "safeconduct/error/v1")
    snapshot(world).write_text(whole)
    world.run("verify", IMAGE)


def test_duplicate_keys_in_the_signed_trust_snapshot_are_refused(world):
    payload = parse_envelope(json.loads(snapshot(world).read_bytes())).payload
    snapshot(world).write_bytes(_signed_by_root(world, payload))
    world.run("verify", IMAGE)
    twice = payload.replace(b'"scopes":{', b'"scopes":{},"scopes":{', 1)
    assert twice != payload
    snapshot(world).write_bytes(_signed_by_root(world, twice))
    assert world.run("verify", IMAGE, "--json", exits=NO).json["id"] == "malformed-json"


def _signed_by_root(world, payload):
    root = load_signer(f"file:{world.operator / 'keys' / 'root.key'}", secret_of(world))
    envelope = parse_envelope(json.loads(snapshot(world).read_bytes()))
    [old] = envelope.signatures
    signed = type(envelope)(
        payload, PAYLOAD_TYPE, (Signature(root.sign(encode_pae(PAYLOAD_TYPE, payload)), old.keyid),)
    )
    return json.dumps(envelope_value(signed)).encode()


LOOSER = {
    "policy-value": "[policy.parameters]\nblocked_levels = []\n",
    "pinning": "[policy.parameters]\nminimum_grade = 1\n",
    "data-age": "[policy.parameters]\nmax_data_age_days = 9000\n",
    "pack": '[policy]\npack = "./mine"\n',
    "trust": '[trust]\nsnapshot = "mine.json"\n',
    "registries": '[registries]\n"reg.local" = "oci:elsewhere"\n',
    "exemptions": 'exemptions = ["mine.json"]\n',
    "source": '[source]\nsince = "HEAD"\n',
    "store": 'store = "empty.db"\n',
    "keys": '[keys]\nfolder = "mine"\n',
}


@pytest.mark.parametrize("what", list(LOOSER))
def test_settings_in_the_judged_tree_that_loosen_are_refused(committed, what):
    file = committed.app / "safeconduct.toml"
    first = file.read_text()
    file.write_text(first + '\n[policy.parameters]\nblocked_levels = ["critical", "high"]\nminimum_grade = 4\n')
    committed.commit("Tightened")
    assert committed.run("check", "app", "--json", exits=NO).rules() == {"versions-pinned"}
    file.write_text(LOOSER[what] + "\n" + first)
    committed.commit("Loosened")
    for command in (("check", "app"), ("build", "app", "-o", "stage")):
        refused = committed.run(*command, "--json", exits=USAGE).json
        assert refused["id"] == "authority-in-tree", refused
    assert not published(committed).tags()


def test_a_settings_file_in_the_working_folder_has_no_say(committed):
    """A command run inside a stranger's checkout must not read its safeconduct.toml as the operator's."""
    (committed.folder / "safeconduct.toml").write_text('store = "elsewhere.db"\n[policy]\npack = "./mine"\n')
    values = {row["setting"]: row["value"] for row in committed.run("config", "--json").json["items"]}
    assert values["policy.pack"] == "default"
    assert values["store"].endswith("operator/graph.db")


def test_a_policy_pack_without_rules_could_not_tell(committed):
    """Nothing denied because nothing was asked is no answer."""
    committed.run("check", "app")
    pack = committed.operator / "pack"
    with resources.as_file(resources.files("safeconduct.capabilities.policy") / "packs" / "default") as source:
        shutil.copytree(source, pack)
    committed.set(policy__pack="./pack")
    committed.run("check", "app")
    manifest = (pack / "pack.yaml").read_text()
    develop = manifest[manifest.index("  develop:") : manifest.index("  build:")]
    (pack / "pack.yaml").write_text(manifest.replace(develop, "  develop: []\n"))
    assert committed.run("check", "app", "--json", exits=None).status in {USAGE, UNKNOWN}
    (pack / "pack.yaml").write_text(manifest)
    for file in pack.glob("*.rego"):
        file.write_text("package nothing\n")
    assert committed.run("check", "app", "--json", exits=None).status in {USAGE, UNKNOWN}


def test_an_expired_trust_snapshot_could_not_tell(world):
    """The injected clock: a year and a month later the same review of the same image has no answer."""
    body = pod_review(f"{IMAGE}@{published(world).resolve('1.0').digest}")
    later = system_clock() + int(timedelta(days=400).total_seconds()) * 1_000_000
    assert _over_tls(world, system_clock, body)["allowed"] is True
    response = _over_tls(world, lambda: later, body)
    assert (response["allowed"], response["status"]["code"]) == (False, 503)
    assert "trust-expired" in response["status"]["message"]


def test_evidence_by_a_key_that_has_expired_is_denied(world):
    """Three days later: the keys were trusted for two. An old verdict does not outlive what it rests on."""
    body = pod_review(f"{IMAGE}@{published(world).resolve('1.0').digest}")
    later = system_clock() + int(timedelta(days=3).total_seconds()) * 1_000_000
    assert _over_tls(world, system_clock, body)["allowed"] is True
    world.set(store="fresh.db")
    world.run("db", "update", "operator/feed")
    assert _over_tls(world, lambda: later, body)["status"]["code"] == 403


def _over_tls(world, clock, body):
    settings = load_settings((world.operator / "safeconduct.toml",), {}, {}, world.folder / "none.db").settings
    with RegoWorker() as engine:
        authority = Authority(settings, world.environment, clock, world.operator / "data")
        app = create_app(Admission(authority, engine, Cluster("prod")), None, Access(["t"]), clock=clock)
        folder = world.operator / "server"
        if not folder.exists():
            make_server_certificate(folder, ["127.0.0.1"], to_datetime(system_clock()))
            (folder / "token").write_text("t")
        with serving(app, Tls(folder / "server.pem", folder / "server.key")) as url:
            return Webhook(url, folder, folder / "none").review("validate", body)
