from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.vulnerabilities import listed
from safeconduct.capabilities.vulnerabilities.ranges import FIRST, RangeRow, intervals_of, rows_of, unsure_of
from safeconduct.model.advisory import Advisory, Affected, Event, Package, Range
from safeconduct.model.version import version_key


def events(*pairs):
    return tuple(Event(**{kind: version}) for kind, version in (p.split(":") for p in pairs))


def advisory(*affected, withdrawn=None):
    return Advisory("X-1", "2026-01-01T00:00:00Z", withdrawn=withdrawn, affected=affected)


def entry(*spans, versions=(), ecosystem="npm", name="a", kind="SEMVER"):
    ranges = tuple(Range(kind, span) for span in spans)
    return Affected(Package(ecosystem, name), ranges, tuple(versions))


def holds(rows, version, kind="npm"):
    key = version_key(kind, version)
    return any(row.lo <= key and (row.hi is None or key < row.hi) for row in rows)


AFFECTED = [
    (["introduced:0", "fixed:1.0.0"], "0.0.0-0 0.0.1 1.0.0-rc.1", "1.0.0 1.0.1 2.0.0"),
    (["introduced:1.0.0", "fixed:1.2.0"], "1.0.0 1.1.9 1.2.0-rc.1", "0.9.9 1.0.0-rc.1 1.2.0"),
    (["introduced:1.0.0", "last_affected:1.2.0"], "1.0.0 1.2.0", "0.9.9 1.2.1-0 1.2.1"),
    (["introduced:1.0.0"], "1.0.0 99.0.0", "0.9.9"),
    (["fixed:1.0.0"], "", "0.9.0 1.0.0"),
    (["introduced:0", "fixed:1.0.0", "introduced:2.0.0", "fixed:2.1.0"], "0.5.0 2.0.5", "1.0.0 1.5.0 2.1.0"),
    (["fixed:2.1.0", "introduced:2.0.0", "fixed:1.0.0", "introduced:0"], "0.5.0 2.0.5", "1.0.0 1.5.0 2.1.0"),
    (["introduced:0", "fixed:1.0.0", "introduced:1.0.0", "fixed:2.0.0"], "0.1.0 1.0.0 1.9.0", "2.0.0"),
    (["introduced:1.0.0", "fixed:1.0.0"], "", "0.9.0 1.0.0 1.0.1"),
    (["introduced:1.0.0", "last_affected:1.0.0"], "1.0.0", "0.9.0 1.0.1"),
    (["introduced:0", "fixed:1.0.0", "fixed:2.0.0"], "0.9.0", "1.0.0 1.9.0"),
    (["introduced:0", "introduced:0.5.0", "fixed:1.0.0"], "0.1.0 0.6.0", "1.0.0"),
    (["introduced:0", "limit:1.5.0"], "0.1.0 1.4.9", "1.5.0 2.0.0"),
    (["introduced:0", "fixed:2.0.0", "limit:1.5.0"], "1.4.9", "1.5.0 1.9.0"),
    (["introduced:0", "limit:1.0.0", "limit:1.5.0"], "1.4.9", "1.5.0"),
    (["introduced:0", "limit:*"], "9.0.0", ""),
    (["introduced:2.0.0", "limit:1.0.0"], "", "2.0.0 1.0.0 0.5.0"),
    (["last_affected:nonsense", "introduced:1.0.0"], "", "1.0.0 9.0.0 0.9.0"),
    (["introduced:nonsense", "fixed:1.0.0"], "", "0.1.0 1.0.0"),
    (["introduced:0", "last_affected:2.9.0-beta1", "fixed:2.9.x"], "", "0.1.0 2.9.0"),
]


@pytest.mark.parametrize(("pairs", "inside", "outside"), AFFECTED, ids=[" ".join(a[0]) for a in AFFECTED])
def test_a_range_holds_what_the_schema_says(pairs, inside, outside):
    rows = rows_of(advisory(entry(events(*pairs))))
    assert [v for v in inside.split() if not holds(rows, v)] == []
    assert [v for v in outside.split() if holds(rows, v)] == []


def test_an_interval_names_the_version_that_fixes_it():
    rows = rows_of(advisory(entry(events("introduced:0", "fixed:1.0.0", "introduced:2.0.0", "last_affected:2.5.0"))))
    assert [row.fixed for row in rows] == ["1.0.0", None]
    assert rows[0].lo == FIRST


def test_two_events_in_one_object_count_both():
    rows = rows_of(advisory(entry((Event(introduced="1.0.0", fixed="1.5.0"),))))
    assert [(row.fixed, holds(rows, "1.4.0")) for row in rows] == [("1.5.0", True)]


def test_a_git_range_is_passed_over_and_what_stands_behind_it_counts():
    git = Range("GIT", events("introduced:0", "fixed:abcdef"))
    mixed = Affected(Package("npm", "a"), (git, Range("SEMVER", events("introduced:0", "fixed:1.0.0"))))
    rows = rows_of(advisory(mixed))
    assert (holds(rows, "0.9.0"), holds(rows, "1.0.0")) == (True, False)


def test_a_listed_version_outside_all_ranges_is_an_interval_of_its_own():
    rows = rows_of(advisory(entry(events("introduced:0", "fixed:1.0.0"), versions=["0.5.0", "3.0.0"])))
    assert [holds(rows, v) for v in ("0.5.0", "2.9.9", "3.0.0", "3.0.1")] == [True, False, True, False]
    key = version_key("npm", "3.0.0")
    assert rows[-1] == RangeRow("pkg:npm/a", key, key + b"\0", None)


def test_an_entry_with_an_unreadable_bound_is_what_its_list_says():
    rows = rows_of(advisory(entry(events("introduced:0", "fixed:nonsense"), versions=["0.5.0"])))
    assert [holds(rows, v) for v in ("0.5.0", "9.0.0")] == [True, False]


def test_a_listed_version_without_a_place_matches_by_its_text_only():
    record = advisory(entry(events("introduced:0", "fixed:1.0"), versions=["0.5", "2004d"], ecosystem="PyPI"))
    assert listed.versions_of(record) == (("pkg:pypi/a", "2004d"),)
    assert listed.rows_of(record)[0].fixed == "1.0"


@pytest.mark.parametrize(
    ("pairs", "last"),
    [
        (["introduced:0", "last_affected:2.6.0-NA"], "2.6.0"),
        (["introduced:0", "last_affected:2.10.0-NA", "last_affected:2.9.0-NA"], "2.10.0"),
        (["introduced:0", "last_affected:2.6.0-NA", "fixed:nonsense"], None),
        (["introduced:nonsense"], None),
    ],
)
def test_a_range_with_an_unreadable_bound_says_up_to_where_it_cannot_be_told(pairs, last):
    record = advisory(entry(events(*pairs), ecosystem="PyPI"))
    assert (rows_of(record), unsure_of(record)) == ((), {"pkg:pypi/a": last})
    assert listed.rows_of(record) == (listed.ListedRow("pkg:pypi/a", listed.ANY, last),)
    assert listed.versions_of(record) == ()


def test_a_list_of_versions_stands_for_an_unreadable_range():
    record = advisory(entry(events("introduced:0", "last_affected:2.6.0-NA"), ecosystem="PyPI", versions=["1.0"]))
    assert (unsure_of(record), [r.fixed for r in rows_of(record)]) == ({}, [None])


def test_a_type_without_a_known_order_keeps_its_list_and_no_ranges():
    record = advisory(entry(events("introduced:0", "fixed:2.0"), versions=["1.0"], ecosystem="Homebrew"))
    assert rows_of(record) == ()
    assert listed.versions_of(record) == (("pkg:brew/a", "1.0"),)


def test_every_version_of_a_package_is_affected_in_any_order():
    record = advisory(entry(events("introduced:0"), ecosystem="Homebrew"))
    assert rows_of(record) == (RangeRow("pkg:brew/a", FIRST, None, None),)


def test_a_withdrawn_record_affects_nothing():
    record = advisory(
        entry(events("introduced:0"), versions=["2004d"], ecosystem="PyPI"), withdrawn="2026-01-01T00:00:00Z"
    )
    assert rows_of(record) == ()
    assert listed.rows_of(record) == ()


def test_two_entries_of_one_package_give_apart_intervals():
    first = entry(events("introduced:0", "fixed:1.0.0"))
    second = entry(events("introduced:0", "fixed:1.5.0", "introduced:2.0.0"))
    rows = rows_of(advisory(first, second))
    assert [(row.fixed, row.hi is None) for row in rows] == [("1.5.0", False), (None, True)]


VERSIONS = [f"{a}.{b}.0{pre}" for a in range(3) for b in range(3) for pre in ("-rc.1", "")]
EVENT = st.tuples(st.sampled_from(["introduced", "fixed", "last_affected"]), st.sampled_from(["0", *VERSIONS]))


def evaluate(version, listed_events):
    """The schema's own algorithm; of what stands at one version, a fix of an open range comes before the rest."""
    key = version_key("npm", version)
    place = [(FIRST if v == "0" and k == "introduced" else version_key("npm", v), k) for k, v in listed_events]
    vulnerable = False
    for at in sorted({p for p, _ in place}):
        kinds = {k for p, k in place if p == at}
        if at > key:
            break
        if vulnerable:
            if "fixed" in kinds or ("last_affected" in kinds and at < key):
                vulnerable = "introduced" in kinds
        elif "introduced" in kinds and "fixed" not in kinds:
            vulnerable = not ("last_affected" in kinds and at < key)
    return vulnerable


@given(st.lists(EVENT, min_size=1, max_size=6))
def test_intervals_hold_what_the_schemas_own_algorithm_finds(pairs):
    found = intervals_of("npm", [Event(**{kind: version}) for kind, version in pairs])
    for version in VERSIONS:
        key = version_key("npm", version)
        inside = any(lo <= key and (hi is None or key < hi) for lo, hi, _ in found)
        assert inside == evaluate(version, pairs), version


@given(st.lists(st.lists(EVENT, min_size=1, max_size=4), min_size=1, max_size=3), st.lists(st.sampled_from(VERSIONS)))
def test_rows_of_one_package_never_touch_and_hold_what_the_entries_hold(spans, versions):
    entries = [entry(tuple(Event(**{k: v}) for k, v in span), versions=versions) for span in spans]
    rows = rows_of(advisory(*entries))
    assert all(a.hi is not None and a.hi < b.lo for a, b in pairwise(rows))
    for version in VERSIONS:
        assert holds(rows, version) == (version in versions or any(evaluate(version, span) for span in spans))
