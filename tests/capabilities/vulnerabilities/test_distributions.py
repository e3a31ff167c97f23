"""Source packages and releases of distributions, matched both ways: scans and the graph."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.distributions import Source, source_of
from safeconduct.capabilities.vulnerabilities.ecosystems import base_of
from safeconduct.capabilities.vulnerabilities.query import query_of
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.foundation.statements import Statement
from safeconduct.intake.dictionary import intern_packages
from safeconduct.intake.feeds import record_feed
from safeconduct.intake.findings import match_packages
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.finding import Coverage, Feed, Gap, SuppressionKind
from safeconduct.model.purl import parse_purl

SOURCES = """
deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl | Debian:12 | openssl | 3.0.9-1
deb/debian/libgcc-s1@12-14%2Bb1?distro=debian-12.4&upstream=gcc-12%4012-14 | Debian:12 | gcc-12 | 12-14
deb/debian/bash@5.2-1?distro=bookworm | Debian:12 | bash | 5.2-1
deb/debian/bash@4.1-3?distro=debian-6.0.10 | Debian:6.0 | bash | 4.1-3
deb/ubuntu/bash@5.1?distro=ubuntu-22.04 | Ubuntu:22.04:LTS | bash | 5.1
deb/ubuntu/bash@5.1?distro=ubuntu-25.10 | Ubuntu:25.10 | bash | 5.1
apk/alpine/musl-utils@1.2.4-r1?distro=alpine-3.18.4&upstream=musl | Alpine:v3.18 | musl | 1.2.4-r1
apk/wolfi/musl@1.2.4-r1?distro=wolfi-20230201 | Wolfi | musl | 1.2.4-r1
rpm/almalinux/libs@3-1.el9?distro=almalinux-9.3&epoch=1&upstream=openssl | AlmaLinux:9 | libs | 1:3-1.el9
rpm/rocky/libs@3-1.el9?distro=rocky-9.3&epoch=1&upstream=openssl | Rocky Linux:9 | openssl | 1:3-1.el9
rpm/rocky/libs@3-1?distro=rocky-9&upstream=open-ssl-3.0.7-1.el9.src.rpm | Rocky Linux:9 | open-ssl | 3.0.7-1.el9
rpm/opensuse/bash@5-1?distro=opensuse-leap-15.5 | openSUSE:Leap 15.5 | bash | 5-1
rpm/opensuse/bash@5-1?distro=opensuse-tumbleweed-20240101 | openSUSE:Tumbleweed | bash | 5-1
"""


@pytest.mark.parametrize("line", SOURCES.strip().splitlines())
def test_a_component_and_an_advisory_meet_under_one_base(line):
    purl, ecosystem, name, version = line.split(" | ")
    assert source_of(parse_purl("pkg:" + purl)) == Source(ecosystem, base_of(ecosystem, name), version)


@pytest.mark.parametrize(
    "purl",
    [
        "deb/debian/openssl@3.0.9-1",
        "deb/debian/openssl@3.0.9-1?distro=debian-sid",
        "deb/moonos/openssl@3.0.9-1?distro=moonos-1",
        "apk/alpine/musl@1?distro=alpine-3.21.0_alpha20240807",
        "apk/alpine/musl@1?distro=alpine-edge",
        "rpm/redhat/bash@5-1?distro=rhel-9.2",
        "rpm/fedora/bash@5-1?distro=fedora-39",
        "rpm/opensuse/bash@5-1?distro=suse",
    ],
)
def test_a_release_that_cannot_be_told_has_no_source(purl):
    assert source_of(parse_purl("pkg:" + purl)) is None


@given(st.sampled_from(["deb/debian", "deb/ubuntu", "apk/alpine", "rpm/rocky", "rpm/opensuse"]), st.text(max_size=20))
def test_no_distro_breaks_a_query(space, distro):
    purl = parse_purl(f"pkg:{space}/a@1")
    query_of(f"pkg:{space}/a@1?distro={distro}")
    assert source_of(purl) is None


def record(record_id, ecosystem, name, fixed):
    spans = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": spans}]
    return {"id": record_id, "modified": "2026-01-01T00:00:00Z", "affected": affected}


LIBSSL = "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl"
LIBGCC = "pkg:deb/debian/libgcc-s1@12.2.0-14%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14"
OLD = "pkg:deb/debian/libssl1.1@1.1.1-1?arch=amd64&distro=debian-11&upstream=openssl"


def inventory(*purls, owners=None):
    owned = owners or {}
    return Inventory(tuple(Component(p, Presence.INSTALLED, (), owner=owned.get(p)) for p in sorted(purls)))


def test_a_built_package_is_found_by_its_source_in_its_release_only(writer):
    writer.feed("Debian:12", "Debian:11").advisories(
        [
            record("DSA-1", "Debian:12", "openssl", "3.0.11-1~deb12u1"),
            record("DSA-2", "Debian:12", "gcc-12", "12.2.0-14+a"),
            record("DSA-3", "Debian:12", "libssl3", "9"),
        ]
    )
    result = scan(inventory(LIBSSL, LIBGCC, OLD), StoredAdvisories(writer.store))
    found = [(f.component, f.advisory, f.fix.best) for f in result.findings]
    assert found == [(LIBGCC, "DSA-2", "12.2.0-14+a"), (LIBSSL, "DSA-1", "3.0.11-1~deb12u1")]
    assert result.gaps == ()


def test_a_release_without_data_could_not_be_told(writer):
    writer.feed("Debian:11").advisories([record("DSA-1", "Debian:12", "openssl", "9")])
    result = scan(inventory(LIBSSL, OLD), StoredAdvisories(writer.store))
    assert result.gaps == (Gap(LIBSSL, Coverage.NO_FEED),)


AFFECTED = Statement("affected", "dictionary", "SELECT pkg_id, fixed FROM affects WHERE known_until IS NULL")


@pytest.mark.parametrize("packages_first", [True, False])
def test_the_graph_finds_the_same_whichever_comes_first(writer, packages_first):
    """Two packages of one source, one built again under its own version; another release stays out of it."""
    store, at = writer.store, 1_800_000_000_000_000
    documents = [
        record("DSA-1", "Debian:12", "openssl", "3.0.11"),
        record("DSA-2", "Debian:12", "gcc-12", "12.2.0-14.1"),
    ]

    def advise():
        feed = Feed("d", "2026-01-01T00:00:00Z", ("Debian:12",))
        record_feed(store, at=at, feed=feed, records=[(d["id"], msgspec.json.encode(d)) for d in documents])

    def hold():
        with store.transaction():
            known, new = intern_packages(store, [LIBSSL, LIBGCC, OLD, LIBSSL.replace("libssl3", "openssl")])
            match_packages(store, new, at)
        return known

    if packages_first:
        known = hold()
        advise()
    else:
        advise()
        known = hold()
    by_id = {i: purl for purl, i in known.items()}
    found = sorted((by_id[i], fixed) for i, fixed in store.rows(AFFECTED))
    openssl = LIBSSL.replace("libssl3", "openssl")
    assert found == [(LIBGCC, "12.2.0-14.1"), (LIBSSL, "3.0.11"), (openssl, "3.0.11")]


URLLIB3 = "pkg:pypi/urllib3@1.26.5"
OWNER = "pkg:deb/debian/python3-urllib3@1.26.5-1?arch=all&distro=debian-12&upstream=python-urllib3"


def python_record(record_id="PYSEC-1", name="urllib3", fixed="2.0"):
    return record(record_id, "PyPI", name, fixed)


def test_what_the_system_owns_is_suppressed_with_its_owner_and_not_clean(writer):
    writer.feed("PyPI", "Debian:12").advisories([python_record()])
    result = scan(inventory(URLLIB3, OWNER, owners={URLLIB3: OWNER}), StoredAdvisories(writer.store))
    (found,) = result.suppressed
    assert (found.component, found.advisory) == (URLLIB3, "PYSEC-1")
    assert (found.suppression.kind, found.suppression.by) == (SuppressionKind.OWNER, OWNER)
    assert (result.findings, result.gaps) == ((), ())


def test_the_owner_is_judged_in_its_place_even_when_the_inventory_leaves_it_out(writer):
    writer.feed("PyPI", "Debian:12").advisories(
        [python_record(), record("DSA-1", "Debian:12", "python-urllib3", "1.26.5-2")]
    )
    result = scan(inventory(URLLIB3, owners={URLLIB3: OWNER}), StoredAdvisories(writer.store))
    assert [(f.component, f.advisory) for f in result.findings] == [(OWNER, "DSA-1")]


def test_an_owner_of_a_release_without_data_leaves_a_gap(writer):
    writer.feed("PyPI").advisories([python_record()])
    result = scan(inventory(URLLIB3, owners={URLLIB3: OWNER}), StoredAdvisories(writer.store))
    assert (len(result.suppressed), result.gaps) == (1, (Gap(OWNER, Coverage.NO_FEED),))


def test_a_second_copy_that_nobody_owns_still_counts(writer):
    writer.feed("PyPI", "Debian:12").advisories([python_record()])
    both = Inventory(
        (
            Component(URLLIB3, Presence.INSTALLED, (), ref="a", owner=OWNER),
            Component(URLLIB3, Presence.INSTALLED, (), ref="b"),
        )
    )
    result = scan(both, StoredAdvisories(writer.store))
    assert (len(result.findings), result.suppressed) == (1, ())


def test_a_malicious_package_counts_whoever_brought_it(writer):
    writer.feed("PyPI", "Debian:12").advisories([python_record("MAL-2026-1")])
    result = scan(inventory(URLLIB3, OWNER, owners={URLLIB3: OWNER}), StoredAdvisories(writer.store))
    assert ([f.malicious for f in result.findings], result.suppressed) == ([True], ())


def test_an_owner_that_is_no_system_package_suppresses_nothing(writer):
    writer.feed("PyPI").advisories([python_record()])
    result = scan(inventory(URLLIB3, owners={URLLIB3: "pkg:maven/g/a@1"}), StoredAdvisories(writer.store))
    assert len(result.findings) == 1
