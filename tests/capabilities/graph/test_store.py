import sqlite3

import pytest

from safeconduct.capabilities.graph.store import SCHEMA_VERSION, open_graph
from safeconduct.foundation.errors import Undecided


def test_a_graph_is_made_once_and_opened_again(tmp_path):
    path = tmp_path / "deep" / "graph.db"
    open_graph(path).close()
    open_graph(path, must_exist=True).close()


def test_a_graph_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "graph.db"
    open_graph(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(Undecided) as error:
        open_graph(path)
    assert error.value.id == "store-too-new"


def test_somebody_elses_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "browser.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE history (url TEXT)")
    connection.close()
    with pytest.raises(Undecided) as error:
        open_graph(path)
    assert error.value.id == "store-foreign"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("history",)]
    connection.close()


def test_a_program_killed_while_it_made_the_schema_leaves_none_of_it(tmp_path, monkeypatch):
    path = tmp_path / "graph.db"
    monkeypatch.setattr("safeconduct.capabilities.graph.store.SCHEMA_VERSION", "nonsense, not a number")
    with pytest.raises(Undecided):
        open_graph(path)
    monkeypatch.undo()
    open_graph(path).close()
