import json
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.foundation.errors import Refused
from safeconduct.model.limits import LIMITS


def test_a_record_is_read_with_its_ranges_and_unknown_fields_are_left_out():
    record = {
        "id": "X-1",
        "modified": "2026-01-01T00:00:00Z",
        "x_unknown": {"deep": [1, 2]},
        "affected": [
            {
                "package": {"ecosystem": "npm", "name": "a"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.0"}], "new": 1}],
            }
        ],
    }
    advisory = parse_advisory(json.dumps(record).encode())
    assert advisory.id == "X-1"
    assert [e.fixed or e.introduced for e in advisory.affected[0].ranges[0].events] == ["0", "1.0.0"]


def test_null_stands_for_absent_everywhere():
    record = {
        "id": "X-1",
        "modified": "2026-01-01T00:00:00Z",
        "aliases": None,
        "summary": None,
        "affected": [
            {"package": {"ecosystem": "npm", "name": "a", "purl": None}, "ranges": None, "versions": None},
            {"package": None, "ranges": [{"type": "GIT", "events": None}], "versions": ["1.0.0"], "severity": None},
        ],
        "references": None,
    }
    advisory = parse_advisory(json.dumps(record).encode())
    assert [a.versions for a in advisory.affected] == [(), ("1.0.0",)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"GHSA-1"',
        b"{}",
        b'{"id": 5, "modified": "x"}',
        b'{"id": "", "modified": "x"}',
        b'{"id": "a b", "modified": "x"}',
        b'{"id": "a\\u001b[31m", "modified": "x"}',
        b'{"id": "only-an-id"}',
        b'{"id": "x", "modified": "y", "affected": {"package": 1}}',
        b'{"id": "x", "modified": "y"',
        b'{"id": "\xff", "modified": "y"}',
        b'{"a":' * 100_000,
        b"[" * 1_000_000,
    ],
)
def test_what_is_no_advisory_is_refused(data):
    with pytest.raises(Refused) as refused:
        parse_advisory(data)
    assert refused.value.id == "not-an-advisory"


def test_a_record_above_the_limit_is_refused_before_it_is_read():
    with pytest.raises(Refused, match="not-an-advisory"):
        parse_advisory(b" " * (LIMITS.advisory + 1))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["id", "modified", "affected", "severity", "aliases", "references"]), _JSON))
def test_any_json_is_an_advisory_or_refused(record):
    with suppress(Refused):
        assert parse_advisory(json.dumps(record).encode()).id == record["id"]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_record_cut_or_changed_anywhere_never_crashes(noise, at):
    whole = b'{"id":"X-1","modified":"2026","affected":[{"ranges":[{"type":"SEMVER","events":[{"fixed":"1"}]}]}]}'
    with suppress(Refused):
        assert parse_advisory(whole[:at] + noise).id


def test_every_real_record_is_read(shared_data):
    count = 0
    for archive in sorted((shared_data / "osv").glob("*/all.zip")):
        with zipfile.ZipFile(archive) as records:
            for name in records.namelist()[::7]:
                advisory = parse_advisory(records.read(name))
                assert f"{advisory.id}.json" == name
                count += 1
    assert count > 4_000
