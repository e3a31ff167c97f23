"""Findings against verdicts that people made by hand on single findings, of Go and PyPI.

A label names package, version and flaw, and no ecosystem: it is joined where a live record of that flaw names a package
so called. Labels that say yes and no about the same three are left out.
"""

import io
import json
from collections import Counter

import pytest
import zstandard

from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.ecosystems import base_of
from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.capabilities.vulnerabilities.ranges import affected_by_base
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.model.component import Component, Inventory, Presence

MISSED = {
    ("brotli", "1.0.6-2.el8", "CVE-2020-8927"): "the version of a system package: none of PyPI, could not compare",
    ("github.com/opencontainers/runc", "v0.1.1", "CVE-2021-43784"): "GO-2022-0274 begins at 1.0.1-0.20211012131345",
    ("github.com/opencontainers/runc", "v0.1.1", "GHSA-v95c-p5hm-xq8f"): "the same record by its other name",
    ("numpy", "1.21.2", "CVE-2021-34141"): "PYSEC-2021-855 says 1.9.0 to 1.10.0 and lists four versions",
    ("numpy", "1.21.2", "GHSA-fpfv-jqm9-f5jm"): "the same record by its other name",
}
ANOTHER_KIND = {"swift"}
"""The labels of GitLab's image mean a Swift library and not OpenStack's store on PyPI."""
OF_THE_SYSTEM = {("urllib3", "1.24.2"), ("mercurial", "4.8.2"), ("PyYAML", "3.10")}
OWNER = "pkg:rpm/redhat/python3-lib@1-1.el8?distro=rhel-8.6"


@pytest.fixture(scope="module")
def labels(shared_data, real_records):
    """(label, name, version, flaw, purl) of all that can be joined."""
    about = set()
    for data in real_records("osv/PyPI", "osv/Go"):
        record = parse_advisory(data)
        for base, _ in () if record.withdrawn else affected_by_base(record):
            about |= {(word, base) for word in (record.id, *(record.aliases or ()))}
    path = shared_data / "labels" / "anchore-match-labels.jsonl.zst"
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
        read = [json.loads(line) for line in io.TextIOWrapper(raw)]
    rows = [(r["label"], r["package"]["name"], r["package"]["version"], r["vulnerability_id"]) for r in read
            if r.get("package") and r["package"].get("version")]  # fmt: skip
    said = {}
    for label, *key in rows:
        said.setdefault(tuple(key), set()).add(label)
    return [
        (label, name, version, flaw, f"{base}@{version}")
        for label, name, version, flaw in rows
        if not {"TP", "FP"} <= said[name, version, flaw] and name not in ANOTHER_KIND
        for base in (base_of("PyPI", name), base_of("Go", name))
        if (flaw, base) in about
    ]


def judge(store, labels, owned=frozenset()):
    """The flaws found, and those suppressed, by purl."""
    owners = {purl: OWNER for _, name, version, _, purl in labels if (name, version) in owned}
    purls = sorted({purl for *_, purl in labels})
    components = tuple(Component(p, Presence.INSTALLED, (), owner=owners.get(p)) for p in purls)
    result = scan(Inventory(components), StoredAdvisories(store))
    told = []
    for findings in (result.findings, result.suppressed):
        by_purl = {}
        for finding in findings:
            by_purl.setdefault(finding.component, set()).update(finding.ids)
        told.append(by_purl)
    return told


def test_what_people_called_true_is_found_but_for_the_table(labels, real_store):
    found, _ = judge(real_store, labels)
    true = [row for row in labels if row[0] == "TP"]
    missed = [(name, version, flaw) for _, name, version, flaw, purl in true if flaw not in found.get(purl, ())]
    assert set(missed) == set(MISSED)
    assert (len(true), len(true) - len(missed)) == (122, 116)


def test_what_people_called_false_belongs_to_the_system_and_is_suppressed_with_its_owner(labels, real_store):
    false = [row for row in labels if row[0] == "FP" and row[4].startswith("pkg:pypi/")]
    without, _ = judge(real_store, labels)
    assert (len(false), sum(flaw in without.get(purl, ()) for *_, flaw, purl in false)) == (53, 44)
    found, suppressed = judge(real_store, labels, OF_THE_SYSTEM)
    owned = [row for row in false if (row[1], row[2]) in OF_THE_SYSTEM]
    assert (len(owned), sum(flaw in found.get(purl, ()) for *_, flaw, purl in owned)) == (35, 0)
    assert sum(flaw in suppressed.get(purl, ()) for *_, flaw, purl in owned) == 28
    left = Counter((name, version) for _, name, version, flaw, purl in false if flaw in found.get(purl, ()))
    assert left == {("mercurial", "2.14"): 16}, "a Jenkins plugin, which a purl of its own kind would name"


def test_no_true_finding_is_lost_to_an_owner(labels, real_store):
    before, _ = judge(real_store, labels)
    after, _ = judge(real_store, labels, OF_THE_SYSTEM)
    true = [(flaw, purl) for label, *_, flaw, purl in labels if label == "TP"]
    assert [p for f, p in true if f in before.get(p, ())] == [p for f, p in true if f in after.get(p, ())]
