"""Where everything stands in the drawing of a lineage: pure geometry, in CSS pixels, origin at the top left.

Columns run from left to right in the order of the flow. Cards keep the order in which their first node came; each is
moved towards what it is linked to, as far as its neighbours allow. A line that passes a column goes through a gap
between its cards, so that no line ever crosses text.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from safeconduct.model.lineage import COLUMNS, Lineage, Link, Node

NARROWEST = 148
WIDEST = 216
EMPTY_WIDTH = 108
GUTTER = 28
PAGE = 1_440
"""Width that the board keeps to: a laptop's screen."""
HEAD = 28
ROW = 36
DENSE_ROW = 22
PAD = 4
GAP = 22
TOP = 52
EDGE = 18
_DENSE_FROM = 19
"""Rows in one column from which each takes a single line."""
_TALL = 900
"""Height of a board from which short columns stay near its top, where reading begins."""
_NEAR_TOP = 420
_SWEEPS = 6
_TITLE_EM, _DETAIL_EM, _ROW_FRAME, _HEAD_FRAME = 6.3, 5.5, 60, 34
"""Pixels of a usual letter, and of what stands beside the text; guesses, since the browser cuts what is too long."""
_LANE = 4.0
_LANES_WIDTH = 14.0

Point = tuple[float, float]


class Card(msgspec.Struct):
    """A card with its rows; ``y`` is its upper edge."""

    title: str
    note: str
    nodes: list[Node]
    row_height: int
    y: float = 0.0

    @property
    def height(self) -> int:
        """Header, rows and padding."""
        return HEAD + PAD + self.row_height * len(self.nodes) + PAD

    def row_y(self, index: int) -> float:
        """Return the upper edge of a row."""
        return self.y + HEAD + PAD + index * self.row_height


class Column(msgspec.Struct):
    """A column of cards; ``x`` is its left edge."""

    name: str
    cards: list[Card]
    x: float = 0.0
    width: int = NARROWEST

    @property
    def height(self) -> int:
        """The least height that its cards need."""
        return sum(card.height for card in self.cards) + GAP * max(0, len(self.cards) - 1)

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width


class Wire(msgspec.Struct, frozen=True):
    """A link as drawn: ``points`` alternate curve, straight, curve ...; a loop joins two rows of one column."""

    link: Link
    points: tuple[Point, ...]
    loop: bool = False


class Board(msgspec.Struct, frozen=True):
    """The whole drawing. ``wires`` stand in the order of the links, those of the risk last, to lie on top."""

    columns: tuple[Column, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float


class _Seat(msgspec.Struct, frozen=True):
    column: int
    card: Card
    row: int

    @property
    def y(self) -> float:
        return self.card.row_y(self.row) + self.card.row_height / 2


def arrange(lineage: Lineage) -> Board:
    """Return where everything stands.

    Raises:
        ValueError: two nodes share an id, a node names no column, or a link names no node.
    """
    columns = _columns_of(lineage.nodes)
    seats = _seats_of(columns)
    _check(lineage, seats)
    space = max(column.height for column in columns)
    _settle(columns, seats, lineage.links, space)
    wires = sorted(_wires_of(columns, seats, lineage.links), key=lambda wire: wire.link.risk)
    width = columns[-1].right + EDGE
    return Board(tuple(columns), tuple(wires), width, TOP + EDGE + space + EDGE)


def _check(lineage: Lineage, seats: Mapping[str, _Seat]) -> None:
    if len(seats) != len(lineage.nodes):
        raise ValueError("two nodes of a lineage share an id, or one names no column")
    for link in lineage.links:
        if link.start not in seats or link.end not in seats:
            raise ValueError(f"a link names a node that is not there: {link.start[:80]!r} -> {link.end[:80]!r}")


def _columns_of(nodes: Iterable[Node]) -> list[Column]:
    by_column: dict[str, list[Node]] = {name: [] for name in COLUMNS}
    for node in nodes:
        by_column.setdefault(node.column, []).append(node)
    columns = [Column(name, _cards_of(by_column[name])) for name in COLUMNS]
    wanted = [_width_of(column) for column in columns]
    widest = _cap(wanted, PAGE - 2 * EDGE - GUTTER * (len(columns) - 1))
    x = float(EDGE)
    for column, width in zip(columns, wanted, strict=True):
        column.x, column.width = x, min(width, widest)
        x = column.right + GUTTER
    return columns


def _cap(wanted: Sequence[int], space: int) -> int:
    """Return the largest width at which all fit: the widest give way first."""
    return next((cap for cap in range(WIDEST, NARROWEST, -1) if sum(min(w, cap) for w in wanted) <= space), NARROWEST)


def _width_of(column: Column) -> int:
    if not column.cards:
        return EMPTY_WIDTH
    wanted = [_HEAD_FRAME + len(card.title) * _TITLE_EM + len(card.note) * _DETAIL_EM for card in column.cards]
    for card in column.cards:
        for node in card.nodes:
            title, detail = len(node.title) * _TITLE_EM, len(node.detail) * _DETAIL_EM
            wanted.append(_ROW_FRAME + (title + detail if card.row_height == DENSE_ROW else max(title, detail)))
    return round(min(max(*wanted, NARROWEST), WIDEST))


def _cards_of(nodes: Sequence[Node]) -> list[Card]:
    row_height = DENSE_ROW if len(nodes) >= _DENSE_FROM else ROW
    cards: dict[str, Card] = {}
    for node in nodes:
        card = cards.setdefault(node.card, Card(node.card, "", [], row_height))
        card.note = card.note or node.card_note
        card.nodes.append(node)
    return list(cards.values())


def _seats_of(columns: Sequence[Column]) -> dict[str, _Seat]:
    return {
        node.id: _Seat(number, card, row)
        for number, column in enumerate(columns)
        for card in column.cards
        for row, node in enumerate(card.nodes)
    }


def _settle(columns: Sequence[Column], seats: Mapping[str, _Seat], links: Iterable[Link], space: float) -> None:
    """Give every card its place: in the middle at first, then towards the mean of what it is linked to."""
    top = float(TOP + EDGE)
    limit = _NEAR_TOP if space > _TALL else space
    for column in columns:
        _stack(column, [top + (min(limit, space) - column.height) / 2] * len(column.cards), top, space)
    neighbours: dict[int, list[tuple[_Seat, _Seat]]] = defaultdict(list)
    for link in links:
        start, end = seats[link.start], seats[link.end]
        if start.column != end.column:
            neighbours[id(start.card)].append((start, end))
            neighbours[id(end.card)].append((end, start))
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            wishes = [min(_wish(card, neighbours[id(card)]), top + limit - card.height) for card in column.cards]
            _stack(column, wishes, top, space)


def _wish(card: Card, pairs: Sequence[tuple[_Seat, _Seat]]) -> float:
    if not pairs:
        return card.y
    return card.y + sum(there.y - here.y for here, there in pairs) / len(pairs)


def _stack(column: Column, wishes: Sequence[float], top: float, space: float) -> None:
    """Put the cards as near to their wishes as order, gaps and the board's edges allow."""
    floor = top
    for card, wish in zip(column.cards, wishes, strict=True):
        card.y = round(max(wish, floor))
        floor = card.y + card.height + GAP
    ceiling = top + space
    for card in reversed(column.cards):
        card.y = min(card.y, ceiling - card.height)
        ceiling = card.y - GAP


def _wires_of(columns: Sequence[Column], seats: Mapping[str, _Seat], links: Sequence[Link]) -> list[Wire]:
    passages = _with_lanes([_passages_of(columns, seats, link) for link in links])
    return [_wire(columns, seats, link, path) for link, path in zip(links, passages, strict=True)]


def _ends(seats: Mapping[str, _Seat], link: Link) -> tuple[_Seat, _Seat]:
    start, end = seats[link.start], seats[link.end]
    return (start, end) if start.column <= end.column else (end, start)


def _passages_of(columns: Sequence[Column], seats: Mapping[str, _Seat], link: Link) -> list[tuple[int, float]]:
    """Return (column, y of the gap) for each column that the link passes."""
    start, end = _ends(seats, link)
    passages = []
    y = start.y
    for number in range(start.column + 1, end.column):
        y += (end.y - y) / (end.column - number + 1)
        y = _nearest_gap(columns[number], y)
        passages.append((number, y))
    return passages


def _nearest_gap(column: Column, y: float) -> float:
    if not column.cards:
        return y
    gaps = [column.cards[0].y - GAP / 2]
    gaps += [card.y + card.height + GAP / 2 for card in column.cards]
    if y <= gaps[0] or y >= gaps[-1]:
        return y
    return min(gaps, key=lambda gap: (abs(gap - y), gap))


def _with_lanes(passages: Sequence[Sequence[tuple[int, float]]]) -> list[list[tuple[int, float]]]:
    """Return the passages with those that share a gap set side by side in it."""
    users: dict[tuple[int, float], list[int]] = defaultdict(list)
    for number, path in enumerate(passages):
        for passage in path:
            users[passage].append(number)
    beside = {
        (number, passage): (place - (len(numbers) - 1) / 2) * min(_LANE, _LANES_WIDTH / len(numbers))
        for passage, numbers in users.items()
        for place, number in enumerate(numbers)
    }
    return [
        [(passage[0], passage[1] + beside[number, passage]) for passage in path] for number, path in enumerate(passages)
    ]


def _wire(columns: Sequence[Column], seats: Mapping[str, _Seat], link: Link, path: Sequence[tuple[int, float]]) -> Wire:
    start, end = _ends(seats, link)
    first, last = columns[start.column], columns[end.column]
    if first is last:
        return Wire(link, ((first.right, start.y), (first.right, end.y)), loop=True)
    points: list[Point] = [(first.right, start.y)]
    for number, y in path:
        points += [(columns[number].x, y), (columns[number].right, y)]
    points.append((last.x, end.y))
    return Wire(link, tuple(points))
