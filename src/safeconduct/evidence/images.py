"""Documents found beside a digest, joined with the trust store: which claims about it are verified.

Every document is judged alone and in order of its digest, so that an attacker who adds one cannot hide another.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from safeconduct.capabilities.attestations.statements import match_subject, read_statement
from safeconduct.capabilities.signing.bundle import read_bundle
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_bundle
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.evidence import Claim, Evidence, Refusal
from safeconduct.model.identity import Usage
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate

_USAGE_OF = {Predicate.VSA: Usage.GATE}
"""Which trade vouches for which predicate; all others are the builder's."""


def judge_bundles(
    digest: Digest,
    bundles: Iterable[bytes],
    trust: TrustStore,
    *,
    repository: str,
    now: datetime,
    first_seen: Mapping[Digest, datetime] | None = None,
    complete: bool = True,
    problem: str = "",
) -> Evidence:
    """Return all claims about ``digest`` that verified, and all that were refused, with the reason.

    Args:
        bundles: documents as found, in any order; the same one twice counts once.
        repository: what a signing key's scope must cover.
        first_seen: document digest to the time it was first recorded.
        complete: False when not everything could be fetched; carried into the result.
    """
    documents = {sha256(data): data for data in bundles}
    claims, refused = [], []
    for document, data in sorted(documents.items()):
        try:
            seen = (first_seen or {}).get(document)
            claims.append(_judge(document, data, digest, trust, repository=repository, now=now, first_seen=seen))
        except Refused as error:
            problem = f"{error.what}: {error.why}" if error.why else error.what
            refused.append(Refusal(document, problem, error.id, _claimed_type(data)))
    raw: dict[str, bytes] = {c.document: documents[c.document] for c in claims}
    return Evidence(digest, tuple(claims), tuple(refused), complete, problem, raw)


def _claimed_type(data: bytes) -> str:
    try:
        return read_statement(read_bundle(data).envelope.payload).predicateType
    except Refused:
        return ""


def _judge(
    document: Digest,
    data: bytes,
    digest: Digest,
    trust: TrustStore,
    *,
    repository: str,
    now: datetime,
    first_seen: datetime | None,
) -> Claim:
    # What kind of statement this is decides which trade must have signed it. It is read before it is verified for
    # that choice only; what it says counts when the verified bytes are the very bytes that were read.
    payload = read_bundle(data).envelope.payload
    statement = read_statement(payload)
    usage = _USAGE_OF.get(statement.predicateType, Usage.BUILD)
    verified = verify_bundle(data, Expectation(usage, repository, PAYLOAD_TYPE), trust, now=now, first_seen=first_seen)
    if verified.payload != payload:
        statement = read_statement(verified.payload)
    match_subject(statement, digest)
    return Claim(document, statement.predicateType, verified, usage)
