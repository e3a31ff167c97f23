"""Accuracy against labelled data. No suite is connected yet, and the table says so.

python bench/quality.py [--json]
"""

import argparse
import sys
from collections.abc import Sequence

from figures import Figure, tell


def main(arguments: Sequence[str]) -> int:
    """Print and write how many suites there are; return 0."""
    parser = argparse.ArgumentParser(description="Measure accuracy against labelled data.")
    parser.add_argument("--json", action="store_true", help="print the written document instead of the table")
    asked = parser.parse_args(arguments)
    tell("quality", [Figure("quality.suites", 0, "suites", "", "0 suites connected yet")], as_json=asked.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
