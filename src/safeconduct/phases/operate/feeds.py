"""Advisory data, brought up to date: whatever feeds a place holds, read and recorded."""

from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from safeconduct.capabilities.vulnerabilities.feed import open_feeds
from safeconduct.foundation.http import HttpFetch
from safeconduct.intake.feeds import FeedReport, record_feed
from safeconduct.phases.authority import Authority


class Update(msgspec.Struct, frozen=True):
    """What one feed brought, and what of it could not be read."""

    feed: str
    as_of: str
    report: FeedReport
    problems: tuple[str, ...] = ()


def update(
    authority: Authority,
    location: str,
    *,
    ecosystems: Collection[str] = (),
    on_progress: Callable[[int], None] | None = None,
) -> tuple[Update, ...]:
    """Return what each feed at ``location`` brought: a folder, a zip, a JSON advisory, or a URL of an OSV export.

    Raises:
        BadUsage: ``no-feed``; Undecided: it cannot be reached, or the store is busy. What was taken in stays.
    """
    now = authority.clock()
    done = []
    with authority.graph() as store:
        for reading in open_feeds(
            location, now=now, work=Path(authority.settings.store).parent, fetch=HttpFetch(), ecosystems=ecosystems
        ):
            records = ((record.name, record.data) for record in reading.records())
            report = record_feed(store, at=now, feed=reading, records=records, on_progress=on_progress)
            feed = reading.feed
            problems = tuple(f"{p.path}: {p.reason}" for p in reading.problems)
            done.append(Update(feed.id, feed.as_of, report, problems))
    return tuple(done)
