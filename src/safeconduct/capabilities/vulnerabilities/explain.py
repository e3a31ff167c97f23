"""Explaining: why an advisory meets a component, or why it does not, from the record itself."""

import msgspec

from safeconduct.capabilities.vulnerabilities import listed, ranges
from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.query import Query, query_of
from safeconduct.capabilities.vulnerabilities.ranges import FIRST, RangeRow
from safeconduct.capabilities.vulnerabilities.severity import level_of, score_of
from safeconduct.foundation.store import Store
from safeconduct.model.advisory import Advisory, Affected, Event
from safeconduct.model.digest import Digest
from safeconduct.model.version import is_ordered

_SHOWN = 12
"""Listed versions that are written out; of longer lists only the count."""


class Explanation(msgspec.Struct, frozen=True):
    """Why, in plain lines.

    Attributes:
        matches: None where it cannot be told: no such record here, or a version that cannot be compared.
        records: the records that were read, as (id, digest of the document).
    """

    advisory: str
    purl: str
    matches: bool | None
    lines: tuple[str, ...]
    records: tuple[tuple[str, Digest], ...] = ()


def explain(store: Store, advisory_id: str, purl: str) -> Explanation:
    """Return why the records known under ``advisory_id`` meet the component ``purl``, or do not.

    One that matches is enough. "Does not" needs a record that names the package and could be compared with, or
    records that name only other packages.
    """
    found = StoredAdvisories(store).find(advisory_id)
    query = query_of(purl)
    if not found:
        unknown = f"{advisory_id}: no record of this id, or with it as an alias, has been taken in"
        return Explanation(advisory_id, purl, None, (unknown,))
    told = [_explain_record(record, digest, query) for digest, record in found]
    answers = {answer for answer, _ in told}
    matches = True if True in answers else None if None in answers else False
    lines = tuple(line for _, part in told for line in part)
    return Explanation(advisory_id, purl, matches, lines, tuple((record.id, digest) for digest, record in found))


def _explain_record(record: Advisory, digest: Digest, query: Query) -> tuple[bool | None, list[str]]:
    lines = [_title(record)]
    if record.aliases or record.upstream:
        lines.append("  also known as " + ", ".join([*(record.aliases or ()), *(record.upstream or ())]))
    lines.append(f"  record of {record.modified or 'unknown date'}, kept as {digest}")
    if record.withdrawn:
        return False, [*lines, f"  withdrawn on {record.withdrawn}: it meets nothing"]
    entries = [affected for base, affected in ranges.affected_by_base(record) if base == query.name]
    if not entries:
        names = sorted({base for base, _ in ranges.affected_by_base(record)})
        return False, [*lines, f"  it does not name {query.name}, only {', '.join(names[:_SHOWN]) or 'no package'}"]
    lines += [line for affected in entries for line in _says(affected)]
    answer, why = _judge(record, query)
    return answer, [*lines, f"  {why}"]


def _title(record: Advisory) -> str:
    score = score_of(record)
    level = level_of(record).word + (f" {score}" if score is not None else "")
    return f"{record.id} ({level}): {record.summary or 'without summary'}"


def _says(affected: Affected) -> list[str]:
    lines = []
    for span in affected.ranges:
        if span.type == "GIT":
            lines.append("  it names a range of commits, which is passed over")
        else:
            lines.append(f"  it names the range {', '.join(_event(event) for event in span.events)}")
    if len(affected.versions) > _SHOWN:
        lines.append(f"  it lists {len(affected.versions)} versions")
    elif affected.versions:
        lines.append(f"  it lists the versions {', '.join(affected.versions)}")
    return lines


def _event(event: Event) -> str:
    given = {"introduced": event.introduced, "fixed": event.fixed, "last affected": event.last_affected}
    return " ".join(f"{word} {version}" for word, version in (given | {"limit": event.limit}).items() if version)


def _judge(record: Advisory, query: Query) -> tuple[bool | None, str]:
    rows = [row for row in ranges.rows_of(record) if row.name == query.name]
    if any(row.lo == FIRST and row.hi is None for row in rows):
        return True, "every version is affected"
    if not query.version:
        return None, "the component has no version: it cannot be told"
    if query.key is not None:
        answer, why = _place(rows, query, query.key)
        if not answer and query.name in ranges.unsure_of(record):
            return None, "a bound of its range has no place in the order: it cannot be told"
        return answer, why
    if (query.name, query.version) in listed.versions_of(record):
        return True, f"{query.version} is listed as affected"
    reason = "cannot be ordered" if is_ordered(query.kind) else f"is of a kind ({query.kind}) whose order is not known"
    return None, f"{query.version} {reason}, and it is not listed: it cannot be told"


def _place(rows: list[RangeRow], query: Query, key: bytes) -> tuple[bool, str]:
    for row in rows:
        if row.lo <= key and (row.hi is None or key < row.hi):
            if row.hi == row.lo + b"\0":
                return True, f"{query.version} is listed as affected"
            end = f"before {row.fixed}, which fixes it" if row.fixed else "and no later fix is named for it"
            return True, f"{query.version} is in the affected range, {end}"
    if any(row.hi is not None and row.hi <= key for row in rows):
        passed = max((row for row in rows if row.hi is not None and row.hi <= key), key=lambda row: row.lo)
        end = f" it is {passed.fixed} or later" if passed.fixed else " it is behind the last affected one"
        return False, f"{query.version} is not affected:{end}"
    return False, f"{query.version} is not affected: it is before the first affected one"
