"""Which files of an operating system package matter to us: the metadata of language packages among them.

The merged ``/usr`` of most systems gives one file two names (``/lib/x`` and ``/usr/lib/x``); both become one here.
"""

from collections.abc import Iterable

_MARKS = ("-info", "node_modules/", ".jar", ".war", ".ear", ".gemspec")
_ENDINGS = ("-info/METADATA", "-info/PKG-INFO", ".egg-info", "/package.json", ".jar", ".war", ".ear", ".gemspec")
_MERGED = ("lib/", "lib64/", "bin/", "sbin/")


def owned_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """Return those of a package's files that describe a language package, normalised, sorted."""
    return tuple(sorted({system_path(path) for path in paths if path.endswith(_ENDINGS)}))


def may_own(text: str) -> bool:
    """Return whether a list of files holds anything for ``owned_paths``; cheap, and sometimes wrongly yes."""
    return any(mark in text for mark in _MARKS)


def system_path(path: str) -> str:
    """Return a path below a system's root in the spelling that both its names share."""
    clean = path.lstrip("/")
    return f"usr/{clean}" if clean.startswith(_MERGED) else clean
