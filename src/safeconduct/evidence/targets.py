"""Targets as users spell them: a folder, ``oci:DIR[:tag]``, or an image reference; opened and read."""

from collections.abc import Callable
from pathlib import Path

from safeconduct.capabilities.image.contents import ImageTree
from safeconduct.capabilities.image.documents import find_image
from safeconduct.capabilities.inventory.readers import find_reader
from safeconduct.capabilities.inventory.tree import FolderTree
from safeconduct.capabilities.inventory.walk import Progress, read_tree
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.registry.reference import parse_reference
from safeconduct.capabilities.registry.repository import Repository, Source
from safeconduct.foundation.errors import BadUsage
from safeconduct.model.component import Inventory

_LAYOUT = "oci:"
Open = Callable[[str], Repository]
"""Gives the repository of an image reference; only configured registries are contacted."""


def read_target(target: str, open_repository: Open, *, on_progress: Progress | None = None) -> Inventory:
    """Return what is inside a folder or an image.

    Raises:
        BadUsage: no such folder or target; Refused, Undecided: as the image or its registry gives.
    """
    if not target.startswith(_LAYOUT) and Path(target).exists():
        return read_tree(FolderTree(Path(target)), on_progress=on_progress)
    repository, digest = open_target(target, open_repository)
    return read_tree(open_image(repository, digest), on_progress=on_progress)


def open_image(repository: Source, digest: str) -> ImageTree:
    """Return the files of an image; every layer's digest, size and diffID is checked while they are read.

    Raises:
        Refused: ``digest-mismatch``, ``not-an-image``; Undecided: several platforms, or what the registry gives.
    """
    return ImageTree(repository, find_image(repository, digest), is_wanted=lambda path: find_reader(path) is not None)


def open_target(target: str, open_repository: Open, *, resolve: bool = True) -> tuple[Repository, str]:
    """Return the repository of an image target and the digest that it names now.

    Args:
        target: ``oci:DIR``, ``oci:DIR:tag``, ``oci:DIR@sha256:…`` or an image reference.
        resolve: False gives the tag as written instead, for a place that is to be written.

    Raises:
        BadUsage: ``no-such-target``: neither a folder nor an image that could be meant.
    """
    if target.startswith(_LAYOUT):
        repository, asked = _layout(target)
    else:
        if ("/" not in target or target.startswith((".", "/", "~"))) and not Path(target).is_dir():
            raise BadUsage(
                "no-such-target",
                f"there is nothing at {target!r}",
                why="it is no folder, and no image reference with a registry",
                next_step="name a folder, oci:DIR[:tag] or registry/repository:tag",
            )
        reference = parse_reference(target)
        repository, asked = open_repository(reference.name), reference.asked
    return repository, repository.resolve(asked).digest if resolve else asked


def name_target(target: str) -> str:
    """Return the repository that an image target names.

    Raises:
        BadUsage: ``which-repository`` for a layout, which may hold any.
    """
    if target.startswith(_LAYOUT):
        raise BadUsage(
            "which-repository",
            f"{target} does not say which repository it is of",
            why="evidence is for one repository, and a layout may hold any",
            next_step="give --repository registry.example/team/product",
        )
    return parse_reference(target).name


def _layout(target: str) -> tuple[Repository, str]:
    place = target.removeprefix(_LAYOUT)
    if "@" in place:
        folder, _, asked = place.partition("@")
        return LayoutRepository(Path(folder)), asked
    head, separator, tag = place.rpartition(":")
    if separator and "/" not in tag:
        return LayoutRepository(Path(head)), tag
    repository = LayoutRepository(Path(place))
    tags = repository.tags()
    if len(tags) != 1:
        raise BadUsage(
            "which-image",
            f"{place} holds {len(tags)} tagged images",
            why=f"tags: {', '.join(tags[:8]) or 'none'}",
            next_step=f"name one: oci:{place}:TAG",
        )
    return repository, tags[0]
