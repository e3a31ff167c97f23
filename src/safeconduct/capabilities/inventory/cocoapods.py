"""``Podfile.lock`` of CocoaPods.

Source: CocoaPods, ``Pod::Lockfile``; purl type ``cocoapods``: a subspec stands in the subpath.
"""

import re
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_yaml, items, strings, table, text
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash
from safeconduct.model.purl import Purl

READER = "podfile-lock"
YIELDS = Yields(
    reader=READER,
    files=("Podfile.lock",),
    ecosystem="cocoapods",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    note="the hash is that of the podspec, by which CocoaPods compares",
)
NAMES = ("Podfile.lock",)
_POD = re.compile(r"(\S+?)(?:\s+\((.*)\))?")
_SHA1 = re.compile(r"[0-9a-f]{40}")


def read(path: str, data: bytes) -> Reading:
    """Return the locked pods with their edges; pods in folders of the project are none."""
    try:
        lock = decode_yaml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if not isinstance(lock.get("PODS"), list):
        return not_read(path, "a Podfile.lock without 'PODS'")
    own = {name for name, body in table(lock.get("EXTERNAL SOURCES")).items() if ":path" in table(body)}
    sums = strings(lock.get("SPEC CHECKSUMS"))
    found = (_pod(item, sums) for item in items(lock["PODS"]))
    packages = [pod for pod in found if pod is not None and pod.id.partition("/")[0] not in own]
    roots = [Root(_split(text(item))[0]) for item in items(lock.get("DEPENDENCIES"))]
    return locked_reading(path, READER, packages, roots=roots)


def _split(written: str) -> tuple[str, str]:
    found = _POD.fullmatch(written.strip())
    return (found[1], found[2] or "") if found else ("", "")


def _pod(item: Any, sums: dict[str, str]) -> Locked | None:
    written = text(item) or next(iter(table(item)), "")
    name, version = _split(written)
    main, _, below = name.partition("/")
    if not main or not version:
        return None
    needs = tuple(_split(text(need))[0] for value in table(item).values() for need in items(value))
    total = sums.get(main, "")
    hashes = (Hash("sha1", total, "podspec"),) if _SHA1.fullmatch(total) else ()
    return Locked(name, str(Purl("cocoapods", "", main, version, (), below)), needs, hashes)
