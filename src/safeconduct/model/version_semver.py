"""Versions of Semantic Versioning and its relatives: npm, Go, crates.io, Hex, NuGet, Pub, Swift and others.

Source: Semantic Versioning 2.0.0 section 11; NuGet package versioning (four numbers, letters without case); pub_semver
(build counts); Go module versions and pseudo-versions are SemVer with a ``v``.
"""

import re

from safeconduct.model.version_parts import END, number, numbers

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_SEMVER = re.compile(
    r"""[v=]*(?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:-(?P<pre>[0-9a-z-]+(?:\.[0-9a-z-]+)*)|(?P<loose>[a-z][0-9a-z-]*(?:\.[0-9a-z-]+)*))?
    (?:\+(?P<build>[0-9a-z.-]*))?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE_RELEASE, _RELEASE = "\x01", "\x02"
_NUMERIC_ID, _TEXT_ID = "\x01", "\x02"
_NO_BUILD, _BUILD = "\x01", "\x02"
_LOOSE_NEEDS = 2
"""Dots before a pre-release may follow without its dash (npm's loose ``1.2.3beta``); ``1x`` is a range, no version."""
_GO_TOOLCHAIN = re.compile(r"(?:go)?(?P<release>[0-9]+(?:\.[0-9]+)*)(?P<stage>rc|beta)(?P<n>[0-9]+)", re.ASCII)


def semver(version: str) -> str | None:
    """Return the key of a semantic version; build metadata does not count, missing numbers are zero."""
    if _DOTTED.fullmatch(version):
        return numbers(version) + _RELEASE
    found = _SEMVER.fullmatch(version.strip())
    if found is None:
        return None
    loose = found["loose"]
    if loose and found["release"].count(".") < _LOOSE_NEEDS:
        return None
    return _parts(found["release"], found["pre"] or loose)


def golang(version: str) -> str | None:
    """Return the key of a module's version or of the toolchain's, which writes go1.21rc2 for 1.21.0-rc.2."""
    found = _GO_TOOLCHAIN.fullmatch(version)
    if found is not None:
        return _parts(found["release"], f"{found['stage']}.{found['n']}")
    return semver(version.removeprefix("go"))


def nuget(version: str) -> str | None:
    """Return the key of a NuGet version: letters have no case."""
    return semver(version.lower())


def pub(version: str) -> str | None:
    """Return the key of a Pub version: build metadata counts, after the same version without it."""
    key = semver(version)
    if key is None:
        return None
    build = version.partition("+")[2].strip().strip(".")
    return key + (_BUILD + _identifiers(build) if build else _NO_BUILD)


def _parts(release: str, pre: str | None) -> str:
    return numbers(release) + (_RELEASE if pre is None else _PRE_RELEASE + _identifiers(pre))


def _identifiers(text: str) -> str:
    return "".join(_NUMERIC_ID + number(i) if i.isdigit() else _TEXT_ID + i + END for i in text.split(".")) + END
