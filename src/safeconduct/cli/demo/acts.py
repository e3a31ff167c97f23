"""The five acts, each by public commands; what an attacker does between them is said as such."""

import json
import re
import time
from pathlib import Path

import msgspec

from safeconduct.capabilities.graph.questions import path, reaches
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.cli.demo import attacks
from safeconduct.cli.demo.stage import Stage, pin_root
from safeconduct.foundation.clock import system_clock, to_rfc3339

_IMAGE = "shop.example/shop/checkout"
_GATE = "safeconduct gate deploy"
_LATER = "SHOP-2026-0001"
_SPLIT = re.compile(r"@(DIGEST|STARTED|ALERTED)@")


class Told(msgspec.Struct, frozen=True):
    """What the demo closes with: from the advisory to whoever can mend it, and how long each took."""

    advisory: str
    running: int
    release: str
    commit: str
    author: str
    package: str
    fixed: str
    path: tuple[str, ...]
    answer_ms: float
    seconds: float


def run_acts(stage: Stage, *, estate: int | None) -> Told:
    """Play all five acts and the closing, return what came of them; stop what was started, whatever happens."""
    try:
        set_up(stage)
        develop(stage)
        digest = build(stage)
        before = deploy(stage, digest)
        operate(stage)
        ask(stage, digest, before)
        told = close(stage, digest)
        if estate:
            from safeconduct.cli.demo.estate import ask_estate

            ask_estate(stage, estate)
        return told
    finally:
        stage.close()


def set_up(stage: Stage) -> None:
    """The operator: keys made for this run, a trust store signed by the root, advisory data."""
    stage.title("Before: the operator says who is believed, for what and where (operator/, outside shop/)")
    stage.run("ssh-keygen -q -t ed25519 -N '' -C dev@shop.example -f home/.ssh/dev", quiet=True)
    for name in ("root", "builder", "gate"):
        text = stage.run(f"safeconduct keys create {name} --json", quiet=True)
        if name == "root":
            pin_root(stage, json.loads(text)["fingerprint"])
    trust = "safeconduct trust add operator/trust.json --root root --scope shop-demo --days 1 --demo"
    stage.run(f"safeconduct trust init operator/trust.json --root root --scope 'shop-demo={_IMAGE}'", quiet=True)
    stage.run(f"{trust} --name dev --key home/.ssh/dev.pub --usage commit --principal dev@shop.example", quiet=True)
    stage.run(f"{trust} --name builder --key operator/keys/builder.pub --usage build", quiet=True)
    stage.run(f"{trust} --name gate --key operator/keys/gate.pub --usage gate", quiet=True)
    stage.run("safeconduct trust show", show=r"^(scope|dev|builder|gate|version)", most=5)
    _dated(stage.folder / "operator" / "feed" / "feed.json")
    stage.run("safeconduct db update operator/feed", show="shop-demo")
    for name, value in (
        ("user.name", "Dev"),
        ("user.email", "dev@shop.example"),
        ("gpg.format", "ssh"),
        ("user.signingkey", str(stage.folder / "home" / ".ssh" / "dev")),
        ("init.defaultBranch", "main"),
    ):
        stage.run(f"git config --global {name} '{value}'", quiet=True)


def develop(stage: Stage) -> None:
    """A commit that may not go on, and what mends it."""
    stage.title("1. Develop: may this be committed?")
    stage.run("cd shop && git init -q && git add . && git commit -q --no-gpg-sign -m 'A small shop'", quiet=True)
    stage.run("safeconduct check shop", exits=1, show=r"^develop:|no  |next: (sign|write|raise)", most=9)
    stage.run("cp -R fixes/. shop/ && cd shop && git commit -q -a --amend -S -m 'A small shop, signed and pinned'")
    stage.run("safeconduct check shop", show="^commits|^develop:")


def build(stage: Stage) -> str:
    """A release, twice: the same digest."""
    stage.title("2. Build: gate, image, SBOM, provenance, scan, all signed; read back; gate; approved; published")
    first = json.loads(
        stage.run(
            "safeconduct build shop -o stage/first --json",
            show="^build gate|^image assembled|^read back|^release gate|^published",
            most=5,
        )
    )
    again = json.loads(stage.run("safeconduct build shop -o stage/again --no-publish --no-record --json"))
    digest = str(first["release"]["digest"])
    same = digest == again["release"]["digest"] and first["release"]["manifest"] == again["release"]["manifest"]
    stage.say(f"built twice, the {'same' if same else 'DIFFERENT'} digest: {digest}")
    stage.run(f"safeconduct verify {_IMAGE}:1.0.0", show="every digest recomputed|^deploy:")
    return digest


def deploy(stage: Stage, digest: str) -> str:
    """The webhook admits the release and nothing else; clusters report what they run."""
    stage.title("3. Deploy: the admission webhook, over TLS")
    _attack(stage)
    stage.serve(
        f"safeconduct serve --demo --port {stage.port} --folder operator/server --cluster prod-eu-1 --region eu-central"
    )
    stage.run(
        f"{_GATE} pods/*.yaml --record $WEBHOOK",
        exits=1,
        pick=_refusals,
    )
    _fill_events(stage, digest)
    for cluster, region in (("prod-eu-1", "eu-central"), ("prod-us-2", "us-east")):
        stage.run(
            f"safeconduct watch pods events/{cluster}.pods.ndjson --cluster {cluster} --region {region}",
            quiet=cluster != "prod-eu-1",
        )
    time.sleep(0.01)
    return to_rfc3339(system_clock())


def operate(stage: Stage) -> None:
    """A new advisory, the risk it is to what runs, and a runtime alert."""
    stage.title("4. Operate: a new advisory arrives")
    _dated(stage.folder / "operator" / "feed-later" / "feed.json")
    stage.run("safeconduct db update operator/feed-later", show="shop-demo")
    stage.run("safeconduct audit", exits=1, show="NEW RISK|critical:", most=2)
    stage.run(f"{_GATE} pods/1-release.yaml --record $WEBHOOK", exits=1, show="no-blocked|next:", most=2)
    stage.run("safeconduct watch falco events/falco.json --cluster prod-eu-1", show="shop")


def ask(stage: Stage, digest: str, before: str) -> None:
    """The graph answers."""
    stage.title("5. Ask: the graph answers (each also with --json)")
    stage.run("safeconduct ask runs 'pkg:npm/object-inspect@<1.14.0'", show="prod-", most=1)
    stage.run(f"safeconduct ask reaches {_LATER}", show="releases")
    stage.run(f"safeconduct ask path {digest} pkg:npm/object-inspect", show=" > ")
    stage.run(f"safeconduct ask digest {digest}", show="built from")
    stage.run("safeconduct ask upgrades", show="object-inspect")
    stage.run(f"safeconduct ask upgrades --as-of {before}", show="nothing|pkg:", most=1)


def close(stage: Stage, digest: str) -> Told:
    """One line from advisory to fix, and a drawing."""
    with open_graph(stage.folder / "operator" / "graph.db", must_exist=True) as store:
        started = time.perf_counter()
        reach = reaches(store, _LATER)
        reached = reach.releases[0]
        witness = path(store, reached.release.digest, reached.findings[0].purl)
        spent = (time.perf_counter() - started) * 1000
    place, commit, finding = reached.places[0], reached.release.commit, reached.findings[0]
    who = f"{commit.id[:9]} → {commit.author}" if commit else "an unknown commit"
    brings = witness.steps[0].rsplit("/", 1)[-1] if witness.steps else "?"
    stage.close_with(
        f"\n{finding.advisory.id} → {place.cluster}/{place.workload} (and {reach.running - 1} more) → "
        f"{reached.release.product} {reached.release.version} → {who} → "
        f"{finding.purl.rsplit('/', 1)[-1]} fixed in {finding.fixed}, comes by {brings}   ({spent:.1f} ms)"
    )
    stage.run(f"safeconduct graph lineage {digest} -o lineage.html", show="drawn")
    stage.say(f"the whole demo took {stage.seconds:.0f} seconds")
    return Told(
        advisory=finding.advisory.id,
        running=reach.running,
        release=digest,
        commit=commit.id if commit else "",
        author=commit.author if commit else "",
        package=finding.purl,
        fixed=finding.fixed or "",
        path=witness.steps,
        answer_ms=round(spent, 1),
        seconds=round(stage.seconds, 1),
    )


def _attack(stage: Stage) -> None:
    """An attacker with write access to the registry prepares four images; then each is deployed by a Pod."""
    registry = LayoutRepository(stage.folder / "registry" / "shop" / "checkout")
    attacks.push_unsigned(registry, "1.0.0", "unsigned")
    attacks.edit_behind_tag(registry, "1.0.0", "moved-tag")
    for version, tag, other in (("1.0.1", "borrowed-sbom", "1.0.0"), ("1.0.2", "no-sbom", None)):
        settings = stage.folder / "shop" / "safeconduct.toml"
        text = re.sub(r"(?m)^version = .*", f'version = "{version}"', settings.read_text("utf-8"), count=1)
        settings.write_text(text, "utf-8")
        stage.run(f"cd shop && git commit -q -a -S -m 'Version {version}'", quiet=True)
        stage.run(f"safeconduct build shop -o stage/{version} --no-publish --no-record --json", quiet=True)
        staged = LayoutRepository(stage.folder / "stage" / version)
        attacks.replace_sbom(staged, version, registry, tag, other)
    pods = stage.folder / "pods"
    pods.mkdir()
    release = (stage.folder / "shop" / "k8s" / "pod.yaml").read_text("utf-8")
    tags = ("1.0.0", "unsigned", "moved-tag", "borrowed-sbom", "no-sbom")
    for number, tag in enumerate(tags, 1):
        name = f"{number}-{'release' if tag == '1.0.0' else tag}.yaml"
        (pods / name).write_text(release.replace(f"{_IMAGE}:1.0.0", f"{_IMAGE}:{tag}"), "utf-8")


def _refusals(text: str) -> list[str]:
    """What kubectl would show of each object: its line, then the first reason with its remedy."""
    found: list[str] = []
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines):
        if line.startswith("Error from server"):
            found += [line, f"    {lines[number + 1]}; {lines[number + 2]}"]
        elif " admitted: " in line:
            found.append(line)
    return found


def _fill_events(stage: Stage, digest: str) -> None:
    now = system_clock()
    values = {
        "DIGEST": digest,
        "STARTED": to_rfc3339(now // 1_000_000 * 1_000_000),
        "ALERTED": to_rfc3339(now // 1_000_000 * 1_000_000),
    }
    for file in (stage.folder / "events").iterdir():
        if file.suffix in {".json", ".ndjson"}:
            file.write_text(_SPLIT.sub(lambda m: values[m[1]], file.read_text("utf-8")), "utf-8")


def _dated(file: Path) -> None:
    """Date the demo's feed today: it is made for this run, and a policy on the age of data would see an old one."""
    feed = json.loads(file.read_text("utf-8"))
    feed["as_of"] = to_rfc3339(system_clock() // 1_000_000 * 1_000_000)
    file.write_text(json.dumps(feed, indent=2), "utf-8")
