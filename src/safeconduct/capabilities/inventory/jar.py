"""Java archives: the Maven packages inside, archives in archives included.

Source: JAR File Specification; Maven Archiver, ``pom.properties``. A package is named by its own ``pom.properties``
only: names guessed from file names and manifests are what other tools err by. An archive of classes without one is a
file whose package is not known, and is listed by its hash.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.reading import Reading
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence, Unread
from safeconduct.model.purl import Purl, make_purl

READER = "jar"
YIELDS = Yields(
    reader=READER,
    files=("*.jar", "*.war", "*.ear", "*.hpi", "*.jpi"),
    ecosystem="generic, maven",
    evidence="installed",
    hashes=True,
    note="by pom.properties, nested to four levels; other archives of classes as generic files by their hash",
)
ENDINGS = (".jar", ".war", ".ear", ".hpi", ".jpi", ".sar", ".kar")
_HASHED = 3
_DEEPEST = 4
_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_DIRECTORY = 16 * 1024 * 1024
_MOST_ENTRIES = 100_000
_PROPERTIES_SIZE = 64 * 1024
_END = b"PK\5\6"
_PROPERTIES = re.compile(r"(?:.*/)?META-INF/maven/[^/]+/[^/]+/pom\.properties")
_FIELD = re.compile(r"^\s*(groupId|artifactId|version)\s*[=:]\s*(.*?)\s*$", re.MULTILINE)
_PLAIN = re.compile(r"[\w.+-]+")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    LookupError,
    OverflowError,
)


class _Budget:
    """How much may still be unpacked from one outermost archive."""

    def __init__(self) -> None:
        self.left = _MOST_UNPACKED


def read(path: str, data: bytes) -> Reading:
    """Return the packages of an archive and of the archives inside it."""
    components: list[Component] = []
    unread: list[Unread] = []
    for item in _archive(path, data, 1, _Budget()):
        (components if isinstance(item, Component) else unread).append(item)  # type: ignore[arg-type]
    return Reading(components=tuple(components), unread=tuple(unread))


def _archive(path: str, data: bytes, depth: int, budget: _Budget) -> Iterator[Component | Unread]:
    try:
        _check_directory(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from _members(path, data, archive, depth, budget)
    except _DAMAGED as error:
        yield Unread(path, f"not an archive that can be read: {error}")


def _members(
    path: str, data: bytes, archive: zipfile.ZipFile, depth: int, budget: _Budget
) -> Iterator[Component | Unread]:
    names = archive.infolist()
    named = 0
    for info in names:
        if _PROPERTIES.fullmatch(info.filename):
            component = _component(path, _content(archive, info, budget, _PROPERTIES_SIZE), data)
            named += component is not None
            yield from (component,) if component else ()
        elif info.filename.lower().endswith(ENDINGS) and not info.is_dir():
            inner = f"{path}!/{info.filename}"
            if depth == _DEEPEST:
                yield Unread(inner, f"archives in archives are read to a depth of {_DEEPEST}")
            else:
                yield from _archive(inner, _content(archive, info, budget, budget.left), depth + 1, budget)
    if not named and any(info.filename.endswith(".class") for info in names):
        yield _unknown(path, data)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget, most: int) -> bytes:
    with archive.open(info) as file:
        content = file.read(min(most, budget.left) + 1)
    budget.left -= len(content)
    if len(content) > most or budget.left < 0:
        raise ValueError(f"{info.filename[:100]} unpacks to more than may be read")
    return content


def _check_directory(data: bytes) -> None:
    """Refuse a list of contents that would fill the memory before anything is read.

    Raises:
        ValueError: no end record, or one that announces too much.
    """
    at = data.rfind(_END, max(0, len(data) - 65_557))
    if at < 0 or at + 22 > len(data):
        raise ValueError("it has no list of contents")
    entries, size = struct.unpack_from("<HI", data, at + 10)
    if size > _MOST_DIRECTORY or entries > _MOST_ENTRIES:
        raise ValueError("its list of contents is too long")


def _component(path: str, properties: bytes, archive: bytes) -> Component | None:
    fields = dict(_FIELD.findall(decode_text(properties)))
    group, artifact, version = (fields.get(key, "") for key in ("groupId", "artifactId", "version"))
    if not all(_PLAIN.fullmatch(word) for word in (group, artifact, version)):
        return None
    return Component(
        purl=make_purl("maven", artifact, version, group),
        presence=Presence.INSTALLED,
        locations=(Location(path, READER),),
        grade=_HASHED,
        hashes=(_hash(archive),),
    )


def _unknown(path: str, data: bytes) -> Component:
    name = path.rpartition("/")[2]
    found = _hash(data)
    purl = Purl("generic", "", name, "", (("checksum", f"sha1:{found.value}"),))
    return Component(
        purl=str(purl), presence=Presence.INSTALLED, locations=(Location(path, READER),), grade=_HASHED, hashes=(found,)
    )


def _hash(data: bytes) -> Hash:
    return Hash("sha1", hashlib.sha1(data, usedforsecurity=False).hexdigest(), "file")
