"""Ranges against verdicts on single versions; each difference stands in a committed table, or is counted here.

A figure that falls fails, and so does a row that no longer differs: then the table is out of date.
"""

import csv
import io
import json
import random
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import zstandard

from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.capabilities.vulnerabilities.quality import Cause, difference, plain
from safeconduct.capabilities.vulnerabilities.query import query_of
from safeconduct.capabilities.vulnerabilities.ranges import affected_by_base, intervals_of, rows_of, unsure_of
from safeconduct.model.version import compare, version_key

TABLES = Path(__file__).parent / "tables"


def lines(path):
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
        for line in io.TextIOWrapper(raw):
            yield json.loads(line)


# --- Maven ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def maven(real_records):
    """Live records of Maven by each CVE that they are known under."""
    found = {}
    for data in real_records("osv/Maven"):
        record = parse_advisory(data)
        if not record.withdrawn:
            for name in {record.id, *(record.aliases or ())}:
                found.setdefault(name, []).append(record)
    return found


@pytest.fixture(scope="module")
def verdicts(shared_data, maven):
    """(verdict, the records that speak of its package) of every verdict that has any."""
    found = []
    for line in lines(shared_data / "labels" / "maven-projectkb.jsonl.zst"):
        base = "pkg:maven/" + line["name"].replace(":", "/")
        about = [r for r in maven.get(line["cve"], ()) if any(row.name == base for row in rows_of(r))]
        if about:
            found.append((line, base, about))
    return found


def judge(line, base, about):
    rows = [row for record in about for row in rows_of(record) if row.name == base]
    return difference(rows, version_key("maven", line["version"]), affected=line["affected"])


def test_the_maven_verdicts_agree_but_for_the_table(verdicts):
    causes = Counter((line["cve"], line["name"], judge(line, base, about)) for line, base, about in verdicts)
    agreed = sum(count for (_, _, cause), count in causes.items() if cause is None)
    with (TABLES / "maven-verdicts.tsv").open(newline="") as file:
        table = {(r["cve"], r["package"], r["cause"]): int(r["verdicts"]) for r in csv.DictReader(file, delimiter="\t")}
    assert {key: count for key, count in causes.items() if key[2] is not None} == table
    assert (len(verdicts), agreed) == (5605, 4995)
    assert len({key[:2] for key in table}) == 66
    sums = Counter()
    for (_, _, cause), count in table.items():
        sums[cause] += count
    assert sums == {Cause.BEFORE_FIRST: 479, Cause.GAP: 84, Cause.AFTER_LAST: 15, Cause.LABEL_SAYS_NO: 32}


_QUALIFIERS = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"]


def comparable(version):
    """Maven's ComparableVersion as nested lists: the second opinion, which shares nothing with the keys."""
    items = []
    for part in version.lower().split("-"):
        row = []
        for piece in part.split("."):
            runs = re.findall(r"[0-9]+|[^0-9]+", piece) or ["0"]
            row.append(runs)
        items.append(row)
    flat = []
    for n, row in enumerate(items):
        for m, runs in enumerate(row):
            for k, run in enumerate(runs):
                deeper = k > 0 or (m == 0 and n > 0)
                glued = k + 1 < len(runs) and not run.isdigit()
                word = {"a": "alpha", "b": "beta", "m": "milestone"}.get(run, run) if glued else run
                word = {"ga": "", "final": "", "release": "", "cr": "rc"}.get(word, word)
                flat.append((deeper or (not run.isdigit() and bool(flat)), int(run) if run.isdigit() else word))
    lists = [[]]
    for deeper, item in flat:
        if deeper and lists[-1]:
            lists.append([])
        lists[-1].append(item)
    for row in lists:
        while row and row[-1] in {0, ""} and (row is not lists[0] or len(row) > 1):
            row.pop()
    return [row for row in lists if row]


def rank(item):
    """Of an item in one list; ``None`` is the end of it."""
    if item is None:
        return (_QUALIFIERS.index(""), "")
    if isinstance(item, str):
        return (_QUALIFIERS.index(item), "") if item in _QUALIFIERS else (len(_QUALIFIERS), item)
    return (99, item)


def second_opinion(a, b):
    left, right = comparable(a), comparable(b)
    for n in range(max(len(left), len(right))):
        x, y = (rows[n] if n < len(rows) else [] for rows in (left, right))
        for m in range(max(len(x), len(y))):
            i, j = x[m] if m < len(x) else None, y[m] if m < len(y) else None
            if (i in {0, None}) and (j in {0, None}):
                continue
            if rank(i) != rank(j):
                # A deeper list is before a further number of this one and behind a qualifier.
                return -1 if rank(i) < rank(j) else 1
    return 0


def test_no_maven_verdict_differs_because_of_the_order(verdicts):
    """Every row that differs is walked again over the record's own events, with the other comparator."""
    for line, base, about in verdicts:
        cause = judge(line, base, about)
        if cause is not None:
            assert walk(line["version"], base, about) is (cause is Cause.LABEL_SAYS_NO), line


def walk(version, base, about):
    """The schema's evaluation, event by event."""
    for record in about:
        for name, affected in affected_by_base(record):
            if name != base:
                continue
            if version in affected.versions:
                return True
            for span in affected.ranges:
                inside = False
                for event in span.events:
                    if event.introduced is not None:
                        inside |= event.introduced == "0" or second_opinion(version, event.introduced) >= 0
                    end, least = (event.fixed, 0) if event.fixed is not None else (event.last_affected, 1)
                    if end is not None and second_opinion(version, end) >= least:
                        inside = False
                if inside:
                    return True
    return False


def test_the_second_opinion_agrees_with_the_keys_on_the_bounds_and_versions_of_the_verdicts(verdicts):
    versions = sorted({line["version"] for line, _, _ in verdicts})
    pick = random.Random(1).choice
    pairs = [(pick(versions), pick(versions)) for _ in range(4000)]
    differ = [(a, b) for a, b in pairs if second_opinion(a, b) != compare("maven", a, b)]
    assert len(differ) <= 4, differ


# --- Three matchers -------------------------------------------------------------------------------------------------

ABSENT = {
    ("pkg:golang/github.com/jumpserver/jumpserver@v3.6.0%2bincompatible", "GO-2025-3570"): "a spelling of the purl "
    "that one program wrote; under its own spelling it is found",
    ("pkg:npm/traverse@8.0.0-alpha.0", "GHSA-67hx-6x53-jw92"): "the scope @babel was lost; under its name it is found",
    ("pkg:npm/dwr@49.5.4", "CVE-2014-5326"): "above 3.0.RC3, a bound that SemVer refuses",
    ("pkg:npm/dwr@3", "CVE-2014-5326"): "the range from 3 to 3.0.RC3 is none that can be compared",
    ("pkg:pypi/plone@3.2", "PYSEC-2009-17"): "the record ends at 3.1 and goes on with four more ends: it contradicts "
    "itself, and by the schema the first one counts",
}
MATCHED = ("PyPI", "Go", "crates.io", "Maven", "npm")


@pytest.fixture(scope="module")
def matched(shared_data, real_records):
    archives = [f"{top}/{e}" for e in MATCHED for top in ("osv", "osv-converted")]
    present = [a for a in archives if (shared_data / a / "all.zip").exists()]
    found = [parse_advisory(data) for data in real_records(*present)]
    return [record for record in found if not record.withdrawn]


def boms(shared_data):
    for sbom in ("500", "5000"):
        with (shared_data / "labels" / f"three-matchers-{sbom}.cdx.json.zst").open("rb") as file:
            document = json.loads(zstandard.ZstdDecompressor().stream_reader(file).read())
        yield sbom, [component["purl"] for component in document["components"]]


def find(advisories, shared_data):
    rows = {}
    for record in advisories:
        for row in rows_of(record):
            rows.setdefault(row.name, []).append((row.lo, row.hi, record.id))
    return {
        (sbom, plain(purl), advisory)
        for sbom, purls in boms(shared_data)
        for purl in purls
        for query in (query_of(purl),)
        for lo, hi, advisory in rows.get(query.name, ())
        if query.key is not None and lo <= query.key and (hi is None or query.key < hi)
    }


def test_exactly_what_three_matchers_find_is_found_but_for_five(matched, shared_data):
    found = find(matched, shared_data)
    told = {
        (str(line["sbom"]), line["purl"], line["advisory"]): line["found_by"]
        for line in lines(shared_data / "labels" / "three-matchers.jsonl.zst")
    }
    assert found - set(told) == set()
    assert {key[1:] for key in set(told) - found} == set(ABSENT)
    assert len(found) == 3121
    assert sum(len(told[key]) == 3 for key in found) == 3090


def test_the_order_of_records_ranges_and_events_and_the_case_of_names_change_nothing(matched, shared_data):
    shake = random.Random(7).shuffle
    turned = [shuffled(record, shake) for record in matched if any(query_names(record))]
    shake(turned)
    assert find(turned, shared_data) == find(matched, shared_data)


def query_names(record):
    return (base for base, _ in affected_by_base(record))


def shuffled(record, shake):
    def turn(items):
        mixed = list(items)
        shake(mixed)
        return tuple(mixed)

    def turn_entry(entry):
        spans = tuple(msgspec.structs.replace(s, events=turn(s.events)) for s in turn(entry.ranges))
        package = entry.package
        if package is not None and package.ecosystem == "PyPI":
            package = msgspec.structs.replace(package, name=package.name.upper().replace("-", "_"))
        return msgspec.structs.replace(entry, ranges=spans, versions=turn(entry.versions), package=package)

    return msgspec.structs.replace(record, affected=tuple(turn_entry(e) for e in turn(record.affected or ())))


# --- PyPI against itself --------------------------------------------------------------------------------------------


def test_the_versions_that_pypi_records_list_lie_in_their_own_ranges(real_records):
    """151 listed versions are not of PEP 440; of 29 bounds that are not either, four stand beside a list."""
    inside, without_key, unreadable, unsure = 0, 0, 0, set()
    outside = Counter()
    for data in real_records("osv/PyPI"):
        record = parse_advisory(data)
        for base, affected in () if record.withdrawn else affected_by_base(record):
            spans = [s for s in affected.ranges if s.type != "GIT"]
            if not base.startswith("pkg:pypi/") or not spans:
                continue
            found = [interval for span in spans for interval in intervals_of("pypi", span.events)]
            bounds = [b for s in spans for e in s.events for b in (e.introduced, e.fixed, e.last_affected) if b]
            unreadable += sum(version_key("pypi", bound) is None for bound in bounds)
            keys = [version_key("pypi", version) for version in affected.versions]
            without_key += keys.count(None)
            here = sum(any(lo <= k and (hi is None or k < hi) for lo, hi, _ in found) for k in keys if k is not None)
            inside += here
            outside[record.id] += len(keys) - keys.count(None) - here
        unsure |= set(unsure_of(record))
    assert +outside == {"PYSEC-2021-114": 1, "PYSEC-2023-61": 6}
    assert (inside, without_key, unreadable) == (583_797, 151, 29)
    assert "pkg:pypi/torch" in unsure
