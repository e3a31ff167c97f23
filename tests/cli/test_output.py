"""What the command line prints: one JSON document, plain text off a terminal, nothing that a terminal would obey."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from simulators.forgery import published
from simulators.world import IMAGE, advisory, command_line

READING = (
    "ask upgrades",
    "ask digest {digest}",
    "ask path {digest} pkg:npm/printer",
    "ask reaches CVE-2000-1",
    "ask runs pkg:npm/printer",
    "audit",
    "check app",
    "config",
    "db status",
    "db update operator/feed",
    "explain CVE-2000-1 pkg:npm/printer@3.1.0",
    "gate deploy app.yaml",
    "graph lineage {digest}",
    "graph rebuild --into new.db",
    "init folder",
    f"inspect {IMAGE}",
    "inventory app",
    "keys create other",
    "keys export gate",
    "keys list",
    "policy show",
    "policy show commits-signed",
    f"publish {IMAGE} reg.local/team/app:copy",
    "sbom app -o sbom.json",
    "sbom app",
    "scan app",
    f"sign {IMAGE}",
    "source verify app",
    "trust add operator/trust.json --root root --name n --key operator/keys/stranger.pub --usage gate --scope team",
    "trust init operator/new.json --root root",
    "trust install operator/trust.json",
    "trust revoke operator/trust.json gate --root root --reason r",
    "trust scope operator/trust.json a reg.local/* --root root",
    "trust show",
    "trust show operator/trust.json",
    f"verify {IMAGE}",
    "build app -o again",
)


def test_every_commands_json_is_one_document_with_a_schema(world):
    digest = published(world).resolve("1.0").digest
    world.pod(IMAGE)
    (world.folder / "folder").mkdir()
    for line in READING:
        words = [word.format(digest=digest) for word in line.split()]
        done = world.run(*words, "--json", exits=None)
        document = json.loads(done.out)
        assert str(document.get("schema", document.get("$schema"))).startswith(("safeconduct/", "http")), line
        assert done.status in {0, 1, 3}, line


def test_every_command_explains_itself_with_an_example(shown_world):
    for words in _commands(shown_world):
        helped = shown_world.run(*words, "--help").out
        assert "Example: " in helped, words
        assert "safeconduct" in helped.partition("Example: ")[2], words


def _commands(world):
    listed = world.run("--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "):
        yield (name,)
        inner = world.run(name, "--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
        for line in inner.splitlines():
            if line.startswith("  ") and line[2] != " ":
                yield (name, line.split()[0])


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r"


def test_hostile_names_and_messages_never_reach_the_terminal_raw(world):
    folder = world.app / f"dir{HOSTILE}"
    folder.mkdir()
    (world.app / "package-lock.json").rename(folder / "package-lock.json")
    (world.app / "package.json").unlink()
    (folder / "requirements.txt").write_text(f"{HOSTILE}\nprinter{HOSTILE}==1\n")
    world.git("config", "user.name", f"Dev{HOSTILE}")
    world.commit(f"Subject{HOSTILE}", signed=False)
    evil = advisory("EVIL-1", "printer", fixed="9.9.9", summary=f"Summary{HOSTILE}", details=HOSTILE)
    world.run("db", "update", world.feed("evil", evil))
    pod = world.pod(IMAGE + HOSTILE, name="hostile", nodeName=HOSTILE)
    event = {"type": "ADDED", "object": {"kind": "Pod", "metadata": {"name": HOSTILE, "namespace": HOSTILE}}}
    (world.folder / "events").write_text(json.dumps(event))
    alert = {"rule": HOSTILE, "priority": "Critical", "time": "2026-01-01T00:00:00Z", "output_fields": {}}
    (world.folder / "alert").write_text(json.dumps(alert))
    lines = ["check app --all", "inventory app", "scan app", "source verify app", "audit", "ask upgrades", "build app"]
    lines += [f"gate deploy {pod.name}", "watch pods events --cluster c", "watch falco alert --cluster c"]
    lines += ["explain EVIL-1 pkg:npm/printer@3.1.0", "ask reaches EVIL-1"]
    shown = ""
    for line in lines:
        for more in ([], ["--json"]):
            text = world.run(*line.split(), *more, exits=None).text
            raw = {c for c in text if not c.isprintable() and c != "\n"}
            assert raw == set(), line
            shown += text
    on_terminal = _on_terminal(world, "sbom", folder, exits=3)
    assert "\\u009b31m" in on_terminal
    assert not set(on_terminal) & {"\x9b", "\u202e", "\x07"}
    for name in ("Subject", "Summary", "Dev", "dir"):
        assert f"{name}\N{REPLACEMENT CHARACTER}" in shown or f"{name}\\u001b" in shown, name


def test_colour_is_for_terminals_without_no_color(world):
    """Off a terminal nothing is coloured; on one it is, unless NO_COLOR says no."""
    assert "\x1b" not in world.spawn("policy", "show").out
    assert "\x1b[" in _on_terminal(world, "check", "app")
    assert "\x1b[3" not in _on_terminal(world, "check", "app", NO_COLOR="1")


def _on_terminal(world, *args, exits=0, **also):
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal can be made here: {error}")
    environment = world.environment | {"TERM": "xterm-256color"} | also
    process = subprocess.Popen(
        command_line(args), cwd=world.folder, env=environment, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL
    )
    os.close(theirs)
    shown = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                part = os.read(ours, 65_536)
            except OSError:
                break
            if not part:
                break
            shown += part
    assert process.wait(10) == exits
    os.close(ours)
    return shown.decode()


def test_results_go_to_standard_output_and_the_rest_to_standard_error(world):
    done = world.spawn("build", "app", "-o", "again", "--json")
    assert json.loads(done.out)["schema"] == "safeconduct/build/v1"
    assert "image assembled" in done.err
    assert world.spawn("build", "app", "-o", "again", "--quiet").err == ""


def test_output_that_nobody_reads_is_no_pass(world):
    """Through ``| head`` under pipefail a command whose answer was cut off must not look like a yes."""
    line = " ".join(command_line(["policy", "show", "--json"]))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{line} | true"],
        cwd=world.folder,
        env=world.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_terminal_without_utf8_gets_an_answer_too(world, locale):
    also = {"LC_ALL": locale, "PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    world.spawn("check", "app", also=also)
    world.spawn("policy", "show", "no-blocked-vulnerabilities", also=also)


FORBIDDEN = ("httpx2", "httpcore", "cryptography", "sqlite3", "starlette", "uvicorn", "click", "msgspec")


def test_the_version_is_told_at_once_without_http_cryptography_or_database():
    """Its cost is shown, not limited: that is the bench's matter."""
    code = "import sys, time; sys.argv = ['safeconduct', '--version']; import safeconduct.__main__ as m; m.main()"
    code += "; print(','.join(sorted(sys.modules)), file=sys.stderr); print(time.process_time(), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, seconds = done.stderr.split()
    assert done.stdout.startswith("safeconduct ")
    assert [name for name in modules.split(",") if name.partition(".")[0] in FORBIDDEN] == []
    print(f"safeconduct --version: {float(seconds) * 1000:.0f} ms CPU")  # noqa: T201 - shown by pytest -rP


def test_help_loads_no_commands_and_no_http_cryptography_or_database():
    code = "import sys; sys.argv = ['safeconduct', '--help']\nimport safeconduct.__main__ as m\ntry: m.main()\n"
    code += "except SystemExit: pass\nprint(','.join(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = set(FORBIDDEN) - {"click", "msgspec"}
    assert [name for name in done.stderr.strip().split(",") if name.partition(".")[0] in heavy] == []


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_an_answer_that_nobody_read_to_its_end_does_not_look_like_a_no(tmp_path, flags):
    """The reader goes away after one line, as ``head -1`` does."""
    for number in range(400):
        (tmp_path / f"requirements-{number}.txt").write_text("\n".join(f"package-{number}-{n}==1" for n in range(20)))
    line = [sys.executable, "-m", "safeconduct", "inventory", str(tmp_path), *flags]
    given = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read()) == (3, b"")
