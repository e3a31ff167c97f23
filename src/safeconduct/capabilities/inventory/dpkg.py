"""Installed Debian packages: ``status``, ``status.d`` of images without dpkg, and ``info/*.list``.

Source: dpkg's database format, deb-status(5) fields, deb-src-control; Debian Policy 5.6.1 (Source), 7.1 (alternatives).
"""

import re
from collections.abc import Iterator

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.os_release import root_of
from safeconduct.capabilities.inventory.ownership import may_own, owned_paths
from safeconduct.capabilities.inventory.reading import OsPackage, Owned, Reading
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Location, Unread

READER = "dpkg"
YIELDS = Yields(
    reader=READER,
    files=("var/lib/dpkg/status", "var/lib/dpkg/status.d/*", "var/lib/dpkg/info/*.list"),
    ecosystem="deb",
    evidence="installed",
    edges=True,
    note="names the source package, and the language packages that each package owns",
)
STATUS = "var/lib/dpkg/status"
_FOLDER = "var/lib/dpkg/status.d/"
_LISTS = "var/lib/dpkg/info/"
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]*):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_WANTED = {"package", "status", "version", "architecture", "source", "depends", "pre-depends", "provides"}
_NAME = re.compile(r"^\s*([a-z0-9][a-z0-9+.-]*)", re.IGNORECASE)
_SOURCE = re.compile(r"(\S+)(?:\s+\(([^)]+)\))?")


def is_database(path: str, name: str) -> bool:
    """Return whether a file is one of dpkg's."""
    if name == "status":
        return root_of(path, (STATUS,)) is not None
    if name.endswith(".list"):
        return _root(path, _LISTS) is not None
    return _root(path, _FOLDER) is not None


def read(path: str, data: bytes) -> Reading:
    """Return installed packages, or one package's files."""
    name = path.rpartition("/")[2]
    if name.endswith((".list", ".md5sums")):
        return _read_files(path, data)
    root = root_of(path, (STATUS,))
    is_status = root is not None
    packages: list[OsPackage] = []
    unread: list[Unread] = []
    for paragraph in re.split(r"\n\s*\n", decode_text(data)):
        fields = _fields(paragraph)
        if not fields or (is_status and not _is_installed(fields)):
            continue
        if fields.get("package") and fields.get("version"):
            packages.append(_package(path, root if root is not None else _root(path, _FOLDER) or "", fields))
        else:
            unread.append(Unread(path, f"a package without name or version: {fields.get('package', '')[:80]!r}"))
    if data.strip() and not packages and not unread and b"Package:" not in data:
        unread.append(Unread(path, "not a database of dpkg"))
    return Reading(packages=tuple(packages), unread=tuple(unread))


def _root(path: str, folder: str) -> str | None:
    head, _, name = path.rpartition(folder)
    fits = folder in path and "/" not in name and (not head or head.endswith("/"))
    return head if fits else None


def _fields(paragraph: str) -> dict[str, str]:
    found = ((name.lower(), value) for name, value in _FIELD.findall(paragraph))
    return {name: value.strip() for name, value in found if name in _WANTED}


def _is_installed(fields: dict[str, str]) -> bool:
    # Other states leave only configuration files, or files that were never set up.
    words = fields.get("status", "").split()
    return len(words) == 3 and words[2] == "installed"  # noqa: PLR2004 - want, flag, state


def _package(path: str, root: str, fields: dict[str, str]) -> OsPackage:
    name, version = fields["package"], fields["version"]
    return OsPackage(
        kind="deb",
        root=root,
        location=Location(path, READER),
        name=name,
        version=version,
        architecture=fields.get("architecture", ""),
        source=_source(name, version, fields.get("source", "")),
        vendor="debian",
        needs=tuple(_needs(f"{fields.get('pre-depends', '')},{fields.get('depends', '')}")),
        provides=(name, *(names[0] for names in _needs(fields.get("provides", "")))),
    )


def _source(name: str, version: str, written: str) -> str:
    found = _SOURCE.match(written)
    if found is None or (found[1] == name and found[2] in {None, version}):
        return ""
    return f"{found[1]}@{found[2]}" if found[2] and found[2] != version else found[1]


def _needs(written: str) -> Iterator[tuple[str, ...]]:
    for group in written.split(","):
        if names := tuple(found[1] for part in group.split("|") if (found := _NAME.match(part))):
            yield names


def _read_files(path: str, data: bytes) -> Reading:
    name = path.rpartition("/")[2]
    is_list = name.endswith(".list")
    root = _root(path, _LISTS if is_list else _FOLDER) or ""
    text = decode_text(data)
    lines = text.splitlines() if may_own(text) else []
    paths = owned_paths(lines if is_list else (line.partition("  ")[2] for line in lines))
    return Reading(owned=(Owned(root, name.removesuffix(".list").removesuffix(".md5sums"), paths),))
