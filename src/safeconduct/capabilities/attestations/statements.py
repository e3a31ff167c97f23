"""In-toto statements: written canonically, read strictly, matched to subjects by digest only.

Source: in-toto attestation framework, Statement v1.
"""

import json
from typing import Any

from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.digest import Digest
from safeconduct.model.limits import LIMITS
from safeconduct.model.statement import STATEMENT_V1, Statement, Subject

_TYPES = frozenset({STATEMENT_V1, "https://in-toto.io/Statement/v0.1"})


def write_statement(digests: dict[str, Digest], predicate_type: str, predicate: dict[str, Any]) -> bytes:
    """Return a statement about ``digests`` (name to digest); the same input gives the same bytes."""
    subject = [{"name": name, "digest": {"sha256": digest[7:]}} for name, digest in sorted(digests.items())]
    return json.dumps(
        {"_type": STATEMENT_V1, "subject": subject, "predicateType": predicate_type, "predicate": predicate},
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def read_statement(payload: bytes) -> Statement:
    """Return the statement in ``payload``.

    Raises:
        Refused: ``malformed-statement``: not strict JSON, no subject, a subject without sha256 digest, no type.
    """
    value = parse_strict(payload, max_bytes=LIMITS.sbom)
    try:
        if value["_type"] not in _TYPES:
            raise ValueError(f"type {str(value['_type'])[:80]!r}")
        subjects = value["subject"]
        if not isinstance(subjects, list) or not 0 < len(subjects) <= LIMITS.subjects:
            raise ValueError("no subject, or more than the limit")
        predicate = value.get("predicate") or {}
        if not isinstance(predicate, dict) or not isinstance(value["predicateType"], str):
            raise TypeError("predicate is no object or predicateType no text")
        return Statement(tuple(_subject(s) for s in subjects), value["predicateType"], predicate)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(
            "malformed-statement",
            "a signed statement is not well formed",
            why=f"{type(error).__name__}: {error}",
            next_step="have its producer attest again",
        ) from error


def match_subject(statement: Statement, digest: Digest) -> Subject:
    """Return the subject that is ``digest``.

    Raises:
        Refused: ``wrong-subject``: the statement is about something else.
    """
    for subject in statement.subject:
        if subject.digest.get("sha256") == digest[7:]:
            return subject
    about = ", ".join(s.digest.get("sha256", "no sha256")[:12] for s in statement.subject[:3])
    raise Refused(
        "wrong-subject",
        f"the statement is not about {digest[:19]}…",
        why=f"it is about {about}: a valid attestation of another thing",
        next_step="attest this digest itself; an attestation cannot be moved",
    )


def _subject(value: dict[str, Any]) -> Subject:
    digest = value["digest"]
    if not isinstance(digest, dict) or not digest or not all(isinstance(v, str) for v in digest.values()):
        raise ValueError("a subject without digest")
    return Subject(dict(digest), str(value.get("name") or ""), str(value.get("uri") or ""))
