"""Applications that somebody else wrote, installed from the registries: our list is the installer's own list."""

import json
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from safeconduct.capabilities.inventory.presence import select_installed
from safeconduct.capabilities.inventory.tree import FolderTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory

pytestmark = pytest.mark.network_registry


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def pairs(inventory: Inventory) -> list[tuple[str, str]]:
    names = (urllib.parse.unquote(c.purl.partition("/")[2].partition("?")[0]) for c in inventory.components)
    return sorted((name.rpartition("@")[0], name.rpartition("@")[2]) for name in names)


@pytest.fixture(scope="module")
def npm_application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is missing: install it to compare with 'npm ls'")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"name": "app", "version": "1.0.0"}')
    packages = ("express@4", "eslint@9", "chokidar@3")
    done = run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages, cwd=folder)
    if done.returncode != 0:
        pytest.skip(f"the npm registry cannot be reached: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def test_an_installed_npm_application_lists_exactly_what_npm_lists(npm_application: Path) -> None:
    listed = json.loads(run("npm", "ls", "--all", "--json", "--long", cwd=npm_application).stdout)
    expected: set[tuple[str, str]] = set()
    pending = [listed]
    while pending:
        for name, body in pending.pop().get("dependencies", {}).items():
            if "version" in body:
                # An alias stands under its folder's name; "name" is the package that lies there.
                expected.add((body.get("name", name), body["version"]))
            pending.append(body)
    found = read_tree(FolderTree(npm_application))
    assert len(expected) > 100
    assert pairs(select_installed(found)) == sorted(expected)
    assert found.unread == ()
    direct = {c.purl.partition("@")[0] for c in found.components if c.direct}
    assert direct == {"pkg:npm/express", "pkg:npm/eslint", "pkg:npm/chokidar"}


def test_the_lock_alone_holds_the_same_edges_as_the_installed_tree(npm_application: Path, tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(npm_application / name, tmp_path / name)
    locked, installed = read_tree(FolderTree(tmp_path)), select_installed(read_tree(FolderTree(npm_application)))
    keys = {c.key for c in installed.components}
    assert [edge for edge in locked.edges if edge[0] in keys and edge[1] in keys] == list(installed.edges)
    assert all(c.grade == 3 for c in locked.components)


def test_an_installed_environment_lists_exactly_what_pip_lists(tmp_path: Path) -> None:
    made = run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    if made.returncode != 0:
        pytest.skip("a virtual environment with pip cannot be made here (Debian: python3-venv)")
    pip = str(tmp_path / "venv" / "bin" / "pip")
    done = run(pip, "install", "-q", "--disable-pip-version-check", "flask", "requests", "rich", cwd=tmp_path)
    if done.returncode != 0:
        pytest.skip(f"PyPI cannot be reached: {done.stderr.strip().splitlines()[-1:]}")
    listed = json.loads(run(pip, "list", "--format", "json", "--disable-pip-version-check", cwd=tmp_path).stdout)
    expected = sorted((item["name"].lower().replace("_", "-").replace(".", "-"), item["version"]) for item in listed)
    found = read_tree(FolderTree(tmp_path))
    assert len(expected) > 10
    assert pairs(select_installed(found)) == expected
    assert pairs(found) == expected
    assert found.unread == ()
    direct = {c.purl.partition("@")[0] for c in found.components if c.direct}
    assert {"pkg:pypi/flask", "pkg:pypi/requests", "pkg:pypi/rich"} <= direct
    assert "pkg:pypi/click" not in direct
