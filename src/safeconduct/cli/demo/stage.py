"""The demo's folder: a shop, an operator, a developer's home, and the commands run in it."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from safeconduct.foundation.errors import Undecided

_SETTINGS = """# The operator's settings. Nothing in shop/ can change them.
store = "graph.db"

[trust]
snapshot = "trust.json"
root = ["{root}"]

[keys]
folder = "keys"
passphrase_file = "keys/passphrase"

[registries]
"shop.example" = "oci:../registry"
"""
_WIDTH = 112


class Stage:
    """Where the demo plays. Commands run with its own HOME, git configuration and settings, without network."""

    def __init__(self, folder: Path, *, silent: bool = False) -> None:
        self.folder = folder
        self.silent = silent
        self.port = _free_port()
        self.webhook = f"https://127.0.0.1:{self.port}"
        self._count = 0
        self._started = time.monotonic()
        self._servers: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """What ``env.sh`` exports, with what a process needs to run at all."""
        return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", **self.exports}

    @property
    def exports(self) -> dict[str, str]:
        """The variables that make this folder a world of its own."""
        return {
            "HOME": str(self.folder / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.folder / "home" / ".gitconfig"),
            "SAFECONDUCT_CONFIG": str(self.folder / "operator" / "safeconduct.toml"),
            "SAFECONDUCT_DATA": str(self.folder / "operator" / "data"),
            "WEBHOOK": f"--webhook {self.webhook} --ca operator/server/ca.pem",
        }

    def close_with(self, text: str) -> None:
        """Print the demo's last words."""
        self._show(text, bold=True)

    def _show(self, text: str, **style: Any) -> None:
        if not self.silent:
            click.secho(text, **style)

    def title(self, text: str) -> None:
        """Print the heading of an act."""
        self._show(f"\n{text}", bold=True)

    def say(self, text: str) -> None:
        """Print one line that is not a command's."""
        self._show(f"  {text}")

    def run(
        self,
        command: str,
        *,
        exits: int = 0,
        show: str = "",
        most: int = 3,
        quiet: bool = False,
        pick: Callable[[str], list[str]] | None = None,
    ) -> str:
        """Run a command as a user would type it; print it and some of its output.

        Args:
            exits: the exit status that it must end with.
            show: a pattern; the first ``most`` lines that match are shown, cut to a terminal's width.
            pick: chooses the lines instead; they are shown whole.

        Raises:
            Undecided: ``demo-broken`` when it does not end as it should; its whole output is in ``log/``.
        """
        if not quiet:
            self._show(f"$ {command}", fg="cyan")
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        self._count += 1
        log = self.folder / "log" / f"{self._count:02d}.txt"
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"$ {command}\n{text}\nexit status {done.returncode}\n", "utf-8")
        if done.returncode != exits:
            raise Undecided(
                "demo-broken",
                f"the demo's command ended with {done.returncode}, not {exits}: {command}",
                why=(text.strip().splitlines() or ["it printed nothing"])[-1],
                next_step="run again with --keep DIR and read DIR/log",
            )
        for line in pick(text) if pick else ():
            self._show("  " + line)
        if show and not quiet:
            for line in [line for line in text.splitlines() if re.search(show, line)][:most]:
                self._show("  " + _short(line.strip()))
        return done.stdout

    def serve(self, command: str) -> None:
        """Start a server in the background and wait until it is up."""
        self._show(f"$ {command} &", fg="cyan")
        log = (self.folder / "log" / "server.txt").open("wb")
        server = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
        )
        self._servers.append(server)
        ends = time.monotonic() + 20
        while time.monotonic() < ends and server.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise Undecided("demo-broken", "the webhook did not start", next_step="run again with --keep DIR, read DIR/log")

    def close(self) -> None:
        """Stop what was started."""
        for server in self._servers:
            server.terminate()
            server.wait(timeout=10)

    @property
    def seconds(self) -> float:
        """How long the demo has run."""
        return time.monotonic() - self._started


def prepare(folder: Path, *, silent: bool = False) -> Stage:
    """Return the stage with the shop, the developer's home and the operator's files in place."""
    _require("git", "ssh-keygen")
    stage = Stage(folder, silent=silent)
    examples = find_examples()
    for name in ("shop", "shop-faults", "feed", "feed-later", "events"):
        target = folder / {"shop": "fixes", "feed": "operator/feed", "feed-later": "operator/feed-later"}.get(
            name, name
        )
        shutil.copytree(examples / name, target)
    shutil.copytree(examples / "shop", folder / "shop")
    shutil.copytree(
        folder / "shop-faults", folder / "shop", dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md")
    )
    shutil.rmtree(folder / "shop-faults")
    (folder / "home" / ".ssh").mkdir(parents=True, mode=0o700)
    (folder / "operator" / "keys").mkdir(mode=0o700)
    passphrase = folder / "operator" / "keys" / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(secrets.token_urlsafe(24))
    (folder / "operator" / "safeconduct.toml").write_text(_SETTINGS.format(root="sha256:" + "0" * 64))
    lines = [f'export {name}="{value}"' for name, value in stage.exports.items()]
    path = f'export PATH="{Path(sys.executable).parent}:$PATH"'
    (folder / "env.sh").write_text("\n".join([*lines, path, ""]))
    return stage


def find_examples() -> Path:
    """Return the folder of examples: in the wheel beside the package, in a checkout at its root."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / "shop" / "safeconduct.toml").is_file():
            return folder
    raise Undecided("no-examples", "the demo's shop is not here", next_step="install the wheel, or run from a checkout")


def pin_root(stage: Stage, fingerprint: str) -> None:
    """Write the root's fingerprint into the operator's settings."""
    (stage.folder / "operator" / "safeconduct.toml").write_text(_SETTINGS.format(root=fingerprint))


def _require(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise Undecided(
                "missing-program", f"the demo needs {program}", next_step="apt-get install git openssh-client"
            )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
