"""An image's files, as a container would see them: layers merged, what later layers removed left out.

Source: OCI image specification 1.1, "Layer Changesets" (whiteouts, opaque whiteouts, hard links). Layers are read from
the top, so that what is hidden is never looked at; a layer is read twice only for the sake of links in it.
"""

import posixpath
from collections.abc import Callable, Iterator

from safeconduct.capabilities.image.documents import Blobs, Image, check_bytes
from safeconduct.capabilities.image.layer_stream import LayerStream
from safeconduct.capabilities.image.layer_tar import FILE, FOLDER, HARDLINK, SYMLINK, Member, read_members
from safeconduct.foundation.errors import Undecided
from safeconduct.model.component import Unread
from safeconduct.model.digest import Digest
from safeconduct.model.image import Descriptor
from safeconduct.model.limits import LIMITS, Limits

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_KEPT = 1024 * 1024
"""Files up to this size stay readable after the walk has passed them; larger ones only while it stands there."""
_LINKS = 32


class ImageEntry:
    """One visible file; ``layer`` is the digest of the compressed layer that brought it."""

    __slots__ = ("_data", "_stream", "_until", "layer", "path", "size")

    def __init__(self, path: str, size: int, layer: Digest, stream: LayerStream) -> None:
        self.path = path
        self.size = size
        self.layer: Digest | None = layer
        self._stream = stream
        self._until = stream.position
        self._data = stream.take(size) if size <= _KEPT else None

    def under(self, path: str) -> "ImageEntry":
        """Return the same file by the name of a link to it."""
        other = ImageEntry.__new__(ImageEntry)
        other.path, other.size, other.layer = path, self.size, self.layer
        other._stream, other._until, other._data = self._stream, self._until, self._data  # noqa: SLF001 - same class
        return other

    def read(self, limit: int) -> bytes:
        """Return its first ``limit`` bytes.

        Raises:
            OSError: a large file that the walk has already passed.
        """
        known = self._data or b""
        missing = min(self.size, limit) - len(known)
        if missing > 0:
            if self._stream.position != self._until:
                raise OSError("a large file can be read only while the walk stands at it")
            known += self._stream.take(missing)
            self._data, self._until = known, self._stream.position
        return known[:limit]


class ImageTree:
    """The files of an image; its methods are those that inventory wants of a tree."""

    def __init__(
        self,
        blobs: Blobs,
        image: Image,
        *,
        is_wanted: Callable[[str], bool] = lambda _: True,
        limits: Limits = LIMITS,
    ) -> None:
        """Make a tree that reads nothing yet.

        Args:
            blobs: where the layers are.
            image: what ``find_image`` gave.
            is_wanted: tells by path which links are worth reading their layer again.
            limits: ``layer`` caps a layer's bytes, ``unpack_ratio`` what it unpacks to, ``entries`` all members.
        """
        self._blobs = blobs
        self._image = image
        self._is_wanted = is_wanted
        self._limits = limits
        self._problems: list[Unread] = []

    def entries(self) -> Iterator[ImageEntry]:
        """Yield every visible regular file once under its own path, and wanted links by theirs.

        Raises:
            Refused: ``digest-mismatch`` for a layer whose digest, size or diffID is wrong.
            Undecided: ``layer-unreadable``, ``unpack-limit``.
        """
        self._problems = []
        view = _View(self._limits.entries)
        layers = list(enumerate(self._image.manifest.layers))
        for number, descriptor in reversed(layers):
            stream = self._open(descriptor)
            for member in read_members(stream):
                path = self._path_of(member)
                if path is not None and view.shows(path, member, number):
                    yield ImageEntry(path, member.size, Digest(descriptor.digest), stream)
            stream.finish(self._image.diff_ids[number])
            view.end_layer()
        self._problems += [Unread(path, "stands twice in one layer") for path in view.twice]
        wanted = view.aliases(self._is_wanted)
        for number in sorted(wanted):
            yield from self._again(layers[number][1], wanted[number])

    def problems(self) -> tuple[Unread, ...]:
        """Return what cannot be told apart or was not read: paths that stand twice or lead out of the image."""
        return tuple(self._problems)

    def _again(self, descriptor: Descriptor, aliases: dict[str, list[str]]) -> Iterator[ImageEntry]:
        stream = self._open(descriptor)
        for member in read_members(stream):
            path = clean_path(member.path)
            if member.kind == FILE and path in aliases:
                entry = ImageEntry(path, member.size, Digest(descriptor.digest), stream)
                yield from (entry.under(alias) for alias in aliases[path])

    def _open(self, descriptor: Descriptor) -> LayerStream:
        if descriptor.size > self._limits.layer or descriptor.media_type.endswith("+encrypted"):
            raise Undecided(
                "layer-unreadable",
                f"the layer {descriptor.digest} cannot be read",
                why=f"{descriptor.size} bytes of {descriptor.media_type}",
                next_step="build the image with smaller, plain layers",
            )
        data = self._blobs.blob(descriptor.digest, descriptor.size)
        return LayerStream(check_bytes(data, descriptor.digest, "layer", descriptor.size), self._limits)

    def _path_of(self, member: Member) -> str | None:
        path = clean_path(member.path)
        if path is None:
            self._problems.append(Unread(member.path.encode("utf-8", "replace").decode(), "leads out of the image"))
        return path


def clean_path(path: str) -> str | None:
    """Return a member's path without ``./`` and ``/`` at its start, None when it leads out of the image."""
    clean = posixpath.normpath(path.lstrip("/")) if path.strip("/") else "."
    return None if clean == ".." or clean.startswith("../") else clean


class _View:
    """What is visible so far, from the top layer down."""

    def __init__(self, most: int) -> None:
        self._files: dict[str, int] = {}
        """Visible file to the number of its layer."""
        self._covered: set[str] = set()
        """Paths whose lower contents are hidden: removed, or replaced by something that is no folder."""
        self._opaque: set[str] = set()
        self._symlinks: dict[str, str] = {}
        self._hardlinks: dict[str, tuple[int, str]] = {}
        self._next_covered: set[str] = set()
        self._next_opaque: set[str] = set()
        self._folders: set[str] = set()
        self._next_folders: set[str] = set()
        self._own: set[str] = set()
        self.twice: list[str] = []
        """Paths that stand twice in one layer: which one counts depends on who unpacks it."""
        self._hidden: dict[str, bool] = {}
        self._left = most

    def shows(self, path: str, member: Member, layer: int) -> bool:
        """Take up a member; return whether it is a visible regular file."""
        self._left -= 1
        if self._left < 0:
            raise Undecided(
                "unpack-limit",
                "the image has more entries than the limit",
                why="its layers list more files than may be read",
                next_step="build a smaller image, or raise the limit",
            )
        folder, _, name = path.rpartition("/")
        if name.startswith(_WHITEOUT):
            self._remove(folder, name)
            return False
        if path == "." or path in self._covered or self._is_hidden(folder):
            return False
        if member.kind == FOLDER:
            self._next_folders.add(path)
            return False
        if path in self._own:
            self.twice.append(path)
        self._own.add(path)
        self._next_covered.add(path)
        # A folder above replaced it; what lies below it in the layers further down is hidden all the same.
        return path not in self._folders and self._take_up(path, member, layer)

    def end_layer(self) -> None:
        """Let what this layer removed and replaced count for the layers below."""
        self._covered |= self._next_covered
        self._opaque |= self._next_opaque
        self._folders |= self._next_folders
        self._next_covered, self._next_opaque, self._next_folders = set(), set(), set()
        self._own = set()
        self._hidden = {}

    def aliases(self, is_wanted: Callable[[str], bool]) -> dict[int, dict[str, list[str]]]:
        """Return by layer the files that wanted links name: own path to the links' paths, sorted."""
        found: dict[int, dict[str, list[str]]] = {}
        pairs = [*self._by_hardlink(is_wanted), *self._by_symlink(is_wanted)]
        for alias, layer, path in sorted(set(pairs)):
            found.setdefault(layer, {}).setdefault(path, []).append(alias)
        return found

    def _remove(self, folder: str, name: str) -> None:
        if name == _OPAQUE:
            self._next_opaque.add(folder)
        elif not name.startswith(".wh..wh."):  # names of AUFS itself
            self._next_covered.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))

    def _is_hidden(self, folder: str) -> bool:
        """Return whether a folder's content from this layer is hidden by the layers above."""
        known = self._hidden.get(folder)
        if known is None:
            above = bool(folder) and self._is_hidden(folder.rpartition("/")[0])
            known = above or folder in self._opaque or (bool(folder) and folder in self._covered)
            self._hidden[folder] = known
        return known

    def _take_up(self, path: str, member: Member, layer: int) -> bool:
        self._forget(path)
        if member.kind == FILE:
            self._files[path] = layer
            return True
        if member.kind == SYMLINK:
            self._symlinks[path] = member.target
        elif member.kind == HARDLINK:
            self._hardlinks[path] = (layer, clean_path(member.target) or "")
        return False

    def _forget(self, path: str) -> None:
        for table in (self._files, self._symlinks, self._hardlinks):
            table.pop(path, None)

    def _by_hardlink(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, int, str]]:
        for path, (layer, target) in self._hardlinks.items():
            if is_wanted(path):
                yield path, layer, target

    def _by_symlink(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, int, str]]:
        folders: dict[str, str] = {}
        for path in self._symlinks:
            target = self._resolve(path)
            if target in self._files:
                if is_wanted(path):
                    yield path, self._files[target], target
            elif target:
                folders[path] = target
        for path, layer in self._files.items() if folders else ():
            for link, target in folders.items():
                if path.startswith(f"{target}/") and is_wanted(alias := link + path[len(target) :]):
                    yield from ((alias, layer, path),) if not is_wanted(path) else ()

    def _resolve(self, path: str) -> str:
        """Return where a symbolic link leads inside the image, empty when it leads nowhere or in a circle."""
        for _ in range(_LINKS):
            link = next((p for p in _prefixes(path) if p in self._symlinks), None)
            if link is None:
                return path
            rest = path[len(link) :]
            target = self._symlinks[link]
            base = "" if target.startswith("/") else link.rpartition("/")[0]
            # What leads above the root stays at the root, as inside a container.
            path = posixpath.normpath(f"/{base}/{target}{rest}").lstrip("/")
        return ""


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
