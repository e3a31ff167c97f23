"""What cases are run on: real data that other people wrote, and generated graphs that are kept for the next run."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from figures import ROOT
from measure import Absent
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.vulnerabilities.feed import open_feeds
from safeconduct.foundation.http import HttpFetch
from safeconduct.foundation.store import Store
from safeconduct.intake import estate
from safeconduct.intake.feeds import record_feed

FOLDER = ROOT / "build" / "bench"
AT = 1_700_000_000_000_000
"""When the first generated release was built."""

_WRITERS = ("intake", "capabilities/graph", "capabilities/sbom", "capabilities/vulnerabilities", "foundation", "model")


def data_folder() -> Path:
    """Return the folder of real data.

    Raises:
        Absent: it is not there.
    """
    folder = Path(os.environ.get("SAFECONDUCT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        raise Absent(f"no real data at {folder} (set SAFECONDUCT_DATA)")
    return folder


def read_packed(path: str) -> Any:
    """Return the value of a ``.json.zst`` file of the real data."""
    with (data_folder() / path).open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
        return json.loads(raw.read())


def read_packed_lines(path: str) -> Iterator[Any]:
    """Yield the values of a ``.jsonl.zst`` file of the real data."""
    with (data_folder() / path).open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
        for line in io.TextIOWrapper(raw, "utf-8"):
            yield json.loads(line)


def estate_of(releases: int) -> Path:
    """Return the file of a generated estate; made once for each state of the code that writes it."""

    def fill(store: Store) -> None:
        estate.generate(store, releases=releases, at=AT)

    return _kept(f"estate-{releases}", fill)


def advisories_of(*ecosystems: str) -> Path:
    """Return the file of a graph with the real advisories of ``ecosystems``, from both folders of the real data."""
    data = data_folder()

    def fill(store: Store) -> None:
        for folder in ("osv-converted", "osv"):  # of an id in both, the original counts
            here = [name for name in ecosystems if (data / folder / name / "all.zip").is_file()]
            for reading in open_feeds(str(data / folder), now=AT * 2, work=FOLDER, fetch=HttpFetch(), ecosystems=here):
                records = ((record.name, record.data) for record in reading.records())
                record_feed(store, at=AT, feed=reading, records=records)

    return _kept("advisories", fill)


def _kept(name: str, fill: Callable[[Store], None]) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}-{_writers()}.db"
    if not path.is_file():
        for old in FOLDER.glob(f"{name}-????????????.db*"):
            old.unlink()
        unfinished = FOLDER / f"{name}.new"
        for left in FOLDER.glob(f"{name}.new*"):
            left.unlink()
        with open_graph(unfinished) as store:
            fill(store)
        # The last connection to close has taken the log into the file.
        shutil.move(unfinished, path)
    return path


def _writers() -> str:
    """Return a digest of the code that writes graphs: another one writes another graph."""
    content = hashlib.sha256()
    for folder in _WRITERS:
        for file in sorted((ROOT / "src" / "safeconduct" / folder).rglob("*")):
            if file.suffix in {".py", ".sql"}:
                content.update(file.read_bytes())
    return content.hexdigest()[:12]
