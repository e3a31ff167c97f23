"""``os-release``: which operating system's packages are installed here.

Source: os-release(5).
"""

import re

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.reading import Reading, SystemRelease

READER = "os-release"
PATHS = ("etc/os-release", "usr/lib/os-release")
HEADER_LIMIT = 64 * 1024
_FIELD = re.compile(r"^(ID|VERSION_ID|VERSION_CODENAME)=[\"']?([^\"'\n]*)[\"']?\s*$", re.MULTILINE)


def root_of(path: str, endings: tuple[str, ...]) -> str | None:
    """Return the folder of the system that ``path`` belongs to, empty for the top; None when no ending fits."""
    for ending in endings:
        if path == ending:
            return ""
        if path.endswith("/" + ending):
            return path[: -len(ending)]
    return None


def read(path: str, data: bytes) -> Reading:
    """Return the system's name and release; without an ID nothing is said."""
    fields = dict(_FIELD.findall(decode_text(data)))
    root = root_of(path, PATHS)
    if root is None or not fields.get("ID"):
        return Reading()
    version = fields.get("VERSION_ID") or fields.get("VERSION_CODENAME") or ""
    return Reading(systems=(SystemRelease(root, fields["ID"].strip().lower(), version.strip()),))
