"""Pods followed as a cluster reports them: each event is recorded when it has arrived, and what is broken is told."""

from collections.abc import Callable, Iterable

import msgspec

from safeconduct.capabilities.kubernetes.stream import Broken, Objects
from safeconduct.capabilities.kubernetes.watch import Place, Seen, is_list, read_event, read_list
from safeconduct.foundation.errors import BadUsage, SafeconductError
from safeconduct.foundation.store import Store
from safeconduct.model.digest import Digest
from safeconduct.model.workload import CompleteList, Sighting
from safeconduct.phases.authority import Authority
from safeconduct.phases.operate.events import Recorder

Row = tuple[str, str, str, Digest]
"""namespace, workload, container, digest."""


class Problem(msgspec.Struct, frozen=True):
    """An event that could not be read: its place in the stream, counted from 1, and why."""

    event: int
    why: str


class Followed(msgspec.Struct, frozen=True):
    """What a stream said when it ended.

    Attributes:
        running: what it reported running last: namespace, workload, container and digest, sorted.
        ended: what a complete list named no more, in the same form.
        unknown: ``namespace/pod/container`` that runs without naming a registry digest, in order.
        broken: what was passed over.
    """

    cluster: str
    running: tuple[Row, ...]
    ended: tuple[Row, ...]
    unknown: tuple[str, ...]
    broken: tuple[Problem, ...]


class Follower:
    """Reads a stream of events, or a list, and records each object when it is whole."""

    def __init__(
        self,
        authority: Authority,
        place: Place,
        *,
        complete: CompleteList | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Record nothing yet.

        Args:
            complete: the list that will come is one of all that runs; a stream of events never is.
            tell: hears at once what was recorded and what is broken.
        """
        self._recorder = Recorder(authority)
        self._authority = authority
        self._place = place
        self._complete = complete
        self._tell = tell
        self._count = 0
        self._running: dict[tuple[str, str], Sighting] = {}
        self._ended: list[Sighting] = []
        self._unknown: dict[str, None] = {}
        self._broken: list[Problem] = []

    def follow(self, pieces: Iterable[bytes]) -> Followed:
        """Return what the stream said, when it has ended; everything in it is recorded by then.

        Raises:
            BadUsage: ``not-a-list``: it was said to be a complete list, and is a stream of events.
            Undecided: ``partial-list`` or ``empty-list``; the store cannot be written: what came before is recorded.
        """
        objects = Objects()
        with self._authority.graph() as store:
            for piece in pieces:
                self._take(store, objects.feed(piece))
            self._take(store, objects.finish())
        return Followed(
            self._place.cluster,
            _rows(self._running.values()),
            _rows(self._ended),
            tuple(self._unknown),
            tuple(self._broken),
        )

    def _take(self, store: Store, found: Iterable[bytes | Broken]) -> None:
        # What arrives together is recorded together: the thousands of events that a watch begins with are one commit.
        sightings: list[Sighting] = []
        for one in found:
            self._count += 1
            seen = self._read(one)
            if seen is not None and seen.complete is not None:
                self._keep(store, seen)
            elif seen is not None:
                sightings += seen.sightings
                self._unknown |= dict.fromkeys(seen.unknown)
        if sightings:
            self._keep(store, Seen(tuple(sightings)))

    def _read(self, one: bytes | Broken) -> Seen | None:
        if isinstance(one, Broken):
            self._pass_over(one.why)
            return None
        now = self._authority.clock()
        try:
            if is_list(one):
                return read_list(one, self._place, now, self._complete)
            seen = read_event(one, self._place, now)
        except SafeconductError as error:
            if error.id in {"partial-list", "empty-list"}:
                raise
            self._pass_over(f"{error.what}: {error.why}; {error.next}")
            return None
        if self._complete is not None:
            raise BadUsage(
                "not-a-list",
                "this is a stream of events, which is never a complete list",
                why="a stream does not say when it has named all that runs",
                next_step="take the list first: kubectl get --raw /api/v1/pods | safeconduct watch pods - --complete",
            )
        return seen

    def _pass_over(self, why: str) -> None:
        self._broken.append(Problem(self._count, why))
        self._tell(f"event {self._count} was passed over: {why}")

    def _keep(self, store: Store, seen: Seen) -> None:
        ended = self._recorder.keep_sightings(store, seen)
        self._unknown |= dict.fromkeys(seen.unknown)
        self._ended += ended
        for sighting in (*seen.sightings, *ended):
            where = sighting.where
            key = (f"{where.namespace}/{sighting.pod}/{where.container}", sighting.container_id)
            if sighting.running:
                self._running[key] = sighting
            else:
                self._running.pop(key, None)
            verb = "runs" if sighting.running else "ended"
            self._tell(f"{where.namespace}/{where.workload}/{where.container} {verb}: {sighting.digest}")


def _rows(sightings: Iterable[Sighting]) -> tuple[Row, ...]:
    found = {(s.where.namespace, s.where.workload, s.where.container, s.digest) for s in sightings}
    return tuple(sorted(found))
