"""Lineage: one drawing from who to running, as values; drawing it is a face's work."""

import msgspec

COLUMNS = ("who", "source", "build", "release", "evidence", "admission", "running")


class Node(msgspec.Struct, frozen=True):
    """A row in a card of the drawing.

    Attributes:
        column: one of COLUMNS; ``evidence`` holds evidence and risk.
        card: title of the card that it stands in; nodes of one card share it.
        mark: ``ok``, ``bad``, ``unsure`` or ``none``.
    """

    id: str
    column: str
    card: str
    title: str
    detail: str = ""
    mark: str = "none"
    card_note: str = ""


class Link(msgspec.Struct, frozen=True):
    """A line of the drawing: solid when verified, dashed when claimed, red on the path of the risk."""

    start: str
    end: str
    verified: bool = True
    risk: bool = False


class Lineage(msgspec.Struct, frozen=True):
    """The drawing of one release.

    Attributes:
        facts: (heading, lines) for the panel below the drawing.
    """

    title: str
    digest: str
    summary: str
    alarm: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()
