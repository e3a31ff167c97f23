"""The tutorial works: its blocks are typed in order, in an empty folder, with real git and ssh-keygen."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
FENCE = re.compile(
    r"^```sh(?P<words>[^\n]*)\n(?P<code>.*?)^```$(\n\n```text\n(?P<told>.*?)^```$)?", re.MULTILINE | re.DOTALL
)
CHANGING = re.compile(r"[0-9a-f]{9,64}\b|\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?")
"""Digests, commit ids and times differ from run to run."""
PORT = "8443"
SECONDS = 60

# A block starts where the one before it ended: same folder, same variables, stops at the first failure.
RUN = """
set -aeu
[ -f "$STATE" ] && . "$STATE"
{
    %s
}
{ set +x; export -p; printf 'cd "%%s"\\n' "$PWD"; } > "$STATE"
"""


class Block(NamedTuple):
    """One block: its code, the exit code it must have, whether it is a server, and lines that it must print."""

    line: int
    code: str
    exits: int
    serves: bool
    told: tuple[str, ...] = ()


def blocks(text: str) -> list[Block]:
    """Return the ``sh`` blocks of a page, in order; ``exit=N`` and ``serve`` stand after ``sh``."""
    found = []
    for match in FENCE.finditer(text):
        words = match["words"].split()
        unknown = [word for word in words if word != "serve" and not re.fullmatch(r"exit=\d", word)]
        assert not unknown, f"a fence says {unknown}"
        exits = next((int(word[5:]) for word in words if word.startswith("exit=")), 0)
        line, told = text[: match.start()].count("\n") + 1, lines(match["told"])
        found.append(Block(line, match["code"], exits, "serve" in words, told))
    return found


def lines(text: str | None) -> tuple[str, ...]:
    """Return the lines of an output, without what differs from run to run."""
    return tuple(" ".join(CHANGING.sub("#", line).split()) for line in (text or "").splitlines())


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def world(folder: Path) -> dict[str, str]:
    """Return an environment of its own: no settings, no git configuration, no home of the user."""
    (folder / "home").mkdir()
    return {
        "HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "STATE": str(folder / "state"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
    }


def start(code: str, folder: Path, environment: dict[str, str], port: str) -> subprocess.Popen[bytes]:
    """Start a server in the state that the blocks before left, and return it when it accepts connections."""
    script = f'. "$STATE"; exec {code}'
    with (folder.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(["/bin/sh", "-c", script], cwd=folder, env=environment, stdout=log, stderr=log)
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return server
        time.sleep(0.05)
    server.kill()
    pytest.fail(f"the server did not come up: {(folder.parent / 'server.log').read_text()}")


def test_every_command_of_the_tutorial_ends_as_the_tutorial_says(tmp_path: Path) -> None:
    for program in ("git", "ssh-keygen"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")
    folder = tmp_path / "folder"
    folder.mkdir()
    environment, port = world(tmp_path), free_port()
    servers = []
    try:
        for block in blocks(TUTORIAL.read_text("utf-8")):
            code = block.code.replace(PORT, port)
            if block.serves:
                servers.append(start(code, folder, environment, port))
                continue
            done = subprocess.run(
                ["/bin/sh", "-c", RUN % code],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
            told = f"tutorial.md:{block.line}\n{code}\n{done.stdout}{done.stderr}"
            assert done.returncode == block.exits, told
            assert "Traceback" not in done.stderr, told
            absent = [line for line in block.told if line not in lines(done.stdout + done.stderr)]
            assert not absent, f"{told}\nnot printed any more: {absent}"
            if os.environ.get("SHOW_TUTORIAL"):
                sys.__stdout__.write(f"\n### {told}")
    finally:
        for server in servers:
            server.terminate()
            server.wait(timeout=20)


def test_a_failing_line_inside_a_block_is_noticed(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", RUN % "false\ntrue\n"], cwd=tmp_path, env=world(tmp_path), capture_output=True, check=False
    )
    assert done.returncode == 1


def test_variables_and_folders_last_from_block_to_block(tmp_path: Path) -> None:
    environment = world(tmp_path)
    for code, told in (("mkdir a; cd a; export X=1; y=2\n", ""), ('echo "$X $y $(basename "$PWD")"\n', "1 2 a\n")):
        done = subprocess.run(
            ["/bin/sh", "-c", RUN % code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, told), done.stderr


def test_the_exit_code_that_a_fence_names_is_read() -> None:
    text = "```sh exit=3\nfalse\n```\n\n```text\nat 2026-11-23\n```\n\n```sh serve\nx\n```\n\n```\nno block\n```\n"
    assert blocks(text) == [Block(1, "false\n", 3, False, ("at #",)), Block(9, "x\n", 0, True)]
