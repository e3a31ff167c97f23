"""Whatever is typed: what, why, next and the right exit code, never a traceback."""

import json
import os
import stat

import pytest

from simulators.forgery import published
from simulators.world import IMAGE

PASSED, NO, USAGE, UNKNOWN = 0, 1, 2, 3
NO_DIGEST = "sha256:" + "0" * 64
LINES = (
    "ask digest {}",
    "ask path {} {}",
    "ask reaches {}",
    "ask runs {}",
    "ask upgrades --as-of {}",
    "ask upgrades --limit {}",
    "audit --store {}",
    "build app --builder-key {}",
    "build app -o {}",
    "build {}",
    "check app --config {}",
    "check app --store {}",
    "check {}",
    "config --config {}",
    "db status --store {}",
    "db update {}",
    "demo --keep {} --estate x",
    "explain CVE-1 {}",
    "explain {} pkg:npm/x@1",
    "gate deploy app.yaml --webhook {}",
    "gate deploy app.yaml --webhook https://127.0.0.1:1 --ca {}",
    "gate deploy {}",
    f"graph lineage {NO_DIGEST} -o {{}}",
    "graph lineage {}",
    "graph rebuild --into {}",
    "init {}",
    "inspect {}",
    "inventory oci:{}",
    "inventory reg.local/{}",
    "inventory {}",
    "keys create n --folder {}",
    "keys create {} --folder made",
    "keys export {}",
    "keys list --config {}",
    "policy show {}",
    "publish oci:stage:1.0 {}",
    "publish {} reg.local/team/app:2",
    "sbom app -o {}",
    "scan {}",
    "serve --host 256.0.0.1 --folder {}",
    "sign {}",
    "source verify app --since {}",
    "source verify {}",
    "trust add operator/trust.json --root root --name n --key {} --usage gate --scope team",
    "trust add {} --root root --name n --key operator/keys/gate.pub --usage gate --scope team",
    "trust init {} --root root",
    "trust install {}",
    "trust revoke operator/trust.json builder --root root --reason r --since {}",
    "trust revoke {} builder --root root --reason r",
    "trust scope {} a b --root root",
    "trust show {}",
    "verify {}",
    "watch falco {}",
    "watch pods {} --cluster c",
)
NAMES = {
    "not there": "nowhere",
    "binary": "bad.bin",
    "empty file": "empty.json",
    "JSON of another shape": "list.json",
    "deep JSON": "deep.json",
    "folder": "folder",
    "broken settings": "broken.toml",
    "unreadable": "/proc/self/mem",
    "device": "/dev/null",
    "no UTF-8": "\udcff",
    "too long": "x" * 5_000,
    "nothing": "",
    "control characters": "a\x1b[31m\x07\n\x9bb",
}


@pytest.fixture(scope="module")
def littered(shown_world, tmp_path_factory):
    """A world with files of every bad kind; commands that write may write in it."""
    world = shown_world.copy(tmp_path_factory.mktemp("littered"))
    (world.folder / "bad.bin").write_bytes(b"\xff\xfe\x00\x01" * 50)
    (world.folder / "empty.json").write_bytes(b"")
    (world.folder / "list.json").write_text("[1, 2, 3]")
    (world.folder / "deep.json").write_text("[" * 100_000)
    (world.folder / "broken.toml").write_text("store = [")
    (world.folder / "folder").mkdir()
    world.pod(IMAGE)
    return world


@pytest.mark.parametrize("name", list(NAMES))
@pytest.mark.parametrize("line", LINES)
def test_bad_input_is_answered_with_what_why_and_next(littered, line, name):
    words = [word.replace("{}", NAMES[name]) for word in line.split()]
    plain = littered.run(*words, exits=None)
    assert plain.status in {PASSED, NO, USAGE, UNKNOWN}
    assert not set(plain.text) & {"\x1b", "\x07", "\x9b"}
    if plain.err.startswith("error["):
        assert "\n  next: " in plain.err, plain.err
    elif plain.status == USAGE:
        assert plain.err.startswith("Usage: "), plain.err
    told = littered.run(*words, "--json", exits=None)
    assert told.json["schema"].startswith("safeconduct/") if told.out[:11] != '{"$schema":' else told.json
    if told.status == USAGE:
        assert set(told.json) == {"schema", "id", "what", "why", "next"}
        assert told.json["schema"] == "safeconduct/error/v1"
        assert told.json["next"]


def test_a_command_or_option_that_is_not_there_is_usage(shown_world):
    for line in (["nonsense"], ["ask"], ["ask", "nonsense"], ["check", "--nonsense"], ["check", "a", "b"], ["--json"]):
        done = shown_world.run(*line, exits=USAGE)
        assert "Usage:" in done.err or done.json["id"] == "usage"


def test_a_file_that_may_not_be_read_is_told(world):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (world.operator / "trust.json").chmod(0)
    assert world.run("verify", IMAGE, "--json", exits=UNKNOWN).json["id"] == "no-trust"


def test_settings_that_name_what_is_not_there_are_told(world):
    for name, command, status in (
        ("trust__snapshot", ("verify", IMAGE), UNKNOWN),
        ("keys__passphrase_file", ("build", "app", "-o", "s"), USAGE),
        ("keys__folder", ("build", "app", "-o", "s"), None),
        ("policy__pack", ("check", "app"), UNKNOWN),
    ):
        other = world.copy(world.folder.parent / name)
        other.set(**{name: "./nowhere"})
        refused = other.run(*command, "--json", exits=status)
        assert refused.status != PASSED
        assert refused.json["schema"] == "safeconduct/error/v1"
    world.set(exemptions=["nowhere.json"])
    assert world.run("check", "app", "--json", exits=USAGE).json["id"] == "bad-exemption"


def test_an_unknown_setting_is_refused_wherever_it_stands(world):
    world.run("check", "app")
    world.set(trsut__snapshot="x")
    assert world.run("check", "app", "--json", exits=USAGE).json["id"] == "bad-settings"
    refused = world.spawn("check", "app", "--json", exits=USAGE, also={"SAFECONDUCT_NONSENSE": "1"}).json
    assert refused["id"] == "bad-settings"


def test_a_store_that_is_no_store_is_told_and_left_as_it_is(world):
    other = world.folder / "holiday.jpg"
    other.write_bytes(b"\xff\xd8\xff" * 999)
    for line in (("scan", "app"), ("ask", "upgrades"), ("audit",), ("db", "status"), ("db", "update", "operator/feed")):
        assert world.run(*line, "--store", other, "--json", exits=UNKNOWN).json["schema"] == "safeconduct/error/v1"
    assert other.read_bytes() == b"\xff\xd8\xff" * 999


def test_what_is_there_already_is_never_overwritten(world):
    kept = [world.operator / "trust.json", world.operator / "keys" / "gate.key", world.app / "safeconduct.toml"]
    before = [file.read_bytes() for file in kept]
    assert world.run("trust", "init", "operator/trust.json", "--root", "root", exits=None).status in {NO, USAGE}
    assert world.run("keys", "create", "gate", exits=None).status in {NO, USAGE}
    assert world.run("init", "app", exits=None).status in {NO, USAGE}
    assert world.run("graph", "rebuild", "--into", "operator/trust.json", exits=None).status in {NO, USAGE}
    assert [file.read_bytes() for file in kept] == before


def test_a_stranger_without_any_configuration_gets_a_useful_answer(world, tmp_path):
    home = {"HOME": str(tmp_path), "SAFECONDUCT_CONFIG": "", "SAFECONDUCT_DATA": ""}
    done = world.spawn("check", "app", exits=UNKNOWN, also=home)
    assert "npm         3" in done.out
    assert "could not tell" in done.out
    assert "vulnerability-data-complete" in done.out
    assert "Traceback" not in done.err
    told = json.loads(world.spawn("check", "app", "--json", exits=UNKNOWN, also=home).out)
    assert told["schema"] == "safeconduct/check/v1"
    assert not (tmp_path / ".local").exists()


def test_what_a_command_writes_is_no_program(world):
    world.run("sbom", "app", "-o", "sbom.json")
    world.run("graph", "lineage", published(world).resolve("1.0").digest, "-o", "lineage.html")
    for name in ("sbom.json", "lineage.html"):
        assert not (world.folder / name).stat().st_mode & (stat.S_IXUSR | stat.S_IWOTH)
