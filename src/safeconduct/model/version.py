"""Versions: their ecosystem's order as plain byte order.

A key is bytes; ``key(a) < key(b)`` exactly when the ecosystem sorts ``a`` before ``b``, and equal keys are equal
versions (``1.0`` and ``1.0.0`` of PyPI). So a range of versions is a range of bytes, in Python and in any database.

How a key is built: a number is one byte with its count of digits and then the digits without leading zeros; a list ends
with ``00``, which sorts before anything that could follow. Where a suffix decides (pre-release, post, none) one byte
stands for its kind, chosen in the order of kinds.

Source: PEP 440 (version specifiers); Semantic Versioning 2.0.0 section 11; NuGet package versioning (four numbers,
letters without case); pub_semver (build counts); Go module versions and pseudo-versions are SemVer with a ``v``.
"""

import re
from collections.abc import Callable
from functools import lru_cache

_MAX_TEXT = 512
_MAX_DIGITS = 255
_END = "\0"


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


_MAJOR = re.compile(r"\s*(?:[vV=]+|go)?(?:(?P<epoch>[0-9]+)!)?(?P<major>[0-9]+)")
_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_KNOWN_NUMBERS = {str(n): chr(len(str(n))) + str(n) for n in range(3000)}


def _number(digits: str) -> str:
    known = _KNOWN_NUMBERS.get(digits)
    if known is not None:
        return known
    bare = digits.lstrip("0") or "0"
    if len(bare) > _MAX_DIGITS:
        raise ValueError("a number longer than any version has")
    return chr(len(bare)) + bare


def _numbers(dotted: str) -> str:
    """Dotted numbers, closed; trailing zeros do not count."""
    parts = [_number(part) for part in dotted.split(".")]
    while parts and parts[-1] == "\x010":
        parts.pop()
    return "".join(parts) + _END


# --- PyPI -----------------------------------------------------------------------------------------------------------

_PEP440 = re.compile(
    r"""v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]*))?
    (?:-(?P<post_dash>[0-9]+)|(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post_n>[0-9]*)))?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE = {"a": "\x02", "alpha": "\x02", "b": "\x03", "beta": "\x03"}
_RC = "\x04"
_DEV_ONLY, _FINAL = "\x01", "\x05"
_NO_POST, _POST = "\x01", "\x02"
_DEV, _NO_DEV = "\x01", "\x02"
_NO_LOCAL, _LOCAL = "\x01", "\x02"
_TEXT, _NUMERIC = "\x01", "\x02"
_PLAIN_RELEASE = _FINAL + _NO_POST + _NO_DEV + _NO_LOCAL
_LOCAL_SEPARATORS = re.compile(r"[-_.]")


def _pypi(version: str) -> str | None:
    if _DOTTED.fullmatch(version):
        return "\x010" + _numbers(version) + _PLAIN_RELEASE
    found = _PEP440.fullmatch(version.strip())
    if found is None:
        return None
    pre, dev = found["pre"], found["dev"]
    post = found["post_dash"] or (found["post"] and (found["post_n"] or "0"))
    if pre is not None:
        stage = _PRE.get(pre.lower(), _RC) + _number(found["pre_n"] or "0")
    else:
        stage = _DEV_ONLY if dev and post is None else _FINAL
    return (
        _number(found["epoch"] or "0")
        + _numbers(found["release"])
        + stage
        + (_NO_POST if post is None else _POST + _number(post))
        + (_NO_DEV if dev is None else _DEV + _number(found["dev_n"] or "0"))
        + _local(found["local"])
    )


def _local(text: str | None) -> str:
    if text is None:
        return _NO_LOCAL
    parts = _LOCAL_SEPARATORS.split(text.lower())
    return _LOCAL + "".join(_NUMERIC + _number(p) if p.isdigit() else _TEXT + p + _END for p in parts) + _END


# --- Semantic Versioning and its relatives ----------------------------------------------------------------------------

_SEMVER = re.compile(
    r"""[v=]*(?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:-(?P<pre>[0-9a-z-]+(?:\.[0-9a-z-]+)*)|(?P<loose>[a-z][0-9a-z-]*(?:\.[0-9a-z-]+)*))?
    (?:\+(?P<build>[0-9a-z.-]*))?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE_RELEASE, _RELEASE = "\x01", "\x02"
_NUMERIC_ID, _TEXT_ID = "\x01", "\x02"
_LOOSE_NEEDS = 2
"""Dots before a pre-release may follow without its dash (npm's loose ``1.2.3beta``); ``1x`` is a range, no version."""


def _semver(version: str) -> str | None:
    if _DOTTED.fullmatch(version):
        return _numbers(version) + _RELEASE
    found = _SEMVER.fullmatch(version.strip())
    if found is None:
        return None
    loose = found["loose"]
    if loose and found["release"].count(".") < _LOOSE_NEEDS:
        return None
    return _semver_parts(found["release"], found["pre"] or loose)


def _semver_parts(release: str, pre: str | None) -> str:
    return _numbers(release) + (_RELEASE if pre is None else _PRE_RELEASE + _identifiers(pre))


def _identifiers(text: str) -> str:
    return "".join(_NUMERIC_ID + _number(i) if i.isdigit() else _TEXT_ID + i + _END for i in text.split(".")) + _END


_GO_TOOLCHAIN = re.compile(r"(?:go)?(?P<release>[0-9]+(?:\.[0-9]+)*)(?P<stage>rc|beta)(?P<n>[0-9]+)", re.ASCII)


def _golang(version: str) -> str | None:
    # The toolchain writes go1.21rc2 for what the advisories call 1.21.0-rc.2.
    found = _GO_TOOLCHAIN.fullmatch(version)
    if found is not None:
        return _semver_parts(found["release"], f"{found['stage']}.{found['n']}")
    return _semver(version.removeprefix("go"))


def _nuget(version: str) -> str | None:
    return _semver(version.lower())


def _pub(version: str) -> str | None:
    key = _semver(version)
    if key is None:
        return None
    build = version.partition("+")[2].strip().strip(".")
    return key + (_LOCAL + _identifiers(build) if build else _NO_LOCAL)


_SCHEMES: dict[str, Callable[[str], str | None]] = {
    "pypi": _pypi,
    "npm": _semver,
    "cargo": _semver,
    "golang": _golang,
    "hex": _semver,
    "nuget": _nuget,
    "pub": _pub,
    "swift": _semver,
    "github": _semver,
    "bitnami": _semver,
    "julia": _semver,
    "semver": _semver,
}
