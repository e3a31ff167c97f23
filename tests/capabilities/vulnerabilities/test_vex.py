import json
import tarfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.capabilities.vulnerabilities.vex import Status, parse_openvex, suppress_stated
from safeconduct.foundation.errors import Refused
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.finding import Certainty, Finding, Fix, Level, SuppressionKind

APP = "pkg:oci/shop@sha256%3Aabc"
LIB = "pkg:npm/minimist@1.2.5"


def document(*statements, **fields):
    whole = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex-1", "statements": statements}
    return json.dumps(whole | {"timestamp": "2026-01-01T00:00:00Z"} | fields).encode()


def statement(product, status="not_affected", name="CVE-2021-44906", **fields):
    return {"vulnerability": {"name": name}, "products": [product], "status": status} | fields


def finding(component=LIB, *, malicious=False):
    ids = ("CVE-2021-44906", "GHSA-xvch-5gv4-984h")
    return Finding(component, ids[1], ids, Level.CRITICAL, Certainty.RANGE, Fix(), malicious=malicious)


def outcome(*statements, found=None, subjects=(), **fields):
    stated = parse_openvex(document(*statements, **fields))
    counted, suppressed = suppress_stated([found or finding()], stated, subjects)
    assert len(counted) + len(suppressed) == 1
    return suppressed[0].suppression if suppressed else None


def test_a_statement_suppresses_and_says_by_whom_and_why():
    why = outcome(
        statement({"@id": LIB}, justification="vulnerable_code_not_in_execute_path", impact_statement="unused")
    )
    assert (why.kind, why.by) == (SuppressionKind.VEX, "https://example.com/vex-1")
    assert why.reason == "not_affected: vulnerable_code_not_in_execute_path: unused"


@pytest.mark.parametrize(
    ("product", "covered"),
    [
        ({"@id": LIB}, True),
        ({"@id": "pkg:npm/minimist"}, True),
        ({"@id": "x", "identifiers": {"purl": LIB}}, True),
        ({"@id": "pkg:npm/minimist@1.2.6"}, False),
        ({"@id": "pkg:npm/mini"}, False),
        ({"@id": LIB + "?a=b"}, False),
        ({"@id": APP, "subcomponents": [{"@id": "pkg:npm/minimist"}]}, True),
        ({"@id": APP, "subcomponents": [{"@id": "pkg:npm/other"}]}, False),
        ({"@id": "pkg:oci/other", "subcomponents": [{"@id": LIB}]}, False),
        ({"@id": LIB, "subcomponents": [{"@id": "pkg:npm/other"}]}, False),
        ({"@id": APP}, True),
    ],
)
def test_a_statement_is_about_what_it_names(product, covered):
    assert (outcome(statement(product), subjects=[APP]) is not None) is covered


def test_parts_of_a_product_that_is_not_judged_here_are_not_meant():
    assert outcome(statement({"@id": APP, "subcomponents": [{"@id": LIB}]})) is None


@pytest.mark.parametrize(("status", "covered"), [("fixed", True), ("affected", False), ("under_investigation", False)])
def test_only_two_words_suppress(status, covered):
    assert (outcome(statement({"@id": LIB}, status)) is not None) is covered


def test_the_newest_statement_counts_in_any_order():
    old = statement({"@id": LIB}, timestamp="2026-01-02T00:00:00Z")
    new = statement({"@id": "pkg:npm/minimist"}, "affected", timestamp="2026-01-03T00:00:00Z")
    assert outcome(old, new) is None
    assert outcome(new, old) is None
    assert outcome(old, new | {"timestamp": "2026-01-01T00:00:00Z"}) is not None
    assert outcome(old, new | {"timestamp": "2026-01-02T01:00:00+01:00"}) is None, (
        "the same moment: nothing is suppressed"
    )
    assert outcome(old, new | {"timestamp": "soon"}) is not None


def test_another_flaw_and_a_malicious_package_count():
    assert outcome(statement({"@id": LIB}, name="CVE-2020-1")) is None
    assert outcome(statement({"@id": LIB}), found=finding(malicious=True)) is None


def test_the_first_version_of_the_format_is_read():
    plain = {"vulnerability": "CVE-2021-44906", "products": [APP], "subcomponents": [LIB], "status": "fixed"}
    assert outcome(plain, subjects=[APP]) is not None


def openvex(path):
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as raw,
        tarfile.open(fileobj=raw, mode="r|") as archive,
    ):
        for member in archive:
            data = archive.extractfile(member).read()
            if b"openvex.dev/ns" in data[:4000]:
                yield data


def test_the_real_documents_are_read(shared_data):
    found = [parse_openvex(data) for data in openvex(shared_data / "attestations" / "vex-csaf.tar.zst")]
    assert len(found) == 115
    assert all(statement.ids and isinstance(statement.status, Status) for read in found for statement in read)
    assert sum(bool(statement.products) for read in found for statement in read) > 300


def test_a_scan_keeps_what_a_statement_suppresses_visible(writer):
    spans = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.6"}]}]
    entry = {"package": {"ecosystem": "npm", "name": "minimist"}, "ranges": spans}
    writer.feed("npm").advisories([{"id": "GHSA-1", "aliases": ["CVE-2021-44906"], "affected": [entry]}])
    inventory = Inventory((Component(LIB, Presence.LOCKED, ()),))
    stated = parse_openvex(document(statement({"@id": LIB})))
    result = scan(inventory, StoredAdvisories(writer.store), stated)
    assert (result.findings, [f.advisory for f in result.suppressed]) == ((), ["GHSA-1"])


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"[" * 9000, document(context=1), document({"status": "maybe"})])
def test_another_document_is_refused(data):
    if b"context" in data and b"maybe" not in data:
        data = data.replace(b"openvex.dev/ns/v0.2.0", b"example.com")
    with pytest.raises(Refused) as refused:
        parse_openvex(data)
    assert refused.value.id == "not-vex"


@given(st.binary(max_size=60), st.integers(0, 300))
def test_no_bytes_break_the_reader(noise, cut):
    whole = document(statement({"@id": LIB, "subcomponents": [{"@id": noise.decode("latin-1")}]}))
    for data in (noise, whole[:cut] + noise):
        try:
            parse_openvex(data)
        except Refused:
            continue
