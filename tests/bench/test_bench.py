"""The measuring commands run, print one table and write what they printed."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_figures", BENCH / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("value", "aim", "met"),
    [
        (60, "<= 60", True),
        (61, "<= 60", False),
        (0.99, ">= 0.99", True),
        (0.98, ">= 0.99", False),
        (1, "", None),
        (61, "<= 60 (why)", False),
        (9, "8.7 (theirs)", None),
    ],
)
def test_an_aim_is_a_bound_in_the_figures_unit(figures: ModuleType, value: float, aim: str, met: bool | None) -> None:
    assert figures.Figure("f", value, "ms", aim).met is met


def test_an_aim_that_cannot_be_read_is_an_error(figures: ModuleType) -> None:
    with pytest.raises(ValueError, match="an aim is"):
        _ = figures.Figure("f", 1, "ms", "fast").met
    with pytest.raises(ValueError, match="an aim is"):
        _ = figures.Figure("f", 1, "ms", "8.7").met


def test_two_runs_are_laid_side_by_side(figures: ModuleType, tmp_path: Path) -> None:
    old = [figures.Figure("a.cpu", 12.5, "ms", "<= 10", "first")]
    new = [figures.Figure("a.cpu", 9.5, "ms", "<= 10", "second"), figures.Figure("b.size", 4096, "bytes")]
    before = figures.read_values(figures.write_figures("old", old, tmp_path))
    lines = figures.table(new, before).splitlines()
    assert lines[0].split() == ["figure", "value", "before", "unit", "aim", "context"]
    assert lines[1].split() == ["a.cpu", "9.5", "12.5", "ms", "<=", "10", "met", "second"]
    assert lines[2].split() == ["b.size", "4,096", "-", "bytes"]


def test_the_start_of_the_command_is_measured_and_written() -> None:
    done = run(str(BENCH / "run.py"), "start", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    values = {figure["name"]: figure for figure in printed["figures"]}
    assert values["start.version.cpu"]["value"] > 0
    assert values["start.version.cpu"]["aim"] == "<= 60"
    assert json.loads((BENCH.parent / "build" / "figures" / "bench-start.json").read_text("utf-8")) == printed


@pytest.mark.parametrize("name", ["quality", "conformance"])
def test_a_command_without_suites_says_so(name: str) -> None:
    done = run(str(BENCH / f"{name}.py"))
    assert done.returncode == 0, done.stderr
    assert "0 suites" in done.stdout


def test_a_case_that_does_not_exist_is_named() -> None:
    done = run(str(BENCH / "run.py"), "nope")
    assert done.returncode == 2
    assert "no such case: nope" in done.stderr
