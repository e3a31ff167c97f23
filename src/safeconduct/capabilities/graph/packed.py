"""Dependency graphs, packed: one array of occurrences and one of edges, and the walk over them.

Nodes are occurrences (purl, bom-ref) in canonical order, so that a walk breaks ties the same way on every store.
Edges are pairs of node positions, sorted by child, as differences in byte planes before deflating: 2 bytes a position,
4 above 65,535 nodes. Real graphs have cycles; nothing here enumerates paths.
"""

import hashlib
import sys
import zlib
from array import array
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

_NARROW_NODES = 65_535
_LEVEL = 6


class Packed(msgspec.Struct, frozen=True):
    """A graph as its row holds it; ``key`` is the SHA-256 of its content in natural keys."""

    key: bytes
    nodes: bytes
    edges: bytes


class Graph(msgspec.Struct, frozen=True):
    """A graph unpacked.

    Attributes:
        packages: package id of each node.
        direct: positions of the nodes that the project names itself.
        edges: (parent position, child position), sorted by child.
    """

    packages: Sequence[int]
    direct: frozenset[int]
    edges: Sequence[tuple[int, int]]


def pack(
    purls: Sequence[str], packages: Sequence[int], direct: Iterable[int], edges: Iterable[tuple[int, int]]
) -> Packed:
    """Return the packed graph.

    Args:
        purls: of each node, in canonical order; only for the key.
        packages: package id of each node.
        direct: positions of direct dependencies.
        edges: (parent position, child position), any order, unique.
    """
    pairs = sorted((child, parent) for parent, child in edges)
    narrow = len(purls) <= _NARROW_NODES
    children = _planes(_differences([child for child, _ in pairs], wide=not narrow))
    parents = _planes(array("H" if narrow else "I", [parent for _, parent in pairs]))
    edge_bytes = (b"\0" if narrow else b"\1") + zlib.compress(children + parents, _LEVEL)
    flags = bytearray(len(purls))
    for position in direct:
        flags[position] = 1
    node_bytes = zlib.compress(bytes(flags) + _planes(_differences(packages, wide=True)), _LEVEL)
    content = hashlib.sha256("\n".join(purls).encode())
    content.update(bytes(flags))
    content.update(_little(array("I", [position for pair in pairs for position in pair])).tobytes())
    return Packed(content.digest(), node_bytes, edge_bytes)


def unpack(nodes: bytes, edges: bytes) -> Graph:
    """Return the graph that ``pack`` was given."""
    node_bytes = zlib.decompress(nodes)
    count = len(node_bytes) // 5
    packages = _sums(_from_planes(node_bytes[count:], "I"))
    code = "I" if edges[0] else "H"
    positions = zlib.decompress(edges[1:])
    half = len(positions) // 2
    children, parents = _sums(_from_planes(positions[:half], code)), _from_planes(positions[half:], code)
    direct = frozenset(position for position in range(count) if node_bytes[position])
    return Graph(packages, direct, tuple(zip(parents, children, strict=True)))


def find_path(graph: Graph, targets: Iterable[int]) -> tuple[int, ...] | None:
    """Return one shortest path of node positions from a root down to one of ``targets``, or None.

    Roots are the direct dependencies; where nothing says which are direct, the nodes that nobody depends on. Ties
    go to the earlier node in canonical order. A target that no root reaches (a cycle of its own) gives None.
    """
    wanted = set(targets)
    below: dict[int, list[int]] = {}
    for parent, child in graph.edges:
        below.setdefault(parent, []).append(child)
    has_parent = {child for parent, child in graph.edges if parent != child}
    roots = sorted(graph.direct) or [node for node in range(len(graph.packages)) if node not in has_parent]
    came_from: dict[int, int | None] = dict.fromkeys(roots)
    queue = deque(roots)
    while queue:
        node = queue.popleft()
        if node in wanted:
            return _trace(came_from, node)
        for child in sorted(below.get(node, ())):
            if child not in came_from:
                came_from[child] = node
                queue.append(child)
    return None


def _trace(came_from: dict[int, int | None], node: int) -> tuple[int, ...]:
    path = [node]
    while (parent := came_from[path[-1]]) is not None:
        path.append(parent)
    return tuple(reversed(path))


def _differences(values: Sequence[int], *, wide: bool) -> "array[int]":
    bits = 32 if wide else 16
    before, out = 0, array("I" if wide else "H")
    for value in values:
        # Differences wrap around, so that a step back costs no sign bit.
        out.append((value - before) % (1 << bits))
        before = value
    return out


def _sums(differences: "array[int]") -> "array[int]":
    total, out = 0, array(differences.typecode)
    mask = (1 << (8 * differences.itemsize)) - 1
    for difference in differences:
        total = (total + difference) & mask
        out.append(total)
    return out


def _planes(values: "array[int]") -> bytes:
    raw, size = _little(values).tobytes(), values.itemsize
    return b"".join(raw[plane::size] for plane in range(size))


def _from_planes(data: bytes, code: str) -> "array[int]":
    values = array(code)
    size = values.itemsize
    count = len(data) // size
    raw = bytearray(len(data))
    for plane in range(size):
        raw[plane::size] = data[plane * count : (plane + 1) * count]
    values.frombytes(bytes(raw))
    return _little(values)


def _little(values: "array[int]") -> "array[int]":
    if sys.byteorder == "little":
        return values
    swapped = array(values.typecode, values)
    swapped.byteswap()
    return swapped
