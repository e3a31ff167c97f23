"""Floors: what quality and conformance have reached once and must keep. Only a better figure moves one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from figures import Figure

FILE = Path(__file__).with_name("floors.json")


def with_floors(figures: Sequence[Figure], file: Path = FILE) -> list[Figure]:
    """Return the figures with their floors as aims.

    Raises:
        ValueError: a floor without a number or without the date it was reached.
    """
    floors = json.loads(file.read_text("utf-8"))
    return [_with_floor(figure, floors.get(figure.name)) for figure in figures]


def below(figures: Sequence[Figure]) -> list[str]:
    """Return the names of figures that are below their floor."""
    return [figure.name for figure in figures if figure.met is False]


def _with_floor(figure: Figure, floor: dict[str, object] | None) -> Figure:
    if floor is None:
        return figure
    value, reached = floor.get("value"), floor.get("reached")
    if not isinstance(value, int | float) or not isinstance(reached, str) or not reached:
        raise ValueError(f"the floor of {figure.name} needs 'value' and 'reached'")
    return replace(figure, aim=f">= {value} (reached {reached})")
