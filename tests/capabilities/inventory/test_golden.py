"""Other tools' expected results for real inputs: equal, or a committed difference with a reason.

``python tests/capabilities/inventory/test_golden.py`` writes the table anew; reasons of cases that still differ are
kept, new ones are written as "unexplained", which the test does not accept.
"""

import json
import os.path
import re
import sys
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
import zstandard

from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory, Presence, Scope
from safeconduct.model.purl import parse_purl

TABLE = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "golden.json"
TRIVY = "aquasecurity__trivy/integration/testdata/"
REASONS = {
    "resolved over the network",
    "one project of several inputs",
    "another platform's packages left out by the other tool",
    "excluded by a setting of the case",
    "the other tool's error",
    "the other result holds something else than dependencies",
    "spelled differently",
    "installed outranks the lock file",
    "the expected result is of another input",
    "not read yet",
}
MANIFESTS = {
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "go.mod", "pom.xml",
    "Cargo.lock", "Gemfile.lock", "composer.lock", "Pipfile.lock", "packages.config", "requirements.txt",
    "test.csproj", "pubspec.lock", "mix.lock", "Package.resolved", "Podfile.lock", "conan.lock",
}  # fmt: skip
Case = tuple[str, set[str], set[str]]


@cache
def archive(data: Path) -> dict[str, bytes]:
    with (
        (data / "manifests/golden.tar.zst").open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}


def spelled(text: str) -> str:
    """Return a purl without what tools spell in ways of their own: qualifiers, case, the v of Go's versions."""
    purl = parse_purl(text)
    namespace = "" if purl.type == "apk" else purl.namespace.lower()
    version = purl.version.removeprefix("v") if purl.type in {"golang", "composer"} else purl.version
    return f"{purl.type}/{namespace}/{purl.name.lower()}@{version}"


def tree_of(files: dict[str, bytes], names: list[str]) -> Inventory:
    common = os.path.commonpath([name.rpartition("/")[0] for name in names])
    if names[0].endswith("/installed"):
        return read_tree(MemoryTree({"lib/apk/db/installed": files[names[0]]}))
    return read_tree(MemoryTree({os.path.relpath(name, common): files[name] for name in names}))


def trivy(files: dict[str, bytes]) -> Iterator[Case]:
    for name in sorted(files):
        if not name.startswith(TRIVY) or not name.endswith(".json.golden"):
            continue
        result = json.loads(files[name])
        if not isinstance(result, dict):
            continue
        packages = [p for r in result.get("Results") or () for p in r.get("Packages") or ()]
        place = TRIVY + str(result.get("ArtifactName")).removeprefix("testdata/") + "/"
        inputs = [path for path in files if path.startswith(place)]
        if packages and inputs:
            found = tree_of(files, inputs)
            dev = "with-dev" in name or not place.endswith("/npm/")
            yield name, facts_of_trivy(packages), facts_of(found, edges=True, dev=dev)


def facts_of_trivy(packages: list[dict]) -> set[str]:
    names = {p["ID"]: spelled(p["Identifier"]["PURL"]) for p in packages if "ID" in p}
    purls = {spelled(p["Identifier"]["PURL"]) for p in packages}
    return purls | {f"{names[p['ID']]} > {names[c]}" for p in packages for c in p.get("DependsOn") or () if c in names}


def facts_of(found: Inventory, *, edges: bool, dev: bool = True, unresolved: bool = False) -> set[str]:
    kept = {
        c.key: spelled(c.purl)
        for c in found.components
        if (dev or c.scope != Scope.DEV) and (unresolved or c.presence != Presence.UNRESOLVED)
    }
    joined = {f"{kept[a]} > {kept[b]}" for a, b in found.edges if a in kept and b in kept}
    return set(kept.values()) | (joined if edges else set())


def scancode(files: dict[str, bytes], index: list[dict]) -> Iterator[Case]:
    for entry in index:
        name, inputs = entry["name"], entry.get("golden_of") or []
        kind = inputs[0].rpartition("/")[2] if inputs else ""
        if not name.startswith("aboutcode") or kind not in MANIFESTS | {"installed"}:
            continue
        document = json.loads(files[name])
        bodies = (document.get("packages") or [document]) if isinstance(document, dict) else document
        bodies = [body for body in bodies if isinstance(body, dict)]
        needs = [need for body in bodies for need in body.get("dependencies") or () if isinstance(need, dict)]
        written = [(need.get("resolved_package") or {}).get("purl") or need.get("purl") for need in needs]
        if inputs[0].endswith("/installed"):
            written = [body.get("purl") for body in bodies]
        found = tree_of(files, inputs)
        yield name, {spelled(w) for w in written if w}, facts_of(found, edges=False, unresolved=True)


def ort(files: dict[str, bytes], index: list[dict]) -> Iterator[Case]:
    for entry in index:
        name, inputs = entry["name"], entry.get("golden_of") or []
        if not name.startswith("oss-review") or not {i.rpartition("/")[2] for i in inputs} & MANIFESTS:
            continue
        text = re.sub(r'"<REPLACE[^">]*>"|<REPLACE[^">]*>', "x", files[name].decode())
        document = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        packages = document.get("packages") or document.get("analyzer", {}).get("result", {}).get("packages") or []
        written = [body.get("package", body).get("purl") for body in packages]
        yield name, {spelled(w) for w in written if w}, facts_of(tree_of(files, inputs), edges=False)


def differences(data: Path) -> tuple[int, dict[str, dict[str, object]]]:
    """Return how many cases are equal, and of each other one what only one side has."""
    files, index = archive(data), json.loads((data / "manifests/index.json").read_bytes())
    equal, rows = 0, {}
    for name, theirs, ours in (*trivy(files), *scancode(files, index), *ort(files, index)):
        if theirs == ours:
            equal += 1
        else:
            only = {"theirs": sorted(theirs - ours), "ours": sorted(ours - theirs)}
            rows[name] = {side: [len(values), *values[:3]] for side, values in only.items()}
    return equal, rows


def test_results_equal_other_tools_or_differ_as_the_table_says(shared_data: Path) -> None:
    table = json.loads(TABLE.read_bytes())
    equal, rows = differences(shared_data)
    assert rows.keys() - table["different"].keys() == set()
    assert table["different"].keys() - rows.keys() == set(), "these no longer differ: take them out of the table"
    changed = {n: row for n, row in rows.items() if not _equal(row, table["different"][n])}
    assert changed == {}
    assert equal == table["equal"]


def _equal(row: dict[str, object], known: dict[str, object]) -> bool:
    return all(row[side] == known[side] for side in ("theirs", "ours"))


def test_every_difference_has_a_reason_of_the_closed_list() -> None:
    table = json.loads(TABLE.read_bytes())
    assert {row["reason"] for row in table["different"].values()} <= REASONS


if __name__ == "__main__":
    known = json.loads(TABLE.read_bytes())["different"] if TABLE.is_file() else {}
    equal_now, rows_now = differences(Path(sys.argv[1]))
    reasons = {name: row["reason"] for name, row in known.items()}
    different = {n: {**row, "reason": reasons.get(n, "unexplained")} for n, row in sorted(rows_now.items())}
    TABLE.write_text(json.dumps({"equal": equal_now, "different": different}, indent=1) + "\n")
