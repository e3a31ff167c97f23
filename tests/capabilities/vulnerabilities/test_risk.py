import gzip
import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.vulnerabilities.risk import (
    Exploitation,
    Risk,
    join_risks,
    level_of_risk,
    parse_epss,
    parse_kev,
    parse_ssvc,
    rank,
    risk_of,
)
from safeconduct.foundation.errors import Refused
from safeconduct.model.finding import Certainty, Finding, Fix, Level

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def unpacked(path):
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


def test_the_real_catalogue_of_known_exploited_vulnerabilities_is_read(shared_data):
    read = parse_kev(unpacked(shared_data / "native" / "known_exploited_vulnerabilities.json.zst"))
    assert (len(read.risks), read.as_of[:10]) == (1404, "2025-08-25")
    assert read.risks["CVE-2021-44228"] == Risk(kev_added="2021-12-10", kev_due="2021-12-24", ransomware=True)


def test_the_real_scores_of_epss_are_read(shared_data):
    read = parse_epss(gzip.decompress((shared_data / "native" / "epss_scores-current.csv.gz").read_bytes()))
    assert (len(read.risks), read.as_of[:10]) == (360_142, "2026-08-16")
    assert read.risks["CVE-1999-0001"] == Risk(epss=0.03351, percentile=0.8765)


def test_the_real_decisions_of_ssvc_are_read_in_any_case(shared_data):
    read = parse_ssvc(unpacked(shared_data / "native" / "vulnrichment-ssvc.csv.zst"))
    assert len(read.risks) == 44_026
    first = Risk(exploitation=Exploitation.NONE, automatable=True, total_impact=True, vector=CRITICAL)
    assert read.risks["CVE-1999-0006"] == first
    assert level_of_risk(first) is Level.CRITICAL
    assert not [cve for cve, risk in read.risks.items() if risk.exploitation is None or risk.automatable is None]


def finding(component, *ids, level=Level.UNKNOWN, score=None, malicious=False):
    kind = {"level": level, "certainty": Certainty.RANGE, "fix": Fix(), "score": score, "malicious": malicious}
    return Finding(component=component, advisory=ids[0], ids=ids, **kind)


def test_what_is_exploited_comes_before_what_is_likely_and_that_before_what_is_merely_severe():
    found = [
        finding("severe", "CVE-2024-0001", level=Level.CRITICAL, score=9.8),
        finding("likely", "CVE-2024-0002", level=Level.MEDIUM, score=5.0),
        finding("exploited", "GHSA-1", "CVE-2024-0003", level=Level.LOW, score=2.0),
        finding("decided", "CVE-2024-0004"),
        finding("malicious", "MAL-1", malicious=True),
        finding("silent", "CVE-2024-0005"),
        finding("silent-high", "CVE-2024-0006", level=Level.HIGH),
    ]
    risks = {
        "CVE-2024-0001": Risk(epss=0.01),
        "CVE-2024-0002": Risk(epss=0.9),
        "CVE-2024-0003": Risk(kev_added="2024-01-01"),
        "CVE-2024-0004": Risk(exploitation=Exploitation.ACTIVE, vector=CRITICAL),
    }
    order = ["malicious", "decided", "exploited", "likely", "severe", "silent-high", "silent"]
    assert [f.component for f in rank(found, risks)] == order
    assert [f.component for f in rank(reversed(found), risks)] == order


def test_sources_about_one_flaw_are_joined_by_all_its_ids():
    risks = {
        "CVE-2024-0001": Risk(epss=0.2),
        "CVE-2024-0002": Risk(epss=0.4, kev_added="2024-02-02"),
        "X": Risk(epss=1),
    }
    joined = risk_of(finding("a", "GHSA-1", "CVE-2024-0001", "CVE-2024-0002"), risks)
    assert joined == Risk(epss=0.4, kev_added="2024-02-02")
    assert join_risks([]) == Risk()
    assert level_of_risk(Risk()) is Level.UNKNOWN


def test_a_row_that_is_none_is_left_out():
    text = (
        b"#score_date:2026-01-01T00:00:00Z\ncve,epss,percentile\nCVE-2024-0001,2,0\nnone,0.1,0.1\nCVE-2024-0002,0.1\n"
    )
    assert parse_epss(text + b"CVE-2024-0003,nan,1\nCVE-2024-0004,0.5,9\n").risks == {"CVE-2024-0004": Risk(epss=0.5)}


@pytest.mark.parametrize("parse", [parse_kev, parse_epss, parse_ssvc])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{}", b"[" * 10_000, b"a,b\n1,2\n", json.dumps({"x": 1}).encode()])
def test_another_document_is_refused(parse, data):
    with pytest.raises(Refused) as refused:
        parse(data)
    assert refused.value.id == "not-risk-data"


@given(st.binary(max_size=80))
def test_no_bytes_break_a_reader(noise):
    head = b"cve,epss,percentile,exploitation,automatable,technical_impact,cisa_cvss,timestamp\n"
    for parse in (parse_kev, parse_epss, parse_ssvc):
        for data in (noise, head + noise, b'{"vulnerabilities":[' + noise):
            try:
                parse(data)
            except Refused:
                continue
