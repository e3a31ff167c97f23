"""Requirements of Python packages: PEP 508 as pip, pyproject.toml and metadata write them.

Source: PyPA dependency specifiers and version specifiers.
"""

import re
from functools import lru_cache

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from safeconduct.model.purl import Purl, make_purl

NONE, RANGE, EXACT, HASHED = 0, 1, 2, 3

_COMMIT = re.compile(r"@[0-9a-f]{40}(?:[#?].*)?$")
_HASH_FRAGMENT = re.compile(r"#(?:.*&)?sha(?:256|384|512)=[0-9a-f]{64,128}")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
_LOCAL = ("file:", ".", "/")


class Wish(msgspec.Struct, frozen=True):
    """One requirement as written.

    Attributes:
        name: normalised name.
        purl: with a version only when exactly one version satisfies it.
        requirement: the specifier as written, None when exact.
        grade: pinning of the specifier alone; a hash beside it is not seen here.
        extra: named in a marker ``extra == "…"``, else empty.
    """

    name: str
    purl: str
    requirement: str | None
    grade: int
    marker: str = ""


@lru_cache(maxsize=16_384)
def parse_wish(written: str) -> Wish:
    """Return the requirement that ``written`` spells.

    Raises:
        ValueError: not a requirement.
    """
    try:
        parsed = Requirement(written)
    except InvalidRequirement as error:
        raise ValueError(str(error).splitlines()[0]) from error
    marker = str(parsed.marker) if parsed.marker else ""
    name = canonicalize_name(parsed.name)
    if parsed.url:
        return _from_url(name, _CREDENTIALS.sub("", parsed.url), marker)
    specifiers = list(parsed.specifier)
    if len(specifiers) == 1 and specifiers[0].operator in {"==", "==="} and not specifiers[0].version.endswith(".*"):
        return Wish(name, make_purl("pypi", name, specifiers[0].version), None, EXACT, marker)
    return Wish(name, make_purl("pypi", name), str(parsed.specifier), RANGE if specifiers else NONE, marker)


def _from_url(name: str, url: str, marker: str) -> Wish:
    is_vcs = "+" in url.partition(":")[0]
    pinned = bool(_COMMIT.search(url) if is_vcs else _HASH_FRAGMENT.search(url))
    qualifier = ("vcs_url" if is_vcs else "download_url", url)
    purl = make_purl("pypi", name) if url.startswith(_LOCAL) else str(Purl("pypi", "", name, "", (qualifier,)))
    return Wish(name, purl, url, HASHED if pinned else RANGE, marker)
