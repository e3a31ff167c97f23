"""``Package.resolved`` of the Swift Package Manager, versions 1 to 3.

Source: swift-package-manager, ``PinsStore``; purl type ``swift``. A pin is a git repository at a commit.
"""

import re
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, items, table, text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash
from safeconduct.model.purl import Purl

READER = "swift-resolved"
YIELDS = Yields(
    reader=READER,
    files=("Package.resolved",),
    ecosystem="swift",
    evidence="locked",
    hashes=True,
    note="the hash is the commit; the format has no edges",
)
NAMES = ("Package.resolved",)
_ADDRESS = re.compile(r"(?:\w+://)?(?:[^@/]+@)?([\w.-]+)[:/](.+?)(?:\.git)?/?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read(path: str, data: bytes) -> Reading:
    """Return the pinned packages; one without a version is named by its commit alone."""
    try:
        document = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    pins = document.get("pins", table(document.get("object")).get("pins"))
    if not isinstance(pins, list):
        return not_read(path, "a Package.resolved without pins")
    found = (_pin(table(item)) for item in items(pins))
    return locked_reading(path, READER, [pin for pin in found if pin is not None])


def _pin(body: dict[str, Any]) -> Locked | None:
    state = table(body.get("state"))
    parts = _ADDRESS.fullmatch(text(body.get("location")) or text(body.get("repositoryURL")))
    if parts is None or not parts[2].strip("/"):
        return None
    namespace, _, name = f"{parts[1]}/{parts[2].strip('/')}".rpartition("/")
    commit = text(state.get("revision"))
    version = text(state.get("version")) or commit
    hashes = (Hash("sha1", commit, "commit"),) if _COMMIT.fullmatch(commit) else ()
    return Locked(f"{namespace}/{name}", str(Purl("swift", namespace, name, version)), hashes=hashes)
