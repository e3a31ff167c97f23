"""Feeds: where advisories come from, what they cover, and as of when.

Three forms are read. The public OSV export, or any mirror of it: ``<base>/<Ecosystem>/all.zip``, in a folder or under
a URL; one such zip. Our own small form: a folder or zip with ``feed.json`` beside the advisories. Loose advisories: one
``.json`` file or a folder of them; those are news about some packages and cover nothing.

``as_of`` of an export is the newest ``modified`` that can be true: some records are dated in the year 1, some in a
future year, and a file's own time only says when it was copied. Empty means that nothing said it.
"""

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol
from urllib.parse import quote

import msgspec

from safeconduct.capabilities.vulnerabilities.distributions import is_distribution
from safeconduct.capabilities.vulnerabilities.feed_source import FileSource, FolderSource, RecordSource, ZipSource
from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.foundation.clock import from_rfc3339, to_rfc3339
from safeconduct.foundation.errors import BadUsage, Refused
from safeconduct.model.advisory import Advisory
from safeconduct.model.component import Unread
from safeconduct.model.finding import Feed

_ARCHIVE = "all.zip"
_MANIFEST = "feed.json"
_MAX_ARCHIVE = 2 * 1024**3
_MAX_LIST = 1024 * 1024
_EARLIEST = from_rfc3339("2000-01-01T00:00:00Z")
_NO_PACKAGE = "[EMPTY]"
_LICENSES = {
    "PyPI": "CC-BY-4.0",
    "Go": "CC-BY-4.0",
    "npm": "CC-BY-4.0",
    "Maven": "CC-BY-4.0",
    "NuGet": "CC-BY-4.0",
    "RubyGems": "CC-BY-4.0",
    "Packagist": "CC-BY-4.0",
    "OSS-Fuzz": "CC-BY-4.0",
    "crates.io": "CC0-1.0 AND CC-BY-4.0",
    "Hackage": "CC0-1.0",
    "opam": "CC0-1.0",
    "AlmaLinux": "MIT",
    "Bitnami": "Apache-2.0",
    "CRAN": "Apache-2.0",
    "Ubuntu": "CC-BY-SA-4.0",
    "Alpine": "CC-BY-SA-4.0",
}
"""Licences of the databases behind the public export, as their repositories state them."""


class Fetch(Protocol):
    """How bytes come over the network; ``foundation.http.HttpFetch`` is one."""

    def save(self, url: str, file: BinaryIO, *, max_bytes: int) -> None:
        """Write what ``url`` answers into ``file``; raise rather than exceed ``max_bytes``."""
        ...


class Record(msgspec.Struct, frozen=True):
    """One advisory of a feed; ``data`` is its document, verbatim."""

    name: str
    data: bytes
    advisory: Advisory


class Manifest(msgspec.Struct, frozen=True):
    """What ``feed.json`` says."""

    id: str
    as_of: str
    covers: tuple[str, ...]
    license: str = ""
    attribution: str = ""


class FeedReading:
    """One feed while it is read: iterate ``records`` to the end, then ``feed`` says what was there.

    Attributes:
        problems: what could not be read so far; the other records are not lost by it.
        count: how many advisories were read so far.
    """

    def __init__(
        self, records: RecordSource, *, now: int, source: str, ecosystem: str = "", manifest: Manifest | None = None
    ) -> None:
        self._records = records
        self._now = now
        self._source = source
        self._ecosystem = ecosystem
        self._manifest = manifest
        self._newest: int | None = None
        self._covers: set[str] = set()
        self._ended = False
        self.problems: list[Unread] = []
        self.count = 0

    @property
    def id(self) -> str:
        """The feed's id: its own, else ``osv/<Ecosystem>``, else ``loose``."""
        if self._manifest is not None:
            return self._manifest.id
        return f"osv/{self._ecosystem}" if self._ecosystem else "loose"

    def records(self) -> Iterator[Record]:
        """Yield the advisories. What is none goes to ``problems``."""
        for member in self._records.members():
            if isinstance(member, Unread):
                self.problems.append(member)
                continue
            name, data = member
            if name == _MANIFEST and self._manifest is not None:
                continue
            try:
                advisory = parse_advisory(data)
            except Refused as error:
                self.problems.append(Unread(name, error.why))
                continue
            self.count += 1
            self._note(advisory)
            yield Record(name, data, advisory)
        self._ended = True

    @property
    def feed(self) -> Feed:
        """What the feed says of itself, after ``records`` was read to its end.

        Raises:
            RuntimeError: before that; what a feed covers is only known when it was read whole.
        """
        if not self._ended:
            raise RuntimeError("the feed has not been read to its end")
        own = self._manifest
        if own is not None:
            # A date in the future is a claim to be fresher than can be: it counts as today.
            as_of = to_rfc3339(min(from_rfc3339(own.as_of), self._now))
            return Feed(own.id, as_of, own.covers, own.license, own.attribution, self._source)
        words = tuple(sorted(self._covers))
        licence = _LICENSES.get(self._ecosystem, "")
        attribution = f"OSV export of {self._ecosystem}" if self._ecosystem else ""
        as_of = "" if self._newest is None else to_rfc3339(self._newest)
        return Feed(self.id, as_of, words, licence, attribution, self._source)

    def _note(self, advisory: Advisory) -> None:
        modified = _instant(advisory.modified)
        if modified is not None and _EARLIEST <= modified <= self._now:
            self._newest = max(modified, self._newest or modified)
        if not self._ecosystem or self._ecosystem == _NO_PACKAGE:
            return
        if is_distribution(self._ecosystem):
            named = {a.package.ecosystem for a in advisory.affected or () if a.package}
            self._covers |= {e for e in named if e.partition(":")[0] == self._ecosystem}
        else:
            self._covers.add(self._ecosystem)


def open_feeds(
    location: str,
    *,
    now: int,
    work: Path | None = None,
    fetch: Fetch | None = None,
    ecosystems: Collection[str] = (),
) -> Iterator[FeedReading]:
    """Yield the feeds at ``location``, one for each ecosystem of an export; read each before taking the next.

    Args:
        location: a path, or the URL of an export's base folder, of a zip or of one advisory.
        now: microseconds since 1970; nothing counts as newer.
        work: folder for what is downloaded, for as long as it is read; the system's own by default.
        fetch: needed for a URL.
        ecosystems: only these of an export; all it has by default.

    Raises:
        BadUsage: ``no-feed`` when nothing there is a feed, or a named ecosystem is not.
        Refused: ``feed-malformed`` for a ``feed.json`` that is none.
        Undecided: ``feed-unreadable``, or what ``fetch`` raises.
    """
    if location.startswith(("http://", "https://")):
        if fetch is None:
            _no_feed(location, "it is a URL, and fetching is not allowed here")
        yield from _remote(location, now, work, fetch, ecosystems)
        return
    path = Path(location)
    if path.is_dir():
        yield from _folder(path, now, ecosystems)
    elif path.is_file() and path.suffix == ".zip":
        yield _zip(path, path, now, _ecosystem_of(path.as_posix()))
    elif path.is_file() and path.suffix == ".json":
        yield FeedReading(FileSource(path), now=now, source=location)
    else:
        _no_feed(location, "it is neither a folder, a .zip nor a .json file")


def _folder(path: Path, now: int, ecosystems: Collection[str]) -> Iterator[FeedReading]:
    if (path / _MANIFEST).is_file() or (path / _ARCHIVE).is_file():
        yield _one_folder(path, now)
        return
    archives = {archive.parent.name: archive for archive in sorted(path.glob(f"*/{_ARCHIVE}"))}
    if archives:
        for name in _chosen(archives, ecosystems, str(path)):
            yield _zip(archives[name], archives[name], now, name)
    elif next(path.rglob("*.json"), None) is not None:
        yield FeedReading(FolderSource(path), now=now, source=str(path))
    else:
        _no_feed(str(path), f"the folder holds no {_MANIFEST}, no */{_ARCHIVE} and no .json file")


def _one_folder(path: Path, now: int) -> FeedReading:
    if not (path / _MANIFEST).is_file():
        return _zip(path / _ARCHIVE, path / _ARCHIVE, now, path.resolve().name)
    records = FolderSource(path)
    return FeedReading(records, now=now, source=str(path), manifest=_manifest(records, str(path)))


def _zip(file: BinaryIO | Path, label: Path | str, now: int, ecosystem: str) -> FeedReading:
    records = ZipSource(file, str(label))
    if records.find(_MANIFEST) is not None:
        return FeedReading(records, now=now, source=str(label), manifest=_manifest(records, str(label)))
    return FeedReading(records, now=now, source=str(label), ecosystem=ecosystem)


def _remote(url: str, now: int, work: Path | None, fetch: Fetch, ecosystems: Collection[str]) -> Iterator[FeedReading]:
    if url.endswith((".zip", ".json")):
        targets = {url: _ecosystem_of(url)}
    else:
        base = url.rstrip("/")
        names = ecosystems or _listed_at(base, fetch)
        targets = {f"{base}/{quote(name)}/{_ARCHIVE}": name for name in names}
    for target, ecosystem in targets.items():
        with tempfile.TemporaryDirectory(dir=work) as folder:
            saved = Path(folder) / ("feed" + Path(target).suffix)
            with saved.open("wb") as file:
                fetch.save(target, file, max_bytes=_MAX_ARCHIVE)
            if saved.suffix == ".json":
                yield FeedReading(FileSource(saved), now=now, source=url)
            else:
                yield _zip(saved, target, now, ecosystem)


def _listed_at(base: str, fetch: Fetch) -> list[str]:
    """The export's own list: one name a line, without release suffixes of distributions."""
    with tempfile.TemporaryFile() as file:
        fetch.save(f"{base}/ecosystems.txt", file, max_bytes=_MAX_LIST)
        file.seek(0)
        lines = file.read().decode("utf-8", "replace").splitlines()
    return sorted({line.strip().partition(":")[0] for line in lines if line.strip()} - {_NO_PACKAGE})


def _chosen(archives: Collection[str], ecosystems: Collection[str], location: str) -> list[str]:
    missing = sorted(set(ecosystems) - set(archives))
    if missing:
        _no_feed(location, f"it has no {', '.join(missing)}; it has {', '.join(sorted(archives))}")
    return sorted(set(ecosystems) or archives)


def _ecosystem_of(path: str) -> str:
    """The ecosystem of ``.../PyPI/all.zip``; empty for a zip of another name, which then covers nothing."""
    parts = path.split("/")
    return parts[-2] if parts[-1] == _ARCHIVE and len(parts) > 1 else ""


def _manifest(records: RecordSource, location: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(records.find(_MANIFEST) or b"", type=Manifest)
        from_rfc3339(manifest.as_of)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _malformed(location, str(error))
    if not manifest.id.isprintable() or not manifest.id.strip():
        _malformed(location, "its id is empty or not printable")
    return manifest


def _instant(text: str) -> int | None:
    try:
        return from_rfc3339(text)
    except (ValueError, OverflowError):
        return None


def _malformed(location: str, why: str) -> NoReturn:
    raise Refused(
        "feed-malformed",
        f"the {_MANIFEST} of {location} does not describe a feed",
        why=why,
        next_step='write {"id": …, "as_of": RFC 3339 time, "covers": [ecosystems or purls without version]}',
    )


def _no_feed(location: str, why: str) -> NoReturn:
    raise BadUsage(
        "no-feed",
        f"there is no feed of advisories at {location}",
        why=why,
        next_step="name an OSV export (its folder, its URL or one all.zip), a folder with feed.json, or one .json",
    )
