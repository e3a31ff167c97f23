"""How we measure: CPU seconds rather than wall time, five runs, and the most memory that was resident."""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def cpu_of_many(work: Callable[[], object], times: int, runs: int = RUNS) -> Spread:
    """Return the CPU time of one ``work``, as the mean of ``times`` in a row, for work too short to be timed alone."""

    def repeat() -> None:
        for _ in range(times):
            work()

    return Spread(tuple(seconds / times for seconds in cpu_of(repeat, runs).seconds))


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


def cpu_of_process(process: int) -> float:
    """Return the CPU seconds that a running process and its children have used so far; Linux only."""
    try:
        words = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        children = Path(f"/proc/{process}/task/{process}/children").read_text("utf-8").split()
    except OSError as error:
        raise Absent(f"/proc/{process} cannot be read: {error}") from error
    own = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_of_process(int(child)) for child in children)


def memory_of_process(process: int) -> float:
    """Return the most memory that was resident in a running process so far, in MiB; Linux only."""
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0


def peak_memory() -> float:
    """Return the most memory that was resident in this process so far, in MiB; each case has its own process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB
