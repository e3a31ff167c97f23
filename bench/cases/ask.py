"""Asking: the demo's questions over 1,000 and 10,000 generated releases, now and as of the estate's middle."""

import sqlite3
from pathlib import Path

from figures import Figure
from kept import AT, estate_of
from measure import cpu_of, peak_memory
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.cli.demo.estate import MINUTE, questions_of
from safeconduct.intake.estate import name_count

SIZES = (1_000, 10_000)
PROTOTYPE = {
    "popular": ("8.7 (measured prototype, 7610 rows)", "7.4 (measured prototype, 6098 rows)"),
    "rare": ("0.020 (measured prototype, 12 rows)", "0.019 (measured prototype, 9 rows)"),
    "reaches": ("0.039 (measured prototype, places only)", "0.035 (measured prototype, places only)"),
    "digest": ("0.036 (measured prototype, findings only)", "0.040 (measured prototype, findings only)"),
}
"""What a prototype of the tables alone took at 10,000 releases, rows not put into words: now, as of."""

NAMES = ("popular", "rare", "reaches", "path", "digest", "upgrades")
FILE_MARK = "90.3 (measured prototype)"


def figures() -> list[Figure]:
    return [figure for size in SIZES for figure in [*_questions(size), *_file(size)]] + [
        Figure("ask.memory", peak_memory(), "MiB", "", "peak of the process that asked all of them")
    ]


def _questions(size: int) -> list[Figure]:
    found = []
    with open_graph(estate_of(size), must_exist=True) as store:
        asked = questions_of(store, middle=AT + size // 2 * MINUTE, names=name_count(size))
        for name, question in zip(NAMES, asked, strict=True):
            marks = PROTOTYPE.get(name, ("", "")) if size == SIZES[-1] else ("", "")
            for when, then, mark in (("now", {}, marks[0]), ("as-of", question.then, marks[1])):
                rows = question.rows(question.ask(store, **then))
                spread = cpu_of(lambda question=question, then=then: question.ask(store, **then))
                context = f"{question.name.split()[0]}: {rows:,} rows; {spread.text()}"
                found.append(Figure(f"ask.{size}.{name}.{when}.cpu", spread.median * 1e3, "ms", mark, context))
    return found


def _file(size: int) -> list[Figure]:
    file = estate_of(size)
    apart = _bytes_of(file, "blob") + _bytes_of(file, "sqlite_autoindex_blob_1")
    whole = file.stat().st_size
    mark = FILE_MARK if size == SIZES[-1] else ""
    return [
        Figure(
            f"ask.{size}.file", (whole - apart) / 1e6, "MB", mark, "the graph's file without the documents kept in it"
        ),
        Figure(f"ask.{size}.documents", apart / 1e6, "MB", "", "the documents, verbatim and compressed"),
    ]


def _bytes_of(file: Path, table: str) -> int:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return int(
            connection.execute("SELECT COALESCE(SUM(pgsize), 0) FROM dbstat WHERE name = ?", [table]).fetchone()[0]
        )
