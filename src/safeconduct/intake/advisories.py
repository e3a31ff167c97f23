"""One advisory taken in: its text replaces an older one, and what it affects of the packages we hold is worked out."""

from collections.abc import Iterable

import msgspec

from safeconduct.capabilities.vulnerabilities import listed, ranges
from safeconduct.capabilities.vulnerabilities.groups import ids_of
from safeconduct.capabilities.vulnerabilities.osv import parse_advisory
from safeconduct.capabilities.vulnerabilities.severity import is_malicious, level_of
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import SafeconductError, Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Row, Store
from safeconduct.intake.dictionary import intern_names
from safeconduct.intake.findings import SQL as FINDINGS
from safeconduct.intake.findings import add_affects
from safeconduct.intake.lines import take_ids
from safeconduct.model.advisory import Advisory
from safeconduct.model.digest import Digest, from_bytes, to_bytes

SQL = load_statements("safeconduct.intake", "advisories.sql")
_FIRST_KEY = b""
_SECOND = 1_000_000


class Record(msgspec.Struct, frozen=True):
    """An advisory with the digest of its document."""

    document: Digest
    advisory: Advisory


class Change(msgspec.Struct, frozen=True):
    """What one record did: package ids that it affects from now on, no more, and still.

    Attributes:
        urgent: no verdict that did not know this may serve any longer.
    """

    advisory_id: int
    name: str
    known: bool
    withdrawn: bool
    urgent: bool
    opened: frozenset[int]
    closed: frozenset[int]
    kept: frozenset[int]


def apply_record(store: Store, record: Record, at: int) -> Change | None:
    """Put a record in force; None when it is in force already, or older than what is."""
    advisory = record.advisory
    before = store.row(SQL["get_advisory"], {"name": advisory.id})
    doc, modified = to_bytes(record.document), _seconds(advisory.modified)
    if before is not None and (before[1] == doc or modified < before[4]):
        return None
    advisory_id = before[0] if before else take_ids(store, "advisory", 1)
    if before is not None:
        _take_back(store, advisory_id, before, at)
    row = {"advisory_id": advisory_id, "doc": doc, "modified": modified, "at": at}
    row |= {"severity": int(level_of(advisory)), "withdrawn": int(bool(advisory.withdrawn))}
    store.run(SQL["replace_advisory" if before else "add_advisory"], row if before else row | {"name": advisory.id})
    affected = _put_ranges(store, advisory_id, advisory)
    opened, closed, kept = _put_affects(store, advisory_id, affected, at)
    return Change(
        advisory_id=advisory_id,
        name=advisory.id,
        known=before is not None,
        withdrawn=bool(advisory.withdrawn),
        urgent=is_malicious(ids_of(advisory)),
        opened=opened,
        closed=closed,
        kept=kept,
    )


def load_record(store: Store, document: Digest) -> Record | None:
    """Return the record in a kept document; None when it was erased since."""
    try:
        return Record(document, parse_advisory(TableDocuments(store).get(document)))
    except Undecided as error:
        if error.id != "document-erased":
            raise
        return None


def _take_back(store: Store, advisory_id: int, before: Row, at: int) -> None:
    key = {"advisory_id": advisory_id}
    store.run(SQL["keep_past_advisory"], key | {"at": at})
    for (name_id,) in store.rows(SQL["names_of_advisory"], key):
        store.run(SQL["drop_ranges"], key | {"name_id": name_id})
        store.run(SQL["drop_listed"], key | {"name_id": name_id})
    store.run(SQL["drop_names"], key)
    for alias in _aliases_in(store, from_bytes(before[1])):
        store.run(SQL["drop_alias"], key | {"alias": alias})


def _aliases_in(store: Store, document: Digest) -> Iterable[str]:
    try:
        return ids_of(parse_advisory(TableDocuments(store).get(document)))
    except SafeconductError:
        # Its text was erased: its old aliases stay searchable.
        return ()


def _put_ranges(store: Store, advisory_id: int, advisory: Advisory) -> dict[int, str | None]:
    key = {"advisory_id": advisory_id}
    ordered, exact = ranges.rows_of(advisory), listed.rows_of(advisory)
    names = intern_names(store, {row.name for row in ordered} | {row.name for row in exact})
    affected: dict[int, str | None] = {}
    for span in ordered:
        row = {"name_id": names[span.name], "lo": span.lo, "hi": span.hi, "fixed": span.fixed}
        store.run(SQL["add_range"], key | row)
        affected |= dict.fromkeys(_packages_of(store, names[span.name], span), span.fixed)
    for one in exact:
        place = {"name_id": names[one.name], "version": one.version}
        store.run(SQL["add_listed"], key | place | {"fixed": one.fixed})
        for (pkg_id,) in store.rows(FINDINGS["packages_of_version"], place):
            affected[pkg_id] = affected.get(pkg_id) or one.fixed
    named = {row.name for row in ordered} | {row.name for row in exact}
    store.run_many(SQL["add_name"], [key | {"name_id": names[name]} for name in sorted(named)])
    store.run_many(SQL["add_alias"], [key | {"alias": alias} for alias in ids_of(advisory) if alias != advisory.id])
    return affected


def _packages_of(store: Store, name_id: int, span: ranges.RangeRow) -> list[int]:
    key = {"name_id": name_id, "lo": span.lo}
    if span.hi is not None:
        return [row[0] for row in store.rows(FINDINGS["packages_in_range"], key | {"hi": span.hi})]
    rows = store.rows(FINDINGS["packages_from"], key)
    if span.lo == _FIRST_KEY:
        # Every version is affected: also one without a place in the order, or not known at all.
        rows += store.rows(FINDINGS["packages_without_key"], {"name_id": name_id})
    return [row[0] for row in rows]


def _put_affects(
    store: Store, advisory_id: int, affected: dict[int, str | None], at: int
) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
    before: dict[int, str | None] = dict(store.rows(FINDINGS["open_affects_of_advisory"], {"advisory_id": advisory_id}))
    for pkg_id, fixed in before.items():
        if pkg_id not in affected or affected[pkg_id] != fixed:
            store.run(FINDINGS["close_affects"], {"pkg_id": pkg_id, "advisory_id": advisory_id, "at": at})
    for pkg_id, fixed in affected.items():
        if pkg_id not in before or before[pkg_id] != fixed:
            add_affects(store, pkg_id, advisory_id, fixed, at)
    old, new = frozenset(before), frozenset(affected)
    return new - old, old - new, new & old


def _seconds(text: str) -> int:
    try:
        return from_rfc3339(text) // _SECOND
    except ValueError:
        return 0
