"""Installed RPM packages: ``rpmdb.sqlite``. The older Berkeley and NDB databases are named as unread.

Source: rpm documentation, "Database backends"; the header in each record is read by ``rpm_header``.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from safeconduct.capabilities.inventory import rpm_header
from safeconduct.capabilities.inventory.os_release import root_of
from safeconduct.capabilities.inventory.ownership import owned_paths
from safeconduct.capabilities.inventory.reading import OsPackage, Reading, not_read
from safeconduct.capabilities.inventory.rpm_header import Header, read_header
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Location, Unread

READER = "rpm"
YIELDS = Yields(
    reader=READER,
    files=("var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"),
    ecosystem="rpm",
    evidence="installed",
    licenses=True,
    edges=True,
    note="names the source package, and the language packages that each package owns; ndb and bdb are not read",
)
_FOLDERS = ("usr/lib/sysimage/rpm/", "var/lib/rpm/", "usr/share/rpm/")
NAMES = ("rpmdb.sqlite", "Packages", "Packages.db", "rpmdb.sqlite-wal")
PATHS = tuple(folder + name for folder in _FOLDERS for name in NAMES)
_SQLITE = b"SQLite format 3\0"
_KINDS = {"Packages": "Berkeley DB", "Packages.db": "NDB"}
_MOST_STEPS = 5_000
_STEP = 100_000
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")
_VENDORS = {"Red Hat": "redhat", "Fedora": "fedora", "CentOS": "centos", "Rocky": "rocky", "AlmaLinux": "almalinux",
            "openSUSE": "opensuse", "SUSE": "suse", "Amazon": "amzn", "Oracle": "oracle", "Microsoft": "azurelinux",
            "Mageia": "mageia", "openEuler": "openeuler"}  # fmt: skip


def read(path: str, data: bytes) -> Reading:
    """Return installed packages; a database of another kind is named, never passed over."""
    name = path.rpartition("/")[2]
    if name.endswith("-wal"):
        return not_read(path, "holds changes that were not yet written to rpmdb.sqlite") if data else Reading()
    if not data.startswith(_SQLITE):
        return not_read(path, f"a package database of the kind {_KINDS.get(name, 'unknown')}, which is not read")
    try:
        blobs = list(_blobs(data))
    except (sqlite3.Error, ValueError, MemoryError, OverflowError) as error:
        return not_read(path, f"not a package database that SQLite can read: {error}")
    packages: list[OsPackage] = []
    unread: list[Unread] = []
    for blob in blobs:
        try:
            packages.append(_package(path, read_header(blob)))
        except ValueError as error:
            unread.append(Unread(path, f"a package's record cannot be read: {error}"))
    return Reading(packages=tuple(packages), unread=tuple(unread))


def _blobs(data: bytes) -> Iterator[bytes]:
    """Yield the records; nothing that the file defines (views, triggers, virtual tables) is run."""
    image = bytearray(data)
    image[18:20] = b"\1\1"  # a database in memory has no write-ahead log
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(bytes(image))
        steps = iter(range(_MOST_STEPS))
        database.set_progress_handler(lambda: next(steps, None) is None, _STEP)
        database.execute("PRAGMA trusted_schema=OFF")
        found = database.execute("SELECT type, sql FROM sqlite_master WHERE name = 'Packages'").fetchone()
        if not found or found[0] != "table" or "VIRTUAL" in str(found[1]).upper():
            raise sqlite3.DatabaseError("it has no table Packages")
        for (blob,) in database.execute("SELECT blob FROM Packages ORDER BY hnum"):
            yield blob if isinstance(blob, bytes) else b""


def _package(path: str, header: Header) -> OsPackage:
    name, version, release = (header.text(tag) for tag in (rpm_header.NAME, rpm_header.VERSION, rpm_header.RELEASE))
    if not name or not version:
        raise ValueError("no name or version")
    epoch = next(iter(header.numbers.get(rpm_header.EPOCH, ())), None)
    full = f"{version}-{release}" if release else version
    extra = {"epoch": str(epoch) if epoch else "", "modularity": header.text(rpm_header.MODULARITY)}
    term = header.text(rpm_header.LICENSE)
    architecture = header.text(rpm_header.ARCH)
    return OsPackage(
        kind="rpm",
        root=root_of(path, PATHS) or "",
        location=Location(path, READER),
        name=name,
        version=full,
        architecture="" if architecture == "(none)" else architecture,
        source=_source(name, full, header.text(rpm_header.SOURCERPM)),
        vendor=next((ns for word, ns in _VENDORS.items() if word in header.text(rpm_header.VENDOR)), ""),
        licenses=(term,) if term else (),
        needs=tuple((word,) for word in dict.fromkeys(header.strings.get(rpm_header.REQUIRENAME, ()))),
        provides=(name, *header.strings.get(rpm_header.PROVIDENAME, ())),
        owns=owned_paths(header.files()),
        extra=tuple((key, value) for key, value in extra.items() if value),
    )


def _source(name: str, version: str, written: str) -> str:
    found = _SOURCE_RPM.fullmatch(written)
    if found is None or (found[1] == name and found[2] == version):
        return ""
    return found[1] if found[2] == version else f"{found[1]}@{found[2]}"
