from safeconduct.capabilities.vulnerabilities.groups import group_ids, ids_of, preferred
from safeconduct.model.advisory import Advisory


def test_aliases_join_both_ways_and_through_others():
    groups = group_ids({"PYSEC-1": ["CVE-1"], "GHSA-1": ["CVE-1"], "GO-2": ["CVE-2"], "CVE-3": []})
    assert groups["PYSEC-1"] == groups["GHSA-1"] == groups["CVE-1"] == "GHSA-1"
    assert groups["GO-2"] == "CVE-2"
    assert groups["CVE-3"] == "CVE-3"


def test_a_chain_of_a_thousand_aliases_is_one_group():
    groups = group_ids({f"X-{n}": [f"X-{n + 1}"] for n in range(1_000)})
    assert set(groups.values()) == {"X-0"}


def test_an_advisory_that_aliases_itself_is_alone():
    assert group_ids({"A": ["A"]}) == {"A": "A"}


def test_upstream_is_searchable_and_related_is_not():
    record = Advisory("DSA-1", "2026", aliases=None, upstream=("CVE-1",), related=("CVE-9",))
    assert ids_of(record) == ("CVE-1", "DSA-1")


def test_a_malicious_report_is_shown_before_github_before_the_cve():
    assert preferred(["CVE-1", "GHSA-1", "MAL-1", "AAA-1"]) == "MAL-1"
    assert preferred(["CVE-1", "AAA-1", "GHSA-1"]) == "GHSA-1"
    assert preferred(["PYSEC-1", "GO-1"]) == "GO-1"
