"""Every reader's row says what the reader really yields, no more and no less."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory.pinning import pinning_notes
from safeconduct.capabilities.inventory.readers import YIELDS
from safeconduct.capabilities.inventory.tree import FolderTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Presence, Scope

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"
EVIDENCE = {
    Presence.INSTALLED: "installed",
    Presence.LOCKED: "locked",
    Presence.DECLARED: "declared",
    Presence.UNRESOLVED: "declared",
}


def found_by(row: Yields) -> tuple[list[Component], list[tuple[str, str]]]:
    inventory = read_tree(FolderTree(CASES / row.reader))
    assert inventory.unread == ()
    mine = [c for c in inventory.components if any(place.reader == row.reader for place in c.locations)]
    keys = {c.key for c in mine}
    return mine, [edge for edge in inventory.edges if edge[0] in keys]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.reader) for row in YIELDS])
def test_a_row_is_what_its_sample_shows(row: Yields) -> None:
    if not (CASES / row.reader).is_dir():
        pytest.fail(f"there is no sample for {row.reader}: add {CASES.name}/{row.reader}")
    components, edges = found_by(row)
    places = [place for c in components for place in c.locations if place.reader == row.reader]
    shown = {
        "ecosystem": ", ".join(sorted({c.purl[4:].partition("/")[0] for c in components})),
        "evidence": "/".join(sorted({EVIDENCE[c.presence] for c in components})),
        "licenses": any(c.licenses for c in components),
        "hashes": any(c.hashes for c in components),
        "edges": bool(edges),
        "direct": {True, False} <= {c.direct for c in components} or (row.direct and row.evidence == "declared"),
        "scope": any(c.scope != Scope.RUNTIME for c in components),
        "lines": all(place.line for place in places),
    }
    assert shown == {name: getattr(row, name) for name in shown}


@pytest.mark.parametrize("row", [pytest.param(row, id=row.reader) for row in YIELDS if row.evidence == "installed"])
def test_what_is_installed_asks_nobody_to_pin_it(row: Yields) -> None:
    notes = pinning_notes(read_tree(FolderTree(CASES / row.reader)))
    assert {note.path for note in notes} <= {"package.json"}


def test_every_sample_has_a_row() -> None:
    assert {folder.name for folder in CASES.iterdir()} == {row.reader for row in YIELDS}
