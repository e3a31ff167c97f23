"""The source keeps the house's rules: layers, purity, style, and who may touch the outside."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "safeconduct"
FILES = sorted(SOURCE.rglob("*.py"))
FACES = ("cli", "server", "__main__.py")
WORKER = "capabilities/policy/worker.py"
"""A process of its own: standard input and output are its wire, not a terminal."""
BIN = Path(sys.executable).parent


def run(*words: str) -> str:
    done = subprocess.run([str(BIN / words[0]), *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_layers_hold() -> None:
    assert run("lint-imports", "--no-cache") == ""


def test_the_linter_finds_nothing() -> None:
    assert run("ruff", "check", "--quiet", "src", "tests", "bench") == ""


def test_the_code_is_formatted() -> None:
    assert run("ruff", "format", "--check", "--quiet", "src", "tests", "bench") == ""


def test_types_hold() -> None:
    assert run("mypy") == ""


def touches_outside(tree: ast.AST) -> list[str]:
    """Return the uses of environment, terminal and exit in a module, as ``line: what``."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in {"os.environ", "os.getenv", "sys.argv", "sys.stdout", "sys.stderr", "sys.stdin", "sys.exit"}:
                found.append(f"{node.lineno}: {name}")
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "input", "exit"}
        ):
            found.append(f"{node.lineno}: {node.func.id}()")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_faces_touch_environment_terminal_and_exit(path: Path) -> None:
    inside = str(path.relative_to(SOURCE))
    if inside.startswith(FACES) or inside == WORKER:
        return
    assert touches_outside(ast.parse(path.read_text("utf-8"))) == []


def test_that_check_sees_a_bad_file() -> None:
    bad = "import os, sys\nx = os.environ['A']\nprint(x)\nsys.exit(1)\n"
    assert len(touches_outside(ast.parse(bad))) == 3


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_and_functions_stay_small_enough_to_read(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is too long"


def test_no_room_has_a_name_that_says_nothing() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "manager", "core", "misc"}
    assert [p for p in FILES if p.stem in banned or p.parent.name in banned] == []
