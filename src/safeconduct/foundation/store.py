"""The store: one SQLite file in WAL mode, asked through named statements only.

Every write happens inside ``transaction()``; it takes the write lock at its start, so two writers queue and none
is refused half-way. Readers never wait.
"""

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import Statement

Row = tuple[Any, ...]
_WAIT_SECONDS = 30
_OUTER = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_CACHED_STATEMENTS = 512
_SWITCH_ATTEMPTS = 500
_SWITCH_PAUSE = 0.01
_COMMENT = re.compile(r"--[^\n]*")


class Store:
    """An open store. Not shared between threads: each opens its own.

    Attributes:
        memory: what was read from this store and never changes once committed (names to ids); emptied whenever
            something is rolled back, because what was learnt inside may never have happened.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._depth = 0
        self.path = path
        self.memory: dict[str, Any] = {}

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
        """Commit what happens inside, or nothing of it; an inner transaction is undone alone, kept with the outer."""
        opening, keeping, undoing = _savepoint(self._depth) if self._depth else _OUTER
        self._begin(opening)
        self._depth += 1
        try:
            yield
            self._connection.execute(keeping)
        except BaseException as error:
            self.memory.clear()
            self._undo(undoing)
            if isinstance(error, sqlite3.OperationalError):
                raise self._failed(error) from error
            raise
        finally:
            self._depth -= 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all statements inside see one state of the store, whatever is written meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._undo(("ROLLBACK",))

    def define(self, sql: str) -> None:
        """Run a schema's own statements, each ended by a semicolon, inside the open transaction."""
        for part in _COMMENT.sub("", sql).split(";"):
            self._connection.execute(part)

    def close(self) -> None:
        """Close the file. Whatever was not committed is gone."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _execute(self, statement: Statement, params: Mapping[str, Any] | None) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement.sql, params or {})
        except sqlite3.OperationalError as error:
            raise self._failed(error) from error

    def _undo(self, undoing: tuple[str, ...]) -> None:
        # SQLite itself may have rolled back already (full disk, I/O error).
        if self._connection.in_transaction:
            for sql in undoing:
                self._connection.execute(sql)

    def _failed(self, error: sqlite3.Error) -> Undecided:
        return Undecided(
            "store-failed",
            f"the store {self.path} could not be read or written",
            why=str(error),
            next_step="check disk space and permissions; nothing of this step was kept, so run it again",
        )

    def _begin(self, opening: str) -> None:
        try:
            self._connection.execute(opening)
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


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # Two programs that open a new file at once: SQLite refuses the switch to one of them without waiting.
    for attempt in range(_SWITCH_ATTEMPTS):
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",):
                return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == _SWITCH_ATTEMPTS - 1:
                raise
        time.sleep(_SWITCH_PAUSE)


def _savepoint(depth: int) -> tuple[str, str, tuple[str, ...]]:
    name = f"inner_{depth}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")


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
        connection = sqlite3.connect(
            path,
            timeout=_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
        )
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    try:
        _use_write_ahead_log(connection)
    except sqlite3.Error as error:
        connection.close()
        raise _unreadable(path, error) from error
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = OFF")
    return Store(connection, path)


def _unreadable(path: Path, error: sqlite3.Error) -> Undecided:
    return Undecided(
        "store-unreadable",
        f"the store {path} cannot be opened",
        why=str(error),
        next_step="check that it is a Safeconduct store and that you may read and write it",
    )
