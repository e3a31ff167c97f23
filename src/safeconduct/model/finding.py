"""Findings: an advisory that a component meets, with its severity and its fix."""

from enum import IntEnum, StrEnum

import msgspec


class Level(IntEnum):
    """Severity as one order. UNKNOWN is a level of its own: most free data has no severity at all."""

    NONE = 0
    UNKNOWN = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def word(self) -> str:
        """The lower-case word that documents and policies use."""
        return self.name.lower()


class Certainty(StrEnum):
    """How a match came about."""

    RANGE = "range"
    LISTED = "listed"
    UNORDERED = "unordered"
    """The version cannot be ordered: listed versions were compared, ranges could not be."""


class Fix(msgspec.Struct, frozen=True):
    """What repairs it. Both None: no fix exists, and we say so.

    Attributes:
        same_major: the smallest fixed version in the same major.
        smallest: the smallest fixed version of all that is newer than the installed one.
    """

    same_major: str | None = None
    smallest: str | None = None

    @property
    def best(self) -> str | None:
        """What to propose first."""
        return self.same_major or self.smallest


class SuppressionKind(StrEnum):
    """What takes a finding out of the count."""

    OWNER = "owner"
    """The files belong to a package of the operating system, whose own advisories decide."""
    VEX = "vex"
    """A statement that the operator accepts says that the component is not affected, or repaired."""


class Suppression(msgspec.Struct, frozen=True):
    """Why a finding is told but does not count.

    Attributes:
        by: purl of the owning package, or the id of the statement.
        reason: the statement's own words; empty where the kind says it all.
    """

    kind: SuppressionKind
    by: str
    reason: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One component met by one group of aliased advisories.

    Attributes:
        component: purl as in the inventory.
        advisory: the record that matched.
        ids: that id, its aliases and upstream ids, sorted; all are searchable.
        score: CVSS base score, None when only a word or nothing is known.
        path: component keys from a direct dependency down to this one; one witness, shortest first.
        suppression: set on those in ``Scan.suppressed``.
    """

    component: str
    advisory: str
    ids: tuple[str, ...]
    level: Level
    certainty: Certainty
    fix: Fix
    summary: str = ""
    score: float | None = None
    path: tuple[str, ...] = ()
    malicious: bool = False
    suppression: Suppression | None = None


class Coverage(StrEnum):
    """What the advisory data can say about one component."""

    COVERED = "covered"
    NO_FEED = "no-feed"
    """No feed declares this ecosystem or package: could not tell."""
    NO_VERSION = "no-version"
    """The version is not known: could not tell."""
    UNORDERED = "unordered"
    """The version has no place in the ecosystem's order."""
    UNCOMPARED = "uncompared"
    """An advisory about the package has a bound without a place in the order: could not tell."""


class Gap(msgspec.Struct, frozen=True, order=True):
    """A component that could not be judged, and why."""

    component: str
    coverage: Coverage


class Feed(msgspec.Struct, frozen=True):
    """What a source of advisories says of itself.

    Attributes:
        covers: OSV ecosystem names (``npm``) or purl bases (``pkg:npm/left-pad``) that it speaks for.
        as_of: RFC 3339 time of the data, not of the import.
    """

    id: str
    as_of: str
    covers: tuple[str, ...]
    license: str = ""
    attribution: str = ""
    source: str = ""


class Scan(msgspec.Struct, frozen=True):
    """The answer for one inventory: findings, what could not be told, and the feeds it rests on.

    Attributes:
        suppressed: findings that do not count, each with its ``suppression``; they stay visible, and are not clean.
    """

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    feeds: tuple[Feed, ...]
    suppressed: tuple[Finding, ...] = ()
