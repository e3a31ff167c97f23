"""The drawing of a lineage: one HTML file that a person opens, from who to what runs.

It holds its style and its lines, loads nothing and runs nothing (its own content security policy forbids both).
Every text in it comes from outside and is escaped; a text that is too long for its place is cut by the browser and
stands in full in the element's title.
"""

import re
from collections.abc import Iterator

from safeconduct.model.lineage import Lineage, Node
from safeconduct.server.lineage_layout import DENSE_ROW, Board, Card, Column, Wire, arrange
from safeconduct.server.lineage_style import ICONS, STYLE

_HEADINGS = {"evidence": "Evidence and risk"}
_MARKS = ("ok", "bad", "unsure")
_MARK_WORDS = {"ok": "verified", "bad": "at risk or refused", "unsure": "could not tell"}
_LONGEST = 2_000
"""Characters of one text that are kept: a title beyond that is an attack, not a name."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""What XML forbids, and what would let a name be shown as another one (marks of direction, spaces without width)."""
_HEX = re.compile(r"(?:sha256:)?[0-9a-f]{7,}(?:\u2026|\.\.\.)?")
_CODE, _AS_CODE = re.compile("`([^`]{1,300})`"), r"<code>\1</code>"
"""Facts may quote a command or a file between backticks."""
_LEAST_WIDTH = 1_100
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}


def draw(lineage: Lineage) -> str:
    """Return the drawing as one HTML document, which is also well-formed XML; the same lineage gives the same text.

    Columns without nodes stay, narrow, and say so. More than 18 rows in a column take one line each.

    Raises:
        ValueError: two nodes share an id, a node names no column, or a link names no node.
    """
    board = arrange(lineage)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en" xmlns="http://www.w3.org/1999/xhtml">',
            *_head(lineage),
            "<body>",
            *_header(lineage, _page_width(board)),
            *_board(lineage, board),
            *_facts(lineage),
            "</body>",
            "</html>",
            "",
        ]
    )


def _safe(text: str) -> str:
    """Return foreign text so that it is nothing but text, in elements and in attributes."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "\u2026"
    return _UNSEEN.sub("\ufffd", text).translate(_ENTITIES)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _page_width(board: Board) -> str:
    return _number(max(board.width, _LEAST_WIDTH))


def _head(lineage: Lineage) -> Iterator[str]:
    yield "<head>"
    yield '<meta charset="utf-8"/>'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>{_safe(lineage.title)} \u00b7 lineage</title>"
    yield f"<style>\n{STYLE}\n</style>"
    yield "</head>"


def _header(lineage: Lineage, width: str) -> Iterator[str]:
    yield f'<header style="max-width:{width}px">'
    yield f"<h1>{_safe(lineage.title)} <code>{_safe(lineage.digest)}</code></h1>"
    alarm = f" <strong>{_safe(lineage.alarm)}</strong>" if lineage.alarm else ""
    yield f"<p>{_safe(lineage.summary)}{alarm}</p>"
    yield '<ul class="legend">'
    yield '<li><i></i>verified</li><li class="claimed"><i></i>claimed, not verified</li>'
    yield '<li class="risk"><i></i>path of the risk</li>'
    yield "</ul>"
    yield "</header>"


def _board(lineage: Lineage, board: Board) -> Iterator[str]:
    width, height = _number(board.width), _number(board.height)
    yield f'<main style="max-width:{_page_width(board)}px">'
    yield '<div class="scroll">'
    yield f'<div class="board" style="width:{width}px;height:{height}px">'
    yield f'<svg class="wires" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    yield from _symbols()
    yield from _separators(board)
    titles = {node.id: node.title for node in lineage.nodes}
    for wire in board.wires:
        yield _path(wire, titles)
    yield "</svg>"
    for column in board.columns:
        yield from _column(column)
    yield "</div>"
    yield "</div>"


def _symbols() -> Iterator[str]:
    yield "<defs>"
    for name, body in ICONS.items():
        yield f'<symbol id="i-{name}" viewBox="0 0 16 16">{body}</symbol>'
    yield "</defs>"


def _separators(board: Board) -> Iterator[str]:
    for left, right in zip(board.columns, board.columns[1:], strict=False):
        x = _number((left.right + right.x) / 2)
        yield f'<line x1="{x}" x2="{x}" y1="14" y2="{_number(board.height - 8)}"/>'


def _path(wire: Wire, titles: dict[str, str]) -> str:
    link = wire.link
    kind = ("verified" if link.verified else "claimed") + (" risk" if link.risk else "")
    label = f"{_safe(titles[link.start])} \u2192 {_safe(titles[link.end])} ({kind.replace(' ', ', ')})"
    ends = f'data-start="{_safe(link.start)}" data-end="{_safe(link.end)}"'
    return f'<path class="{kind}" {ends} d="{_way(wire)}"><title>{label}</title></path>'


def _way(wire: Wire) -> str:
    """Return the path's data: S-curves through the gutters, straight lines past a column's cards."""
    (x, y), *rest = wire.points
    way = [f"M{_number(x)} {_number(y)}"]
    if wire.loop:
        end_x, end_y = rest[0]
        bulge = _number(x + 13)
        return f"{way[0]}C{bulge} {_number(y)} {bulge} {_number(end_y)} {_number(end_x)} {_number(end_y)}"
    for number, (next_x, next_y) in enumerate(rest):
        if number % 2:
            way.append(f"H{_number(next_x)}")
        else:
            middle = _number((x + next_x) / 2)
            way.append(f"C{middle} {_number(y)} {middle} {_number(next_y)} {_number(next_x)} {_number(next_y)}")
        x, y = next_x, next_y
    return "".join(way)


def _column(column: Column) -> Iterator[str]:
    heading = _HEADINGS.get(column.name, column.name.capitalize())
    x = _number(column.x)
    yield f'<h2 style="left:{x}px">{heading}</h2>'
    if not column.cards:
        yield f'<p class="empty" style="left:{x}px">nothing known</p>'
    for card in column.cards:
        yield from _card(column, card)


def _card(column: Column, card: Card) -> Iterator[str]:
    place = f"left:{_number(column.x)}px;top:{_number(card.y)}px;width:{column.width}px;height:{card.height}px"
    note = f'<small title="{_safe(card.note)}">{_safe(card.note)}</small>' if card.note else ""
    yield f'<section class="card" style="{place}">'
    yield f'<h3><b title="{_safe(card.title)}">{_safe(card.title)}</b>{note}</h3>'
    for number, node in enumerate(card.nodes):
        yield _row(node, card.row_y(number) - card.y - 1, card.row_height)
    yield "</section>"


def _row(node: Node, top: float, height: int) -> str:
    mark = node.mark if node.mark in _MARKS else "none"
    kinds = f"row {mark}" + (" dense" if height == DENSE_ROW else "")
    full = _safe(node.title) + (f" \u00b7 {_safe(node.detail)}" if node.detail else "")
    mono = ' class="mono"' if _HEX.fullmatch(node.title) else ""
    detail = f"<small>{_safe(node.detail)}</small>" if node.detail else ""
    sign = ""
    if mark != "none":
        sign = f'<svg class="mark" role="img" aria-label="{_MARK_WORDS[mark]}"><use href="#i-{mark}"/></svg>'
    return (
        f'<div class="{kinds}" data-id="{_safe(node.id)}" title="{full}" '
        f'style="top:{_number(top)}px;height:{height - 2}px">'
        f'<svg aria-hidden="true"><use href="#i-{_icon(node)}"/></svg>'
        f"<span><b{mono}>{_safe(node.title)}</b>{detail}</span>{sign}</div>"
    )


def _icon(node: Node) -> str:
    if node.column == "evidence" and node.mark == "bad":
        return "risk"
    if node.column == "source" and not _HEX.fullmatch(node.title):
        return "evidence"
    if node.column == "who" and "key" in node.title.casefold():
        return "key"
    return node.column


def _facts(lineage: Lineage) -> Iterator[str]:
    if lineage.facts:
        yield '<div class="facts">'
        for heading, lines in lineage.facts:
            yield f"<section><h2>{_safe(heading)}</h2>"
            yield from (f"<p>{_CODE.sub(_AS_CODE, _safe(line))}</p>" for line in lines)
            yield "</section>"
        yield "</div>"
    yield "</main>"
