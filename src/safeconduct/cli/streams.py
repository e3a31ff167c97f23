"""Input that goes on: read as it arrives, ended by its end or by whoever interrupts us."""

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, BinaryIO

_PIECE = 64 * 1024
_ENDING = (signal.SIGINT, signal.SIGTERM)


def is_live(stream: BinaryIO) -> bool:
    """Return whether ``stream`` brings what happens now; a file does not."""
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        return False


@contextmanager
def until_interrupted(stream: BinaryIO) -> Iterator[Iterator[bytes]]:
    """Give the pieces of ``stream`` as they arrive, until it ends, or SIGINT or SIGTERM says that it is enough.

    What is being done with a piece is never interrupted: only waiting for the next one is.
    """
    reader = _Reader(stream)
    if threading.current_thread() is not threading.main_thread():
        yield reader.pieces()
        return
    before: dict[signal.Signals, Any] = {number: signal.signal(number, reader.stop) for number in _ENDING}
    try:
        yield reader.pieces()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Enough(Exception):
    """Somebody interrupted us while we waited."""


class _Reader:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting = self._stopped = False

    def stop(self, _: int, __: FrameType | None) -> None:
        self._stopped = True
        if self._waiting:
            raise _Enough

    def pieces(self) -> Iterator[bytes]:
        while not self._stopped:
            try:
                self._waiting = True
                piece = self._stream.read1(_PIECE)  # type: ignore[attr-defined]
                self._waiting = False
            except _Enough:
                return
            if not piece:
                return
            yield piece
