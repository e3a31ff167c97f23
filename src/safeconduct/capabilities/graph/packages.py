"""Packages as questions name them: a purl, with a version, or with a range such as ``pkg:npm/minimist@<1.2.6``."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

import msgspec

from safeconduct.foundation.errors import BadUsage
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.purl import Purl, parse_purl
from safeconduct.model.version import version_key

_SQL = load_statements("safeconduct.capabilities.graph", "packages.sql")
_COMPARATOR = re.compile(r"(<=|>=|<|>|=)\s*(\S+)")
_TESTS: dict[str, Callable[[bytes, bytes], bool]] = {
    "<": lambda key, bound: key < bound,
    "<=": lambda key, bound: key <= bound,
    ">": lambda key, bound: key > bound,
    ">=": lambda key, bound: key >= bound,
    "=": lambda key, bound: key == bound,
}


class Wanted(msgspec.Struct, frozen=True):
    """What a question names: a package, one version (``version``), or versions within ``bounds``."""

    base: str
    version: str = ""
    qualifiers: str = ""
    bounds: tuple[tuple[str, bytes], ...] = ()


class Resolved(msgspec.Struct, frozen=True):
    """Package ids with their purls; ``unordered`` are versions of the name that no range can be asked about."""

    packages: dict[int, str]
    unordered: tuple[str, ...] = ()


def parse_wanted(text: str) -> Wanted:
    """Return what ``text`` names.

    Raises:
        BadUsage: ``malformed-purl`` or ``unordered-version``.
    """
    name, at, tail = text.rpartition("@")
    bounded = bool(at) and tail[:1] in {"<", ">", "="} and "/" not in tail
    try:
        purl = parse_purl(_encoded_scope(name if bounded else text))
    except ValueError as error:
        raise BadUsage(
            "malformed-purl",
            f"not a package URL: {text[:100]!r}",
            why=str(error)[:200],
            next_step="write it as pkg:npm/minimist, pkg:npm/minimist@1.2.5 or 'pkg:npm/minimist@<1.2.6'",
        ) from error
    if not bounded:
        return Wanted(purl.base, purl.version, purl.qualifier_text)
    return Wanted(purl.base, bounds=tuple(_bound(purl.type, part.strip()) for part in tail.split(",")))


def resolve(store: Store, wanted: Wanted) -> Resolved:
    """Return the package versions of the graph that ``wanted`` names; nothing when the name is unknown."""
    name = store.row(_SQL["find_name"], {"purl_base": wanted.base})
    packages: dict[int, str] = {}
    unordered: list[str] = []
    for pkg_id, version, qualifiers, key in store.rows(_SQL["packages_of_name"], {"name_id": name[0]}) if name else ():
        purl = spell(wanted.base, version, qualifiers)
        if wanted.bounds and key is None:
            if store.row(_SQL["held_now"], {"pkg_id": pkg_id}) is not None:
                unordered.append(purl)
        elif _is_wanted(wanted, version, qualifiers, key):
            packages[pkg_id] = purl
    return Resolved(packages, tuple(sorted(unordered)))


def name_packages(store: Store, pkg_ids: Iterable[int]) -> dict[int, str]:
    """Return the purl of each package id."""
    known: dict[int, str] = store.memory.setdefault("purls", {})
    for pkg_id in pkg_ids:
        if pkg_id not in known:
            row = store.row(_SQL["get_package"], {"pkg_id": pkg_id})
            known[pkg_id] = spell(row[0], row[1], row[2]) if row else f"package {pkg_id}"
    return known


def key_of(store: Store, pkg_id: int) -> bytes | None:
    """Return the order key of a package version."""
    row = store.row(_SQL["get_package"], {"pkg_id": pkg_id})
    return row[3] if row else None


def spell(base: str, version: str, qualifiers: str) -> str:
    """Return the canonical purl of a stored package version."""
    if not qualifiers:
        return f"{base}@{quote(version, safe=_PLAIN)}" if version else base
    purl = parse_purl(base)
    pairs = tuple(tuple(pair.split("=", 1)) for pair in qualifiers.split("&"))
    return str(Purl(purl.type, purl.namespace, purl.name, version, pairs))  # type: ignore[arg-type]


_PLAIN = ":~"


def _is_wanted(wanted: Wanted, version: str, qualifiers: str, key: bytes | None) -> bool:
    if wanted.bounds:
        return key is not None and all(_TESTS[test](key, bound) for test, bound in wanted.bounds)
    return wanted.version in {"", version} and wanted.qualifiers in {"", qualifiers}


def _bound(kind: str, text: str) -> tuple[str, bytes]:
    found = _COMPARATOR.fullmatch(text)
    key = version_key(kind, found[2]) if found else None
    if found is None or key is None:
        raise BadUsage(
            "unordered-version",
            f"no range can be asked with {text[:60]!r}",
            why=f"versions of {kind} have no known order, or this is none of them",
            next_step="ask for one version, or for the package without a version",
        )
    return found[1], key


def _encoded_scope(text: str) -> str:
    return text.replace("pkg:npm/@", "pkg:npm/%40", 1)
