"""A small writer of the advisory tables, so that matching is tested on a real store."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.vulnerabilities import listed, ranges
from safeconduct.capabilities.vulnerabilities.groups import ids_of
from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.capabilities.vulnerabilities.severity import level_of
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.statements import Statement
from safeconduct.foundation.store import Store
from safeconduct.model.digest import to_bytes
from safeconduct.model.finding import Feed

_INSERT = {
    "pkgname": ("name_id", "purl_base"),
    "advisory": ("advisory_id", "name", "doc", "severity", "withdrawn", "modified", "known_from"),
    "advisory_range": ("name_id", "lo", "advisory_id", "hi", "fixed"),
    "advisory_listed": ("name_id", "version", "advisory_id", "fixed"),
    "advisory_alias": ("alias", "advisory_id"),
    "feed": ("id", "as_of", "covers", "license", "attribution", "source", "doc", "known_from"),
}


class Writer:
    """Puts advisories and feeds into a store; ids are given in order of arrival."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._names: dict[str, int] = {}
        self._count = 0

    def feed(self, *covers: str, feed_id: str = "test") -> "Writer":
        feed = Feed(feed_id, "2026-11-01T00:00:00Z", covers)
        row = (feed.id, feed.as_of, json.dumps(covers), "", "", "", b"", 0)
        with self.store.transaction():
            self._insert("feed", [row])
        return self

    def advisories(self, documents: Iterable[bytes | dict]) -> "Writer":
        with self.store.transaction():
            rows: dict[str, list[tuple]] = {table: [] for table in _INSERT}
            for document in documents:
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self._collect(data, rows)
            for table, values in rows.items():
                self._insert(table, values)
        return self

    def _collect(self, data: bytes, rows: dict[str, list[tuple]]) -> None:
        advisory = parse_advisory(data)
        self._count += 1
        doc = to_bytes(TableDocuments(self.store).put_if_absent(data, "application/osv+json"))
        gone = int(bool(advisory.withdrawn))
        rows["advisory"].append((self._count, advisory.id, doc, level_of(advisory), gone, 0, 0))
        rows["advisory_alias"] += [(alias, self._count) for alias in ids_of(advisory)]
        for row in ranges.rows_of(advisory):
            rows["advisory_range"].append((self._name(row.name, rows), row.lo, self._count, row.hi, row.fixed))
        for line in listed.rows_of(advisory):
            rows["advisory_listed"].append((self._name(line.name, rows), line.version, self._count, line.fixed))

    def _name(self, base: str, rows: dict[str, list[tuple]]) -> int:
        if base not in self._names:
            self._names[base] = len(self._names) + 1
            rows["pkgname"].append((self._names[base], base))
        return self._names[base]

    def _insert(self, table: str, rows: Iterable[tuple]) -> None:
        columns = _INSERT[table]
        values = ", ".join(f":{c}" for c in columns)
        statement = Statement(table, "dictionary", f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})")
        self.store.run_many(statement, (dict(zip(columns, row, strict=True)) for row in rows))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """A writer into a fresh store."""
    with open_graph(tmp_path / "graph.db") as store:
        yield Writer(store)


def records(shared_data: Path, *archives: str) -> Iterator[bytes]:
    """The records of the named archives (``osv/PyPI``), as bytes; of an id that comes twice the first."""
    seen: set[str] = set()
    for archive in archives:
        with zipfile.ZipFile(shared_data / archive / "all.zip") as members:
            for name in members.namelist():
                if name not in seen:
                    seen.add(name)
                    yield members.read(name)


@pytest.fixture(scope="session")
def real_records(shared_data: Path) -> Callable[..., Iterator[bytes]]:
    """``records`` of the real data: give the names of archives."""
    return partial(records, shared_data)


@pytest.fixture(scope="session")
def real_store(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with all that the three matchers were given, PyPI, Go, crates.io, Maven and npm, and with Hackage."""
    ecosystems = ("PyPI", "Go", "crates.io", "Maven", "npm", "Hackage")
    both = [f"{top}/{e}" for e in ecosystems for top in ("osv", "osv-converted")]
    present = [a for a in both if (shared_data / a / "all.zip").exists()]
    with open_graph(tmp_path_factory.mktemp("real") / "graph.db") as store:
        writer = Writer(store).advisories(records(shared_data, *present))
        writer.feed(*ecosystems)
        yield store
