import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.vulnerabilities.severity import (
    is_malicious,
    level_of,
    level_of_score,
    score_of,
    score_of_vector,
)
from safeconduct.model.advisory import Advisory, Affected, Score
from safeconduct.model.finding import Level

V2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C"
V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V3_LOW = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"


def record(*scores, **fields):
    return Advisory("X-1", "2026", severity=tuple(Score(*s) for s in scores), **fields)


@pytest.mark.parametrize(
    ("advisory", "level", "score"),
    [
        (record(("CVSS_V3", V3)), Level.CRITICAL, 9.8),
        (record(("CVSS_V4", V4)), Level.CRITICAL, 9.3),
        (record(("CVSS_V3", V3_LOW), ("CVSS_V4", V4)), Level.CRITICAL, 9.3),
        (record(("CVSS_V3", V3_LOW), ("CVSS_V3", V3)), Level.CRITICAL, 9.8),
        (record(("CVSS_V2", V2)), Level.HIGH, 10.0),
        (record(("Ubuntu", "medium")), Level.MEDIUM, None),
        (record(), Level.UNKNOWN, None),
        (record(("CVSS_V3", "nonsense")), Level.UNKNOWN, None),
        (record(("CVSS_V3", "nonsense"), database_specific={"severity": "MODERATE"}), Level.MEDIUM, None),
        (record(database_specific={"severity": "HIGH"}), Level.HIGH, None),
        (record(database_specific={"severity": 7}), Level.UNKNOWN, None),
        (record(affected=(Affected(ecosystem_specific={"severity": "Important"}),)), Level.HIGH, None),
        (record(affected=(Affected(ecosystem_specific={"urgency": "unimportant"}),)), Level.LOW, None),
        (record(affected=(Affected(severity=(Score("CVSS_V3", V3),)),)), Level.CRITICAL, 9.8),
        (record(affected=(Affected(database_specific={"cvss": V3}),)), Level.CRITICAL, 9.8),
    ],
)
def test_a_record_says_how_bad_it_is(advisory, level, score):
    assert (level_of(advisory), score_of(advisory)) == (level, score)


@pytest.mark.parametrize(
    ("score", "system", "level"),
    [
        (0.0, "CVSS_V3", Level.NONE),
        (0.1, "CVSS_V3", Level.LOW),
        (3.9, "CVSS_V3", Level.LOW),
        (4.0, "CVSS_V3", Level.MEDIUM),
        (6.9, "CVSS_V3", Level.MEDIUM),
        (7.0, "CVSS_V3", Level.HIGH),
        (9.0, "CVSS_V4", Level.CRITICAL),
        (9.0, "CVSS_V2", Level.HIGH),
    ],
)
def test_the_bounds_of_a_level(score, system, level):
    assert level_of_score(score, system) is level


@given(st.sampled_from(["CVSS_V2", "CVSS_V3", "CVSS_V4", "X"]), st.text(max_size=30), st.integers(0, 60))
def test_no_vector_raises(system, noise, cut):
    for vector in (noise, V3[:cut] + noise, V4[:cut] + noise, V2[:cut] + noise):
        score = score_of_vector(system, vector)
        assert score is None or 0 <= score <= 10


def test_unknown_is_worse_than_none_and_better_than_low():
    assert Level.NONE < Level.UNKNOWN < Level.LOW


def test_a_malicious_package_is_known_by_its_id():
    assert is_malicious(["GHSA-x", "MAL-2026-1"])
    assert not is_malicious(["GHSA-mal-x", "CVE-1"])
