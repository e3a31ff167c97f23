"""Components: one version of one package, found in one place, with everything that says so."""

from enum import StrEnum

import msgspec

from safeconduct.model.digest import Digest


class Presence(StrEnum):
    """How sure we are that this version is what runs."""

    INSTALLED = "installed"
    LOCKED = "locked"
    DECLARED = "declared"
    CLAIMED = "claimed"
    UNRESOLVED = "unresolved"
    """Only a range is known. A version is never invented, so the purl carries none."""


class Scope(StrEnum):
    """What the component is needed for."""

    RUNTIME = "runtime"
    DEV = "dev"
    BUILD = "build"
    OPTIONAL = "optional"
    PEER = "peer"


class Location(msgspec.Struct, frozen=True, order=True):
    """Where a reader saw it. ``layer`` is the layer's digest in an image; ``line`` counts from 1."""

    path: str
    reader: str
    line: int | None = None
    layer: Digest | None = None


class Hash(msgspec.Struct, frozen=True, order=True):
    """A hash that a lock file or record gives; ``of`` says of what: ``archive`` or ``file``."""

    algorithm: str
    value: str
    of: str = "archive"


class Component(msgspec.Struct, frozen=True):
    """One component of an inventory.

    Attributes:
        purl: canonical text; without version while ``presence`` is unresolved.
        ref: unique within its inventory; the purl unless a document gave another (its bom-ref).
        requirement: the range or tag as written, where it is not an exact version.
        grade: pinning, 0 none, 1 range, 2 exact, 3 exact and hash, 4 exact, hash and verified signature.
        direct: True when the project names it itself, None when nothing says.
        licenses: SPDX expressions as declared, in the order found.
        owner: purl of the package that owns these files (an OS package), if any.
    """

    purl: str
    presence: Presence
    locations: tuple[Location, ...]
    ref: str = ""
    scope: Scope = Scope.RUNTIME
    direct: bool | None = None
    requirement: str | None = None
    grade: int = 0
    hashes: tuple[Hash, ...] = ()
    licenses: tuple[str, ...] = ()
    owner: str | None = None

    @property
    def key(self) -> str:
        """The reference that edges use."""
        return self.ref or self.purl


class Unread(msgspec.Struct, frozen=True, order=True):
    """A part that could not be read. An inventory with one of these is not complete."""

    path: str
    reason: str


class Inventory(msgspec.Struct, frozen=True):
    """What a tree, image or document is made of.

    Attributes:
        components: sorted by key; keys are unique.
        edges: (parent key, child key), sorted, unique; cycles occur in real data.
        unread: what could not be read; non-empty means "could not tell" for whoever needs all of it.
        readers: the readers that found something, sorted.
    """

    components: tuple[Component, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    unread: tuple[Unread, ...] = ()
    readers: tuple[str, ...] = ()
