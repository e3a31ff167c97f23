"""Severity: what a record says of how bad it is, as one level and, where it has a vector, one score.

Order within a record: the newest CVSS version it carries (4, 3, 2), the highest of several vectors of that version;
without one, the word of its publisher; without that UNKNOWN, which is a level of its own. Over a group of aliased
records the highest counts: one of them usually knows what the other leaves out.

Source: CVSS 2.0, 3.x and 4.0 by the ``cvss`` library; level bounds of CVSS 3 and 4 section "Qualitative severity";
NVD's bounds for version 2; words of GitHub, Ubuntu, Red Hat, Bitnami as they stand in OSV records.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4

from safeconduct.model.advisory import Advisory, Score
from safeconduct.model.finding import Level

_READERS = {"CVSS_V4": CVSS4, "CVSS_V3": CVSS3, "CVSS_V2": CVSS2}
_LONGEST_VECTOR = 400
_BOUNDS = ((9.0, Level.CRITICAL), (7.0, Level.HIGH), (4.0, Level.MEDIUM), (0.1, Level.LOW))
_WORDS = {
    "critical": Level.CRITICAL,
    "high": Level.HIGH,
    "important": Level.HIGH,
    "moderate": Level.MEDIUM,
    "medium": Level.MEDIUM,
    "low": Level.LOW,
    "minor": Level.LOW,
    "negligible": Level.LOW,
    "unimportant": Level.LOW,
    "none": Level.NONE,
}
_WORD_FIELDS = ("severity", "cvss_severity", "ubuntu_priority", "priority", "urgency", "impact")
_MALICIOUS = "MAL-"


def level_of(advisory: Advisory) -> Level:
    """Return the level of one record."""
    system, score = _best(advisory)
    if score is not None:
        return level_of_score(score, system)
    return max(_words(advisory), default=Level.UNKNOWN)


def score_of(advisory: Advisory) -> float | None:
    """Return the CVSS base score of one record, 0.0 to 10.0; None when it has no vector that can be read."""
    return _best(advisory)[1]


def is_malicious(ids: Iterable[str]) -> bool:
    """Return whether one of ``ids`` reports a malicious package: a class of its own, not a score."""
    return any(i.startswith(_MALICIOUS) for i in ids)


def level_of_score(score: float, system: str = "CVSS_V3") -> Level:
    """Return the level of a base score; CVSS 2 knows no critical."""
    level = next((level for bound, level in _BOUNDS if score >= bound), Level.NONE)
    return min(level, Level.HIGH) if system == "CVSS_V2" else level


@lru_cache(maxsize=32_768)
def score_of_vector(system: str, vector: str) -> float | None:
    """Return the base score of a vector; None when it is none of ``system`` (CVSS_V2, CVSS_V3, CVSS_V4)."""
    reader = _READERS.get(system)
    if reader is None or len(vector) > _LONGEST_VECTOR:
        return None
    try:
        return float(reader(vector).base_score)
    except Exception:  # noqa: BLE001 - foreign text; the library raises far more than its own errors on it
        return None


def _best(advisory: Advisory) -> tuple[str, float | None]:
    vectors = _vectors(advisory)
    for system in _READERS:
        scores = [score_of_vector(system, s.score) for s in vectors if s.type == system]
        known = [score for score in scores if score is not None]
        if known:
            return system, max(known)
    return "", None


def _vectors(advisory: Advisory) -> list[Score]:
    found = list(advisory.severity or ())
    for affected in advisory.affected or ():
        found += affected.severity
        # RustSec keeps its vector here and leaves ``severity`` empty.
        specific = affected.database_specific
        vector = specific.get("cvss") if specific else None
        if isinstance(vector, str) and vector.startswith("CVSS:"):
            found.append(Score("CVSS_V4" if vector.startswith("CVSS:4") else "CVSS_V3", vector))
    return found


def _words(advisory: Advisory) -> list[Level]:
    found = [_word(score.score) for score in advisory.severity or ()]
    found += _words_in(advisory.database_specific)
    for affected in advisory.affected or ():
        found += [_word(score.score) for score in affected.severity]
        found += _words_in(affected.database_specific)
        found += _words_in(affected.ecosystem_specific)
    return [level for level in found if level is not None]


def _words_in(specific: dict[str, Any] | None) -> list[Level | None]:
    return [_word(specific.get(field)) for field in _WORD_FIELDS] if specific else []


def _word(value: object) -> Level | None:
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None
