"""pyproject.toml: declared dependencies of all groups."""

import pytest

from safeconduct.capabilities.inventory import pyproject
from safeconduct.model.component import Presence, Scope

TEXT = """
[build-system]
requires = ["hatchling>=1.27"]
[project]
name = "shop"
dependencies = ["flask>=3", "pin==1.0", "bare"]
[project.optional-dependencies]
fast = ["uvloop"]
[dependency-groups]
dev = ["pytest>=9", {include-group = "lint"}]
lint = ["ruff"]
"""


def test_groups_become_scopes_and_only_equality_a_version() -> None:
    found = pyproject.read("pyproject.toml", TEXT.encode()).components
    assert [(c.purl, c.scope, c.grade) for c in found] == [
        ("pkg:pypi/flask", Scope.RUNTIME, 1),
        ("pkg:pypi/pin@1.0", Scope.RUNTIME, 2),
        ("pkg:pypi/bare", Scope.RUNTIME, 0),
        ("pkg:pypi/uvloop", Scope.OPTIONAL, 0),
        ("pkg:pypi/pytest", Scope.DEV, 1),
        ("pkg:pypi/ruff", Scope.DEV, 0),
        ("pkg:pypi/hatchling", Scope.BUILD, 1),
    ]
    assert found[1].presence == Presence.DECLARED
    assert found[0].locations[0].line == 6


def test_poetrys_tables_are_read() -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.11"
flask = "^3"
own = {path = "../own"}
extra = {version = "*", optional = true}
exact = "==1.2"
[tool.poetry.group.dev.dependencies]
pytest = ">=9"
"""
    found = pyproject.read("pyproject.toml", text.encode()).components
    assert [(c.purl, c.scope, c.grade, c.requirement) for c in found] == [
        ("pkg:pypi/flask", Scope.RUNTIME, 1, "^3"),
        ("pkg:pypi/extra", Scope.OPTIONAL, 0, "*"),
        ("pkg:pypi/exact@1.2", Scope.RUNTIME, 2, None),
        ("pkg:pypi/pytest", Scope.DEV, 1, ">=9"),
    ]


@pytest.mark.parametrize("data", [b"[", b"a = ", b"\xff", b"a = " + b"[" * 50_000])
def test_damaged_toml_is_unread(data: bytes) -> None:
    assert pyproject.read("pyproject.toml", data).unread


def test_a_wrong_requirement_is_named_and_the_others_stay() -> None:
    reading = pyproject.read("pyproject.toml", b'[project]\ndependencies = ["!!", "ok==1"]\n')
    assert len(reading.unread) == len(reading.components) == 1


@pytest.mark.parametrize("body", ["project = 3", "[project]\ndependencies = 3", "[tool]\npoetry = []", "x=1"])
def test_wrong_types_never_crash(body: str) -> None:
    assert pyproject.read("pyproject.toml", body.encode()).components == ()
