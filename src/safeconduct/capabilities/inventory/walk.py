"""The walk: one pass over a tree, each file to its reader, all readings joined into one inventory."""

from collections.abc import Callable

import msgspec

from safeconduct.capabilities.inventory.links import link
from safeconduct.capabilities.inventory.merge import merge
from safeconduct.capabilities.inventory.readers import PROBED, Reader, find_reader, include_reader, probe_reader
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.tree import Entry, Tree
from safeconduct.model.component import Component, Inventory, Location, Unread
from safeconduct.model.limits import LIMITS, Limits

Progress = Callable[[int], None]
_PROGRESS_EVERY = 1_000


def read_tree(tree: Tree, *, limits: Limits = LIMITS, on_progress: Progress | None = None) -> Inventory:
    """Return what a tree is made of, the same whatever order its files come in.

    Args:
        tree: a folder, a commit's files, or an image.
        limits: ``lock_file`` caps each file, ``entries`` their number; beyond is listed as unread.
        on_progress: told the number of files seen, now and then and at the end.
    """
    walk = _Walk(limits)
    seen = 0
    unread: list[Unread] = []
    for seen, entry in enumerate(tree.entries(), 1):
        if seen > limits.entries:
            unread.append(Unread("", f"more than {limits.entries} files; the rest were not read"))
            break
        walk.visit(entry)
        if on_progress and seen % _PROGRESS_EVERY == 0:
            on_progress(seen)
    walk.follow_includes()
    if on_progress:
        on_progress(seen)
    return merge(link(walk.readings()), [*unread, *tree.problems()])


class _Walk:
    """The readings so far, by path."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._readings: dict[str, Reading] = {}
        self._readers: dict[str, str] = {}
        self._texts: dict[str, Entry] = {}

    def visit(self, entry: Entry) -> None:
        """Read one file if a format claims it; remember the ones that another file may include."""
        path = entry.path
        reader = find_reader(path)
        if reader is not None:
            self._read(entry, reader)
        elif path.endswith((".txt", ".in", ".pip")):
            self._texts[path] = entry
        elif probe := probe_reader(path):
            self._probe(entry, probe)

    def follow_includes(self) -> None:
        """Read what read files include, and what those include; a missing one is listed as unread."""
        pending = sorted(self._readings)
        while pending:
            path = pending.pop()
            for target in self._readings[path].includes:
                if target in self._readings:
                    continue
                reader = include_reader(self._readers[path])
                if reader is not None and target in self._texts:
                    self._read(self._texts[target], reader)
                    pending.append(target)
                else:
                    self._readings[target] = not_read(target, f"included by {path}, but not found in the tree")

    def readings(self) -> list[Reading]:
        """Return all readings, sorted by path."""
        return [self._readings[path] for path in sorted(self._readings)]

    def _read(self, entry: Entry, reader: Reader) -> None:
        path = entry.path
        self._readers[path] = reader.name
        try:
            data = self._bytes_of(entry, reader)
        except OSError as error:
            self._readings[path] = not_read(path, f"cannot be read: {error.strerror or error}")
            return
        if data is None:
            self._readings[path] = not_read(path, f"larger than {self._limits.lock_file} bytes")
            return
        try:
            reading = reader.read(path, data)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one file must not lose the rest, nor pass as empty
            reading = not_read(path, f"the reader {reader.name} failed on it: {type(error).__name__}: {error}")
        self._readings[path] = _in_layer(reading, entry) if entry.layer else reading

    def _probe(self, entry: Entry, reader: Reader) -> None:
        try:
            head = entry.read(PROBED)
        except OSError:  # what cannot be opened and has no name that a format claims is no known loss
            return
        if reader.wants is not None and reader.wants(head):
            self._read(entry, reader)

    def _bytes_of(self, entry: Entry, reader: Reader) -> bytes | None:
        if reader.head is not None:
            return entry.read(reader.head) if reader.head else b""
        data = entry.read(self._limits.lock_file + 1)
        return data if len(data) <= self._limits.lock_file else None


def _in_layer(reading: Reading, entry: Entry) -> Reading:
    return msgspec.structs.replace(
        reading,
        components=tuple(_placed(c, entry) for c in reading.components),
        packages=tuple(msgspec.structs.replace(p, location=_layered(p.location, entry)) for p in reading.packages),
        owned=tuple(msgspec.structs.replace(o, layer=entry.layer) for o in reading.owned),
    )


def _placed(component: Component, entry: Entry) -> Component:
    places = tuple(_layered(place, entry) for place in component.locations)
    return msgspec.structs.replace(component, locations=places)


def _layered(place: Location, entry: Entry) -> Location:
    return msgspec.structs.replace(place, layer=entry.layer)
