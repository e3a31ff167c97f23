import io
import json
import zipfile

import pytest

from safeconduct.capabilities.vulnerabilities.feed import open_feeds
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import BadUsage, Refused, Undecided
from safeconduct.model.limits import LIMITS

NOW = from_rfc3339("2026-11-23T12:00:00Z")


def record(record_id, ecosystem="npm", modified="2026-11-01T00:00:00Z"):
    affected = [{"package": {"ecosystem": ecosystem, "name": "a"}, "versions": ["1.0.0"]}]
    return json.dumps({"id": record_id, "modified": modified, "affected": affected}).encode()


def archive(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return file.getvalue()


def read(location, **options):
    found = []
    for reading in open_feeds(str(location), now=NOW, **options):
        records = list(reading.records())
        found.append((reading, records))
    return found


def export(folder, **ecosystems):
    for name, members in ecosystems.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "all.zip").write_bytes(archive(members))
    return folder


class Mirror:
    """A mirror that answers from a dict; what it was asked is kept."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def save(self, url, file, *, max_bytes):
        self.asked.append(url)
        if url not in self.answers:
            raise Undecided("fetch-failed", url)
        file.write(self.answers[url])


def test_an_export_is_one_feed_for_each_ecosystem(tmp_path):
    export(tmp_path, npm={"A.json": record("A")}, PyPI={"B.json": record("B", "PyPI"), "C.json": record("C", "PyPI")})
    feeds = [(reading.feed.id, reading.feed.covers, len(records)) for reading, records in read(tmp_path)]
    assert feeds == [("osv/PyPI", ("PyPI",), 2), ("osv/npm", ("npm",), 1)]


def test_only_the_named_ecosystems_are_read_and_an_unknown_one_is_named(tmp_path):
    export(tmp_path, npm={"A.json": record("A")}, PyPI={"B.json": record("B", "PyPI")})
    assert [reading.id for reading, _ in read(tmp_path, ecosystems=["npm"])] == ["osv/npm"]
    with pytest.raises(BadUsage) as refused:
        read(tmp_path, ecosystems=["Go"])
    assert "no Go" in refused.value.why


def test_a_zip_named_all_lies_in_the_folder_of_its_ecosystem(tmp_path):
    export(tmp_path, npm={"A.json": record("A")})
    assert read(tmp_path / "npm" / "all.zip")[0][0].feed.covers == ("npm",)
    assert read(tmp_path / "npm")[0][0].feed.covers == ("npm",)


def test_an_archive_of_another_name_covers_nothing(tmp_path):
    (tmp_path / "mine.zip").write_bytes(archive({"A.json": record("A")}))
    reading, records = read(tmp_path / "mine.zip")[0]
    assert (reading.feed.covers, len(records)) == ((), 1)


def test_an_empty_export_covers_nothing(tmp_path):
    export(tmp_path, npm={})
    assert read(tmp_path)[0][0].feed.covers == ()


def test_a_distribution_covers_the_releases_its_records_name(tmp_path):
    members = {f"{n}.json": record(f"D-{n}", f"Debian:{n}") for n in (11, 12)}
    export(tmp_path, Debian=members | {"x.json": record("X", "npm")})
    assert read(tmp_path)[0][0].feed.covers == ("Debian:11", "Debian:12")


def test_the_date_of_an_export_is_its_newest_date_that_can_be_true(tmp_path):
    dates = [
        "0001-01-01T00:00:00Z",
        "2027-07-09T00:00:00Z",
        "2026-05-01T10:00:00+02:00",
        "2025-01-01T00:00:00Z",
        "soon",
    ]
    export(tmp_path, npm={f"{n}.json": record(f"A-{n}", modified=date) for n, date in enumerate(dates)})
    assert read(tmp_path)[0][0].feed.as_of == "2026-05-01T08:00:00Z"


def test_without_a_true_date_the_date_is_unknown(tmp_path):
    export(tmp_path, npm={"A.json": record("A", modified="0001-01-01T00:00:00Z")})
    assert read(tmp_path)[0][0].feed.as_of == ""


def test_a_broken_record_is_reported_and_the_others_are_read(tmp_path):
    members = {"A.json": record("A"), "B.json": b"{", "C.json": b"[]", "readme.txt": b"x", "D.json": record("D")}
    export(tmp_path, npm=members)
    reading, records = read(tmp_path)[0]
    assert [r.advisory.id for r in records] == ["A", "D"]
    assert [p.path for p in reading.problems] == ["B.json", "C.json"]


def test_a_record_with_a_flipped_byte_in_the_archive_is_reported(tmp_path):
    data = bytearray(archive({"A.json": record("A") * 50, "B.json": record("B")}))
    data[40] ^= 0xFF
    (tmp_path / "npm").mkdir()
    (tmp_path / "npm" / "all.zip").write_bytes(data)
    reading, records = read(tmp_path)[0]
    assert [r.advisory.id for r in records] == ["B"]
    assert [p.path for p in reading.problems] == ["A.json"]


@pytest.mark.parametrize("data", [b"", b"PK", b"\0" * 1000, archive({"A.json": record("A")})[:-10]])
def test_an_archive_that_is_none_cannot_be_told(tmp_path, data):
    (tmp_path / "npm").mkdir()
    (tmp_path / "npm" / "all.zip").write_bytes(data)
    with pytest.raises(Undecided) as refused:
        read(tmp_path)
    assert refused.value.id == "feed-unreadable"


def test_an_archive_that_unpacks_without_end_is_stopped(tmp_path):
    export(tmp_path, npm={f"{n}.json": b" " * LIMITS.advisory for n in range(6)})
    with pytest.raises(Undecided) as refused:
        read(tmp_path)
    assert refused.value.id == "feed-unreadable"


def test_a_record_above_the_limit_is_reported(tmp_path):
    export(tmp_path, npm={"A.json": b" " * (LIMITS.advisory + 1), "B.json": record("B")})
    reading, records = read(tmp_path)[0]
    assert ([p.path for p in reading.problems], len(records)) == (["A.json"], 1)


def own_form(**changes):
    manifest = {"id": "mine", "as_of": "2026-11-20T00:00:00Z", "covers": ["pkg:npm/a"], "license": "MIT"} | changes
    return json.dumps(manifest).encode()


@pytest.mark.parametrize("packed", [False, True])
def test_our_own_form_says_what_it_covers(tmp_path, packed):
    members = {"feed.json": own_form(), "A.json": record("A", modified="2026-11-22T00:00:00Z")}
    if packed:
        (tmp_path / "feed.zip").write_bytes(archive(members))
    else:
        for name, data in members.items():
            (tmp_path / name).write_bytes(data)
    reading, records = read(tmp_path / "feed.zip" if packed else tmp_path)[0]
    feed = reading.feed
    assert (feed.id, feed.as_of, feed.covers) == ("mine", "2026-11-20T00:00:00Z", ("pkg:npm/a",))
    assert (feed.license, len(records), reading.problems) == ("MIT", 1, [])


def test_a_feed_from_the_future_is_of_today(tmp_path):
    (tmp_path / "feed.json").write_bytes(own_form(as_of="2099-01-01T00:00:00Z"))
    assert read(tmp_path)[0][0].feed.as_of == "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", own_form(as_of="yesterday"), own_form(as_of="2026-01-01"), own_form(id=" "), b"[" * 9999],
)
def test_a_feed_json_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "feed.json").write_bytes(text)
    with pytest.raises(Refused) as refused:
        read(tmp_path)
    assert refused.value.id == "feed-malformed"


def test_loose_advisories_are_news_and_cover_nothing(tmp_path):
    (tmp_path / "A.json").write_bytes(record("A"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "B.json").write_bytes(record("B"))
    (tmp_path / "link.json").symlink_to(tmp_path / "A.json")
    reading, records = read(tmp_path)[0]
    assert ([r.advisory.id for r in records], reading.feed.covers) == (["A", "B"], ())
    assert [p.path for p in reading.problems] == ["link.json"]
    assert [r.advisory.id for r in read(tmp_path / "A.json")[0][1]] == ["A"]


@pytest.mark.parametrize("name", ["nowhere", "empty", "text.txt"])
def test_what_is_no_feed_is_bad_usage(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x")
    with pytest.raises(BadUsage) as refused:
        read(tmp_path / name)
    assert refused.value.id == "no-feed"


def test_a_mirror_is_read_by_its_own_list_of_ecosystems(tmp_path):
    base = "https://mirror.example/osv"
    mirror = Mirror(
        {
            f"{base}/ecosystems.txt": b"npm\nRocky Linux\nRocky Linux:9\n[EMPTY]\n",
            f"{base}/npm/all.zip": archive({"A.json": record("A")}),
            f"{base}/Rocky%20Linux/all.zip": archive({"B.json": record("B", "Rocky Linux:9")}),
        }
    )
    found = read(base + "/", fetch=mirror, work=tmp_path)
    assert [reading.feed.covers for reading, _ in found] == [("Rocky Linux:9",), ("npm",)]
    assert list(tmp_path.iterdir()) == []


def test_one_archive_or_advisory_can_be_fetched():
    mirror = Mirror(
        {"https://m.example/npm/all.zip": archive({"A.json": record("A")}), "https://m.example/X.json": record("X")}
    )
    assert read("https://m.example/npm/all.zip", fetch=mirror)[0][0].feed.covers == ("npm",)
    assert read("https://m.example/X.json", fetch=mirror)[0][1][0].advisory.id == "X"


def test_a_mirror_that_fails_is_not_an_empty_feed():
    with pytest.raises(Undecided):
        read("https://m.example/osv", fetch=Mirror({}))


def test_a_url_is_not_fetched_without_leave():
    with pytest.raises(BadUsage):
        read("https://m.example/osv")


def test_a_feed_says_what_it_covers_only_after_it_was_read(tmp_path):
    export(tmp_path, npm={"A.json": record("A")})
    with pytest.raises(RuntimeError):
        _ = next(open_feeds(str(tmp_path), now=NOW)).feed


def test_the_real_export_is_read_whole(shared_data):
    found = read(shared_data / "osv", ecosystems=["PyPI", "Go", "Debian"])
    feeds = {reading.id: reading.feed for reading, _ in found}
    assert [(reading.count, reading.problems) for reading, _ in found] == [(4, []), (4307, []), (7149, [])]
    assert feeds["osv/Debian"].covers[:1] == ("Debian:10",)
    assert feeds["osv/PyPI"].as_of.startswith("2026-")
    # Of 4,307 Go records only the few GHSA ones carry a true date.
    assert feeds["osv/Go"].as_of < "2027"
