import sqlite3
import subprocess
import sys

import pytest

from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import Statement
from safeconduct.foundation.store import connect

PUT = Statement("put", "dictionary", "INSERT INTO t (a) VALUES (:a)")
GET = Statement("get", "dictionary", "SELECT a FROM t ORDER BY a")


@pytest.fixture
def store(tmp_path):
    with connect(tmp_path / "x.db") as opened:
        with opened.transaction():
            opened.define("-- a comment; with a semicolon\nCREATE TABLE t (a INTEGER PRIMARY KEY);")
        yield opened


def put_all(store, *values: object) -> None:
    """Write the values in one transaction; a text is no integer key and fails."""
    with store.transaction():
        for value in values:
            store.run(PUT, {"a": value})
            store.memory["last"] = value


def test_what_fails_inside_a_transaction_was_never_written(store):
    with pytest.raises(sqlite3.IntegrityError):
        put_all(store, 1, "no number")
    assert store.rows(GET) == []


def test_an_inner_transaction_is_undone_alone(store):
    with store.transaction():
        store.run(PUT, {"a": 1})
        with pytest.raises(sqlite3.IntegrityError):
            put_all(store, 2, "no number")
        put_all(store, 3)
    assert store.rows(GET) == [(1,), (3,)]


def test_what_was_learnt_in_a_transaction_that_never_happened_is_forgotten(store):
    with pytest.raises(sqlite3.IntegrityError):
        put_all(store, 1, "no number")
    assert store.memory == {}


def test_writing_outside_a_transaction_is_a_fault_of_ours(store):
    with pytest.raises(RuntimeError):
        store.run(PUT, {"a": 1})


def test_a_reader_sees_one_state(store, tmp_path):
    with connect(tmp_path / "x.db") as other, other.reading():
        assert other.rows(GET) == []
        with store.transaction():
            store.run(PUT, {"a": 1})
        assert other.rows(GET) == []


def test_a_writer_that_waits_too_long_is_told_who_has_it(store, tmp_path):
    with connect(tmp_path / "x.db") as other, store.transaction():
        other._connection.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(Undecided) as error, other.transaction():
            pass
    assert error.value.id == "store-busy"


def test_a_full_disk_is_could_not_tell_and_keeps_what_was_there(store):
    store._connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(Undecided) as error:
        put_all(store, *range(100_000))
    assert error.value.id == "store-failed"
    assert store.rows(GET) == []


def test_a_file_that_is_no_database_is_could_not_tell(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"this is not a database, whatever it is" * 100)
    with pytest.raises(Undecided) as error:
        connect(path)
    assert error.value.id == "store-unreadable"


def test_a_store_that_must_exist_is_not_made(tmp_path):
    with pytest.raises(Undecided) as error:
        connect(tmp_path / "x.db", must_exist=True)
    assert error.value.id == "no-store"
    assert not (tmp_path / "x.db").exists()


def test_a_breach_of_a_key_is_not_hidden(store):
    with pytest.raises(sqlite3.IntegrityError):
        put_all(store, 1, 1)


def test_programs_that_make_one_store_at_once_all_get_it(tmp_path):
    """SQLite refuses a switch to the write-ahead log without waiting while another connection reads."""
    script = "import sys, pathlib; from safeconduct.foundation.store import connect; connect(pathlib.Path(sys.argv[1]))"
    path = tmp_path / "x.db"
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("CREATE TABLE t (a)")
    blocker.execute("BEGIN EXCLUSIVE")
    opener = subprocess.Popen([sys.executable, "-c", script, str(path)], stderr=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        opener.wait(timeout=1)
    blocker.execute("COMMIT")
    blocker.close()
    _, errors = opener.communicate(timeout=30)
    assert opener.returncode == 0, errors
