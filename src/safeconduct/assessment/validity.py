"""How long a verdict holds: until the first thing that it rests on expires."""

from safeconduct.capabilities.attestations.predicates import read_summary
from safeconduct.capabilities.attestations.statements import read_statement
from safeconduct.capabilities.policy.pack import Pack
from safeconduct.capabilities.signing.trust import TrustedKey, TrustStore
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import SafeconductError
from safeconduct.model.evidence import Evidence
from safeconduct.model.exemption import Exemption
from safeconduct.model.finding import Scan
from safeconduct.model.statement import Predicate

_DAY = 86_400_000_000


def valid_until(
    evidence: Evidence, scan: Scan | None, trust: TrustStore, pack: Pack, exemptions: tuple[Exemption, ...], *, now: int
) -> int:
    """Return the earliest expiry, in microseconds since 1970, of anything that a verdict made now rests on.

    Counted are the trust snapshot, the keys that signed the evidence, approvals and advisory data by the ages that
    the policy allows, and exemptions.
    """
    ends = [_micros(trust.snapshot.expires.timestamp())]
    ends += [_micros(key.not_after.timestamp()) for key in _signers(evidence, trust)]
    ends += [at + pack.values.get("max_summary_age_days", 30) * _DAY for at in _approvals(evidence)]
    if scan is not None:
        ends += [_time(feed.as_of) + (pack.values.get("max_data_age_days", 30) + 1) * _DAY for feed in scan.feeds]
    ends += [_time(exemption.until) for exemption in exemptions]
    return min(end for end in ends if end > now) if any(end > now for end in ends) else now


def _signers(evidence: Evidence, trust: TrustStore) -> list[TrustedKey]:
    wanted = {claim.verified.signer.fingerprint for claim in evidence.claims}
    return [key for key, public in trust.by_hint.values() if public.fingerprint in wanted]


def _approvals(evidence: Evidence) -> list[int]:
    found = []
    for claim in evidence.claims:
        if claim.predicate_type == Predicate.VSA:
            try:
                found.append(_time(read_summary(read_statement(claim.verified.payload).predicate).verified_at))
            except SafeconductError:
                continue
    return found


def _time(text: str) -> int:
    try:
        return from_rfc3339(text)
    except ValueError:
        return 0


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)
