"""A small world for tests of whole flows: a developer, an operator, a project, and the command line between them.

Everything in it is real: git, ssh-keygen, keys, commits, signatures, registries on disk or over HTTP, a server in a
process of its own. A world is one folder whose files name each other relatively, so a copy of it is another world.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from safeconduct.cli.main import run as run_cli

REPOSITORY = "reg.local/team/app"
IMAGE = f"{REPOSITORY}:1.0"
PACKAGES = {"web-server": "1.0.0", "parser": "2.0.0", "printer": "3.1.0"}
_INTEGRITY = "sha512-" + "A" * 86 + "=="
_START_SECONDS = 30


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err

    def rules(self) -> set[str]:
        """Return the ids of all rules and errors that the output names."""
        return {r["rule"] for r in _reasons(self.json)}


class World:
    """One folder: ``home`` (developer), ``operator``, ``app`` (the project), ``registry``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operator = folder / "operator"
        self.app = folder / "app"

    @property
    def environment(self) -> dict[str, str]:
        """All variables of a process in this world; nothing of the test's own but PATH."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.folder / "home" / ".gitconfig"),
            "SAFECONDUCT_CONFIG": str(self.operator / "safeconduct.toml"),
            "SAFECONDUCT_DATA": str(self.operator / "data"),
        }

    def run(self, *args: object, exits: int | None = 0, give: bytes | None = None) -> Ran:
        """Run ``safeconduct ARGS`` in this process, in the world's folder; ``exits`` None takes any status."""
        scrubbed = dict.fromkeys(os.environ)
        with chdir(self.folder):
            done = CliRunner().invoke(_AsTyped(), [str(a) for a in args], env=scrubbed | self.environment, input=give)
        return _checked(args, Ran(done.exit_code, done.stdout, done.stderr), exits)

    def spawn(self, *args: object, exits: int | None = 0, **more: Any) -> Ran:
        """Run ``safeconduct ARGS`` in a process of its own."""
        done = subprocess.run(
            command_line(args),
            cwd=self.folder,
            env=self.environment | more.pop("also", {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **more,
        )
        return _checked(args, Ran(done.returncode, done.stdout, done.stderr), exits)

    def start(self, *args: object) -> subprocess.Popen[bytes]:
        """Start ``safeconduct ARGS`` in a process of its own and leave it running."""
        return subprocess.Popen(
            command_line(args),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def git(self, *args: str) -> str:
        """Run git in the project."""
        done = subprocess.run(
            ["git", *args], cwd=self.app, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def commit(self, message: str = "A change", *, signed: bool = True) -> str:
        """Commit everything in the project; return the commit's id."""
        key = self.folder / "home" / ".ssh" / "dev"
        sign = ["-S"] if signed else ["--no-gpg-sign"]
        self.git("add", "-A")
        self.git("-c", f"user.signingkey={key}", "commit", "-q", "--allow-empty", *sign, "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def set(self, **values: Any) -> None:
        """Change the operator's settings; a name with ``__`` is in a table."""
        file = self.operator / "settings.json"
        held = json.loads(file.read_text()) if file.exists() else {}
        for name, value in values.items():
            table, _, key = name.rpartition("__")
            (held.setdefault(table, {}) if table else held)[key] = value
        file.write_text(json.dumps(held))
        (self.operator / "safeconduct.toml").write_text(_toml(held))

    def registries(self, **places: str) -> None:
        """Say where registries lie; ``_`` in a name stands for a dot."""
        self.set(**{f"registries__{name.replace('_', '.')}": place for name, place in places.items()})

    def feed(self, name: str, *records: dict[str, Any], covers: Sequence[str] = tuple(PACKAGES)) -> Path:
        """Write a feed that covers packages, dated now; return its folder."""
        folder = self.operator / name
        folder.mkdir()
        head = {"id": "test", "as_of": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "license": "CC0-1.0"}
        (folder / "feed.json").write_text(json.dumps(head | {"covers": [f"pkg:npm/{n}" for n in covers]}))
        for record in records:
            (folder / f"{record['id']}.json").write_text(json.dumps(record))
        return folder

    def trust(self, verb: str, *args: object, **more: Any) -> Ran:
        """Change the operator's trust snapshot, signed by the root key."""
        return self.run("trust", verb, "operator/trust.json", *args, "--root", "root", **more)

    def trust_key(self, name: str, usage: str, *more: object, scope: str = "team", key: str = "") -> Ran:
        """Trust a key for one usage in one scope for two days."""
        file = key or f"operator/keys/{name}.pub"
        line = ("--name", name, "--key", file, "--usage", usage, "--scope", scope, "--days", 2)
        return self.trust("add", *line, *more)

    def pod(self, image: str, name: str = "app", **spec: Any) -> Path:
        """Write a manifest of one Pod that runs ``image``."""
        file = self.folder / f"{name}.yaml"
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
        file.write_text(json.dumps(pod | {"spec": {"containers": [{"name": "c", "image": image}], **spec}}))
        return file

    def gate(self, image: str, *more: object, exits: int | None = 0) -> Ran:
        """Try the deploy gate in process on a Pod with ``image``."""
        return self.run("gate", "deploy", self.pod(image), "--json", *more, exits=exits)

    def copy(self, folder: Path) -> "World":
        """Return another world in the state of this one."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return World(folder)

    @contextmanager
    def serve(self, *args: object) -> Iterator["Webhook"]:
        """Serve the webhook in a process of its own while the block runs."""
        line = command_line(("serve", "--port", 0, "--folder", "operator/server", *args))
        log = (self.folder / "server.log").open("w+b")
        server = subprocess.Popen(line, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=log)
        try:
            assert server.stdout is not None
            first = server.stdout.readline().decode().split()
            assert first[:1] == ["serving"], (self.folder / "server.log").read_text()
            yield Webhook(first[1], self.operator / "server", self.folder / "server.log")
        finally:
            server.terminate()
            server.communicate(timeout=_START_SECONDS)
            log.close()


class Webhook:
    """A served webhook, asked over TLS with its CA as the only one trusted."""

    def __init__(self, url: str, folder: Path, log: Path) -> None:
        self.url = url
        self.ca = folder / "ca.pem"
        self.token = (folder / "token").read_text()
        self.log = log

    def post(self, path: str, body: bytes, *, token: str = "", seconds: float = 30) -> tuple[int, Any]:
        """Return the status and the JSON that a POST is answered with."""
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        context = ssl.create_default_context(cafile=str(self.ca))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=seconds) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def review(self, phase: str, body: bytes) -> Any:
        """Return the response to an AdmissionReview, with its uid checked."""
        status, answer = self.post(f"/admission/{phase}?timeout=10s", body)
        assert status == 200, answer
        assert answer["response"]["uid"] == json.loads(body)["request"]["uid"]
        return answer["response"]

    @property
    def flags(self) -> tuple[object, ...]:
        """What ``gate deploy`` is given to ask this webhook."""
        return ("--webhook", self.url, "--ca", self.ca)


class _AsTyped:
    """The command line as typed, its way of ending included, for click's runner."""

    name = "safeconduct"

    @staticmethod
    def main(args: Sequence[str], prog_name: str) -> None:
        before, sys.argv = sys.argv, [prog_name, *args]
        try:
            run_cli()
        finally:
            sys.argv = before


def command_line(args: Sequence[object]) -> list[str]:
    """Return the argument list that starts ``safeconduct ARGS`` from this very environment."""
    return [sys.executable, "-m", "safeconduct", *(str(a) for a in args)]


def advisory(name: str, package: str, *, fixed: str, **more: Any) -> dict[str, Any]:
    """Return an OSV record: critical, every version before ``fixed``."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {"package": {"ecosystem": "npm", "name": package}, "ranges": [{"type": "SEMVER", "events": events}]}
    severity = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    head = {"schema_version": "1.7.0", "id": name, "modified": now, "summary": f"{package} is broken"}
    return {**head, "severity": severity, "affected": [affected], **more}


def make_world(folder: Path) -> World:
    """Return a world whose project is committed and signed, whose operator trusts its keys; nothing is built yet."""
    world = World(folder)
    (folder / "home" / ".ssh").mkdir(parents=True, mode=0o700)
    (world.operator / "keys").mkdir(parents=True, mode=0o700)
    world.app.mkdir()
    secret = world.operator / "keys" / "passphrase"
    secret.touch(0o600)
    secret.write_text("correct horse battery staple")
    world.set(
        store="graph.db",
        trust__snapshot="trust.json",
        keys__folder="keys",
        keys__passphrase_file="keys/passphrase",
        trust__root=["sha256:" + "0" * 64],
    )
    world.set(**{"registries__reg.local": "oci:../registry"})
    _make_keys(world)
    write_project(world.app)
    _init_git(world)
    world.commit("First")
    return world


def _make_keys(world: World) -> None:
    key = str(world.folder / "home" / ".ssh" / "dev")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dev", "-f", key], check=True)
    for name in ("root", "builder", "gate", "stranger"):
        made = world.run("keys", "create", name, "--json").json
        if name == "root":
            world.set(trust__root=[made["fingerprint"]])
    world.run("trust", "init", "operator/trust.json", "--root", "root", "--scope", f"team={REPOSITORY}")
    who = ("--principal", "dev@team.example")
    world.trust_key("dev", "commit", *who, key="home/.ssh/dev.pub")
    world.trust_key("builder", "build")
    world.trust_key("gate", "gate")


def write_project(folder: Path, version: str = "1.0") -> None:
    """Write the project: three npm packages in a chain, each locked by hash."""
    names = list(PACKAGES)
    packages: dict[str, Any] = {"": {"name": "app", "version": "1.0.0", "dependencies": {names[0]: PACKAGES[names[0]]}}}
    for name, below in zip(names, [*names[1:], None], strict=True):
        entry = {
            "version": PACKAGES[name],
            "resolved": f"https://registry.npmjs.org/{name}/-/{name}-{PACKAGES[name]}.tgz",
            "integrity": _INTEGRITY,
        }
        entry |= {"license": "MIT"} | ({"dependencies": {below: PACKAGES[below]}} if below else {})
        packages[f"node_modules/{name}"] = entry
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    (folder / "package-lock.json").write_text(json.dumps(lock, indent=2))
    (folder / "package.json").write_text(json.dumps({"name": "app", **packages[""]}))
    (folder / "server.js").write_text("require('web-server').listen(8080)\n" * 40)
    (folder / "safeconduct.toml").write_text(
        f'[product]\nname = "app"\nversion = "{version}"\nrepository = "{REPOSITORY}"\n\n'
        '[build]\nbase = "scratch"\ncopies = [{ from = ".", to = "/srv/app" }]\n'
    )


def _init_git(world: World) -> None:
    world.git("init", "-q", "-b", "main")
    for name, value in (("user.name", "Dev"), ("user.email", "dev@team.example"), ("gpg.format", "ssh")):
        world.git("config", "--global", name, value)


def wait_for(holds: Any, seconds: float = _START_SECONDS) -> None:
    """Wait until ``holds()`` is true."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def _checked(args: Sequence[object], ran: Ran, exits: int | None) -> Ran:
    line = " ".join(str(a) for a in args)
    assert exits is None or ran.status == exits, f"safeconduct {line}: {ran.status}, not {exits}\n{ran.text[:3000]}"
    assert not re.search("Traceback|an error of ours", ran.text), f"safeconduct {line}\n{ran.text[:3000]}"
    return ran


def _toml(values: dict[str, Any]) -> str:
    plain = [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in values.items() if not isinstance(v, dict)]
    for name, table in values.items():
        if isinstance(table, dict):
            plain += [f"[{name}]", *(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in table.items())]
    return "\n".join([*plain, ""])


def _reasons(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "rule" in value and "outcome" in value:
            yield value
        for inner in value.values():
            yield from _reasons(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _reasons(inner)
