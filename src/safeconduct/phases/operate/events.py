"""What clusters report, taken in: what runs where, and what misbehaved."""

import msgspec

from safeconduct.capabilities.graph.questions import everything
from safeconduct.capabilities.kubernetes.watch import Seen
from safeconduct.foundation.store import Store
from safeconduct.intake.sightings import record_list, record_sightings
from safeconduct.intake.violations import record_violation
from safeconduct.model.digest import Digest
from safeconduct.model.violation import Violation
from safeconduct.model.workload import Sighting
from safeconduct.phases.authority import Authority


class Tied(msgspec.Struct, frozen=True):
    """A runtime violation and the release and commit behind it; empty where nothing could be tied."""

    rule: str
    priority: str
    cluster: str
    workload: str
    joined: str
    release: str
    digest: Digest | None
    commit: str
    author: str


class Recorder:
    """Takes reports into the graph; each call opens and closes it, so that any thread may call."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def take_sightings(self, seen: Seen) -> None:
        """Record what was seen running or stopped.

        Raises:
            Undecided: the store is busy or cannot be opened; nothing of it was recorded.
        """
        with self._authority.graph() as store:
            self.keep_sightings(store, seen)

    def take_violations(self, violations: tuple[Violation, ...]) -> None:
        """Record what a detector reported; raises as ``take_sightings``."""
        self.tie_violations(violations)

    def tie_violations(self, violations: tuple[Violation, ...]) -> tuple[Tied, ...]:
        """Record what a detector reported and return what each report was tied to, in the same order."""
        with self._authority.graph() as store:
            return tuple(self._tie(store, violation) for violation in violations)

    def _tie(self, store: Store, violation: Violation) -> Tied:
        found = record_violation(
            store, at=self._authority.clock(), violation=violation, document=msgspec.json.encode(violation)
        )
        release = everything(store, found.digest).release if found.digest else None
        commit = release.commit if release else None
        return Tied(
            rule=violation.rule,
            priority=violation.priority,
            cluster=violation.cluster,
            workload=found.workload,
            joined=found.join,
            release=f"{release.product} {release.version}".strip() if release else "",
            digest=found.digest,
            commit=commit.id if commit else "",
            author=commit.author if commit else "",
        )

    def keep_sightings(self, store: Store, seen: Seen) -> tuple[Sighting, ...]:
        """Record sightings in a graph that is open; return what ended because a complete list does not name it."""
        at, document = self._authority.clock(), msgspec.json.encode(seen.sightings)
        if seen.complete is None:
            record_sightings(store, at=at, sightings=seen.sightings, document=document)
            return ()
        return record_list(store, at=at, complete=seen.complete, sightings=seen.sightings, document=document)
