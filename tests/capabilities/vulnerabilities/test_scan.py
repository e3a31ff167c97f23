import json
import time

import msgspec
import pytest
import zstandard

from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.coverage import coverage_of
from safeconduct.capabilities.vulnerabilities.explain import explain
from safeconduct.capabilities.vulnerabilities.fixes import fix_of
from safeconduct.capabilities.vulnerabilities.query import query_of
from safeconduct.capabilities.vulnerabilities.ranges import intervals_of
from safeconduct.capabilities.vulnerabilities.scan import NoAdvisories, scan
from safeconduct.capabilities.vulnerabilities.witness import paths_to
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import Statement
from safeconduct.model.advisory import Event
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.finding import Certainty, Coverage, Fix, Gap, Level

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def inventory(*purls, edges=(), direct=()):
    components = tuple(Component(p, Presence.LOCKED, (), direct=p in direct or None) for p in sorted(purls))
    return Inventory(components, tuple(sorted(edges)))


def record(record_id, *pairs, name="a", ecosystem="npm", versions=(), **fields):
    events = [dict([pair.split(":")]) for pair in pairs]
    entry = {"package": {"ecosystem": ecosystem, "name": name}, "versions": list(versions)}
    if events:
        entry["ranges"] = [{"type": "SEMVER", "events": events}]
    return {"id": record_id, "modified": "2026-01-01T00:00:00Z", "affected": [entry]} | fields


def judge(writer, *purls, **options):
    return scan(inventory(*purls, **options), StoredAdvisories(writer.store))


def test_a_component_in_a_range_is_found_with_its_fix(writer):
    writer.feed("npm").advisories([record("X-1", "introduced:0", "fixed:1.2.6", summary="bad")])
    result = judge(writer, "pkg:npm/a@1.2.5", "pkg:npm/b@1.0.0")
    found = result.findings[0]
    assert (found.component, found.advisory, found.summary) == ("pkg:npm/a@1.2.5", "X-1", "bad")
    assert (found.fix, found.certainty, found.level) == (Fix("1.2.6", "1.2.6"), Certainty.RANGE, Level.UNKNOWN)
    assert (len(result.findings), result.gaps, result.feeds[0].id) == (1, (), "test")


def test_without_any_advisory_data_every_component_is_a_gap(writer):
    asked = ("pkg:npm/a@1.0.0", "pkg:pypi/b@1.0", "pkg:deb/debian/c@1?distro=debian-12", "pkg:generic/d@1")
    for source in (StoredAdvisories(writer.store), NoAdvisories()):
        result = scan(inventory(*asked), source)
        assert result.findings == ()
        assert result.gaps == tuple(Gap(purl, Coverage.NO_FEED) for purl in sorted(asked))


def test_records_without_a_feed_that_covers_them_leave_the_gap_beside_the_finding(writer):
    writer.advisories([record("X-1", "introduced:0")])
    result = judge(writer, "pkg:npm/a@1.0.0")
    assert [f.advisory for f in result.findings] == ["X-1"]
    assert result.gaps == (Gap("pkg:npm/a@1.0.0", Coverage.NO_FEED),)


@pytest.mark.parametrize(
    ("purl", "covers", "coverage"),
    [
        ("pkg:npm/a@1.0.0", ["npm"], Coverage.COVERED),
        ("pkg:npm/a@1.0.0", ["pkg:npm/a"], Coverage.COVERED),
        ("pkg:npm/a@1.0.0", ["pkg:npm/b", "PyPI"], Coverage.NO_FEED),
        ("pkg:npm/%40s/a@1.0.0", ["pkg:npm/%40s/a"], Coverage.COVERED),
        ("pkg:npm/a", ["npm"], Coverage.NO_VERSION),
        ("pkg:npm/a", [], Coverage.NO_FEED),
        ("pkg:npm/a@latest", ["npm"], Coverage.UNORDERED),
        ("pkg:maven/g/a@1.0", ["Maven"], Coverage.COVERED),
        ("pkg:maven/g/a@latest", ["Maven"], Coverage.UNORDERED),
        ("pkg:brew/a@1.0", ["Homebrew"], Coverage.UNORDERED),
        ("pkg:deb/debian/a@1?distro=debian-12", ["Debian:12"], Coverage.COVERED),
        ("pkg:deb/debian/a@1?distro=debian-12", ["Debian", "Debian:11"], Coverage.NO_FEED),
        ("pkg:deb/debian/a@1", ["Debian:12"], Coverage.NO_FEED),
        ("pkg:generic/a@1", ["npm"], Coverage.NO_FEED),
        ("pkg:docker/library/python@3.11", ["npm"], Coverage.COVERED),
        ("pkg:oci/python@sha256%3Aabc", [], Coverage.COVERED),
        ("not a purl", ["npm"], Coverage.NO_FEED),
        ("", ["npm"], Coverage.NO_FEED),
    ],
)
def test_a_component_is_clean_only_where_a_feed_speaks_for_it(purl, covers, coverage):
    assert coverage_of(query_of(purl), frozenset(covers)) is coverage


def test_aliased_records_are_one_finding_with_the_worst_level_of_them(writer):
    writer.feed("npm").advisories(
        [
            record("GO-1", "introduced:0", aliases=["CVE-1"]),
            record("GHSA-1", "introduced:0", aliases=["CVE-1"], severity=[{"type": "CVSS_V3", "score": CRITICAL}]),
            record("OTHER-1", "introduced:0", name="b", aliases=["CVE-1"], summary="elsewhere"),
        ]
    )
    (found,) = judge(writer, "pkg:npm/a@1.0.0").findings
    assert (found.advisory, found.ids) == ("GHSA-1", ("CVE-1", "GHSA-1", "GO-1", "OTHER-1"))
    assert (found.level, found.score) == (Level.CRITICAL, 9.8)


def test_the_level_of_what_a_record_rests_on_counts_but_does_not_join_them(writer):
    cve = record("CVE-1", "introduced:0", name="b", severity=[{"type": "CVSS_V3", "score": CRITICAL}])
    writer.feed("npm").advisories([record("DSA-1", "introduced:0", upstream=["CVE-1"]), cve])
    found = {f.component: f for f in judge(writer, "pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0").findings}
    assert found["pkg:npm/a@1.0.0"].level is Level.CRITICAL
    assert found["pkg:npm/a@1.0.0"].ids == ("CVE-1", "DSA-1")
    assert found["pkg:npm/b@1.0.0"].ids == ("CVE-1",)


def test_records_that_rest_on_the_same_cve_are_not_drawn_in(writer):
    ring = [record(f"DSA-{n}", "introduced:0", name=f"p{n}", upstream=[f"CVE-{n}", f"CVE-{n + 1}"]) for n in range(50)]
    writer.feed("npm").advisories(ring)
    source = StoredAdvisories(writer.store)
    assert [f.id for f in source.facts([1]).values()] == ["DSA-0"]


def test_a_withdrawn_record_is_kept_and_meets_nothing(writer):
    writer.feed("npm").advisories([record("X-1", "introduced:0", withdrawn="2026-02-01T00:00:00Z")])
    assert judge(writer, "pkg:npm/a@1.0.0").findings == ()
    assert explain(writer.store, "X-1", "pkg:npm/a@1.0.0").matches is False


def test_a_malicious_package_meets_every_version_even_an_unknown_one(writer):
    writer.feed("npm").advisories([record("MAL-2026-1", "introduced:0")])
    result = judge(writer, "pkg:npm/a", "pkg:npm/a@latest", "pkg:npm/a@1.0.0")
    assert [f.malicious for f in result.findings] == [True] * 3
    assert [gap.coverage for gap in result.gaps] == [Coverage.NO_VERSION, Coverage.UNORDERED]


def test_an_unordered_version_meets_only_what_is_listed_and_stays_a_gap(writer):
    listing = record("X-1", "introduced:0", "fixed:2.0", ecosystem="PyPI", versions=["2004d", "2004e"])
    writer.feed("PyPI").advisories([listing])
    result = judge(writer, "pkg:pypi/a@2004d", "pkg:pypi/a@2004z")
    assert [(f.component, f.certainty, f.fix.best) for f in result.findings] == [
        ("pkg:pypi/a@2004d", Certainty.UNORDERED, "2.0")
    ]
    assert [gap.coverage for gap in result.gaps] == [Coverage.UNORDERED] * 2


def test_a_record_that_cannot_be_compared_leaves_a_gap_as_far_as_it_may_reach(writer):
    torch = record("X-1", "introduced:0", "last_affected:2.6.0-NA", ecosystem="PyPI")
    writer.feed("PyPI").advisories([torch, record("X-2", "introduced:0", "fixed:2.0", ecosystem="PyPI")])
    result = judge(writer, "pkg:pypi/a@1.0", "pkg:pypi/a@2.6.0", "pkg:pypi/a@2.7", "pkg:pypi/b@1")
    assert [f.component for f in result.findings] == ["pkg:pypi/a@1.0"]
    assert result.gaps == tuple(Gap(f"pkg:pypi/a@{v}", Coverage.UNCOMPARED) for v in ("1.0", "2.6.0"))
    assert explain(writer.store, "X-1", "pkg:pypi/a@1.0").matches is None


def test_findings_stand_worst_first(writer):
    low = {"database_specific": {"severity": "LOW"}}
    high = {"database_specific": {"severity": "HIGH"}}
    writer.feed("npm").advisories([record("A", "introduced:0", **low), record("B", "introduced:0", **high)])
    assert [f.advisory for f in judge(writer, "pkg:npm/a@1.0.0").findings] == ["B", "A"]


@pytest.mark.parametrize(
    ("version", "pairs", "fix"),
    [
        ("1.0.0", ["introduced:0", "fixed:1.2.3", "introduced:2.0.0", "fixed:2.0.5"], Fix("1.2.3", "1.2.3")),
        ("1.0.0", ["introduced:0", "last_affected:1.9.0", "introduced:2.0.0", "fixed:2.0.5"], Fix(None, "2.0.5")),
        ("2.0.1", ["introduced:0", "fixed:1.2.3", "introduced:2.0.0", "fixed:2.0.5"], Fix("2.0.5", "2.0.5")),
        ("1.0.0", ["introduced:0", "fixed:10.0.0"], Fix(None, "10.0.0")),
        ("1.0.0", ["introduced:0"], Fix()),
        ("1.0.0", ["introduced:0", "last_affected:1.0.0"], Fix()),
    ],
)
def test_a_fix_is_the_smallest_clean_step(version, pairs, fix):
    found = intervals_of("npm", [Event(**dict([pair.split(":")])) for pair in pairs])
    assert fix_of(query_of(f"pkg:npm/a@{version}"), found) == fix


def test_a_fix_that_another_record_of_the_flaw_calls_affected_is_none(writer):
    first = record("A", "introduced:0", "fixed:1.2.0", aliases=["CVE-1"])
    second = record("B", "introduced:0", "fixed:1.3.0", aliases=["CVE-1"])
    writer.feed("npm").advisories([first, second])
    assert judge(writer, "pkg:npm/a@1.0.0").findings[0].fix == Fix("1.3.0", "1.3.0")


def test_one_shortest_path_leads_from_a_direct_dependency(writer):
    writer.feed("npm").advisories([record("X-1", "introduced:0", name="d")])
    a, b, c, d = (f"pkg:npm/{n}@1.0.0" for n in "abcd")
    edges = [(a, b), (b, c), (c, d), (c, a), (d, d), (a, c)]
    assert judge(writer, a, b, c, d, edges=edges, direct=[a]).findings[0].path == (a, c, d)


def test_what_the_project_itself_needs_is_where_a_path_starts():
    a, b = "pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"
    assert paths_to(inventory(a, b, edges=[("root", a), (a, b)]), {b}) == {b: (a, b)}
    assert paths_to(inventory(a, b, edges=[(a, b)]), {a, b}) == {a: (a,), b: (a, b)}


def test_a_ring_that_nobody_enters_has_no_path():
    a, b = "pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"
    assert paths_to(inventory(a, b, edges=[(a, b), (b, a)]), {a}) == {}


def test_a_thousand_rings_and_a_long_chain_end():
    keys = [f"pkg:npm/p{n}@1.0.0" for n in range(3_000)]
    edges = [(keys[n], keys[(n + step) % 3_000]) for n in range(3_000) for step in (1, 2)]
    assert len(paths_to(inventory(*keys, edges=edges, direct=keys[:1]), {keys[-1]})[keys[-1]]) == 1_501


def test_a_document_that_was_changed_in_the_store_is_found_out(writer):
    writer.feed("npm").advisories([record("X-1", "introduced:0")])
    change = Statement("change", "digest", "UPDATE blob SET zbytes = :zbytes")
    with writer.store.transaction():
        writer.store.run(change, {"zbytes": b"damaged"})
    with pytest.raises(Undecided) as refused:
        judge(writer, "pkg:npm/a@1.0.0")
    assert refused.value.id == "document-damaged"


def test_a_record_whose_text_was_erased_still_meets_its_components(writer):
    writer.feed("npm").advisories([record("X-1", "introduced:0", database_specific={"severity": "HIGH"})])
    with writer.store.transaction():
        writer.store.run(Statement("erase", "digest", "UPDATE blob SET zbytes = NULL"))
    assert [(f.advisory, f.level) for f in judge(writer, "pkg:npm/a@1.0.0").findings] == [("X-1", Level.HIGH)]


def test_an_explanation_says_why_and_why_not(writer):
    writer.feed("npm").advisories(
        [record("GHSA-1", "introduced:1.0.0", "fixed:1.2.6", aliases=["CVE-1"], versions=["9.0.0"], summary="bad")]
    )
    asked = {v: explain(writer.store, "CVE-1", f"pkg:npm/a@{v}") for v in ("1.2.5", "1.2.6", "0.9.0", "9.0.0", "x")}
    assert [found.matches for found in asked.values()] == [True, False, False, True, None]
    text = "\n".join(asked["1.2.5"].lines)
    assert "introduced 1.0.0, fixed 1.2.6" in text
    assert "before 1.2.6, which fixes it" in text
    assert asked["1.2.5"].records[0][0] == "GHSA-1"
    assert explain(writer.store, "CVE-1", "pkg:npm/b@1.0.0").matches is False
    assert explain(writer.store, "CVE-9", "pkg:npm/a@1.2.5").matches is None
    assert explain(writer.store, "CVE-1", "pkg:npm/a").matches is None


def test_a_scan_is_a_document(writer):
    writer.feed("npm").advisories([record("X-1", "introduced:0")])
    assert json.loads(msgspec.json.encode(judge(writer, "pkg:npm/a@1.0.0")))["findings"][0]["advisory"] == "X-1"


def test_five_thousand_components_are_matched_in_a_blink(shared_data, real_store):
    """The worst case: every name is one that has advisories. The floor is generous; ``make bench`` has the figure."""
    with (shared_data / "labels" / "three-matchers-5000.cdx.json.zst").open("rb") as file:
        document = json.loads(zstandard.ZstdDecompressor().stream_reader(file).read())
    asked = inventory(*{c["purl"] for c in document["components"]})
    source = StoredAdvisories(real_store)
    scan(asked, source)
    began = time.process_time()
    result = scan(asked, source)
    spent = time.process_time() - began
    assert len(result.findings) > 2_000
    assert spent < 1.0
