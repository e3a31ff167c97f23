"""``Gemfile.lock`` and ``gems.locked``.

Source: Bundler, ``Bundler::LockfileParser``: sections of sources with ``specs``, then DEPENDENCIES and CHECKSUMS.
"""

import re

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash
from safeconduct.model.purl import Purl

READER = "gemfile-lock"
YIELDS = Yields(
    reader=READER,
    files=("Gemfile.lock", "gems.locked"),
    ecosystem="gem",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    lines=True,
    note="groups stand in the Gemfile, which is a program and is not read",
)
NAMES = ("Gemfile.lock", "gems.locked")
_SPEC = re.compile(r" {4}(\S+) \(([^)]+)\)")
_NEED = re.compile(r" {6}(\S+)(?: \(.*\))?")
_DIRECT = re.compile(r" {2}(\S+?)!?(?: \(.*\))?")
_CHECKSUM = re.compile(r" {2}(\S+) \(([^)]+)\) sha256=([0-9a-f]{64})")
_FIELD = re.compile(r" {2}(remote|revision): (\S+)")
_SOURCES = frozenset({"GEM", "GIT", "PATH", "PLUGIN SOURCE"})


def read(path: str, data: bytes) -> Reading:
    """Return the locked gems with their edges; gems in folders of the project are none."""
    lock = _Lock()
    for number, line in enumerate(decode_text(data).splitlines(), 1):
        lock.take(number, line.rstrip())
    if not lock.sections and data.strip():
        return not_read(path, "not a lock file of Bundler")
    packages = [lock.package(*spec) for spec in lock.specs]
    return locked_reading(path, READER, packages, roots=[Root(name) for name in lock.direct])


class _Lock:
    """What has been read so far, line by line."""

    def __init__(self) -> None:
        self.sections: list[str] = []
        self.specs: list[tuple[int, str, str, dict[str, str]]] = []
        self.direct: list[str] = []
        self._needs: dict[str, list[str]] = {}
        self._hashes: dict[tuple[str, str], Hash] = {}
        self._source: dict[str, str] = {}
        self._open = ""

    def take(self, number: int, line: str) -> None:
        """Take up one line."""
        if line and not line.startswith(" "):
            if line.isupper():
                self.sections.append(line)
            self._source, self._open = {"kind": line}, ""
            return
        section = self.sections[-1] if self.sections else ""
        if section in _SOURCES:
            self._take_source(number, line)
        elif section == "DEPENDENCIES" and (found := _DIRECT.fullmatch(line)):
            self.direct.append(found[1])
        elif section == "CHECKSUMS" and (found := _CHECKSUM.match(line)):
            self._hashes[found[1], found[2]] = Hash("sha256", found[3])

    def package(self, line: int, name: str, version: str, source: dict[str, str]) -> Locked:
        """Return one gem; its platform stands in the purl."""
        plain, _, platform = version.partition("-")
        qualifiers: list[tuple[str, str]] = [("platform", platform)] if platform else []
        git, commit = source.get("remote", "") if source["kind"] == "GIT" else "", source.get("revision", "")
        if git:
            qualifiers.append(("vcs_url", f"git+{git}@{commit}" if commit else f"git+{git}"))
        hashes = (self._hashes[name, version],) if (name, version) in self._hashes else ()
        purl = str(Purl("gem", "", name, plain, tuple(sorted(qualifiers))))
        return Locked(name, purl, tuple(self._needs.get(name, ())), hashes, pinned=bool(git and commit), line=line)

    def _take_source(self, number: int, line: str) -> None:
        if found := _FIELD.fullmatch(line):
            self._source[found[1]] = found[2]
        elif (found := _SPEC.fullmatch(line)) and self._source.get("kind") != "PATH":
            self._open = found[1]
            self.specs.append((number, found[1], found[2], self._source))
        elif found := _SPEC.fullmatch(line):
            self._open = ""
        elif (found := _NEED.fullmatch(line)) and self._open:
            self._needs.setdefault(self._open, []).append(found[1])
