import itertools

import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.intake.feeds import record_feed
from safeconduct.model.finding import Feed, Level
from simulators.releases import MINUTE, T0, advisory, dump, feed, inventory, put, release, see

HELD = inventory("web@1.0.0", "left@1.0.0", edges=[("web@1.0.0", "left@1.0.0")])


def met(store, version: str = "1.0", **moment) -> list[tuple[str, str, str | None]]:
    found = ask.digest(store, release(version).digest, **moment).findings
    return [(f.advisory.id, f.purl, f.fixed) for f in found]


HIT = [("GHSA-1", "pkg:npm/left@1.0.0", "1.2.0")]


def test_a_new_advisory_finds_the_releases_that_hold_the_package(store):
    put(store, "1.0", HELD, at=T0)
    report = feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0 + MINUTE)
    assert (report.read, report.new, report.releases) == (1, 1, (release("1.0").digest,))
    assert met(store) == HIT
    assert met(store, as_of=T0 + MINUTE // 2) == []
    assert met(store, as_of=T0 + MINUTE // 2, known=T0 + 2 * MINUTE) == HIT


def test_a_new_release_meets_the_advisories_that_are_known(store):
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0)
    put(store, "1.0", HELD, at=T0 + MINUTE)
    put(store, "1.1", inventory("web@1.0.0", "left@1.2.0"), at=T0 + 2 * MINUTE)
    assert met(store) == HIT
    assert met(store, "1.1") == []


def test_a_finding_ends_with_the_release_that_repairs_it(store):
    put(store, "1.0", HELD, at=T0)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0 + MINUTE)
    put(store, "1.1", inventory("web@1.0.0", "left@1.2.0"), at=T0 + 2 * MINUTE)
    put(store, "1.2", HELD, at=T0 + 3 * MINUTE)
    assert [met(store, version) for version in ("1.0", "1.1", "1.2")] == [HIT, [], HIT]


def test_a_withdrawn_advisory_leaves_the_findings_of_before(store):
    put(store, "1.0", HELD, at=T0)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0 + MINUTE)
    gone = advisory("GHSA-1", "left", fixed="1.2.0", withdrawn="2026-02-01T00:00:00Z", modified="2026-02-01T00:00:00Z")
    report = feed(store, gone, at=T0 + 2 * MINUTE)
    assert (report.withdrawn, report.releases) == (1, (release("1.0").digest,))
    assert met(store) == []
    assert met(store, as_of=T0 + MINUTE + MINUTE // 2) == HIT
    assert ask.reaches(store, "GHSA-1").advisories[0].withdrawn
    assert not ask.reaches(store, "GHSA-1", as_of=T0 + MINUTE + MINUTE // 2).advisories[0].withdrawn


def test_a_changed_text_closes_what_it_no_longer_says_and_opens_what_it_says_now(store):
    put(store, "1.0", HELD, at=T0)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0 + MINUTE)
    feed(store, advisory("GHSA-1", "left", fixed="1.3.0", modified="2026-02-01T00:00:00Z"), at=T0 + 2 * MINUTE)
    assert met(store) == [("GHSA-1", "pkg:npm/left@1.0.0", "1.3.0")]
    assert met(store, as_of=T0 + MINUTE + 9) == HIT
    feed(store, advisory("GHSA-1", "web", fixed="1.3.0", modified="2026-03-01T00:00:00Z"), at=T0 + 3 * MINUTE)
    assert met(store) == [("GHSA-1", "pkg:npm/web@1.0.0", "1.3.0")]
    assert met(store, as_of=T0 + MINUTE + 9) == HIT


def test_a_range_that_was_taken_back_meets_no_new_release(store):
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0)
    feed(store, advisory("GHSA-1", "web", fixed="1.3.0", modified="2026-03-01T00:00:00Z"), at=T0 + MINUTE)
    put(store, "1.0", HELD, at=T0 + 2 * MINUTE)
    assert met(store) == [("GHSA-1", "pkg:npm/web@1.0.0", "1.3.0")]


def test_an_older_text_never_replaces_a_newer_one(store):
    put(store, "1.0", HELD, at=T0)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0", modified="2026-02-01T00:00:00Z"), at=T0 + MINUTE)
    before = dump(store)
    report = feed(store, advisory("GHSA-1", "left", modified="2026-01-01T00:00:00Z"), at=T0 + 2 * MINUTE)
    assert report.unchanged == 1
    assert {t: r for t, r in dump(store).items() if t != "blob"} == {t: r for t, r in before.items() if t != "blob"}


def test_the_same_feed_twice_changes_nothing(store):
    put(store, "1.0", HELD, at=T0)
    records = [advisory("GHSA-1", "left", fixed="1.2.0"), advisory("GHSA-2", "web")]
    feed(store, *records, at=T0 + MINUTE)
    before = dump(store)
    assert feed(store, *records, at=T0 + 2 * MINUTE).unchanged == 2
    assert dump(store) == before


def test_a_record_that_is_no_advisory_is_named_and_the_others_are_taken_in(store):
    put(store, "1.0", HELD, at=T0)
    report = feed(store, b"{", b"\xff", b"[]", advisory("GHSA-1", "left", fixed="1.2.0"), at=T0 + MINUTE)
    assert [name for name, _ in report.refused] == ["0.json", "1.json", "2.json"]
    assert met(store) == HIT


def test_an_id_twice_in_one_feed_is_two_changes_in_order(store):
    put(store, "1.0", HELD, at=T0)
    first = advisory("GHSA-1", "left")
    second = advisory("GHSA-1", "left", fixed="1.2.0", modified="2026-02-01T00:00:00Z")
    feed(store, first, second, at=T0 + MINUTE)
    assert met(store) == HIT


def test_of_two_texts_in_one_feed_the_newer_counts_whatever_their_order(store):
    put(store, "1.0", HELD, at=T0)
    newer = advisory("GHSA-1", "left", fixed="1.2.0", modified="2026-02-01T00:00:00Z")
    feed(store, newer, advisory("GHSA-1", "left"), at=T0 + MINUTE)
    assert met(store) == HIT


def test_a_new_release_with_a_malicious_package_of_no_version_is_met(store):
    feed(store, advisory("MAL-1", "evil"), at=T0)
    put(store, "1.0", inventory("web@1.0.0", "evil"), at=T0 + MINUTE)
    assert met(store) == [("MAL-1", "pkg:npm/evil", None)]


def test_a_malicious_package_is_met_without_any_version(store):
    """An unresolved requirement has no version; an advisory on every version still means it."""
    put(store, "1.0", inventory("web@1.0.0", "evil"), at=T0)
    feed(store, advisory("MAL-1", "evil"), at=T0 + MINUTE)
    assert met(store) == [("MAL-1", "pkg:npm/evil", None)]


def test_aliases_lead_to_the_advisory_and_follow_its_text(store):
    feed(store, advisory("GHSA-1", "left", aliases=["CVE-1"]), at=T0)
    assert [a.id for a in ask.reaches(store, "CVE-1").advisories] == ["GHSA-1"]
    feed(store, advisory("GHSA-1", "left", aliases=["CVE-2"], modified="2026-02-01T00:00:00Z"), at=T0 + MINUTE)
    assert not ask.reaches(store, "CVE-1").advisories
    assert ask.reaches(store, "CVE-1").gaps
    assert [a.id for a in ask.reaches(store, "CVE-2").advisories] == ["GHSA-1"]


def test_severity_is_as_it_was_in_force(store):
    put(store, "1.0", HELD, at=T0)
    feed(store, advisory("GHSA-1", "left", severity=[]), at=T0 + MINUTE)
    feed(store, advisory("GHSA-1", "left", modified="2026-02-01T00:00:00Z"), at=T0 + 2 * MINUTE)
    digest = release("1.0").digest
    assert ask.digest(store, digest).findings[0].advisory.level is Level.CRITICAL
    assert ask.digest(store, digest, as_of=T0 + MINUTE + 9).findings[0].advisory.level is Level.UNKNOWN


def test_a_feed_covers_nothing_until_all_of_it_is_in(store, monkeypatch):
    """Stopped half-way, whole batches stand; run again, it is whole, and equal to one that was never stopped."""
    monkeypatch.setattr("safeconduct.intake.feeds._BATCH", 2)
    put(store, "1.0", HELD, at=T0)
    records = [(str(n), advisory(f"GHSA-{n}", "left", fixed="1.2.0")) for n in range(7)]
    said = Feed("osv", "2026-01-01T00:00:00Z", ("npm",))

    def stopped():
        yield from itertools.islice(records, 5)
        raise ConnectionError("the mirror went away")

    with pytest.raises(ConnectionError):
        record_feed(store, at=T0 + MINUTE, feed=said, records=stopped())
    assert dump(store)["feed"] == []
    assert len(met(store)) == 4
    told: list[int] = []
    report = record_feed(store, at=T0 + 2 * MINUTE, feed=said, records=records, on_progress=told.append)
    assert (report.new, report.unchanged) == (3, 4)
    assert told[-1] == 7
    assert len(met(store)) == 7
    assert len(dump(store)["feed"]) == 1


def test_one_event_for_each_line_that_a_batch_touches(store):
    put(store, "1.0", HELD, at=T0)
    put(store, "1.0", HELD, at=T0, name="other")
    put(store, "1.0", inventory("third@1.0.0"), at=T0, name="third")
    feed(store, advisory("GHSA-1", "left"), advisory("GHSA-2", "web"), at=T0 + MINUTE)
    assert sum(row[3] == "findings" for row in dump(store)["event"]) == 2


def test_reach_tells_releases_with_the_fix_and_where_they_run(store):
    put(store, "1.0", HELD, at=T0)
    put(store, "1.1", HELD, at=T0 + 1)
    see(store, release("1.1").digest, at=T0 + 2)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0", aliases=["CVE-1"]), at=T0 + MINUTE)
    found = ask.reaches(store, "CVE-1")
    assert (found.total, found.running) == (2, 1)
    assert [(r.release.version, len(r.places), r.findings[0].fixed) for r in found.releases] == [
        ("1.1", 1, "1.2.0"),
        ("1.0", 0, "1.2.0"),
    ]
    assert ask.reaches(store, "CVE-1", as_of=T0 + 9).total == 0


def test_reach_names_versions_that_cannot_be_compared(store):
    put(store, "1.0", inventory("web@1.0.0", "left@not-a-version"), at=T0)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0"), at=T0 + MINUTE)
    found = ask.reaches(store, "GHSA-1")
    assert found.total == 0
    assert "pkg:npm/left@not-a-version" in [gap.subject for gap in found.gaps]


def test_upgrades_name_the_version_that_repairs_everything(store):
    put(store, "1.0", HELD, at=T0)
    see(store, release("1.0").digest, at=T0 + 1)
    feed(
        store,
        advisory("GHSA-1", "left", fixed="1.2.0"),
        advisory("GHSA-2", "left", fixed="1.10.0"),
        advisory("GHSA-3", "web"),
        at=T0 + MINUTE,
    )
    found = {u.purl: (u.to, u.workloads) for u in ask.upgrades(store).upgrades}
    assert found == {"pkg:npm/left@1.0.0": ("1.10.0", 1), "pkg:npm/web@1.0.0": (None, 1)}
    assert ask.upgrades(store, as_of=T0 + 2).upgrades == ()
