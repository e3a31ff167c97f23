"""Documents found beside a digest, joined with the trust store: which claims about it are verified.

Every document is judged alone and in order of its digest, so that an attacker who adds one cannot hide another.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from safeconduct.capabilities.attestations.statements import match_subject, read_statement
from safeconduct.capabilities.signing.bundle import read_bundle
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_read
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
        claimed = ""
        try:
            bundle = read_bundle(data)
            # What kind of statement this is decides which trade must have signed it. It is read before it is verified
            # for that choice only; what is verified are the same bytes.
            statement = read_statement(bundle.envelope.payload)
            claimed = statement.predicateType
            usage = _USAGE_OF.get(claimed, Usage.BUILD)
            expect = Expectation(usage, repository, PAYLOAD_TYPE)
            verified = verify_read(bundle, expect, trust, now=now, first_seen=(first_seen or {}).get(document))
            match_subject(statement, digest)
            claims.append(Claim(document, claimed, verified, usage))
        except Refused as error:
            what = f"{error.what}: {error.why}" if error.why else error.what
            refused.append(Refusal(document, what, error.id, claimed))
    raw: dict[str, bytes] = {c.document: documents[c.document] for c in claims}
    return Evidence(digest, tuple(claims), tuple(refused), complete, problem, raw)
