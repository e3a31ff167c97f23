"""Admissions kept: at once, or by a writer of their own after the answer was given.

A cluster waits for the answer, not for the disk: keeping the admission is two fifths of a warm request. What is kept
later stands in a bounded queue until then, and is lost only with the process itself: a queue that is full, or a writer
that cannot write, makes the next request wait for its own.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

import msgspec

from safeconduct.foundation.errors import SafeconductError, Undecided
from safeconduct.foundation.store import Store
from safeconduct.foundation.wording import counted
from safeconduct.intake.judgements import record_admission
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest
from safeconduct.model.workload import Workload

_ROOM = 10_000
_TOGETHER = 200
_PAUSE_SECONDS = 1.0


class Admitted(msgspec.Struct, frozen=True):
    """One container of a request, and what was said about its image; ``at`` in microseconds since 1970."""

    at: int
    digest: Digest
    where: Workload
    outcome: Outcome
    decision: Digest | None


class Keeper(Protocol):
    """Keeps admissions; called from many threads."""

    def keep(self, store: Store, admitted: Sequence[Admitted]) -> None:
        """Keep them now or later; ``store`` is the caller's, for now."""


class KeepAtOnce:
    """Keeps each request's admissions before its answer is given."""

    def keep(self, store: Store, admitted: Sequence[Admitted]) -> None:
        """Write them.

        Raises:
            Undecided: ``store-busy`` and the like.
        """
        _write(store, admitted)


class KeepLater:
    """Keeps admissions in one thread, many in a commit, in the order in which they were given.

    Leave it, or close it, to have everything written.
    """

    def __init__(self, open_store: Callable[[], Store], *, room: int = _ROOM) -> None:
        """Start the writer.

        Args:
            room: how many requests may wait to be kept.
        """
        self._open_store = open_store
        self._waiting: queue.Queue[Sequence[Admitted] | None] = queue.Queue(room)
        self._lock = threading.Lock()
        self._closed = False
        self._closing = threading.Event()
        self._failed: Exception | None = None
        self._left = 0
        self._writer = threading.Thread(target=self._run, name="admissions")
        self._writer.start()

    def keep(self, store: Store, admitted: Sequence[Admitted]) -> None:
        """Have them written soon; at once, in ``store``, when there is no room or nobody to write them any more."""
        if not admitted:
            return
        with self._lock:
            try:
                if not self._closed:
                    self._waiting.put_nowait(admitted)
                    return
            except queue.Full:
                pass
        _write(store, admitted)

    def close(self) -> None:
        """Return when everything is written.

        Raises:
            Undecided: ``admissions-not-kept``: the graph could not be written to the last.
        """
        with self._lock:
            already, self._closed = self._closed, True
        self._closing.set()
        if not already:
            self._waiting.put(None)
        self._writer.join()
        if self._left:
            left, self._left = self._left, 0
            raise Undecided(
                "admissions-not-kept",
                f"{counted(left, 'request')} answered without a trace: the graph does not hold their admissions",
                why=str(self._failed),
                next_step="what runs is learnt from the clusters all the same: safeconduct watch pods",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except SafeconductError as lost:
            error.add_note(lost.render())

    def _run(self) -> None:
        store: Store | None = None
        while batch := self._next():
            # Once it is over, what cannot be written is not tried for each batch: every try may wait for a lock.
            while self._failed is None or not self._closing.is_set():
                try:
                    store = store or self._open_store()
                    _write(store, [admitted for request in batch for admitted in request])
                    batch = []
                    break
                except Exception as error:  # noqa: BLE001 - whatever it is, the rest is to be kept and this to be told
                    self._failed = error
                    # Meanwhile the queue fills, and requests wait for their own: nothing is answered unnoticed.
                    self._closing.wait(_PAUSE_SECONDS)
            self._left += len(batch)
        if store is not None:
            store.close()

    def _next(self) -> list[Sequence[Admitted]]:
        """Return what waits, at least one request; nothing at the end."""
        first = self._waiting.get()
        if first is None:
            return []
        found = [first]
        while len(found) < _TOGETHER:
            try:
                one = self._waiting.get_nowait()
            except queue.Empty:
                break
            if one is None:
                self._waiting.put(None)
                break
            found.append(one)
        return found


def _write(store: Store, admitted: Sequence[Admitted]) -> None:
    with store.transaction():
        for one in admitted:
            record_admission(
                store, at=one.at, digest=one.digest, where=one.where, outcome=one.outcome, decision=one.decision
            )
