"""How we measure: CPU seconds rather than wall time, five runs, and the most memory that was resident."""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RUNS = 5
_KIB_PER_MIB = 1024


class Absent(Exception):
    """What a case needs is not here: the message says what."""


@dataclass(frozen=True)
class Spread:
    """CPU seconds of several runs."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def text(self, unit: str = "ms") -> str:
        """Return least and most, for a figure's context."""
        factor, digits = {"ms": (1e3, 1), "s": (1, 2), "µs": (1e6, 0)}[unit]
        low, high = min(self.seconds) * factor, max(self.seconds) * factor
        return f"{low:.{digits}f}-{high:.{digits}f} {unit} in {len(self.seconds)} runs"


def cpu_of(work: Callable[[], object], runs: int = RUNS) -> Spread:
    """Return the CPU time of ``work`` in this process; one run before the first counts for nothing."""
    work()
    seconds = []
    for _ in range(runs):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return Spread(tuple(seconds))


def cpu_of_command(command: Sequence[str], runs: int = RUNS) -> tuple[Spread, float]:
    """Return the CPU time of a command with its children, and the most memory of one of its runs in MiB.

    Raises:
        RuntimeError: it did not end with 0.
    """
    seconds, memory = [], 0
    for run in range(runs + 1):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            problem = process.stderr.read() if process.stderr else b""
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {problem.decode()[-500:]}")
        if run:  # the first one writes byte code and warms the disk's cache
            seconds.append(usage.ru_utime + usage.ru_stime)
            memory = max(memory, usage.ru_maxrss)
    return Spread(tuple(seconds)), memory / _KIB_PER_MIB


def peak_memory() -> float:
    """Return the most memory that was resident in this process so far, in MiB; each case has its own process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB
