"""The graph's file: made with its schema, and never opened by a program older than the schema in it."""

from importlib import resources
from pathlib import Path

from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import Statement
from safeconduct.foundation.store import Store, connect

SCHEMA_VERSION = 1

_GET_VERSION = Statement("get_version", "dictionary", "PRAGMA user_version")
_GET_TABLE = Statement("get_table", "dictionary", "SELECT name FROM sqlite_master")


def open_graph(path: Path, *, must_exist: bool = False) -> Store:
    """Return the graph at ``path``, its schema made when it is new.

    Raises:
        Undecided: ``no-store``, ``store-unreadable``, ``store-busy``, or ``store-too-new`` for one that a newer
            program wrote, ``store-foreign`` for somebody else's database.
    """
    store = connect(path, must_exist=must_exist)
    try:
        found = _version_of(store)
        if found == 0:
            _create(store)
        elif found != SCHEMA_VERSION:
            raise Undecided(
                "store-too-new",
                f"the graph {path} was written by another version of Safeconduct",
                why=f"its schema is version {found}, this program reads version {SCHEMA_VERSION}",
                next_step="install the newer Safeconduct, or name another file with the setting 'store'",
            )
    except BaseException:
        store.close()
        raise
    return store


def _version_of(store: Store) -> int:
    row = store.row(_GET_VERSION)
    return int(row[0]) if row else 0


def _create(store: Store) -> None:
    schema = resources.files("safeconduct.capabilities.graph").joinpath("schema.sql").read_text("utf-8")
    with store.transaction():
        # Two programs may start at once: the second finds the work done when it gets the lock.
        if _version_of(store) == 0:
            _must_be_empty(store)
            store.define(f"{schema}\nPRAGMA user_version = {SCHEMA_VERSION};")


def _must_be_empty(store: Store) -> None:
    table = store.row(_GET_TABLE)
    if table is not None:
        raise Undecided(
            "store-foreign",
            f"{store.path} is a database, but not a Safeconduct graph",
            why=f"it holds the table {table[0]!r} and no schema version of ours",
            next_step="name another file with the setting 'store'",
        )
