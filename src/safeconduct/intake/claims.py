"""Claims as events keep them: what verification said on arrival, so that a rebuild need not ask again.

The document itself lies in the document store; its payload is taken from it whenever it is wanted.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import msgspec

from safeconduct.capabilities.graph.codes import SOURCES, TIME_SOURCES
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.documents import Documents
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.dictionary import intern_identity, intern_predicate
from safeconduct.intake.lines import OpenLine
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest, to_bytes
from safeconduct.model.evidence import Claim, Evidence
from safeconduct.model.identity import Identity
from safeconduct.model.statement import Predicate

_SQL = load_statements("safeconduct.intake", "attestations.sql")
_PROVENANCE = "https://slsa.dev/provenance/"
_SBOM = frozenset({Predicate.CYCLONEDX})
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = to_datetime(0)


class _Shape(msgspec.Struct, frozen=True):
    """A bundle, an envelope or a statement, as far as it takes to find the predicate."""

    envelope: "_Shape | None" = msgspec.field(default=None, name="dsseEnvelope")
    payload: str | None = None
    predicate: msgspec.Raw = msgspec.Raw(b"")


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One verified claim, as long as an event needs it.

    Attributes:
        signer: position in ``Testimony.signers``.
        signed_at: microseconds since 1970, 0 when nothing says.
    """

    document: Digest
    predicate_type: str
    role: str
    signer: int
    trust_version: int
    signed_at: int
    time_source: str


class Testimony(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that was heard about one digest in one go; ``refused`` are (document, problem) pairs."""

    signers: tuple[Identity, ...] = ()
    claims: tuple[Heard, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def hear(evidence: Evidence) -> Testimony:
    """Return what an event keeps of ``evidence``."""
    signers = tuple(sorted({claim.verified.signer for claim in evidence.claims}))
    claims = tuple(
        Heard(
            claim.document,
            claim.predicate_type,
            claim.role,
            signers.index(claim.verified.signer),
            claim.verified.trust_version,
            _microseconds(claim.verified.signed_at),
            claim.verified.time_source,
        )
        for claim in sorted(evidence.claims, key=_by_document)
    )
    return Testimony(signers, claims, tuple((r.document, r.problem) for r in evidence.refused))


def record_claims(store: Store, line: OpenLine, seq: int, testimony: Testimony) -> int:
    """Keep the attestations and verifications of a release; return how many of them are new."""
    new = 0
    for claim in testimony.claims:
        place = {"line_id": line.line_id, "doc": to_bytes(claim.document), "at": line.changed_at}
        source = SOURCES.index(claim.role) if claim.role in SOURCES else len(SOURCES) - 1
        predicate = {"predicate_id": intern_predicate(store, claim.predicate_type), "source": source}
        new += store.run(_SQL["add_attestation"], place | predicate | {"seq": seq})
        verification = {
            "trust_version": claim.trust_version,
            "identity_id": intern_identity(store, testimony.signers[claim.signer]),
            "outcome": int(Outcome.PASSED),
            "signed_time": claim.signed_at or None,
            "time_source": TIME_SOURCES.index(claim.time_source) if claim.time_source in TIME_SOURCES else 0,
        }
        new += store.run(_SQL["add_verification"], place | verification)
    return new


def are_known(store: Store, line_id: int, seq: int, testimony: Testimony) -> bool:
    """Return whether every claim, under its trust version, stands beside the release already."""
    for claim in testimony.claims:
        place = {"line_id": line_id, "doc": to_bytes(claim.document)}
        if store.row(_SQL["find_attestation"], place | {"seq": seq}) is None:
            return False
        if store.row(_SQL["find_verification"], place | {"trust_version": claim.trust_version}) is None:
            return False
    return True


def is_sbom(predicate_type: str) -> bool:
    """Return whether a predicate of this type is an inventory that we can read."""
    return predicate_type in _SBOM


def is_provenance(predicate_type: str) -> bool:
    """Return whether a predicate of this type is SLSA provenance."""
    return predicate_type.startswith(_PROVENANCE)


def predicate_in(documents: Documents, digest: Digest) -> bytes | None:
    """Return what ``predicate_of`` says of a kept document; None when it was erased since."""
    try:
        return predicate_of(documents.get(digest))
    except Undecided as error:
        if error.id != "document-erased":
            raise
        return None


def predicate_of(document: bytes) -> bytes:
    """Return the predicate inside a bundle, an envelope or a bare statement, or the document where it is none of them.

    It is cut out as it stands: an SBOM of megabytes is parsed once, by its reader. The bytes were verified when they
    came in and are found by their digest, so that they are the same ones.
    """
    outer = _shape(document)
    payload = (outer.envelope or outer).payload
    if payload is None:
        return bytes(outer.predicate) or document
    statement = _decoded(payload)
    return bytes(_shape(statement).predicate) or statement


def commit_of(predicate: bytes | None) -> str:
    """Return the source commit that SLSA provenance names, or an empty text."""
    try:
        value: Any = json.loads(predicate or b"")
        for dependency in value["buildDefinition"]["resolvedDependencies"]:
            commit = dependency.get("digest", {}).get("gitCommit")
            if isinstance(commit, str):
                return commit
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    return ""


def _shape(data: bytes) -> _Shape:
    try:
        return msgspec.json.decode(data, type=_Shape)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _Shape()


def _decoded(payload: str) -> bytes:
    try:
        return base64.b64decode(payload)
    except ValueError:
        return b""


def _by_document(claim: Claim) -> Digest:
    return claim.document


def _microseconds(time: datetime | None) -> int:
    return 0 if time is None else (time - _EPOCH) // _MICROSECOND
