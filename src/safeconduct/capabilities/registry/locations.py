"""Where repositories are: only where the operator says.

A registry that is not configured is not contacted, whatever an image reference names.
"""

import ssl
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from safeconduct.capabilities.registry.client import RegistryRepository
from safeconduct.capabilities.registry.connection import AddressCheck
from safeconduct.capabilities.registry.credentials import Credentials, anonymous
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.registry.reference import parse_reference
from safeconduct.capabilities.registry.repository import Repository
from safeconduct.foundation.errors import BadUsage, Undecided

_LAYOUT = "oci:"


def open_repository(
    name: str,
    registries: Mapping[str, str],
    *,
    credentials: Credentials = anonymous,
    also: Collection[str] = (),
    check: AddressCheck | None = None,
    seconds: float = 30,
    context: ssl.SSLContext | None = None,
) -> Repository:
    """Return the repository that ``name`` stands for; nothing is contacted yet.

    Args:
        name: ``host/path``, or a whole image reference, whose tag and digest are left aside.
        registries: from ``host`` or ``host/path`` to ``oci:FOLDER``, ``https://host[:port][/path]`` or ``http://…``;
            the longest one that covers the name counts, and what the name has beyond it is added to its place.
        credentials, also, check, seconds, context: see RegistryRepository.

    Raises:
        Refused: ``bad-reference``.
        Undecided: ``registry-not-allowed`` when no entry covers the name.
        BadUsage: ``bad-registry`` for an entry that is no location.
    """
    reference = parse_reference(name)
    place, rest = _covering(reference.name, registries)
    if place.startswith(_LAYOUT):
        return LayoutRepository(Path(place.removeprefix(_LAYOUT)) / rest)
    parts = urlsplit(place)
    path = "/".join(part for part in (parts.path.strip("/"), rest) if part)
    if parts.scheme not in {"http", "https"} or not path:
        raise BadUsage(
            "bad-registry",
            f"'registries' maps {reference.name!r} to {place!r}, which is no repository",
            why="a location is oci:FOLDER, https://host[:port][/path] or http://host[:port][/path]",
            next_step="correct it in 'registries'",
        )
    known = [urlsplit(value).netloc for value in registries.values() if not value.startswith(_LAYOUT)]
    return RegistryRepository(
        f"{parts.scheme}://{parts.netloc}",
        path,
        credentials=credentials,
        also={host for host in (*known, *also) if host},
        check=check,
        seconds=seconds,
        context=context,
    )


def _covering(name: str, registries: Mapping[str, str]) -> tuple[str, str]:
    parts = name.split("/")
    for length in range(len(parts), 0, -1):
        place = registries.get("/".join(parts[:length]))
        if place is not None:
            return place, "/".join(parts[length:])
    raise Undecided(
        "registry-not-allowed",
        f"{name} is in a registry that is not configured",
        why=f"'registries' names {', '.join(sorted(registries)[:8]) or 'none'}",
        next_step=f'have the operator add registries."{parts[0]}", if images may come from there',
    )
