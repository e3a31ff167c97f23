"""yarn.lock, both of its forms."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import yarn
from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory, Scope

SAMPLE = Path(__file__).resolve().parents[2] / "cases/inventory/testdata/yarn-lock"
BERRY = f"""__metadata:
  version: 8

"shop@workspace:.":
  version: 0.0.0-use.local
  resolution: "shop@workspace:."
  dependencies:
    a: "npm:^1.0.0"
  languageName: unknown
  linkType: soft

"@s/b@npm:2.0.0, @s/b@npm:^2.0.0":
  version: 2.0.0
  resolution: "@s/b@npm:2.0.0"
  checksum: 10c0/{"ab" * 64}

"a@npm:^1.0.0":
  version: 1.10
  resolution: "a@npm:1.10"
  dependencies:
    "@s/b": "npm:^2.0.0"

"p@patch:p@npm%3A1.0.0#./p.patch":
  version: 1.0.0
  resolution: "p@patch:p@npm%3A1.0.0#./p.patch::version=1.0.0"

"g@https://h.example/o/g.git#main":
  version: 0.1.0
  resolution: "g@https://h.example/o/g.git#commit={"0" * 40}"
"""


def read(**files: bytes) -> Inventory:
    return read_tree(MemoryTree({name.replace("__", "/").replace("_", "."): data for name, data in files.items()}))


def test_version_1_with_its_manifest() -> None:
    found = read(yarn_lock=(SAMPLE / "yarn.lock").read_bytes(), package_json=(SAMPLE / "package.json").read_bytes())
    assert [(c.purl, c.direct, c.scope, c.grade, c.locations[0].line) for c in found.components] == [
        ("pkg:npm/%40s/a@1.2.3", True, Scope.RUNTIME, 3, 4),
        ("pkg:npm/b@2.1.0", False, Scope.RUNTIME, 3, 12),
        ("pkg:npm/real@3.0.0", True, Scope.DEV, 3, 16),
    ]
    assert found.edges == (("pkg:npm/%40s/a@1.2.3", "pkg:npm/b@2.1.0"), ("pkg:npm/real@3.0.0", "pkg:npm/b@2.1.0"))
    assert [h.algorithm for h in found.components[1].hashes] == ["sha1"]


def test_a_range_that_the_lock_does_not_answer_stays_open() -> None:
    found = read(yarn_lock=(SAMPLE / "yarn.lock").read_bytes(), package_json=b'{"dependencies": {"@s/a": "^9"}}')
    assert [c.purl for c in found.components if c.requirement] == ["pkg:npm/%40s/a"]


def test_a_lock_alone_does_not_know_what_is_direct() -> None:
    assert {c.direct for c in read(yarn_lock=(SAMPLE / "yarn.lock").read_bytes()).components} == {None}


def test_the_manifests_of_workspaces_are_answered_by_the_lock_at_the_top() -> None:
    found = read(
        yarn_lock=(SAMPLE / "yarn.lock").read_bytes(), packages__w__package_json=b'{"dependencies": {"@s/a": "^1.2.0"}}'
    )
    assert [c.purl for c in found.components if c.direct] == ["pkg:npm/%40s/a@1.2.3"]
    assert all(c.requirement is None for c in found.components)


def test_berry_keeps_versions_as_text_and_leaves_workspaces_out() -> None:
    reading = yarn.read("yarn.lock", BERRY.encode())
    assert [(c.purl, c.grade) for c in reading.components] == [
        ("pkg:npm/%40s/b@2.0.0", 3),
        ("pkg:npm/a@1.10", 2),
        ("pkg:npm/p@1.0.0", 2),
        (f"pkg:npm/g@0.1.0?vcs_url=git%2Bhttps://h.example/o/g.git%23{'0' * 40}", 3),
    ]
    assert reading.edges == (("pkg:npm/a@1.10", "pkg:npm/%40s/b@2.0.0"),)


@pytest.mark.parametrize("data", [b"hello: world\n", b"a@1:\n  resolved x\n", b"\0\0\0"])
def test_what_is_no_lock_is_unread(data: bytes) -> None:
    assert yarn.read("yarn.lock", data).unread


def test_an_empty_lock_is_empty() -> None:
    assert yarn.read("yarn.lock", b"# yarn lockfile v1\n\n\n").unread == ()
