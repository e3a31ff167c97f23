"""The store: one SQLite file in WAL mode, asked through named statements only.

Every write happens inside ``transaction()``; it takes the write lock at its start, so two writers queue and none
is refused half-way. Readers never wait.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import Statement

Row = tuple[Any, ...]
_WAIT_SECONDS = 30


class Store:
    """An open store. Not shared between threads: each opens its own."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._depth = 0
        self.path = path

    def rows(self, statement: Statement, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a reading statement."""
        return self._execute(statement, params).fetchall()

    def row(self, statement: Statement, params: Mapping[str, Any] | None = None) -> Row | None:
        """Return the first row of a reading statement, or None."""
        row: Row | None = self._execute(statement, params).fetchone()
        return row

    def run(self, statement: Statement, params: Mapping[str, Any] | None = None) -> int:
        """Run a writing statement inside a transaction; return how many rows it changed."""
        self._must_be_in_transaction(statement)
        return self._execute(statement, params).rowcount

    def run_many(self, statement: Statement, params: Iterable[Mapping[str, Any]]) -> None:
        """Run a writing statement once for each set of parameters."""
        self._must_be_in_transaction(statement)
        self._connection.executemany(statement.sql, params)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or nothing of it; an inner transaction joins the outer."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._begin()
        self._depth = 1
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._depth = 0

    def script(self, sql: str) -> None:
        """Run the schema's own statements, outside any transaction."""
        self._connection.executescript(sql)

    def close(self) -> None:
        """Close the file. Whatever was not committed is gone."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _execute(self, statement: Statement, params: Mapping[str, Any] | None) -> sqlite3.Cursor:
        return self._connection.execute(statement.sql, params or {})

    def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise Undecided(
                "store-busy",
                f"the store {self.path} is being written by someone else",
                why=f"waited {_WAIT_SECONDS} seconds for its write lock ({error})",
                next_step="run the command again when the other writer has finished",
            ) from error

    def _must_be_in_transaction(self, statement: Statement) -> None:
        if not self._depth:
            raise RuntimeError(f"statement {statement.name} writes outside a transaction")


def connect(path: Path, *, must_exist: bool = False) -> Store:
    """Return the store at ``path``; its folder is made when missing, its schema is not.

    Raises:
        Undecided: ``no-store`` when it must exist and does not, or the file cannot be opened.
    """
    if must_exist and not path.exists():
        raise Undecided(
            "no-store",
            f"there is no graph at {path}",
            why="nothing has been recorded yet, or the setting 'store' names another file",
            next_step="safeconduct db update FEED, or safeconduct config to see where 'store' comes from",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise Undecided(
            "store-unreadable",
            f"the store {path} cannot be opened",
            why=str(error),
            next_step="check that it is a Safeconduct store and that you may read and write it",
        ) from error
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = OFF")
    return Store(connection, path)
