"""Quality: how well findings agree with known right answers, counted by groups of aliases.

Two answers that name one flaw by different ids (PYSEC, GHSA, CVE) agree. Used by the label tests and by the quality
figures; judging the same file with another program gives the same count.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

import msgspec

from safeconduct.capabilities.vulnerabilities.ranges import RangeRow
from safeconduct.model.finding import Finding
from safeconduct.model.version import compare

Answers = Mapping[str, Iterable[str]]
"""Advisory ids by what was asked (a purl)."""


class Tally(msgspec.Struct, frozen=True):
    """Meetings that both name, that only the labels name, and that only we name; each (purl, group), sorted."""

    agreed: tuple[tuple[str, str], ...]
    missed: tuple[tuple[str, str], ...]
    extra: tuple[tuple[str, str], ...]

    @property
    def recall(self) -> float:
        """The share of the labels that was found, 0 to 1; 1 when there are none."""
        expected = len(self.agreed) + len(self.missed)
        return len(self.agreed) / expected if expected else 1.0

    @property
    def precision(self) -> float:
        """The share of what was found that the labels name, 0 to 1; 1 when nothing was found."""
        found = len(self.agreed) + len(self.extra)
        return len(self.agreed) / found if found else 1.0


def tally(expected: Answers, found: Answers, groups: Mapping[str, str]) -> Tally:
    """Return how ``found`` agrees with ``expected``; only what ``expected`` has as a key was asked.

    Args:
        expected: the right ids for each question; an empty one says that nothing should be found.
        found: our ids for each question.
        groups: the group of an id, as ``groups.group_ids`` gives it; an id without one stands for itself.
    """
    right = {(asked, groups.get(i, i)) for asked, ids in expected.items() for i in ids}
    ours = {(asked, groups.get(i, i)) for asked in expected for i in found.get(asked, ())}
    return Tally(tuple(sorted(right & ours)), tuple(sorted(right - ours)), tuple(sorted(ours - right)))


def answers_of(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """Return the ids of the records that matched, by component purl."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        found.setdefault(finding.component, []).append(finding.advisory)
    return found


class Comparisons(msgspec.Struct, frozen=True):
    """How a table of comparisons agrees with our order; each line as in the table.

    Attributes:
        right: how many agree.
        wrong: those that do not.
        unordered: those with a version that has no place: could not compare.
    """

    right: int
    wrong: tuple[str, ...]
    unordered: tuple[str, ...]


def comparisons(kind: str, lines: Iterable[str]) -> Comparisons:
    """Return how the lines ``a < b`` (``=``, ``>``) of a table agree with the order of purl type ``kind``.

    Empty lines and those that begin with ``#`` or ``//`` are comments.

    Raises:
        ValueError: another line is no comparison.
    """
    right, wrong, unordered = 0, list[str](), list[str]()
    for text in map(str.strip, lines):
        if not text or text.startswith(("# ", "//")):
            continue
        a, sign, b = text.split(" ")
        found = compare(kind, a, b)
        if found is None:
            unordered.append(text)
        elif found == ("<", "=", ">").index(sign) - 1:
            right += 1
        else:
            wrong.append(text)
    return Comparisons(right, tuple(wrong), tuple(unordered))


class Cause(StrEnum):
    """Why a verdict on one version differs from a record's ranges."""

    BEFORE_FIRST = "before-first"
    """The label says affected; the version is before the first one introduced."""
    GAP = "gap"
    """The label says affected; the version is between two ranges."""
    AFTER_LAST = "after-last"
    """The label says affected; the version is behind the last fix."""
    LABEL_SAYS_NO = "label-says-no"
    """The label says not affected; the version is in a range."""
    UNORDERED = "unordered"
    """The version has no place in the order."""


def difference(rows: Collection[RangeRow], key: bytes | None, *, affected: bool) -> Cause | None:
    """Return how a label differs from the rows of one package, at least one; None where they agree."""
    if key is None:
        return Cause.UNORDERED
    if any(row.lo <= key and (row.hi is None or key < row.hi) for row in rows):
        return None if affected else Cause.LABEL_SAYS_NO
    if not affected:
        return None
    if all(key < row.lo for row in rows):
        return Cause.BEFORE_FIRST
    return Cause.AFTER_LAST if all(row.hi is not None and row.hi <= key for row in rows) else Cause.GAP


def plain(purl: str) -> str:
    """Return a purl as ``labels/three-matchers`` spells it: lower case, no qualifiers, Maven without its group."""
    text = purl.partition("?")[0].lower()
    return f"pkg:maven/{text.rpartition('/')[2]}" if text.startswith("pkg:maven/") else text
