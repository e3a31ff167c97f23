"""Named SQL statements, each in a ``.sql`` file with its scope in its first line.

Form of a file: any number of blocks, each headed by ``-- <scope>: <name>``. The scope says which part of the
estate a statement may touch, so that the tables can be spread over machines later without reading any code:
``line`` (one line), ``estate`` (all lines), ``digest`` (a directory by digest), ``dictionary`` (names).
"""

import re
from importlib import resources

import msgspec

SCOPES = ("line", "estate", "digest", "dictionary")
_HEAD = re.compile(r"^-- (\w+): (\w+)$", re.MULTILINE)


class Statement(msgspec.Struct, frozen=True):
    """One statement with named parameters (``:name``)."""

    name: str
    scope: str
    sql: str


def parse_statements(text: str) -> dict[str, Statement]:
    """Return the statements of a ``.sql`` text by name.

    Raises:
        ValueError: text before the first head, an unknown scope, or a name twice.
    """
    parts = _HEAD.split(text)
    if parts[0].strip() and not all(line.startswith("--") for line in parts[0].strip().splitlines()):
        raise ValueError("statements begin before the first '-- scope: name' line")
    found: dict[str, Statement] = {}
    for scope, name, sql in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if scope not in SCOPES or name in found:
            raise ValueError(f"statement {name!r}: unknown scope {scope!r} or a name twice")
        found[name] = Statement(name, scope, sql.strip().rstrip(";"))
    return found


def load_statements(package: str, file: str) -> dict[str, Statement]:
    """Return the statements of ``file``, which lies in ``package``."""
    return parse_statements((resources.files(package) / file).read_text("utf-8"))
