"""Figures: one measured value each, printed as one table and written as one file, so that two runs can be compared."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "figures"
_AIM = re.compile(r"(<=|>=)\s*(\d+(?:\.\d+)?)(?: \(.+\))?")
_MARK = re.compile(r"\d+(?:\.\d+)? \(.+\)")


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: stable, ``room.what``: two runs are joined by it.
        aim: ``<= 60`` or ``>= 0.99`` in the figure's unit, with its reason in brackets if it needs one; or
            ``8.7 (somebody else's)``, a mark to compare with and not to meet; or empty where there is none yet.
        context: what was measured on what, and how far single runs lie apart.
    """

    name: str
    value: float
    unit: str
    aim: str = ""
    context: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met, None without an aim or with a mark only."""
        if not self.aim or _MARK.fullmatch(self.aim):
            return None
        match = _AIM.fullmatch(self.aim)
        if match is None:
            raise ValueError(f"{self.name}: an aim is '<= N', '>= N' or 'N (whose)', not {self.aim!r}")
        bound = float(match[2])
        return self.value <= bound if match[1] == "<=" else self.value >= bound


def write_figures(name: str, figures: Sequence[Figure], folder: Path = FOLDER) -> Path:
    """Write ``<name>.json`` with the figures and where they come from; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document(name, figures), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def document(name: str, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return the figures as they are written: version 1 of the form."""
    return {
        "version": 1,
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "processor": _processor(), "cores": os.cpu_count()},
        "figures": [asdict(figure) | {"met": figure.met} for figure in figures],
    }


def read_values(path: Path) -> dict[str, float]:
    """Return the values by name from a file that ``write_figures`` wrote."""
    return {figure["name"]: figure["value"] for figure in json.loads(path.read_text("utf-8"))["figures"]}


def table(figures: Sequence[Figure], before: Mapping[str, float] | None = None) -> str:
    """Return the figures as a table: figure, unit, aim, context; with ``before``, that run's values beside."""
    head = ["figure", "value", *(["before"] if before is not None else []), "unit", "aim", "", "context"]
    rows = [head]
    for figure in figures:
        met = {None: "", True: "met", False: "MISSED"}[figure.met]
        old = [_shown(before[figure.name]) if figure.name in before else "-"] if before is not None else []
        rows.append([figure.name, _shown(figure.value), *old, figure.unit, figure.aim, met, figure.context])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    numbers = range(1, 3 if before is not None else 2)
    lines = []
    for row in rows:
        cells = [c.rjust(w) if i in numbers else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=False))]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def tell(name: str, figures: Sequence[Figure], *, as_json: bool, before: Mapping[str, float] | None = None) -> None:
    """Write the figures' file and print them; where the file lies goes to standard error."""
    path = write_figures(name, figures)
    if as_json:
        print(path.read_text("utf-8"), end="")
    elif figures:
        print(table(figures, before))
    print(f"written to {path.relative_to(ROOT)}", file=sys.stderr)


def _shown(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}"


def _commit() -> str:
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
