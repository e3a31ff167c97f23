"""``yarn.lock``: version 1 and the YAML of yarn 2 and later.

Source: yarn classic documentation, "yarn.lock"; yarn berry, ``Project.generateLockfile``. Both are lines of fields
below the descriptors that they answer. Which descriptors the project asked for stands in the manifests, so these tell
direct from transitive and runtime from development.
"""

import re
from collections.abc import Iterator

import msgspec

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.integrity import hashes_of
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.npm_spec import locked_purl
from safeconduct.capabilities.inventory.reading import Answers, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash

READER = "yarn-lock"
YIELDS = Yields(
    reader=READER,
    files=("yarn.lock",),
    ecosystem="npm",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    scope=True,
    lines=True,
    note="version 1 and berry; directness and scope from the manifests beside it",
)
NAMES = ("yarn.lock",)
_LINE = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s:"]\S*?)(?::?\s+|:)(.*)')
_CHECKSUM = re.compile(r"(?:\w+/)?([0-9a-f]{128})")
_FRAGMENT = re.compile(r"#([0-9a-f]{40})$")
_LOCAL = ("workspace:", "link:", "portal:", "file:")
_NEEDS = frozenset({"dependencies", "optionalDependencies", "peerDependencies"})
_TITLE = re.compile(r"# yarn lockfile v|__metadata:")


class Entry(msgspec.Struct):
    """One block: the descriptors that it answers, its fields, and what it needs."""

    line: int
    descriptors: list[str]
    fields: dict[str, str]
    needs: list[tuple[str, str]]


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges; workspaces of the project are none."""
    text = decode_text(data)
    entries = list(_entries(text))
    if not entries and not _TITLE.search(text) and text.strip():
        return not_read(path, "not a yarn lock file")
    if any("version" not in e.fields and "resolution" not in e.fields for e in entries):
        return not_read(path, "a yarn lock file with a package without a version")
    by_descriptor = {descriptor: entry for entry in entries for descriptor in entry.descriptors}
    packages = [_locked(entry, by_descriptor) for entry in entries if not _is_local(entry)]
    keys = {
        _split(descriptor): package.purl
        for package in packages
        for descriptor in by_descriptor_of(package, by_descriptor)
    }
    reading = locked_reading(path, READER, packages)
    return msgspec.structs.replace(reading, answers=(Answers("npm", folder_of(path), keys),))


def by_descriptor_of(package: Locked, entries: dict[str, Entry]) -> list[str]:
    """Return the descriptors of a package's block; the first one is its id."""
    return entries[package.id].descriptors


def _entries(text: str) -> Iterator[Entry]:
    entry: Entry | None = None
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        if indent == 0:
            if entry:
                yield entry
            entry = Entry(number, _descriptors(content), {}, []) if content != "__metadata:" else None
        elif entry is not None:
            inside = _take(entry, content, indent, inside)
    if entry:
        yield entry


def _take(entry: Entry, content: str, indent: int, inside: str) -> str:
    """Take up one line below a header; return the group that the lines below it belong to."""
    if content.endswith(":") and '"' not in content:
        return content[:-1]
    found = _LINE.fullmatch(content)
    if found is None:
        return inside
    name, value = found[1].strip('"'), found[2].strip().strip('"')
    if indent <= 2:  # noqa: PLR2004 - fields stand two deep, their members four
        entry.fields[name] = value
        return ""
    if inside in _NEEDS:
        entry.needs.append((name, value))
    return inside


def _descriptors(header: str) -> list[str]:
    # Version 1 quotes each descriptor, berry all of them together.
    parts = (part.strip() for part in header.rstrip(":").replace('"', "").split(", "))
    return [part for part in parts if part] or [header]


def _split(descriptor: str) -> tuple[str, str]:
    at = descriptor.find("@", 1)
    return (descriptor, "") if at < 0 else (descriptor[:at], descriptor[at + 1 :].removeprefix("npm:"))


def _is_local(entry: Entry) -> bool:
    if "resolution" in entry.fields:
        return _reference(entry.fields["resolution"]).startswith(_LOCAL)
    return all(_split(descriptor)[1].startswith(("file:.", "link:")) for descriptor in entry.descriptors)


def _reference(resolution: str) -> str:
    return resolution[resolution.find("@", 1) + 1 :]


def _locked(entry: Entry, entries: dict[str, Entry]) -> Locked:
    fields = entry.fields
    version = fields.get("version", "")
    if "resolution" in fields:
        name, source = fields["resolution"].partition("@")[0], _berry_source(_reference(fields["resolution"]))
        if not name:
            name = "@" + fields["resolution"][1:].partition("@")[0]
        hashes = _checksum(fields.get("checksum", ""))
    else:
        name, source = _real_name(entry.descriptors[0]), fields.get("resolved", "")
        hashes = hashes_of(fields.get("integrity", "")) or _fragment(source)
    purl, pinned = locked_purl(name, version, source.partition("#")[0] if _is_archive(source) else source)
    needs = (_find(name, wanted, entries) for name, wanted in entry.needs)
    return Locked(entry.descriptors[0], purl, tuple(n for n in needs if n), hashes, pinned=pinned, line=entry.line)


def _real_name(descriptor: str) -> str:
    name, wanted = _split(descriptor)
    # "alias@npm:real@^1": what lies there is the package behind the alias.
    if "@npm:" in descriptor and (real := wanted.rpartition("@")[0]):
        return real
    return name


def _berry_source(reference: str) -> str:
    """Return the address of a package that comes from elsewhere than a registry; a patched one is the package."""
    if reference.startswith(("patch:", "npm:")):
        return ""
    address = reference.replace("#commit=", "#")
    return f"git+{address}" if _FRAGMENT.search(address) and address.startswith("http") else address


def _is_archive(source: str) -> bool:
    return source.startswith("http") and ("/-/" in source or source.partition("#")[0].endswith((".tgz", ".tar.gz")))


def _checksum(written: str) -> tuple[Hash, ...]:
    found = _CHECKSUM.fullmatch(written)
    return (Hash("sha512", found[1]),) if found else ()


def _fragment(source: str) -> tuple[Hash, ...]:
    found = _FRAGMENT.search(source) if _is_archive(source) else None
    return (Hash("sha1", found[1]),) if found else ()


def _find(name: str, wanted: str, entries: dict[str, Entry]) -> str | None:
    for descriptor in (f"{name}@{wanted}", f"{name}@npm:{wanted}"):
        if found := entries.get(descriptor):
            return found.descriptors[0]
    return None
