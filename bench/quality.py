"""Accuracy against labelled data: answers that other people's programs gave.

    python bench/quality.py [--json]

Ends with 1 when a figure is below its floor in floors.json.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence

from figures import Figure, tell
from floors import below, with_floors
from kept import advisories_of, read_packed, read_packed_lines
from measure import Absent
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.ecosystems import base_of
from safeconduct.capabilities.vulnerabilities.groups import group_ids
from safeconduct.capabilities.vulnerabilities.quality import Tally, answers_of, difference, plain, tally
from safeconduct.capabilities.vulnerabilities.ranges import rows_of
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.foundation.statements import Statement
from safeconduct.foundation.store import Store
from safeconduct.model.advisory import Advisory
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.version import version_key

ECOSYSTEMS = {"PyPI": "pypi", "Go": "golang", "crates.io": "cargo", "Maven": "maven", "npm": "npm"}
_ALIASES = Statement(
    "aliases", "dictionary", "SELECT a.name, s.alias FROM advisory a JOIN advisory_alias s USING (advisory_id)"
)
_NAMES = Statement("names", "dictionary", "SELECT name FROM advisory")


def main(arguments: Sequence[str]) -> int:
    """Print and write the figures; return 1 when one is below its floor."""
    parser = argparse.ArgumentParser(description="Measure accuracy against labelled data.")
    parser.add_argument("--json", action="store_true", help="print the written document instead of the table")
    asked = parser.parse_args(arguments)
    try:
        figures = with_floors(
            [Figure("quality.suites", 3, "suites", "", "three-matchers, public-service, verdicts"), *_labels()]
        )
    except Absent as absent:
        figures = [Figure("quality.suites", 0, "suites", "", f"0 suites: {absent}")]
    tell("quality", figures, as_json=asked.json)
    for name in below(figures):
        print(f"below its floor: {name}", file=sys.stderr)
    return 1 if below(figures) else 0


def _labels() -> list[Figure]:
    with open_graph(advisories_of(*ECOSYSTEMS)) as store:
        aliases: dict[str, list[str]] = {}
        for name, alias in store.rows(_ALIASES):
            aliases.setdefault(name, []).append(alias)
        groups = group_ids(aliases)
        here = {name for (name,) in store.rows(_NAMES)}
        return [*_three_matchers(store, groups), *_public_service(store, groups, here), *_verdicts(store)]


def _three_matchers(store: Store, groups: dict[str, str]) -> list[Figure]:
    """5,000 package versions drawn at random: what grype, trivy or osv-scanner found in the same advisories.

    Purls are compared as that file spells them.
    """
    purls = {c["purl"] for c in read_packed("labels/three-matchers-5000.cdx.json.zst")["components"]}
    lines = [line for line in read_packed_lines("labels/three-matchers.jsonl.zst") if str(line["sbom"]) == "5000"]
    found: dict[str, list[str]] = {}
    for purl, ids in _ask(store, purls).items():
        found.setdefault(plain(purl), []).extend(ids)
    figures = []
    for ecosystem, kind in ECOSYSTEMS.items():
        prefix = f"pkg:{kind}/"
        expected: dict[str, set[str]] = {plain(purl): set() for purl in purls if purl.startswith(prefix)}
        for line in lines:
            if line["purl"] in expected:
                expected[line["purl"]].add(line["advisory"])
        figures += _told(f"three-matchers.{ecosystem}", len(expected), tally(expected, found, groups))
    return figures


def _public_service(store: Store, groups: dict[str, str], here: set[str]) -> list[Figure]:
    """Recorded answers of the public OSV service; of its ids only those that are records here can be expected."""
    figures = []
    for ecosystem in ("Go", "PyPI"):
        expected: dict[str, set[str]] = {}
        also: dict[str, set[str]] = {}
        for line in read_packed_lines("labels/osv-api-querybatch.jsonl.zst"):
            package = line["query"].get("package") or {}
            if package.get("ecosystem") == ecosystem and line["query"].get("version"):
                purl = f"{base_of(ecosystem, package['name'])}@{line['query']['version']}"
                expected.setdefault(purl, set()).update(i for i in line["vulns"] if i in here)
                also.setdefault(purl, set()).update(line["vulns"])
        found = _ask(store, expected)
        result, wide = tally(expected, found, groups), tally(also, found, groups)
        figures += _told(f"public-service.{ecosystem}", len(expected), Tally(result.agreed, result.missed, wide.extra))
    return figures


def _verdicts(store: Store) -> list[Figure]:
    """20,275 verdicts of project-kb on single versions of Maven packages, where GitHub's records name the package."""
    records: dict[str, list[Advisory]] = {}
    agreed, asked = 0, 0
    source = StoredAdvisories(store)
    for line in read_packed_lines("labels/maven-projectkb.jsonl.zst"):
        cve, base = line["cve"], base_of("Maven", line["name"])
        if cve not in records:
            found = [record for _, record in source.find(cve) if record.id.startswith("GHSA-") and not record.withdrawn]
            records[cve] = found
        rows = [row for record in records[cve] for row in rows_of(record) if row.name == base]
        if rows:
            asked += 1
            agreed += difference(rows, version_key("maven", line["version"]), affected=line["affected"]) is None
    context = f"{asked:,} verdicts name a package of a record here: {agreed:,} agreed"
    return [Figure("quality.verdicts.Maven", round(agreed / asked, 4) if asked else 0, "share", "", context)]


def _ask(store: Store, purls: Iterable[str]) -> dict[str, list[str]]:
    inventory = Inventory(tuple(Component(purl, Presence.CLAIMED, ()) for purl in sorted(set(purls))))
    return answers_of(scan(inventory, StoredAdvisories(store)).findings)


def _told(name: str, asked: int, result: Tally) -> list[Figure]:
    counts = (
        f"{asked:,} versions: {len(result.agreed):,} agreed, {len(result.missed)} missed, {len(result.extra)} extra"
    )
    return [
        Figure(f"quality.{name}.recall", round(result.recall, 4), "share", "", counts),
        Figure(f"quality.{name}.precision", round(result.precision, 4), "share", "", counts),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
