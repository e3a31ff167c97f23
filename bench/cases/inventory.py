"""Inventory of a tree: the example shop, and a generated npm lock of 5,000 packages."""

import hashlib
import json
import random
from base64 import b64encode

from figures import ROOT, Figure
from measure import cpu_of, peak_memory
from safeconduct.capabilities.inventory.tree import FolderTree, MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree

PACKAGES = 5_000


def lock_of(packages: int) -> bytes:
    """Return an npm lock, version 3, the same for the same number; each package needs up to four later ones."""
    pick = random.Random(packages)
    entries: dict[str, object] = {"": {"name": "bench", "version": "1.0.0", "dependencies": {"p0": "^1.0.0"}}}
    for number in range(packages):
        later = range(number + 1, min(packages, number + 200))
        needed = pick.sample(later, min(4, len(later)))
        digest = b64encode(hashlib.sha512(str(number).encode()).digest()).decode()
        entries[f"node_modules/p{number}"] = {
            "version": f"1.{number % 40}.{number % 7}",
            "resolved": f"https://registry.npmjs.org/p{number}/-/p{number}-1.{number % 40}.{number % 7}.tgz",
            "integrity": f"sha512-{digest}",
            "license": "MIT",
            "dependencies": {f"p{other}": "^1.0.0" for other in needed},
        }
    return json.dumps({"name": "bench", "lockfileVersion": 3, "requires": True, "packages": entries}).encode()


def figures() -> list[Figure]:
    shop = ROOT / "examples" / "shop"
    small = read_tree(FolderTree(shop))
    shop_spread = cpu_of(lambda: read_tree(FolderTree(shop)))
    data = lock_of(PACKAGES)
    tree = MemoryTree({"package-lock.json": data})
    large = read_tree(tree)
    if len(large.components) != PACKAGES or large.unread:
        raise RuntimeError(f"{len(large.components)} of {PACKAGES} components, unread: {large.unread}")
    spread = cpu_of(lambda: read_tree(tree))
    size = f"{PACKAGES:,} packages, {len(large.edges):,} edges, {len(data) / 1e6:.1f} MB"
    return [
        Figure(
            "inventory.shop.cpu",
            shop_spread.median * 1e3,
            "ms",
            "",
            f"examples/shop, {len(small.components)} components; {shop_spread.text()}",
        ),
        Figure("inventory.npm-lock.cpu", spread.median * 1e3, "ms", "", f"{size}; {spread.text()}"),
        Figure("inventory.memory", peak_memory(), "MiB", "", "peak of the process that ran both"),
    ]
