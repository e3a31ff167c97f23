"""Verification of bundles that carry the signer's certificate instead of naming a key ("keyless")."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from safeconduct.capabilities.signing import certificates
from safeconduct.capabilities.signing.authorities import TrustedAuthority
from safeconduct.capabilities.signing.bundle import Bundle
from safeconduct.capabilities.signing.certificate_log import verify_certificate_log
from safeconduct.capabilities.signing.certificates import SignerCertificate
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.trusted_root import TrustedRoot
from safeconduct.capabilities.signing.verify_log import (
    LOG,
    TIMESTAMP,
    Signed,
    check_logs,
    verify_entries,
    verify_timestamps,
)
from safeconduct.foundation.errors import Refused
from safeconduct.model.identity import Identity, Usage
from safeconduct.model.verified import Verified


def verify_certified(signed: Signed, usage: Usage, repository: str, trust: TrustStore, now: datetime) -> Verified:
    """Return the proof of a signature by a certificate's holder; payload fields are left to the caller.

    Steps: (1) the certificates' shape, no root among them, (2) a trusted authority issued it for signing code, (3) a
    trusted certificate log saw it, (4) its identity is trusted in this usage and scope, (5) the signature, (6) log
    entries, (7) timestamps, (8) at every proven time certificate and authority were valid, and nothing was revoked.
    What the authority's root names (certificate log, log) is wanted; with no log, a timestamp is.

    Raises:
        Refused: an id for each step; of several roots that could do, the first one's.
    """
    signer = _signer(signed.bundle, trust)  # (1)
    wanted = _Wanted(usage, repository, trust, now)
    problem: Refused | None = None
    for text in dict.fromkeys(a.root for a in trust.snapshot.authorities):
        authorities = [a for a in trust.snapshot.authorities if a.root == text]
        try:
            return _verify_under(signed, signer, authorities, wanted)
        except Refused as error:
            if problem is None or problem.id == "untrusted-certificate":
                problem = error
    raise problem or _refused("untrusted-certificate", "the trust store names no authority that certifies signers")


class _Wanted(msgspec.Struct, frozen=True):
    usage: Usage
    repository: str
    trust: TrustStore
    now: datetime


def _verify_under(
    signed: Signed, signer: SignerCertificate, authorities: Sequence[TrustedAuthority], wanted: _Wanted
) -> Verified:
    bundle, root = signed.bundle, authorities[0].trusted_root
    chains = certificates.verify_chains(signer, bundle.certificates[1:], root)  # (2)
    if root.certificate_logs:
        verify_certificate_log(signer.certificate, chains[0].issuers[0], root.certificate_logs)  # (3)
    authority = _authority(signer, authorities, wanted)  # (4)
    if bundle.version == "0.1" and not authority.legacy:
        raise _refused("outdated-bundle", f"authority {authority.name!r} does not accept bundles of version 0.1")
    signed.verify_signature(signer.key.key)  # (5)
    times = _prove(signed, signer, root, wanted.now)  # (6) (7)
    chain = certificates.choose_chain(signer, chains, (at for at, _ in times))  # (8)
    fingerprints = (signer.key.fingerprint, *map(certificates.fingerprint, chain.issuers))
    for at, _ in times:
        for name in fingerprints:
            wanted.trust.check_key(authority, name, usage=wanted.usage, repository=wanted.repository, at=at)
    at, source = min(times)
    checked = _checks(root, stamped=any(name == TIMESTAMP for _, name in times))
    return Verified(
        payload=b"",
        payload_type="",
        signer=Identity("certificate", signer.subject, signer.key.fingerprint, signer.issuer),
        trust_version=wanted.trust.version,
        checks=checked,
        skipped=tuple(n for n in ("certificate-log", "transparency-log", "timestamp") if n not in checked),
        signed_at=at,
        time_source=source,
    )


def _signer(bundle: Bundle, trust: TrustStore) -> SignerCertificate:
    """Return the signer's certificate; a root beside it is let through only where it is ours and the format is 0.1."""
    known: set[bytes] = set()
    if bundle.version == "0.1" and len(bundle.certificates) > 1:
        known = {der for a in trust.snapshot.authorities for der in certificates.anchors(a.trusted_root)}
    for der in bundle.certificates[1:]:
        if der not in known and certificates.is_self_signed(der):
            raise Refused(
                "root-in-bundle",
                "the bundle brings its own root certificate",
                why="trust comes from the trust store, never from the evidence",
                next_step="have its producer write the bundle without the root",
            )
    return certificates.read_certificate(bundle.certificates[0])


def _authority(signer: SignerCertificate, authorities: Sequence[TrustedAuthority], wanted: _Wanted) -> TrustedAuthority:
    """Return the authority that may vouch here; the first that knows the signer tells why none may."""
    knowing = [a for a in authorities if a.knows(signer.subject, signer.issuer)]
    if not knowing:
        raise Refused(
            "untrusted-identity",
            f"{signer.subject[:120]!r} is not an identity that is trusted",
            why=f"a good certificate, issued through {signer.issuer[:80]!r}, of somebody whom the trust store "
            "does not name",
            next_step="sign as a trusted identity, or have the operator add this one to the trust store",
        )
    fitting = [a for a in knowing if wanted.usage in a.usages and wanted.trust.covers(a, wanted.repository)]
    return (fitting or knowing)[0]  # what does not fit is refused, with its reason, by check_key


def _prove(signed: Signed, signer: SignerCertificate, root: TrustedRoot, now: datetime) -> list[tuple[datetime, str]]:
    entries = signed.bundle.entries if root.logs else ()
    logged = verify_entries(signed, entries, signer.der, root, now)
    if root.logs and not logged:
        raise _refused("no-log-entry", "the signature stands in no log, and its authority's root names one")
    stamps, passed_over = verify_timestamps(signed, root, now)
    check_logs(entries, root, stamps)
    times = [*((at, LOG) for at in logged if at is not None), *((at, TIMESTAMP) for at in stamps)]
    if not times:
        raise passed_over or _refused("no-trusted-time", "nothing trusted says when the signature was made")
    return times


def _checks(root: TrustedRoot, *, stamped: bool) -> tuple[str, ...]:
    return (
        "strict-json",
        "shape",
        "certificate-chain",
        *(("certificate-log",) if root.certificate_logs else ()),
        "identity",
        "signature",
        *(("transparency-log",) if root.logs else ()),
        *(("timestamp",) if stamped else ()),
        "certificate-validity",
        "usage",
        "scope",
        "validity",
    )


def _refused(error_id: str, what: str) -> Refused:
    return Refused(
        error_id,
        what,
        why="a certificate is short-lived: its signature counts only with proof of when it was made",
        next_step="sign through a log or a timestamp authority of the trusted root",
    )
