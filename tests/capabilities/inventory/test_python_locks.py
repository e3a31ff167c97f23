"""poetry.lock, Pipfile.lock, pdm.lock, pylock.toml, each with the manifest beside it."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import pdm, pipfile, poetry, pylock
from safeconduct.capabilities.inventory.tree import FolderTree, MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Scope

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"
COMMIT = "0123456789012345678901234567890123456789"


def test_poetry_with_groups_git_sources_and_its_manifest() -> None:
    found = read_tree(FolderTree(CASES / "poetry-lock"))
    assert [(c.purl, c.direct, c.scope, c.grade) for c in found.components] == [
        ("pkg:pypi/click@8.1.0", False, Scope.RUNTIME, 3),
        ("pkg:pypi/flask@3.0.0", True, Scope.RUNTIME, 3),
        (f"pkg:pypi/mylib@0.1?vcs_url=git%2Bhttps://h.example/o/mylib.git%40{COMMIT}", True, Scope.RUNTIME, 3),
        ("pkg:pypi/pytest@9.0", True, Scope.DEV, 2),
    ]
    assert found.edges == (("pkg:pypi/flask@3.0.0", "pkg:pypi/click@8.1.0"),)


@pytest.mark.parametrize(
    ("body", "metadata"),
    [
        ('category = "dev"', '[metadata.files]\na = [{file = "a", hash = "sha256:HASH"}]'),
        ('category = "dev"', '[metadata.hashes]\na = ["HASH"]'),
        ('groups = ["dev"]\nfiles = [{hash = "sha256:HASH"}]', "[metadata]"),
    ],
)
def test_poetry_of_all_ages_gives_scope_and_hashes(body: str, metadata: str) -> None:
    lock = f'[[package]]\nname = "a"\nversion = "1"\n{body}\n{metadata}\n'.replace("HASH", "ab" * 32)
    (found,) = poetry.read("poetry.lock", lock.encode()).components
    assert (found.scope, len(found.hashes), found.grade, found.direct) == (Scope.DEV, 1, 3, None)


def test_pipenv_with_its_manifest() -> None:
    found = read_tree(FolderTree(CASES / "pipfile-lock"))
    assert [(c.purl.partition("?")[0], c.direct, c.scope, c.grade) for c in found.components] == [
        ("pkg:pypi/g", False, Scope.RUNTIME, 3),
        ("pkg:pypi/pytest@9.0", True, Scope.DEV, 3),
        ("pkg:pypi/requests@2.31.0", True, Scope.RUNTIME, 3),
        ("pkg:pypi/urllib3@2.0.7", False, Scope.RUNTIME, 3),
    ]


def test_a_pipfile_alone_leaves_ranges_open_with_their_lines() -> None:
    found = read_tree(FolderTree(CASES / "pipfile"))
    assert [(c.purl, c.requirement, c.grade, c.locations[0].line) for c in found.components] == [
        ("pkg:pypi/flask", ">=3", 1, 5),
        ("pkg:pypi/pytest@9.0", None, 2, 7),
        ("pkg:pypi/requests", "*", 0, 4),
    ]


@pytest.mark.parametrize(("case", "edges"), [("pdm-lock", 1), ("pylock", 1)])
def test_pdm_and_pylock_answer_their_manifest(case: str, edges: int) -> None:
    found = read_tree(FolderTree(CASES / case))
    assert len(found.edges) == edges
    assert all(c.requirement is None for c in found.components)
    assert {c.direct for c in found.components} == {True, False}
    assert {c.grade for c in found.components} == {3}


def test_a_named_pylock_is_one_too() -> None:
    data = (CASES / "pylock" / "pylock.toml").read_bytes()
    assert len(read_tree(MemoryTree({"pylock.dev.toml": data})).components) == 2


@pytest.mark.parametrize("reader", [poetry, pdm, pylock, pipfile])
@pytest.mark.parametrize("data", [b"", b"{", b"x = 1", b'{"a": 1}', b"[[package", b"\xff\xfe\x00"])
def test_what_is_no_lock_is_unread(reader, data: bytes) -> None:
    assert reader.read("x", data).unread
