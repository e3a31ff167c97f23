"""Findings against answers that other people's programs gave; the floors are what was reached, never lowered."""

import io
import json
import sys

import pytest
import zstandard

from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.ecosystems import base_of
from safeconduct.capabilities.vulnerabilities.groups import group_ids
from safeconduct.capabilities.vulnerabilities.quality import answers_of, tally
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.foundation.statements import Statement
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.finding import Coverage

ALIASES = Statement(
    "aliases", "dictionary", "SELECT a.name, s.alias FROM advisory a JOIN advisory_alias s USING (advisory_id)"
)
NAMES = Statement("names", "dictionary", "SELECT name FROM advisory")


def lines(path):
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
        for line in io.TextIOWrapper(raw):
            yield json.loads(line)


@pytest.fixture(scope="session")
def real_groups(real_store):
    aliases = {}
    for name, alias in real_store.rows(ALIASES):
        aliases.setdefault(name, []).append(alias)
    return group_ids(aliases)


def ask(store, purls):
    inventory = Inventory(tuple(Component(p, Presence.CLAIMED, ()) for p in sorted(set(purls))))
    return scan(inventory, StoredAdvisories(store))


def show(name, result):
    figures = f"recall {result.recall:.4f} precision {result.precision:.4f}"
    sys.stdout.write(f"{name}: {figures} missed {result.missed[:9]} extra {result.extra[:9]}\n")


# What differs from the recorded answers, and why. The data here is older or newer than the recording, record by record.
NEWER_THAN_THE_RECORDING = {
    *(f"CVE-2026-{n}" for n in (33818, 39821, 46600, 46603)),
    *(f"CVE-2026-{n}" for n in (56853, 56858, 56859, 56860, 56862, 56864, 56865)),
}
# Django's GHSA records here are of 2024; the service answered from later texts with other first versions.
CHANGED_BEFORE_THE_RECORDING = {"GHSA-2x8x-jmrp-phxw", "GHSA-v6rh-hp5x-86rv", "GHSA-xxj9-f6rv-m3x4"}
EXPLAINED = NEWER_THAN_THE_RECORDING | CHANGED_BEFORE_THE_RECORDING


@pytest.mark.parametrize(("ecosystem", "asked"), [("Go", 340), ("PyPI", 60)])
def test_findings_agree_with_the_public_service(shared_data, real_store, real_groups, ecosystem, asked):
    """The service also has records that are not here; only an id that is a record here can be expected."""
    here = {name for (name,) in real_store.rows(NAMES)}
    expected, also = {}, {}
    for line in lines(shared_data / "labels" / "osv-api-querybatch.jsonl.zst"):
        package = line["query"].get("package") or {}
        if package.get("ecosystem") == ecosystem and line["query"].get("version"):
            purl = f"{base_of(ecosystem, package['name'])}@{line['query']['version']}"
            expected.setdefault(purl, set()).update(i for i in line["vulns"] if i in here)
            also.setdefault(purl, set()).update(line["vulns"])
    answers = answers_of(ask(real_store, expected).findings)
    result = tally(expected, answers, real_groups)
    show(ecosystem, result)
    missed = {group for _, group in result.missed} - EXPLAINED
    extra = {group for _, group in tally(also, answers, real_groups).extra} - EXPLAINED
    assert (missed, extra) == (set(), set())
    assert len(result.agreed) + len(result.missed) >= asked


COMPLETE = {"crates.io": 33, "PyPI": 13, "Hackage": 9, "Go": 7}
WITHOUT_DATA = {"openSUSE": 134, "Debian": 185, "Ubuntu": 100, "Alpine": 93}


def test_what_the_service_calls_clean_is_clean_with_data_and_not_told_without(shared_data, real_store):
    """791 queries without a finding; two are commits, and of the others our data is no whole set."""
    asked = {}
    for line in lines(shared_data / "labels" / "osv-api-querybatch.jsonl.zst"):
        package = line["query"].get("package")
        if package and not line["vulns"]:
            name, mark, release = base_of(package["ecosystem"], package["name"]).partition("?")
            root = package["ecosystem"].partition(":")[0]
            asked.setdefault(root, []).append(f"{name}@{line['query']['version']}{mark}{release}")
    assert {root: len(asked[root]) for root in COMPLETE | WITHOUT_DATA} == COMPLETE | WITHOUT_DATA
    clean = ask(real_store, [purl for root in COMPLETE for purl in asked[root]])
    assert clean.findings == ()
    # Two programs built from a work tree say of their own module only that: no version, so nothing is told about them.
    assert [(gap.component[-8:], gap.coverage) for gap in clean.gaps] == [("@(devel)", Coverage.UNORDERED)] * 2
    untold = {purl for root in WITHOUT_DATA for purl in asked[root]}
    result = ask(real_store, untold)
    assert result.findings == ()
    assert {gap.component for gap in result.gaps if gap.coverage is Coverage.NO_FEED} == untold


def test_a_component_moved_to_its_fix_is_clean_of_it(shared_data, real_store):
    """Of every fixable finding in 5,000 components, both proposals."""
    with (shared_data / "labels" / "three-matchers-5000.cdx.json.zst").open("rb") as file:
        document = json.loads(zstandard.ZstdDecompressor().stream_reader(file).read())
    fixable = [f for f in ask(real_store, [c["purl"] for c in document["components"]]).findings if f.fix.best]

    def moved(finding, version):
        return f"{finding.component.partition('?')[0].rpartition('@')[0]}@{version.replace('+', '%2B')}"

    steps = [(moved(f, v), f.advisory) for f in fixable for v in (f.fix.same_major, f.fix.smallest) if v]
    left = {}
    for finding in ask(real_store, [purl for purl, _ in steps]).findings:
        left.setdefault(finding.component, set()).update(finding.ids)
    assert [(purl, advisory) for purl, advisory in steps if advisory in left.get(purl, ())] == []
    assert len(fixable) > 1600
