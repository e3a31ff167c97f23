"""Installed Alpine packages: apk's ``installed``.

Source: Alpine wiki, "Apk spec", installed database: one letter a field, a blank line after each package.
"""

import re
from collections.abc import Iterator

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.os_release import root_of
from safeconduct.capabilities.inventory.ownership import may_own, owned_paths
from safeconduct.capabilities.inventory.reading import OsPackage, Reading
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Location, Unread

READER = "apk"
YIELDS = Yields(
    reader=READER,
    files=("lib/apk/db/installed", "usr/lib/apk/db/installed"),
    ecosystem="apk",
    evidence="installed",
    licenses=True,
    edges=True,
    note="names the source package, and the language packages that each package owns",
)
PATHS = ("usr/lib/apk/db/installed", "lib/apk/db/installed")
_CONSTRAINT = re.compile(r"[<>=~].*$")


def read(path: str, data: bytes) -> Reading:
    """Return installed packages; a stanza without name or version is named as unread."""
    root = root_of(path, PATHS) or ""
    packages: list[OsPackage] = []
    unread: list[Unread] = []
    for stanza in re.split(r"\n[ \t\r]*\n", decode_text(data)):
        fields = [(line[0], line[2:].strip()) for line in stanza.splitlines() if line[1:2] == ":"]
        first = dict(reversed(fields))
        if first.get("P") and first.get("V"):
            packages.append(_package(path, root, first, fields))
        elif stanza.strip():
            unread.append(Unread(path, f"a package without name or version: {stanza.strip()[:80]!r}"))
    return Reading(packages=tuple(packages), unread=tuple(unread[:10]))


def _package(path: str, root: str, first: dict[str, str], fields: list[tuple[str, str]]) -> OsPackage:
    name, origin = first["P"], first.get("o", "")
    return OsPackage(
        kind="apk",
        root=root,
        location=Location(path, READER),
        name=name,
        version=first["V"],
        architecture=first.get("A", ""),
        source=origin if origin != name else "",
        vendor="alpine",
        licenses=(first["L"],) if first.get("L") else (),
        needs=tuple((word,) for word in _words(first.get("D", ""))),
        provides=(name, *_words(first.get("p", ""))),
        owns=owned_paths(_files(fields)),
    )


def _words(written: str) -> Iterator[str]:
    # "!name" is a conflict.
    return (_CONSTRAINT.sub("", word) for word in written.split() if not word.startswith("!"))


def _files(fields: list[tuple[str, str]]) -> Iterator[str]:
    folder = ""
    for key, value in fields:
        if key == "F":
            folder = value
        elif key == "R" and may_own(f"{folder}/{value}"):
            yield f"{folder}/{value}"
