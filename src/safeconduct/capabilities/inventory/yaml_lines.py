"""Where things stand in a YAML file: the lines of values that a pattern finds, for people who must fix them."""

import re
from functools import lru_cache


@lru_cache(maxsize=64)
def lines_of(text: str, key: str) -> dict[str, int]:
    """Return value to line for every ``key: value`` in block style, the first line where one stands twice."""
    found: dict[str, int] = {}
    pattern = re.compile(rf"^\s*(?:-\s+)?[\"']?{re.escape(key)}[\"']?\s*:\s*[\"']?([^\"'#\n]*?)[\"']?\s*(?:#.*)?$")
    for number, line in enumerate(text.splitlines(), 1):
        if match := pattern.match(line):
            found.setdefault(match[1].strip(), number)
    return found
