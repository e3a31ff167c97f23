"""Findings: advisories met by package versions, once, and carried along the lines as spans."""

from collections.abc import Iterable

from safeconduct.capabilities.graph.codes import AFFECTED, OPEN_SEQ
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.dictionary import NewPackage
from safeconduct.intake.lines import OpenLine

SQL = load_statements("safeconduct.intake", "findings.sql")
_FIRST_KEY = b""


def match_packages(store: Store, packages: Iterable[NewPackage], at: int) -> None:
    """Match new package versions against every advisory in force."""
    for package in packages:
        for advisory_id, fixed in _advisories_of(store, package).items():
            add_affects(store, package.pkg_id, advisory_id, fixed, at)


def add_affects(store: Store, pkg_id: int, advisory_id: int, fixed: str | None, at: int) -> None:
    """Record that an advisory affects a package version, and what repairs it."""
    row = {"pkg_id": pkg_id, "advisory_id": advisory_id, "at": at, "state": AFFECTED, "fixed": fixed}
    store.run(SQL["add_affects"], row)


def add_findings(store: Store, line: OpenLine, pkg_ids: Iterable[int], first: int, last: int = OPEN_SEQ) -> None:
    """Give the spans of ``pkg_ids`` that start at ``first`` the findings that hold now."""
    row = {"line_id": line.line_id, "first": first, "last": last, "at": line.changed_at}
    store.run_many(SQL["add_findings_of_package"], [row | {"pkg_id": pkg_id} for pkg_id in pkg_ids])


def end_findings(store: Store, line: OpenLine, pkg_ids: Iterable[int], seq: int) -> None:
    """End the running findings of packages that are gone since ``seq``."""
    row = {"line_id": line.line_id, "last": OPEN_SEQ, "seq": seq}
    store.run_many(SQL["end_findings_of_package"], [row | {"pkg_id": pkg_id} for pkg_id in pkg_ids])


def _advisories_of(store: Store, package: NewPackage) -> dict[int, str | None]:
    key = {"name_id": package.name_id}
    if package.vkey is None:
        # What has no place in the order, or no version at all, is met only by what affects every version.
        rows = store.rows(SQL["advisories_of_everything"], key | {"first_key": _FIRST_KEY})
    else:
        rows = store.rows(SQL["advisories_of_version"], key | {"vkey": package.vkey})
    if package.version:
        rows += store.rows(SQL["advisories_of_listed"], key | {"version": package.version})
    found: dict[int, str | None] = {}
    for advisory_id, fixed in rows:
        found[advisory_id] = found.get(advisory_id) or fixed
    return found
