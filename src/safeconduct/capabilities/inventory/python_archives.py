"""What the lock files of Python's tools share: hashes of archives, git sources, groups."""

import re
from collections.abc import Iterable
from typing import Any

from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import items, table, text
from safeconduct.capabilities.inventory.python_requirement import parse_wish
from safeconduct.model.component import Hash, Scope
from safeconduct.model.purl import Purl, make_purl

_HASH = re.compile(r"(md5|sha1|sha256|sha384|sha512)[:=]([0-9a-fA-F]{32,128})")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
_MAIN = frozenset({"main", "default"})


def archive_hashes(written: Iterable[Any]) -> tuple[Hash, ...]:
    """Return the hashes in texts such as ``sha256:…``, sorted, each once; what is none is left out."""
    found = (_HASH.fullmatch(text(value)) for value in written)
    return tuple(sorted({Hash(match[1], match[2].lower()) for match in found if match}))


def file_hashes(files: Any) -> tuple[Hash, ...]:
    """Return the hashes of a list of ``{file = …, hash = …}``."""
    return archive_hashes(table(item).get("hash") for item in items(files))


def pypi_purl(name: str, version: str, *, git: str = "", commit: str = "", url: str = "") -> str:
    """Return a purl; a git source (with its commit) or an address stands in the qualifiers."""
    address = f"git+{git}@{commit}" if git and commit else f"git+{git}" if git else url
    if not address:
        return make_purl("pypi", name, version)
    qualifier = ("vcs_url" if git else "download_url", _CREDENTIALS.sub("", address))
    return str(Purl("pypi", "", canonicalize_name(name), version, (qualifier,)))


def scope_of_groups(groups: list[Any], *, optional: bool = False) -> Scope | None:
    """Return runtime when the main group needs it, else development or optional; None when no group is named."""
    names = {text(group) for group in groups} - {""}
    if not names:
        return Scope.OPTIONAL if optional else None
    if names & _MAIN:
        return Scope.OPTIONAL if optional else Scope.RUNTIME
    return Scope.DEV


def needed_name(written: str) -> str:
    """Return the normalised name that a requirement asks for, empty when it is none."""
    try:
        return parse_wish(written).name
    except ValueError:
        return ""
