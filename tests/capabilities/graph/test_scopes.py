"""Every statement keeps to its scope, so that the tables can be spread over machines without reading any code.

A small parser reads each statement (tables, conditions, columns), SQLite's own parser says which tables it touches,
and both must agree.
"""

import re
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

import safeconduct
from safeconduct.foundation.statements import Statement, parse_statements

SOURCE = Path(safeconduct.__file__).parent
SCHEMA = resources.files("safeconduct.capabilities.graph").joinpath("schema.sql").read_text("utf-8")
EVERYWHERE = frozenset({"advisory", "advisory_past", "advisory_range", "affects", "cluster", "identity", "predicate"})
FORBIDDEN = frozenset(
    {"RETURNING", "TRIGGER", "REPLACE", "PRAGMA", "CREATE", "ALTER", "DROP", "ATTACH", "IGNORE", "GLOB", "ROWID"}
)
TOKEN = re.compile(r"\s+|--[^\n]*|('(?:[^']|'')*'|x'[0-9a-f]*'|:\w+|\w+|<>|<=|>=|\|\||[^\s\w])")
CLAUSES = {"WHERE", "GROUP", "ORDER", "LIMIT", "ON", "SET", "VALUES", "UNION", "HAVING"}


def table_scopes() -> dict[str, str]:
    """The scope of each table, by the heads of the schema."""
    scopes: dict[str, str] = {}
    for part in re.split(r"^-- scope: ", SCHEMA, flags=re.MULTILINE)[1:]:
        scope = re.match(r"\w+", part)[0]
        scopes |= dict.fromkeys(re.findall(r"CREATE TABLE (\w+)", part), scope)
    return scopes


SCOPES = table_scopes()


class Break(Exception):
    """A statement leaves its scope."""


def tree_of(sql: str) -> list:
    """Tokens, with what stands in parentheses as an inner list."""
    stack: list[list] = [[]]
    for token in TOKEN.findall(sql):
        if token == "(":
            stack.append([])
        elif token == ")":
            inner = stack.pop()
            stack[-1].append(inner)
        elif token:
            stack[-1].append(token)
    if len(stack) != 1:
        raise Break("parentheses do not match")
    return stack[0]


def split(tokens: list, word: str) -> list[list]:
    """``tokens`` cut at each ``word`` of this level."""
    parts: list[list] = [[]]
    for token in tokens:
        if isinstance(token, str) and token.upper() == word:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def is_word(token: object, *words: str) -> bool:
    return isinstance(token, str) and token.upper() in words


class Block:
    """One SELECT, UPDATE or DELETE: its tables by alias and the conditions that must all hold."""

    def __init__(self, tables: dict[str, str], conditions: list[list], outer: "Block | None" = None) -> None:
        self.tables, self.conditions, self.outer = tables, conditions, outer

    def line_equalities(self) -> Iterator[tuple[str, str]]:
        """Pairs (alias, parameter or alias) for every ``x.line_id = y`` that must hold."""
        for condition in self.conditions:
            if any(is_word(token, "OR") for token in condition):
                continue
            sides = split(condition, "=")
            if len(sides) == 2:
                left, right = (self.line_side(side) for side in sides)
                if left and right:
                    yield left, right
                    yield right, left

    def line_side(self, side: list) -> str:
        """The alias whose line_id this is, or the parameter, or nothing."""
        if len(side) == 1 and isinstance(side[0], str):
            if side[0].startswith(":"):
                return side[0]
            if side[0] == "line_id" and len(self.per_line()) == 1:
                return next(iter(self.per_line()))
        if len(side) == 3 and side[1:] == [".", "line_id"]:
            return side[0]
        return ""

    def per_line(self) -> list[str]:
        return [alias for alias, table in self.tables.items() if SCOPES.get(table) == "line"]

    def bound(self) -> set[str]:
        """Aliases of this block and those around it whose line_id is a parameter, directly or through another."""
        known = {":line_id"} | (self.outer.bound() if self.outer else set())
        pairs = list(self.line_equalities())
        for _ in pairs:
            known |= {alias for alias, other in pairs if other in known}
        return known

    def joined(self) -> set[str]:
        """Aliases connected with the first one through line_id."""
        around = set(self.outer.tables) if self.outer else set()
        aliases = self.per_line()
        known = around | set(aliases[:1])
        pairs = list(self.line_equalities())
        for _ in pairs:
            known |= {alias for alias, other in pairs if other in known}
        return known


def blocks_of(tokens: list, outer: Block | None = None) -> Iterator[Block]:
    """Every query block of a statement, subqueries with the block around them."""
    for part in split(tokens, "UNION"):
        arm = part[1:] if part and is_word(part[0], "ALL") else part
        block = block_of(arm, outer)
        if block is not None:
            yield block
        for token in arm:
            if isinstance(token, list):
                yield from blocks_of(token, block or outer)


def block_of(arm: list, outer: Block | None) -> Block | None:
    heads = [n for n, token in enumerate(arm) if is_word(token, "SELECT", "UPDATE", "DELETE")]
    upsert = [n for n, token in enumerate(arm) if is_word(token, "CONFLICT")]
    if not heads or (upsert and heads[0] > upsert[0]):
        return None
    arm = arm[heads[0] : upsert[0] - 1 if upsert else None]
    if is_word(arm[0], "UPDATE"):
        tables, conditions = {arm[1]: arm[1]}, []
    else:
        tables, conditions = from_clause(arm)
    where = next((n for n, token in enumerate(arm) if is_word(token, "WHERE")), None)
    if where is not None:
        conditions += split(until(arm[where + 1 :], "GROUP", "ORDER", "LIMIT"), "AND")
    return Block(tables, conditions, outer)


def from_clause(arm: list) -> tuple[dict[str, str], list[list]]:
    start = next((n for n, token in enumerate(arm) if is_word(token, "FROM")), None)
    if start is None:
        return {}, []
    tables: dict[str, str] = {}
    conditions: list[list] = []
    clause = until(arm[start + 1 :], "WHERE", "GROUP", "ORDER", "LIMIT")
    for joined in split(clause, "JOIN"):
        item, *on = split(joined, "ON")
        names = [token for token in item if isinstance(token, str) and token.upper() not in {"AS", "CROSS", "LEFT"}]
        if "," in names:
            raise Break("tables are joined by comma")
        if names:
            tables[names[-1]] = names[0]
        conditions += [condition for part in on for condition in split(part, "AND")]
    return tables, conditions


def until(tokens: list, *words: str) -> list:
    stop = next((n for n, token in enumerate(tokens) if is_word(token, *words)), len(tokens))
    return tokens[:stop]


def insert_of(tokens: list) -> tuple[str, object] | None:
    """Of an INSERT: the table, and what its line_id becomes (None when it names no line_id)."""
    if not is_word(tokens[0], "INSERT"):
        return None
    table, columns = tokens[2], [c for c in tokens[3] if c != ","]
    if "line_id" not in columns:
        return table, None
    place = columns.index("line_id")
    rest = tokens[4:]
    values = rest[1] if is_word(rest[0], "VALUES") else until(rest[1:], "FROM")
    return table, split(values, ",")[place]


def check(statement: Statement) -> set[str]:
    """Return the tables that a statement names.

    Raises:
        Break: it leaves its scope.
    """
    tokens = tree_of(statement.sql)
    words = {token.upper() for token in flatten(tokens)}
    if words & FORBIDDEN:
        raise Break(f"not in every engine: {sorted(words & FORBIDDEN)}")
    blocks = list(blocks_of(tokens))
    insert = insert_of(tokens)
    tables = {table for block in blocks for table in block.tables.values() if table != "json_each"}
    tables |= {insert[0]} if insert else set()
    unknown = tables - SCOPES.keys()
    if unknown:
        raise Break(f"unknown tables {sorted(unknown)}")
    CHECKS[statement.scope](statement, blocks, insert, tables)
    return tables


def flatten(tokens: list) -> Iterator[str]:
    for token in tokens:
        if isinstance(token, list):
            yield from flatten(token)
        elif not token.startswith("'"):
            yield token


def check_only(statement: Statement, _blocks, _insert, tables: set[str]) -> None:
    outside = {table for table in tables if SCOPES[table] != statement.scope}
    if outside:
        raise Break(f"scope {statement.scope} touches {sorted(outside)}")


def check_line(_statement, blocks: list[Block], insert, tables: set[str]) -> None:
    outside = {table for table in tables if SCOPES[table] != "line" and table not in EVERYWHERE}
    if outside:
        raise Break(f"scope line touches {sorted(outside)}")
    for block in blocks:
        free = set(block.per_line()) - block.bound()
        if free:
            raise Break(f"no line is given for {sorted(free)}")
    if insert and SCOPES[insert[0]] == "line" and insert[1] not in ([":line_id"], ["line_id"]):
        raise Break("the inserted line_id is no parameter")
    if insert and insert[1] == ["line_id"] and not blocks:
        raise Break("the inserted line_id comes from nowhere")


def check_estate(statement, blocks: list[Block], insert, tables: set[str]) -> None:
    outside = {table for table in tables if SCOPES[table] not in {"line", "estate"} and table not in EVERYWHERE}
    if outside:
        raise Break(f"scope estate touches {sorted(outside)}")
    writes = not is_word(tree_of(statement.sql)[0], "SELECT")
    if writes and not (insert and SCOPES[insert[0]] == "estate"):
        raise Break("scope estate writes into lines")
    for block in blocks:
        apart = set(block.per_line()) - block.joined()
        if apart:
            raise Break(f"not joined on line_id: {sorted(apart)}")


CHECKS = {"digest": check_only, "dictionary": check_only, "line": check_line, "estate": check_estate}


def all_statements() -> list[Statement]:
    files = [path for path in SOURCE.rglob("*.sql") if path.name != "schema.sql"]
    return [s for path in sorted(files) for s in parse_statements(path.read_text("utf-8")).values()]


@pytest.mark.parametrize("statement", all_statements(), ids=lambda s: f"{s.scope}-{s.name}")
def test_statement_keeps_to_its_scope(statement: Statement):
    """Our parser and SQLite's agree about the tables, and they lie within the scope."""
    tables = check(statement)
    assert tables == tables_by_sqlite(statement)


def tables_by_sqlite(statement: Statement) -> set[str]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    touched: set[str] = set()

    def note(_action: int, first: str | None, _second: str | None, *_: object) -> int:
        if first in SCOPES:
            touched.add(first)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement.sql), 0)
    connection.execute(f"EXPLAIN {statement.sql}", parameters)
    connection.close()
    return touched


def test_every_table_has_a_scope_and_every_scope_its_tables():
    assert set(SCOPES.values()) == {"line", "estate", "digest", "dictionary"}
    assert all("line_id BIGINT" in definition(table) for table, scope in SCOPES.items() if scope == "line")


def test_line_tables_lead_their_key_with_the_line():
    """Without it a table cannot be spread by line."""
    for table in (table for table, scope in SCOPES.items() if scope == "line"):
        assert re.search(r"PRIMARY KEY \(line_id|line_id BIGINT PRIMARY KEY", definition(table)), table


def definition(table: str) -> str:
    return re.search(rf"CREATE TABLE {table}\s.*", SCHEMA)[0]


@pytest.mark.parametrize(
    ("scope", "sql"),
    [
        ("line", "SELECT seq FROM release WHERE digest = :digest"),
        ("line", "SELECT seq FROM release WHERE line_id > :line_id"),
        ("line", "SELECT seq FROM release WHERE line_id = :line_id OR seq = 1"),
        ("line", "SELECT seq FROM release WHERE (line_id = :line_id OR seq = 1)"),
        ("line", "SELECT seq FROM release WHERE line_id = 7"),
        ("line", "SELECT r.seq FROM release r JOIN span s ON s.pkg_id = r.seq WHERE r.line_id = :line_id"),
        (
            "line",
            "SELECT r.seq FROM release r WHERE r.line_id = :line_id AND 1 = (SELECT gen FROM span WHERE first = 1)",
        ),
        ("line", "SELECT s.pkg_id FROM span s JOIN pkg p ON p.pkg_id = s.pkg_id WHERE s.line_id = :line_id"),
        ("line", "UPDATE release SET gen = 2 WHERE seq = :seq"),
        ("line", "DELETE FROM span WHERE pkg_id = :pkg_id"),
        ("line", "INSERT INTO span (line_id, last) VALUES (7, :last)"),
        ("line", "INSERT INTO span (line_id, last) SELECT line_id, seq FROM release WHERE seq = :seq"),
        ("line", "SELECT seq FROM release WHERE line_id = :line_id UNION ALL SELECT seq FROM release"),
        ("line", "SELECT line_id FROM digest WHERE digest = :digest"),
        ("digest", "SELECT r.seq FROM digest d JOIN release r ON r.line_id = d.line_id WHERE d.digest = :digest"),
        ("dictionary", "SELECT p.pkg_id FROM pkg p JOIN span s ON s.pkg_id = p.pkg_id"),
        ("estate", "SELECT s.line_id FROM span s JOIN deployment d ON d.seq = s.first"),
        ("estate", "SELECT s.line_id FROM span s JOIN pkg p ON p.pkg_id = s.pkg_id"),
        ("estate", "SELECT d.digest FROM digest d"),
        ("estate", "UPDATE fspan SET known_until = 1 WHERE pkg_id = :pkg_id"),
        ("line", "INSERT INTO span (line_id, last) VALUES (:line_id, :last) RETURNING line_id"),
        ("line", "INSERT OR IGNORE INTO span (line_id, last) VALUES (:line_id, :last)"),
        ("dictionary", "SELECT 1 FROM nowhere"),
    ],
)
def test_statement_outside_its_scope_is_refused(scope: str, sql: str):
    with pytest.raises(Break):
        check(Statement("bad", scope, sql))


def test_statement_file_with_an_unknown_scope_or_a_name_twice_is_refused():
    with pytest.raises(ValueError):
        parse_statements("-- galaxy: all\nSELECT 1;")
    with pytest.raises(ValueError):
        parse_statements("-- line: a\nSELECT 1;\n-- line: a\nSELECT 2;")
    with pytest.raises(ValueError):
        parse_statements("SELECT 1;\n-- line: a\nSELECT 2;")
