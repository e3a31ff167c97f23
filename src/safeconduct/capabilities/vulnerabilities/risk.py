"""Risk: what is known about a CVE besides its advisories: exploited already, likely to be, and how CISA decided.

Three sources, each read from its publisher's own file: CISA's catalogue of known exploited vulnerabilities (KEV),
FIRST's exploit prediction scores (EPSS) and CISA's SSVC decisions as Vulnrichment publishes them. None says which
versions are affected; they order what was found and give a level where the advisories have none.

Source: KEV JSON schema 1.1; EPSS data page ("cve,epss,percentile" behind a comment line with the date); CISA SSVC guide
(exploitation none, poc, active; technical impact partial, total).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NoReturn

import msgspec

from safeconduct.capabilities.vulnerabilities.severity import level_of_score, score_of_vector
from safeconduct.foundation.errors import Refused
from safeconduct.model.finding import Finding, Level

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
_MAX_BYTES = 256 * 1024 * 1024
_MAX_ROWS = 5_000_000
_DATE = re.compile(r"score_date:([0-9T:+-]+)")


class Exploitation(IntEnum):
    """How far exploitation is known to have gone."""

    NONE = 0
    POC = 1
    ACTIVE = 2


class Risk(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the three sources say about one CVE; a field is None where its source is silent.

    Attributes:
        kev_added: day (YYYY-MM-DD) on which CISA called it known exploited.
        kev_due: day by which CISA asks for the repair.
        ransomware: whether a campaign is known to use it.
        epss: probability of exploitation within 30 days, 0 to 1.
        percentile: share of all scored CVEs that are no likelier, 0 to 1.
        automatable: SSVC's decision.
        total_impact: SSVC's technical impact, total or partial.
        vector: CISA's own CVSS vector, as written.
    """

    kev_added: str | None = None
    kev_due: str | None = None
    ransomware: bool = False
    epss: float | None = None
    percentile: float | None = None
    exploitation: Exploitation | None = None
    automatable: bool | None = None
    total_impact: bool | None = None
    vector: str | None = None

    @property
    def exploited(self) -> bool:
        """Whether it is known to be exploited."""
        return self.kev_added is not None or self.exploitation is Exploitation.ACTIVE


class _Exploited(msgspec.Struct):
    id: str = msgspec.field(name="cveID")
    added: str = msgspec.field(name="dateAdded")
    due: str = msgspec.field(name="dueDate", default="")
    ransomware: str = msgspec.field(name="knownRansomwareCampaignUse", default="")


class _Catalogue(msgspec.Struct):
    vulnerabilities: list[_Exploited]
    released: str = msgspec.field(name="dateReleased", default="")


class RiskData(msgspec.Struct, frozen=True):
    """One source as read: its date as the file says it (empty where it says none), and what it says by CVE."""

    as_of: str
    risks: Mapping[str, Risk]


def parse_kev(data: bytes) -> RiskData:
    """Return CISA's catalogue.

    Raises:
        Refused: ``not-risk-data``.
    """
    _limit(data)
    try:
        read = msgspec.json.decode(data, type=_Catalogue)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        _refuse("KEV catalogue", str(error))
    found = {
        one.id: Risk(kev_added=one.added, kev_due=one.due or None, ransomware=one.ransomware == "Known")
        for one in read.vulnerabilities
        if _CVE.fullmatch(one.id)
    }
    return RiskData(read.released, found)


def parse_epss(data: bytes) -> RiskData:
    """Return FIRST's scores; a row whose numbers are none or not between 0 and 1 is left out.

    Raises:
        Refused: ``not-risk-data``.
    """
    text = _text(data, "EPSS file")
    dated = _DATE.search(text[:200])
    rows = _rows(text, "EPSS file", ("cve", "epss", "percentile"))
    found = {}
    for cve, epss, percentile in rows:
        score, share = _share(epss), _share(percentile)
        if score is not None and _CVE.fullmatch(cve):
            found[cve] = Risk(epss=score, percentile=share)
    return RiskData(dated[1] if dated else "", found)


_SSVC = ("cve", "exploitation", "automatable", "technical_impact", "cisa_cvss", "timestamp")


def parse_ssvc(data: bytes) -> RiskData:
    """Return CISA's decisions; words count in any case, an unknown one as silence. ``as_of`` is the newest decision.

    Raises:
        Refused: ``not-risk-data``.
    """
    found: dict[str, Risk] = {}
    newest = ""
    for cve, exploitation, automatable, impact, vector, at in _rows(_text(data, "SSVC file"), "SSVC file", _SSVC):
        if not _CVE.fullmatch(cve):
            continue
        newest = max(newest, at)
        found[cve] = Risk(
            exploitation=_WORDS.get(exploitation.lower()),
            automatable={"yes": True, "no": False}.get(automatable.lower()),
            total_impact={"total": True, "partial": False}.get(impact.lower()),
            vector=vector or None,
        )
    return RiskData(newest, found)


_WORDS = {"none": Exploitation.NONE, "poc": Exploitation.POC, "active": Exploitation.ACTIVE}


def join_risks(risks: Iterable[Risk]) -> Risk:
    """Return several sources' words on one flaw as one: the worst of each; of dates the first."""
    listed = list(risks)
    return Risk(
        kev_added=min((r.kev_added for r in listed if r.kev_added), default=None),
        kev_due=min((r.kev_due for r in listed if r.kev_due), default=None),
        ransomware=any(r.ransomware for r in listed),
        epss=max((r.epss for r in listed if r.epss is not None), default=None),
        percentile=max((r.percentile for r in listed if r.percentile is not None), default=None),
        exploitation=max((r.exploitation for r in listed if r.exploitation is not None), default=None),
        automatable=max((r.automatable for r in listed if r.automatable is not None), default=None),
        total_impact=max((r.total_impact for r in listed if r.total_impact is not None), default=None),
        vector=max((r.vector for r in listed if r.vector), key=lambda v: (_score(v) or 0, v), default=None),
    )


def level_of_risk(risk: Risk) -> Level:
    """Return the level that CISA's own vector gives; UNKNOWN without one. For a flaw whose advisories give none."""
    score = _score(risk.vector) if risk.vector else None
    return Level.UNKNOWN if score is None else level_of_score(score)


_WEIGHT = {
    Level.NONE: 0.0,
    Level.UNKNOWN: 5.0,
    Level.LOW: 2.0,
    Level.MEDIUM: 5.5,
    Level.HIGH: 8.0,
    Level.CRITICAL: 9.5,
}
"""What a level is worth where no score is known, in points of CVSS; unknown counts as the middle, not as nothing."""
_UNSCORED = 0.01
"""Where EPSS is silent: about the median of all scores, so that severity alone decides among the silent ones."""


def rank(findings: Iterable[Finding], risks: Mapping[str, Risk]) -> tuple[Finding, ...]:
    """Return ``findings`` in the order in which to repair them.

    Malicious packages first, then what is known to be exploited, then by EPSS times severity; equals stand worst first
    by level, then by component and id.

    Args:
        findings: in any order.
        risks: by CVE; of a finding all its ids are looked up.
    """
    return tuple(sorted(findings, key=lambda finding: _place(finding, risk_of(finding, risks))))


def risk_of(finding: Finding, risks: Mapping[str, Risk]) -> Risk:
    """Return what is known about a finding under any of its ids; a risk without a word where nothing is."""
    return join_risks(risks[i] for i in finding.ids if i in risks)


def _place(finding: Finding, risk: Risk) -> tuple[bool, bool, float, int, str, str]:
    level = finding.level if finding.level is not Level.UNKNOWN else level_of_risk(risk)
    severity = finding.score if finding.score is not None else _WEIGHT[level]
    chance = risk.epss if risk.epss is not None else _UNSCORED
    return not finding.malicious, not risk.exploited, -chance * severity, -level, finding.component, finding.advisory


def _score(vector: str) -> float | None:
    return score_of_vector("CVSS_V4" if vector.startswith("CVSS:4") else "CVSS_V3", vector)


def _rows(text: str, what: str, wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:
    lines = csv.reader(line for line in io.StringIO(text) if not line.startswith("#"))
    try:
        heads = next(lines, [])
        if not set(wanted) <= set(heads):
            _refuse(what, f"its first line names {', '.join(heads)[:100]!r} and not {', '.join(wanted)}")
        places = [heads.index(name) for name in wanted]
        for count, row in enumerate(lines):
            if count >= _MAX_ROWS:
                _refuse(what, f"it has more than {_MAX_ROWS} rows")
            if len(row) == len(heads):
                yield tuple(row[place].strip() for place in places)
    except csv.Error as error:
        _refuse(what, str(error))


def _share(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _text(data: bytes, what: str) -> str:
    _limit(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(what, str(error))


def _limit(data: bytes) -> None:
    if len(data) > _MAX_BYTES:
        _refuse("file", f"{len(data)} bytes, more than the limit of {_MAX_BYTES}")


def _refuse(what: str, why: str) -> NoReturn:
    raise Refused(
        "not-risk-data",
        f"a document is no {what}",
        why=why[:300],
        next_step="take the file as its publisher serves it, unpacked; nothing of it was used",
    )
