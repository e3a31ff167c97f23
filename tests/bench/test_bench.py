"""The measuring commands run, print one table and write what they printed."""

import importlib
import importlib.util
import json
import os
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


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


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


@pytest.mark.parametrize(("name", "says"), [("quality", "0 suites"), ("conformance", "1 suites")])
def test_suites_without_their_data_are_named_and_fail_nothing(name: str, says: str, tmp_path: Path) -> None:
    """The vector of the DSSE specification needs no data."""
    done = run(str(BENCH / f"{name}.py"), SAFECONDUCT_DATA=str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    assert "no real data" in done.stdout


def test_other_peoples_suites_pass_what_they_have_passed_before(shared_data: Path) -> None:
    done = run(str(BENCH / "conformance.py"), "--json", SAFECONDUCT_DATA=str(shared_data))
    assert done.returncode == 0, done.stderr
    found = {figure["name"]: figure for figure in json.loads(done.stdout)["figures"]}
    floors = json.loads((BENCH / "floors.json").read_text("utf-8"))
    kept = {name for name in floors if name.startswith("conformance.")}
    assert kept
    assert {name for name in kept if found[name]["met"]} == kept


def test_a_figure_below_its_floor_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    floors, figures = importlib.import_module("floors"), importlib.import_module("figures")
    file = tmp_path / "floors.json"
    file.write_text('{"a": {"value": 0.9, "reached": "2026-11-23"}, "b": {"value": 3, "reached": "2026-11-23"}}')
    given = [figures.Figure("a", 0.89, "share"), figures.Figure("b", 3, "cases"), figures.Figure("c", 0, "cases")]
    assert floors.below(floors.with_floors(given, file)) == ["a"]
    file.write_text('{"a": {"value": 0.9}}')
    with pytest.raises(ValueError, match="needs 'value' and 'reached'"):
        floors.with_floors(given, file)


def test_a_case_that_does_not_exist_is_named() -> None:
    done = run(str(BENCH / "run.py"), "nope")
    assert done.returncode == 2
    assert "no such case: nope" in done.stderr
