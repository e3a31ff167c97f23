"""What the command costs before it does anything: scripts call it often."""

import sys

from figures import Figure
from measure import cpu_of_command


def figures() -> list[Figure]:
    bare, bare_memory = cpu_of_command([sys.executable, "-c", "pass"])
    spread, memory = cpu_of_command([sys.executable, "-m", "safeconduct", "--version"])
    return [
        Figure(
            "start.version.cpu",
            spread.median * 1e3,
            "ms",
            "<= 60",
            f"--version, {spread.text()}; Python alone {bare.median * 1e3:.1f} ms",
        ),
        Figure("start.version.memory", memory, "MiB", "", f"--version; Python alone {bare_memory:.1f} MiB"),
    ]
