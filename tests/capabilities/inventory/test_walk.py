"""The walk: whole trees."""

import json
import os
import random
import socket
import tarfile
from pathlib import Path

import pytest
import zstandard

from safeconduct.capabilities.inventory import readers, walk
from safeconduct.capabilities.inventory.pinning import pinning_notes
from safeconduct.capabilities.inventory.presence import select_declared, select_installed
from safeconduct.capabilities.inventory.tree import FolderTree, MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.foundation.errors import BadUsage
from safeconduct.model.component import Inventory, Presence, Scope
from safeconduct.model.limits import Limits

SHA512 = "sha512-" + "A" * 86 + "=="
H = "sha256:" + "ab" * 32


def read(files: dict[str, object]) -> Inventory:
    return read_tree(MemoryTree({p: v if isinstance(v, bytes) else _text(v) for p, v in files.items()}))


def _text(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def lock(direct: dict[str, str], **packages: dict) -> dict:
    places = {f"node_modules/{name}": {"integrity": SHA512, **body} for name, body in packages.items()}
    return {"lockfileVersion": 3, "packages": {"": {"dependencies": direct}, **places}}


class Shuffled(MemoryTree):
    """A tree that lists its files in another order."""

    def __init__(self, files: dict[str, bytes], seed: int) -> None:
        super().__init__(files)
        self._seed = seed

    def entries(self):
        found = list(super().entries())
        random.Random(self._seed).shuffle(found)
        return iter(found)


def purls(inventory: Inventory) -> list[str]:
    return [c.purl for c in inventory.components]


def test_a_lock_resolves_the_ranges_of_its_manifest() -> None:
    found = read(
        {"package.json": {"dependencies": {"a": "^1"}}, "package-lock.json": lock({"a": "^1"}, a={"version": "1.2.0"})}
    )
    assert purls(found) == ["pkg:npm/a@1.2.0"]
    assert pinning_notes(found) == ()


def test_a_manifest_out_of_step_with_its_lock_is_not_pinned() -> None:
    """A dependency added to the manifest, or its range changed, without a new lock."""
    found = read(
        {
            "package.json": {"dependencies": {"a": "^2", "b": "*"}},
            "package-lock.json": lock({"a": "^1"}, a={"version": "1.2.0"}),
        }
    )
    assert purls(found) == ["pkg:npm/a", "pkg:npm/a@1.2.0", "pkg:npm/b"]
    assert [(n.component, n.grade, n.path, n.line) for n in pinning_notes(found)] == [
        ("pkg:npm/a", 1, "package.json", 1),
        ("pkg:npm/b", 0, "package.json", 1),
    ]
    assert "npm ci" in pinning_notes(found)[0].remedy


def test_a_damaged_lock_leaves_the_ranges_and_is_named() -> None:
    found = read({"package.json": {"dependencies": {"a": "^1"}}, "package-lock.json": b'{"packages": {'})
    assert purls(found) == ["pkg:npm/a"]
    assert [u.path for u in found.unread] == ["package-lock.json"]


def test_a_version_1_lock_learns_from_the_manifest_what_is_direct() -> None:
    old = {"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0"}, "b": {"version": "2.0.0"}}}
    found = read({"package.json": {"dependencies": {"a": "^1"}}, "package-lock.json": old})
    assert [(c.purl, c.direct) for c in found.components] == [("pkg:npm/a@1.0.0", True), ("pkg:npm/b@2.0.0", False)]


def test_hashed_requirements_resolve_the_pyproject_beside_them() -> None:
    found = read(
        {"pyproject.toml": '[project]\ndependencies = ["a>=1", "b"]\n', "requirements.txt": f"a==1.5 --hash={H}\n"}
    )
    assert purls(found) == ["pkg:pypi/a@1.5", "pkg:pypi/b"]


def test_installs_and_locks_join_and_are_told_apart() -> None:
    found = read(
        {
            "package.json": {"dependencies": {"a": "^1"}},
            "package-lock.json": lock({"a": "^1"}, a={"version": "1.0.0"}, d={"version": "1.0.0", "dev": True}),
            "node_modules/a/package.json": {"name": "a", "version": "1.0.0", "dependencies": {"b": "*"}},
            "node_modules/a/node_modules/b/package.json": {"name": "b", "version": "9.0.0"},
            "node_modules/a/lib/package.json": {"name": "no", "version": "0"},
        }
    )
    assert {c.purl: (c.presence, c.direct) for c in found.components} == {
        "pkg:npm/a@1.0.0": (Presence.INSTALLED, True),
        "pkg:npm/b@9.0.0": (Presence.INSTALLED, False),
        "pkg:npm/d@1.0.0": (Presence.LOCKED, False),
    }
    assert found.edges == (("pkg:npm/a@1.0.0", "pkg:npm/b@9.0.0"),)
    assert purls(select_installed(found)) == ["pkg:npm/a@1.0.0", "pkg:npm/b@9.0.0"]
    assert purls(select_declared(found)) == ["pkg:npm/d@1.0.0"]
    assert [place.reader for place in found.components[0].locations] == ["node-modules", "npm-lock"]


def test_edges_of_distributions_lead_only_to_what_is_installed_beside_them() -> None:
    site = "lib/site-packages"
    found = read(
        {
            f"{site}/a-1.dist-info/METADATA": "Name: a\nVersion: 1\nRequires-Dist: B.c\nRequires-Dist: gone\n",
            f"{site}/a-1.dist-info/REQUESTED": "",
            f"{site}/b_c-2.dist-info/METADATA": "Name: b_c\nVersion: 2\n",
            "other/site-packages/gone-1.dist-info/METADATA": "Name: gone\nVersion: 1\n",
        }
    )
    assert found.edges == (("pkg:pypi/a@1", "pkg:pypi/b-c@2"),)
    assert [c.direct for c in found.components] == [True, False, None]


@pytest.mark.parametrize("folder", ["node_modules/x", "lib/site-packages/x", "vendor", "a/testdata/b"])
def test_lock_files_of_other_people_never_count(folder: str) -> None:
    files = {
        f"{folder}/package-lock.json": lock({}, a={"version": "1.0.0"}),
        f"{folder}/requirements.txt": "a==1",
        f"{folder}/yarn.lock": "",
        f"{folder}/Dockerfile": "FROM a",
    }
    assert read(files) == Inventory()


def test_the_data_files_of_a_virtual_environment_are_not_ours_but_a_project_beside_it_is() -> None:
    found = read(
        {"v/pyvenv.cfg": "", "v/share/x/package.json": {"dependencies": {"a": "1.0.0"}}, "v/requirements.txt": "b==1"}
    )
    assert purls(found) == ["pkg:pypi/b@1"]


@pytest.mark.parametrize("name", ["bun.lockb", "renv.lock", "setup.py"])
def test_a_known_format_without_a_reader_makes_the_inventory_incomplete(name: str) -> None:
    assert [u.path for u in read({name: "x"}).unread] == [name]


def test_an_included_file_is_read_whatever_its_name_and_a_missing_one_is_named() -> None:
    found = read(
        {
            "requirements.txt": "-r deps/base.txt\n-r gone.txt\n",
            "deps/base.txt": "-r more.in\na==1",
            "deps/more.in": "b==1\n-r base.txt",
        }
    )
    assert purls(found) == ["pkg:pypi/a@1", "pkg:pypi/b@1"]
    assert [u.path for u in found.unread] == ["gone.txt"]


def test_the_weakest_declaration_gives_the_grade_and_the_strongest_need_the_scope() -> None:
    found = read({"requirements.txt": f"a==1 --hash={H}", "x/requirements-dev.txt": "a==1"})
    (a,) = found.components
    assert (a.grade, a.scope, a.presence, len(a.locations), len(a.hashes)) == (2, Scope.RUNTIME, Presence.LOCKED, 2, 1)


def test_the_order_of_files_does_not_matter() -> None:
    files = {f"{d}/requirements.txt": f"a=={i % 3}\nb\n" for i, d in enumerate("pqrstuvw")}
    expected = read(files)
    for seed in range(5):
        assert read_tree(Shuffled({k: v.encode() for k, v in files.items()}, seed)) == expected


def test_limits_give_unread_parts_and_not_silence() -> None:
    files = {"requirements.txt": b"a==1\n" * 100, "Dockerfile": b"FROM x"}
    found = read_tree(MemoryTree(files), limits=Limits(lock_file=50))
    assert [u.path for u in found.unread] == ["requirements.txt"]
    few = read_tree(MemoryTree(files), limits=Limits(entries=1))
    assert "more than 1 files" in few.unread[0].reason


def test_progress_is_told() -> None:
    told: list[int] = []
    read_tree(MemoryTree({f"{i}": b"" for i in range(2_500)}), on_progress=told.append)
    assert told == [1_000, 2_000, 2_500]


def test_a_folder_reads_like_the_same_files_in_memory(tmp_path: Path) -> None:
    files = {
        "web/package.json": b'{"dependencies": {"a": "1.0.0"}}',
        "x/Dockerfile": b"FROM node:1",
        ".git/Dockerfile": b"FROM z",
    }
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    del files[".git/Dockerfile"]
    assert read_tree(FolderTree(tmp_path)) == read_tree(MemoryTree(files))


def test_a_link_that_leaves_the_tree_is_named_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "requirements.txt").write_text("secret==1")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "requirements.txt").symlink_to(tmp_path / "secret" / "requirements.txt")
    (tmp_path / "tree" / "folder").symlink_to(tmp_path / "secret")
    (tmp_path / "tree" / "loop").symlink_to(tmp_path / "tree")
    found = read_tree(FolderTree(tmp_path / "tree"))
    assert found.components == ()
    assert "leaves the tree" in found.unread[0].reason


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "Dockerfile"))
        assert read_tree(FolderTree(tmp_path)) == Inventory()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="no-such-folder"):
        FolderTree(tmp_path / "gone")


def test_a_folder_that_vanishes_or_cannot_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    tree = FolderTree(tmp_path)
    original = tree._list

    def listing(folder: str):
        if folder == "":
            found = original(folder)
            (tmp_path / "x").rmdir()
            return found
        return original(folder)

    tree._list = listing  # type: ignore[method-assign]
    assert [u.path for u in read_tree(tree).unread] == ["x"]


def test_real_projects_are_read_without_a_crash(shared_data: Path) -> None:
    files: dict[str, bytes] = {}
    for name in ("real-projects", "tool-fixtures"):
        with (
            (shared_data / f"manifests/{name}.tar.zst").open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            files |= {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}
    found = read_tree(MemoryTree(files))
    assert len(found.components) > 9_000
    assert len(found.edges) > 20_000
    for path, data in list(files.items())[::3]:
        read_tree(MemoryTree({path: data[: len(data) // 2]}))


def test_a_name_that_is_no_utf8_is_spelled_out_and_its_file_read(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (folder / "requirements.txt").write_bytes(b"a==1")
    (found,) = read_tree(FolderTree(tmp_path)).components
    assert found.locations[0].path == "caf\\xe9/requirements.txt"


def test_a_reader_that_fails_loses_only_its_own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str, data: bytes):
        raise KeyError("gone")

    failing = readers.Reader("failing", fail)
    monkeypatch.setattr(walk, "find_reader", lambda path: failing if path == "x" else readers.find_reader(path))
    found = read({"x": "", "requirements.txt": "a==1"})
    assert purls(found) == ["pkg:pypi/a@1"]
    assert "failing failed" in found.unread[0].reason


@pytest.mark.parametrize("ending", sorted(readers.INERT))
def test_no_format_claims_a_name_that_is_passed_over_at_once(ending: str) -> None:
    places = (
        "",
        "node_modules/a/",
        "lib/site-packages/a-1.dist-info/",
        ".github/workflows/",
        "vendor/",
        "requirements/",
    )
    assert all(readers._claiming_reader(f"{place}x.{ending}", f"x.{ending}") is None for place in places)


@pytest.mark.parametrize("path", ["setup.py", "a/Dockerfile.go", "var/lib/dpkg/status.d/node.js"])
def test_names_that_only_look_like_those_are_still_read(path: str) -> None:
    assert readers.find_reader(path) is not None
