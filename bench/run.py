"""Speed, memory and size: runs the cases and prints one table.

    python bench/run.py [case ...] [--json] [--against FILE]

A case is a file of bench/cases with ``figures() -> list[Figure]``. Each runs in a process of its own, so that its peak
of memory is its own.
"""

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from figures import Figure, read_values, tell
from measure import Absent

CASES = Path(__file__).with_name("cases")
ABSENT = 5
"""Exit code of a case whose part is not here."""


def main(arguments: Sequence[str]) -> int:
    """Run the cases that ``arguments`` name, or all; return 0, or 1 when one failed."""
    known = sorted(path.stem for path in CASES.glob("*.py"))
    parser = argparse.ArgumentParser(description="Measure speed, memory and size.")
    parser.add_argument("case", nargs="*", help=f"one of: {', '.join(known)}; all when none is named")
    parser.add_argument("--json", action="store_true", help="print the written document instead of the table")
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier document to lay beside")
    parser.add_argument("--alone", metavar="CASE", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.alone:
        return _alone(asked.alone)
    if unknown := set(asked.case) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))} (there are: {', '.join(known)})")
    figures, failed = _run_all(asked.case or known)
    before = read_values(asked.against) if asked.against else None
    tell("-".join(["bench", *asked.case]), figures, as_json=asked.json, before=before)
    return 1 if failed else 0


def _run_all(names: Sequence[str]) -> tuple[list[Figure], bool]:
    found: list[Figure] = []
    failed = False
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        command = [sys.executable, __file__, "--alone", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == ABSENT:
            print(f"{name}: absent: {done.stderr.strip()}", file=sys.stderr)
        elif done.returncode:
            failed = True
            print(f"{name}: FAILED\n{done.stderr}", file=sys.stderr)
        else:
            found += [Figure(**figure) for figure in json.loads(done.stdout)]
    return found, failed


def _alone(name: str) -> int:
    try:
        figures = importlib.import_module(f"cases.{name}").figures()
    except Absent as absent:
        print(absent, file=sys.stderr)
        return ABSENT
    except ModuleNotFoundError as missing:
        if missing.name is None or not missing.name.startswith("safeconduct."):
            raise
        print(f"{missing.name} is not built yet", file=sys.stderr)
        return ABSENT
    print(json.dumps([asdict(figure) for figure in figures]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
