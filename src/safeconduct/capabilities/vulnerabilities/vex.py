"""VEX: statements that a product is not affected by a flaw, or repaired, although its version says otherwise.

A statement takes a finding out of the count and never out of sight. Whose statements are accepted is the operator's
choice, made before they come here. The newest statement about a flaw and a product counts: a later "affected" takes an
earlier "not affected" back.

Source: OpenVEX specification 0.2.0 (and 0.0.1, whose vulnerability is a plain word).
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NoReturn

import msgspec

from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import Refused
from safeconduct.model.finding import Finding, Suppression, SuppressionKind
from safeconduct.model.limits import LIMITS
from safeconduct.model.purl import Purl, parse_purl


class Status(StrEnum):
    """What a statement says."""

    NOT_AFFECTED = "not_affected"
    AFFECTED = "affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under_investigation"


_SUPPRESSING = frozenset({Status.NOT_AFFECTED, Status.FIXED})


class Product(msgspec.Struct, frozen=True):
    """A product, or its parts: with ``subcomponents`` only these are meant.

    Attributes:
        names: its id and identifiers, as written; purls among them are compared as purls.
    """

    names: tuple[str, ...]
    subcomponents: tuple[tuple[str, ...], ...] = ()


class VexStatement(msgspec.Struct, frozen=True):
    """One statement of a document.

    Attributes:
        document: the document's id.
        ids: every name of the flaw, sorted.
        reason: justification and impact statement, in the document's words.
        at: RFC 3339 time of the statement, as written; the newest counts.
    """

    document: str
    ids: tuple[str, ...]
    products: tuple[Product, ...]
    status: Status
    reason: str = ""
    at: str = ""


class _Named(msgspec.Struct):
    id: str = msgspec.field(name="@id", default="")
    identifiers: dict[str, str] = {}


class _Product(_Named):
    subcomponents: list[_Named] = []


class _Vulnerability(msgspec.Struct):
    id: str = msgspec.field(name="@id", default="")
    name: str = ""
    aliases: list[str] = []


class _Statement(msgspec.Struct):
    status: Status
    vulnerability: _Vulnerability | str = ""
    products: list[_Product | str] = []
    subcomponents: list[_Named | str] = []
    justification: str = ""
    impact_statement: str = ""
    timestamp: str = ""
    last_updated: str = ""


class _Document(msgspec.Struct):
    context: str = msgspec.field(name="@context")
    statements: list[_Statement]
    id: str = msgspec.field(name="@id", default="")
    timestamp: str = ""
    last_updated: str = ""


_CONTEXT = re.compile(r"https://openvex\.dev/ns(?:/v0\.[0-9.]+)?")


def parse_openvex(data: bytes) -> tuple[VexStatement, ...]:
    """Return the statements of an OpenVEX document, in its order.

    Raises:
        Refused: ``not-vex`` for another document, an unknown status, or one longer than an advisory may be.
    """
    if len(data) > LIMITS.advisory:
        _refuse(f"{len(data)} bytes, more than the limit of {LIMITS.advisory}")
    try:
        read = msgspec.convert(_without_nulls(msgspec.json.decode(data)), _Document)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        _refuse(str(error))
    if not _CONTEXT.fullmatch(read.context):
        _refuse(f"its @context is {read.context[:100]!r} and none of OpenVEX")
    return tuple(_statement(read, one) for one in read.statements)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _statement(document: _Document, read: _Statement) -> VexStatement:
    flaw = read.vulnerability
    ids = {flaw} if isinstance(flaw, str) else {flaw.name, flaw.id, flaw.id.rpartition("/")[2], *flaw.aliases}
    # Version 0.0.1 named the parts beside the products, for all of them.
    parts = tuple(_names(part) for part in read.subcomponents)
    products = []
    for product in read.products:
        own = tuple(_names(part) for part in product.subcomponents) if isinstance(product, _Product) else ()
        products.append(Product(_names(product), own or parts))
    return VexStatement(
        document=document.id,
        ids=tuple(sorted(i for i in ids if i)),
        products=tuple(products),
        status=read.status,
        reason=": ".join(part for part in (read.justification, read.impact_statement) if part),
        at=read.last_updated or read.timestamp or document.last_updated or document.timestamp,
    )


def _names(named: _Named | str) -> tuple[str, ...]:
    if isinstance(named, str):
        return (named,)
    return tuple(name for name in (named.id, *named.identifiers.values()) if name)


def suppress_stated(
    findings: Iterable[Finding], statements: Sequence[VexStatement], subjects: Sequence[str] = ()
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings that count and those that a statement takes out, both in their order.

    Args:
        findings: of one inventory.
        statements: those the operator accepts, in any order.
        subjects: names of what the inventory is of (an image's purl, a digest): a statement about parts of a product
            counts only within that product.

    A malicious package counts, whatever is stated.
    """
    newest_first = sorted(statements, key=_precedence)
    counted: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        stated = next((s for s in newest_first if _is_about(s, finding, subjects)), None)
        if stated is None or finding.malicious or stated.status not in _SUPPRESSING:
            counted.append(finding)
        else:
            reason = f"{stated.status}: {stated.reason}" if stated.reason else str(stated.status)
            why = Suppression(SuppressionKind.VEX, stated.document, reason)
            suppressed.append(msgspec.structs.replace(finding, suppression=why))
    return tuple(counted), tuple(suppressed)


def _precedence(statement: VexStatement) -> tuple[int, bool]:
    """The newest first; at one time the word that suppresses nothing. A time that is none is older than all others."""
    try:
        at = from_rfc3339(statement.at)
    except ValueError:
        at = 0
    return -at, statement.status in _SUPPRESSING


def _is_about(statement: VexStatement, finding: Finding, subjects: Sequence[str]) -> bool:
    if not set(statement.ids) & set(finding.ids):
        return False
    here = (finding.component,)
    for product in statement.products:
        if not product.subcomponents and _names_one(product.names, here):
            return True
        if _names_one(product.names, subjects) and (
            not product.subcomponents or any(_names_one(part, here) for part in product.subcomponents)
        ):
            return True
    return False


def _names_one(names: Iterable[str], wanted: Iterable[str]) -> bool:
    return any(name == one or _covers(name, one) for name in names for one in wanted)


def _covers(name: str, component: str) -> bool:
    """Whether the purl ``name`` means ``component``: what it leaves out (version, qualifiers) may be anything."""
    said, own = _purl(name), _purl(component)
    if said is None or own is None or said.base != own.base or said.version not in {"", own.version}:
        return False
    return set(said.qualifiers) <= set(own.qualifiers) and said.subpath in {"", own.subpath}


def _purl(text: str) -> Purl | None:
    try:
        return parse_purl(text) if text.startswith("pkg:") else None
    except ValueError:
        return None


def _refuse(why: str) -> NoReturn:
    raise Refused(
        "not-vex",
        "a document is no OpenVEX document",
        why=why[:300],
        next_step="leave it out, or have its author correct it; none of its statements was used",
    )
