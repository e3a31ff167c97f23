"""Every manifest and lock file of real projects and of other tools' tests, held to a committed table.

The table says of each lock file and package database how many components and edges it gives, that it is empty, or that
it is refused; of the other kinds only their sums. ``python tests/capabilities/inventory/test_real_files.py`` writes it
anew: look at the difference before you commit it.
"""

import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree

TABLE = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "real_files.json"
ARCHIVES = ("real-projects", "tool-fixtures")
SYSTEM = {
    "apk installed": "lib/apk/db/installed",
    "dpkg status": "var/lib/dpkg/status",
    "rpmdb sqlite": "var/lib/rpm/rpmdb.sqlite",
    "winget import/export": "winget.json",
    "Package.resolved": "Package.resolved",
    "GitHub workflow": ".github/workflows/ci.yml",
}
LOCKS = {
    "npm package-lock", "yarn.lock", "pnpm-lock", "bun.lock", "requirements", "poetry.lock", "uv.lock", "pdm.lock",
    "pylock", "Pipfile.lock", "go.mod", "go.sum", "Gemfile.lock", "composer.lock", "Cargo.lock", "nuget lock",
    "project.assets.json", "packages.config", "gradle lock", "gradle catalog", "apk installed", "dpkg status",
    "rpmdb sqlite", "Package.resolved", "pubspec.lock", "mix.lock", "conan.lock", "Podfile.lock",
}  # fmt: skip
OTHERS = {
    "Dockerfile",
    "GitHub workflow",
    "compose",
    "pom.xml",
    "package.json",
    "pyproject",
    "csproj",
    "nuget props",
} | {
    "winget import/export",
    "winget",
}


def members(data: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield (kind, name, bytes) of every file of the archives, by the kinds of their index."""
    for archive in ARCHIVES:
        tar_name = f"manifests/{archive}.tar.zst"
        index = json.loads((data / "manifests/index.json").read_bytes())
        kinds = {entry["name"]: entry["kind"] for entry in index if entry["tar"] == tar_name}
        with (
            (data / tar_name).open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            for member in tar:
                if member.isfile():
                    yield kinds.get(member.name, ""), member.name, tar.extractfile(member).read()


def said(kind: str, name: str, data: bytes) -> tuple[int, int, int]:
    """Return components, edges and unread parts of one file, read as if it lay at the top of a tree."""
    place = SYSTEM.get(kind, name.rpartition("/")[2])
    if kind == "requirements":
        place = "requirements/x.txt"
    if "/status.d/" in name:
        place = "var/lib/dpkg/status.d/x"
    found = read_tree(MemoryTree({place: data}))
    return len(found.components), len(found.edges), len(found.unread)


def table(data: Path) -> dict[str, dict[str, object]]:
    """Return the table of what is found now."""
    files: dict[str, str] = {}
    sums: dict[str, list[int]] = {}
    for kind, name, content in members(data):
        if kind not in LOCKS | OTHERS:
            continue
        components, edges, unread = said(kind, name, content)
        row = sums.setdefault(kind, [0, 0, 0, 0])
        for column, value in enumerate((1, components, edges, unread)):
            row[column] += value
        if kind in LOCKS:
            state = f"{components} components, {edges} edges" if components else "empty"
            state = "refused" if unread and not components else state
            files[name] = state + (f", {unread} unread" if unread and components else "")
    kinds = {
        kind: dict(zip(("files", "components", "edges", "unread"), sums[kind], strict=True)) for kind in sorted(sums)
    }
    return {"kinds": kinds, "files": dict(sorted(files.items()))}


def test_real_files_read_as_the_table_says(shared_data: Path) -> None:
    expected, found = json.loads(TABLE.read_bytes()), table(shared_data)
    names = expected["files"].keys() | found["files"].keys()
    changed = {n: (expected["files"].get(n), found["files"].get(n)) for n in names}
    assert {name: pair for name, pair in changed.items() if pair[0] != pair[1]} == {}
    assert found["kinds"] == expected["kinds"]


@pytest.mark.skipif(not TABLE.is_file(), reason="the table is not there")
def test_the_table_holds_all_lock_files_and_few_that_are_refused() -> None:
    files = json.loads(TABLE.read_bytes())["files"]
    assert len(files) >= 581
    assert sum("components" in state for state in files.values()) > 0.75 * len(files)


if __name__ == "__main__":
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[4] / "shared" / "data"
    TABLE.write_text(json.dumps(table(shared), indent=1) + "\n")
