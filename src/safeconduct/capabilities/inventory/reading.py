"""What one reader says about one file, before the readings of a whole tree are joined."""

import msgspec

from safeconduct.model.component import Component, Location, Scope, Unread
from safeconduct.model.digest import Digest


class Installed(msgspec.Struct, frozen=True):
    """A package found installed; what it needs is looked up among what else is installed.

    Attributes:
        ecosystem: purl type: ``npm`` or ``pypi``.
        place: the package's own folder (npm) or its metadata's path (pypi), in the tree.
        key: the component's key.
        name: as its ecosystem looks it up, normalised.
        needs: names that it asks for; those that are not installed give no edge.
    """

    ecosystem: str
    place: str
    key: str
    name: str
    needs: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """Names that a project, or the person who installed, asked for directly in one folder."""

    ecosystem: str
    folder: str
    names: tuple[str, ...]
    declared: tuple[tuple[str, str, Scope], ...] = ()
    """(name, requirement as written, scope) of each, where a lock file may ask for them."""


class Answers(msgspec.Struct, frozen=True):
    """What a lock file gives for each declaration, where the declarations themselves stand in manifests beside it.

    Attributes:
        folder: of the lock file; manifests in and below it are answered.
        keys: (name, requirement) to the component's key; an empty requirement answers any.
    """

    ecosystem: str
    folder: str
    keys: dict[tuple[str, str], str]


class Sums(msgspec.Struct, frozen=True):
    """Hashes that stand apart from what they are of: ``h1:…`` by purl, for the modules of one folder."""

    folder: str
    hashes: dict[str, str]


class OsPackage(msgspec.Struct, frozen=True):
    """A package of an operating system, as its database lists it; which system it is stands in another file.

    Attributes:
        kind: purl type: ``deb``, ``apk`` or ``rpm``.
        root: folder of the system in the tree, empty or ending in ``/``.
        version: with epoch where there is one.
        source: name of the source package, with ``@version`` where that differs; empty when it is the same.
        vendor: purl namespace where no os-release names the system.
        needs: names, each with its alternatives; those that nothing installed provides give no edge.
        provides: names by which others may need it, its own among them.
        owns: metadata of language packages among its files, by their path below the root.
        extra: further purl qualifiers.
    """

    kind: str
    root: str
    location: Location
    name: str
    version: str
    architecture: str = ""
    source: str = ""
    vendor: str = ""
    licenses: tuple[str, ...] = ()
    needs: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()


class Owned(msgspec.Struct, frozen=True):
    """The list of a package's files that dpkg keeps beside its database.

    Attributes:
        package: ``name`` or ``name:architecture``.
        paths: as in ``OsPackage.owns``.
        layer: the image layer that brought the list, and so the package.
    """

    root: str
    package: str
    paths: tuple[str, ...]
    layer: Digest | None = None


class SystemRelease(msgspec.Struct, frozen=True):
    """Which operating system lies at ``root``: ``ID`` and ``VERSION_ID`` of its os-release."""

    root: str
    id: str
    version: str


class Resolved(msgspec.Struct, frozen=True):
    """Declarations of a manifest that a lock file has resolved, so that they are no open ranges.

    Attributes:
        manifest: path of the manifest in the tree.
        declarations: (purl without version, requirement as written); an empty requirement matches any.
    """

    manifest: str
    declarations: frozenset[tuple[str, str]]


class Reading(msgspec.Struct, frozen=True):
    """One file's share of an inventory.

    Attributes:
        components: in the file's order; one purl may stand in several places.
        edges: (parent key, child key).
        unread: parts of this file that could not be read.
        includes: paths in the tree that this file names and that the same reader must read.
        foreign: folders that hold other people's files: what is declared below them is not ours.
    """

    components: tuple[Component, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    unread: tuple[Unread, ...] = ()
    installed: tuple[Installed, ...] = ()
    asked: tuple[Asked, ...] = ()
    resolved: tuple[Resolved, ...] = ()
    includes: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    answers: tuple[Answers, ...] = ()
    sums: tuple[Sums, ...] = ()
    packages: tuple[OsPackage, ...] = ()
    owned: tuple[Owned, ...] = ()
    systems: tuple[SystemRelease, ...] = ()


def not_read(path: str, reason: str) -> Reading:
    """Return the reading of a file that could not be read: never silence, never a guess."""
    return Reading(unread=(Unread(path, reason),))


def folder_of(path: str) -> str:
    """Return the folder of ``path`` in the tree, empty for the top."""
    return path.rpartition("/")[0]


def beside(path: str, name: str) -> str:
    """Return the path of ``name`` in the folder of ``path``."""
    folder = folder_of(path)
    return f"{folder}/{name}" if folder else name
