"""Versions: their ecosystem's order as plain byte order.

A key is bytes; ``key(a) < key(b)`` exactly when the ecosystem sorts ``a`` before ``b``, and equal keys are equal
versions (``1.0`` and ``1.0.0`` of PyPI). So a range of versions is a range of bytes, in Python and in any database.

How a key is built stands in ``version_parts``; where a suffix decides (pre-release, post, none) one byte stands for its
kind, chosen in the order of kinds. Each order stands in a file with its relatives: ``version_pypi``,
``version_semver``, ``version_maven``, ``version_languages``, ``version_system``.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from safeconduct.model.version_languages import composer, cran, gem, hackage
from safeconduct.model.version_maven import maven
from safeconduct.model.version_pypi import pypi
from safeconduct.model.version_semver import golang, nuget, pub, semver
from safeconduct.model.version_system import apk, dpkg, opam, rpm

_MAX_TEXT = 512


@lru_cache(maxsize=65_536)
def version_key(purl_type: str, version: str) -> bytes | None:
    """Return the place of ``version`` in the order of its ecosystem; None when it has none.

    Args:
        purl_type: ``pypi``, ``npm``, ``cargo``, ``golang``, ``hex``, ``nuget``, ``pub`` ...; a type whose order we do
            not know gives None for every version.
        version: as written; surrounding spaces and a leading ``v`` do not matter.
    """
    scheme = _SCHEMES.get(purl_type)
    if scheme is None or len(version) > _MAX_TEXT:
        return None
    try:
        key = scheme(version)
    except ValueError:
        return None
    return None if key is None else key.encode("latin-1")


def compare(purl_type: str, a: str, b: str) -> int | None:
    """Return -1, 0 or 1 as ``a`` is before, equal to or after ``b``; None when one of them has no place."""
    left, right = version_key(purl_type, a), version_key(purl_type, b)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def is_ordered(purl_type: str) -> bool:
    """Return whether we know the order of this type's versions."""
    return purl_type in _SCHEMES


def major_of(version: str) -> str | None:
    """Return what must stay equal for an upgrade to be a small one: epoch and first number; None without one."""
    found = _MAJOR.match(version)
    return None if found is None else f"{found['epoch'] or 0}!{found['major'].lstrip('0') or '0'}"


_MAJOR = re.compile(r"\s*(?:[vV=]+|go)?(?:(?P<epoch>[0-9]+)[!:])?(?P<major>[0-9]+)")

_SCHEMES: dict[str, Callable[[str], str | None]] = {
    "pypi": pypi,
    "npm": semver,
    "cargo": semver,
    "golang": golang,
    "hex": semver,
    "nuget": nuget,
    "pub": pub,
    "swift": semver,
    "github": semver,
    "bitnami": semver,
    "conan": semver,
    "julia": pub,
    "semver": semver,
    "maven": maven,
    "gem": gem,
    "composer": composer,
    "hackage": hackage,
    "cran": cran,
    "opam": opam,
    "deb": dpkg,
    "rpm": rpm,
    "apk": apk,
}
