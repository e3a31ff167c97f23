"""The drawing holds everything it was given, nothing that it was not, and no line crosses a card."""

import itertools
import random
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from safeconduct.model.lineage import COLUMNS, Lineage, Link, Node
from safeconduct.server.lineage import draw
from safeconduct.server.lineage_layout import PAGE, Board, arrange

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "</title></style><script>alert(1)</script>",
    '" onmouseover="alert(1)" x=\'',
    "']]><!--",
    "&lt;b&gt; &amp;",
    "javascript:alert(1)",
    "\x00\x1b[31m\x7f\ud800\uffff",
    "\u202egnp.exe\u2066\u200b",
    "漢字" * 50,
    "W" * 100_000,
    "",
)


def lineage(nodes: list[Node], links: list[Link] | None = None, **more: object) -> Lineage:
    fields: dict[str, object] = {"title": "shop 1.0.0", "digest": "sha256:" + "a" * 64, "summary": "s", "alarm": ""}
    return Lineage(**(fields | {"nodes": tuple(nodes), "links": tuple(links or [])} | more))  # type: ignore[arg-type]


def flow(seed: int, per_column: int = 6) -> Lineage:
    """A drawing with links between any two columns, some claimed, some of the risk."""
    pick = random.Random(seed)
    nodes = [
        Node(f"{column}-{n}", column, f"card {n * 3 // per_column}", f"title {column} {n}", "detail", mark, "note")
        for column in COLUMNS
        for n in range(pick.randint(0, per_column))
        for mark in [pick.choice(["ok", "bad", "unsure", "none"])]
    ]
    pairs = [pick.sample(nodes, 2) for _ in range(40)] if len(nodes) > 1 else []
    links = [Link(a.id, b.id, pick.random() < 0.7, pick.random() < 0.3) for a, b in pairs]
    return lineage(nodes, links, alarm="one new risk", facts=(("How it got in", ("a \u203a b",)),))


def parsed(html: str) -> ET.Element:
    head, _, rest = html.partition("\n")
    assert head == "<!doctype html>"
    return ET.fromstring(rest)


def crossings(board: Board) -> list[str]:
    """Straight parts of wires that run through a card, and cards of one column that touch."""
    found = []
    for wire in board.wires:
        if wire.loop:
            continue
        for (x1, y1), (x2, _) in itertools.pairwise(wire.points[1:-1]):
            for column in board.columns:
                inside = column.x >= x1 and column.right <= x2
                found += [c.title for c in column.cards if inside and c.y < y1 < c.y + c.height]
    for column in board.columns:
        found += [b.title for a, b in itertools.pairwise(column.cards) if a.y + a.height > b.y]
    return found


class Loads(HTMLParser):
    """Collects what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "img", "iframe", "link", "object", "embed", "base", "form", "a"}:
            self.found.append(tag)
        for name, value in attrs:
            outside = name in {"src", "href", "xlink:href", "action"} and not (value or "").startswith("#i-")
            if name.startswith("on") or outside:
                self.found.append(f"{name}={value}")


@pytest.mark.parametrize("seed", range(30))
def test_every_node_and_link_is_drawn_once(seed: int) -> None:
    given = flow(seed)
    tree = parsed(draw(given))
    rows = [x for x in tree.iter(f"{XHTML}div") if "data-id" in x.attrib]
    assert sorted(x.attrib["data-id"] for x in rows) == sorted(node.id for node in given.nodes)
    paths = [x.attrib for x in tree.iter(f"{SVG}path") if "data-start" in x.attrib]
    drawn = sorted((p["data-start"], p["data-end"], "claimed" not in p["class"], "risk" in p["class"]) for p in paths)
    assert drawn == sorted((x.start, x.end, x.verified, x.risk) for x in given.links)


@pytest.mark.parametrize("seed", range(30))
def test_no_line_crosses_a_card_and_no_card_lies_on_another(seed: int) -> None:
    board = arrange(flow(seed, per_column=12))
    assert crossings(board) == []
    cards = [card for column in board.columns for card in column.cards]
    assert all(card.y >= 0 and card.y + card.height <= board.height for card in cards)


def test_lines_of_the_risk_lie_on_top() -> None:
    risks = [wire.link.risk for wire in arrange(flow(3)).wires]
    assert True in risks
    assert risks == sorted(risks)


def test_a_usual_drawing_fits_a_laptop_screen() -> None:
    nodes = [
        Node(f"{c}{n}", c, "card", "a title that is much too long for it", "d" * 60) for c in COLUMNS for n in (1, 2)
    ]
    assert arrange(lineage(nodes)).width <= PAGE


def test_sixty_nodes_in_a_column_take_one_line_each() -> None:
    nodes = [Node(f"n{n}", "running", f"cluster {n // 20}", f"workload {n}", "ns") for n in range(60)]
    board = arrange(lineage([*nodes, Node("r", "release", "shop", "1.0.0")]))
    assert board.height < 60 * 22 + 300
    assert draw(lineage(nodes)).count('class="row none dense"') == 60


def test_one_node_or_none_is_a_drawing_too() -> None:
    assert draw(lineage([])).count("nothing known") == 7
    assert draw(lineage([Node("r", "release", "shop", "1.0.0")])).count("nothing known") == 6


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_text_wherever_it_stands(text: str) -> None:
    nodes = [
        Node("a" + text, "who", text, text, text, text, text),
        Node("b" + text, "running", text, text, text, "bad", text),
    ]
    given = lineage(
        nodes,
        [Link("a" + text, "b" + text, risk=True)],
        title=text,
        digest=text,
        summary=text,
        alarm=text,
        facts=((text, (text, f"`{text}`")),),
    )
    html = draw(given)
    html.encode("utf-8")
    parsed(html)
    browser = Loads()
    browser.feed(html)
    assert browser.found == []
    assert len(html) < 200_000


def test_marks_of_direction_cannot_disguise_a_name() -> None:
    html = draw(lineage([Node("n", "running", "c", "safe\u202egnp.exe")]))
    assert "\u202e" not in html
    assert "safe\ufffdgnp.exe" in html


def test_a_long_name_stands_in_full_in_its_title() -> None:
    name = "a-very-long-package-name-" * 8
    tree = parsed(draw(lineage([Node("n", "evidence", "c", name)])))
    assert name in [x.attrib.get("title") for x in tree.iter(f"{XHTML}div")]


def test_the_same_lineage_gives_the_same_bytes() -> None:
    assert draw(flow(7)) == draw(flow(7))


def test_headings_alarm_legend_and_facts_are_there() -> None:
    html = draw(flow(1))
    for text in ("Who", "Source", "Build", "Release", "Evidence and risk", "Admission", "Running"):
        assert f">{text}</h2>" in html
    for text in ("<strong>one new risk</strong>", "claimed, not verified", "path of the risk", "How it got in"):
        assert text in html


def test_a_command_between_backticks_is_set_as_code() -> None:
    html = draw(lineage([], facts=(("What to do", ("type `npm ci <now>`",)),)))
    assert "type <code>npm ci &lt;now&gt;</code>" in html


@pytest.mark.parametrize(
    ("nodes", "links"),
    [
        ([Node("a", "who", "c", "t"), Node("a", "source", "c", "t")], []),
        ([Node("a", "nowhere", "c", "t")], []),
        ([Node("a", "who", "c", "t")], [Link("a", "b")]),
    ],
    ids=["an id twice", "no such column", "no such node"],
)
def test_a_lineage_that_contradicts_itself_is_refused(nodes: list[Node], links: list[Link]) -> None:
    with pytest.raises(ValueError, match="node"):
        draw(lineage(nodes, links))
