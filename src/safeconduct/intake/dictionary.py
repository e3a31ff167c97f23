"""Names to ids: step one of every ingest. Keys are interned sorted, so that parallel writers cannot deadlock."""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.vulnerabilities.query import query_of
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.statements import Statement, load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.lines import take_ids
from safeconduct.model.identity import Identity
from safeconduct.model.purl import Purl, parse_purl
from safeconduct.model.version import version_key

_SQL = load_statements("safeconduct.intake", "dictionary.sql")
_PACKAGE_KEY = ("name_id", "version", "qualifiers")


class NewPackage(msgspec.Struct, frozen=True):
    """A package version that the graph had not seen: advisories are matched against it once.

    Name and version are those that advisories speak of; of a distribution's package its source's.
    """

    pkg_id: int
    name_id: int
    version: str
    vkey: bytes | None


def intern_packages(store: Store, purls: Iterable[str]) -> tuple[dict[str, int], tuple[NewPackage, ...]]:
    """Return the package id of each purl, and the package versions that are new.

    Raises:
        Refused: ``malformed-purl`` when a text is no package URL.
    """
    known: dict[str, int] = store.memory.setdefault("packages", {})
    missing = sorted({purl for purl in purls if purl not in known})
    if not missing:
        return known, ()
    parsed = [(_parse(text), text) for text in missing]
    names = intern_names(store, {purl.base for purl, _ in parsed})
    new: dict[tuple[int, str, str], list[str]] = {}
    for purl, text in parsed:
        key = (names[purl.base], purl.version, purl.qualifier_text)
        found = store.row(_SQL["find_package"], dict(zip(_PACKAGE_KEY, key, strict=True)))
        if found is None:
            new.setdefault(key, []).append(text)
        else:
            known[text] = int(found[0])
    return known, _add_packages(store, new, known)


def _add_packages(
    store: Store, new: dict[tuple[int, str, str], list[str]], known: dict[str, int]
) -> tuple[NewPackage, ...]:
    if not new:
        return ()
    first = take_ids(store, "pkg", len(new))
    added = []
    for pkg_id, (key, texts) in enumerate(new.items(), first):
        purl = parse_purl(texts[0])
        vkey = version_key(purl.type, purl.version) if purl.version else None
        row = dict(zip(_PACKAGE_KEY, key, strict=True)) | {"pkg_id": pkg_id, "vkey": vkey}
        store.run(_SQL["add_package"], row)
        known.update(dict.fromkeys(texts, pkg_id))
        added.append(_add_source(store, NewPackage(pkg_id, key[0], key[1], vkey), purl))
    return tuple(added)


def _add_source(store: Store, package: NewPackage, purl: Purl) -> NewPackage:
    asked = query_of(str(purl))
    if asked.name == purl.base:
        return package
    name_id = intern_names(store, [asked.name])[asked.name]
    row = {"pkg_id": package.pkg_id, "name_id": name_id, "version": asked.version, "vkey": asked.key}
    store.run(_SQL["add_source"], row)
    return NewPackage(package.pkg_id, name_id, asked.version, asked.key)


def intern_names(store: Store, bases: Iterable[str]) -> dict[str, int]:
    """Return the name id of each purl base."""
    known: dict[str, int] = store.memory.setdefault("names", {})
    for base in sorted(base for base in set(bases) if base not in known):
        known[base] = _intern(store, "name", {"purl_base": base})
    return known


def intern_identity(store: Store, identity: Identity) -> int:
    """Return the id of a signer."""
    key = {
        "kind": identity.kind,
        "subject": identity.subject,
        "issuer": identity.issuer,
        "key_fpr": identity.fingerprint,
    }
    known: dict[Identity, int] = store.memory.setdefault("identities", {})
    if identity not in known:
        known[identity] = _intern(store, "identity", key)
    return known[identity]


def intern_cluster(store: Store, name: str, region: str = "") -> int:
    """Return the id of a cluster; its region is filled in by the first who knows it."""
    known: dict[tuple[str, str], int] = store.memory.setdefault("clusters", {})
    if (name, region) not in known:
        known[name, region] = _intern(store, "cluster", {"name": name}, {"region": region})
        store.run(_SQL["set_region"], {"name": name, "region": region})
    return known[name, region]


def intern_predicate(store: Store, uri: str) -> int:
    """Return the id of a predicate type."""
    known: dict[str, int] = store.memory.setdefault("predicates", {})
    if uri not in known:
        known[uri] = _intern(store, "predicate", {"uri": uri})
    return known[uri]


def _intern(store: Store, kind: str, key: dict[str, str], rest: dict[str, str] | None = None) -> int:
    find: Statement = _SQL[f"find_{kind}"]
    found = store.row(find, key)
    if found is None:
        store.run(_SQL[f"add_{kind}"], key | (rest or {}) | {f"{kind}_id": take_ids(store, kind, 1)})
        found = store.row(find, key)
    if found is None:
        raise LookupError(f"{kind} {key} was not kept")
    return int(found[0])


def _parse(text: str) -> Purl:
    try:
        return parse_purl(text)
    except ValueError as error:
        raise Refused(
            "malformed-purl",
            f"a component of the inventory is not named by a package URL: {text[:100]!r}",
            why=str(error)[:200],
            next_step="have the producer of the inventory correct it; nothing of the document was recorded",
        ) from error
