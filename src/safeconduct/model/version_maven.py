"""Versions of Maven.

Source: the Maven POM reference, "Version Order Specification", and ``ComparableVersion``. The specification's padding
alone is no order (``1 > 1.0.x > 1.sp > 1`` for some x); what the implementation does is: nothing, zeros and "final"
before a qualifier or a dash do not count, and a qualifier means the same behind a dot as behind a dash.
"""

import re

from safeconduct.model.version_parts import END, number

_VERSION = re.compile(r"[0-9A-Za-z.+_~:-]+")
_META = frozenset({"latest", "release"})
"""Words that stand for whichever version is the newest one: no versions."""
_TOKENS = re.compile(r"(?P<prefix>[.-]?)(?:(?P<digits>[0-9]+)|(?P<text>[^0-9.-]*))(?P<glued>(?=[0-9]))?")
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_SAME = {"cr": "rc", "ga": "", "final": "", "release": ""}
_PRE = {"alpha": "\x01", "beta": "\x02", "milestone": "\x03", "rc": "\x04", "snapshot": "\x05"}
_STOP, _SP, _TEXT, _DASH_NUMBER, _DOT_NUMBER = "\x06", "\x07", "\x08", "\x09", "\x0a"

_Token = tuple[str, str, bool]
"""Prefix (``.`` or ``-``), number or word, whether it is a number."""


def maven(version: str) -> str | None:
    """Return the key of a Maven version; None for a range, a property and what stands for "the newest"."""
    text = version.strip().lower()
    if not _VERSION.fullmatch(text) or text in _META:
        return None
    return "".join(_part(*token) for token in _normal(_tokens(text))) + _STOP


def _tokens(text: str) -> list[_Token]:
    """Return the tokens of ``text``; a change between digits and letters counts as a dash, an empty one is 0."""
    found: list[_Token] = []
    at = 0
    while at < len(text) or not found or text[-1] in ".-":
        match = _TOKENS.match(text, at)
        if match is None:
            break
        prefix = match["prefix"] or ("-" if found else ".")
        word, is_number = match["digits"] or match["text"], match["digits"] is not None
        if not word:
            word, is_number = "0", True
        elif match["glued"] is not None:
            word = _SHORT.get(word, word)
        found.append((prefix, word if is_number else _SAME.get(word, word), is_number))
        if match.end() == len(text):
            break
        at = match.end()
    return found


def _normal(tokens: list[_Token]) -> list[_Token]:
    """Take out what counts as nothing: at the end, before a dash and before a qualifier; never the first token."""
    kept: list[_Token] = []
    for prefix, word, is_number in reversed(tokens[1:]):
        is_null = not word.strip("0") if is_number else not word
        if is_null and (not kept or kept[-1][0] == "-" or not kept[-1][2]):
            continue
        kept.append((prefix, word, is_number))
    return tokens[:1] + kept[::-1]


def _part(prefix: str, word: str, is_number: bool) -> str:
    if is_number:
        return (_DASH_NUMBER if prefix == "-" else _DOT_NUMBER) + number(word)
    if word in _PRE:
        return _PRE[word]
    if not word:
        return _STOP
    return _SP if word == "sp" else _TEXT + word + END
