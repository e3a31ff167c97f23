"""What one reader says about one file, before the readings of a whole tree are joined."""

import msgspec

from safeconduct.model.component import Component, Unread


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
