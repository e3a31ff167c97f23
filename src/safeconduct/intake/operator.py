"""What the operator sets, taken in as estate events: trust snapshots, policies, exemptions.

A new trust version or policy makes no verdict old: verdicts are kept by trust version and policy, so that the next one
is judged first and then asked for. A revocation works at once: what the revoked key vouched for may not serve.
"""

import json
from datetime import datetime

import msgspec

from safeconduct.capabilities.graph.directory import find_release_digest
from safeconduct.capabilities.signing.trust import Revocation
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.directory import GRACE, raise_epochs
from safeconduct.intake.lines import begin_estate, write_estate_event
from safeconduct.model.digest import Digest, is_digest, to_bytes
from safeconduct.model.exemption import Exemption
from safeconduct.model.purl import parse_purl

_SQL = load_statements("safeconduct.intake", "operator.sql")


class TrustBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The estate event of a trust snapshot; ``revoked`` are all keys that it believes no longer."""

    version: int
    document: Digest
    revoked: tuple[Revocation, ...] = ()


class PolicyBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The estate event of a policy that comes into force for a scope (a gate, or ``*``)."""

    scope: str
    policy: Digest
    document: Digest | None = None


class ExemptionBody(msgspec.Struct, frozen=True):
    """The estate event of an exemption."""

    exemption: Exemption
    document: Digest


def record_trust(store: Store, *, at: int, version: int, document: bytes, revoked: tuple[Revocation, ...] = ()) -> None:
    """Put a verified trust snapshot in force; the same again changes nothing.

    Args:
        revoked: keys that it believes no longer: they vouch for nothing in any answer (for nothing that is not proven
            older, where they were revoked since some time), and every verdict on what they vouched for is void.

    Raises:
        Refused: ``trust-rollback`` for an older version, or another text under a version already seen.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document)
        apply_trust(store, at, TrustBody(version, doc, revoked))


def apply_trust(store: Store, at: int, body: TrustBody) -> None:
    """Write a trust event. Ingest and rebuild both come here."""
    highest = store.row(_SQL["highest_trust"])
    if highest is not None:
        if highest == (body.version, to_bytes(body.document)):
            return
        if body.version <= highest[0]:
            raise _rollback(body.version, highest[0])
    at = begin_estate(store, at)
    store.run(_SQL["add_trust"], {"version": body.version, "doc": to_bytes(body.document), "at": at})
    write_estate_event(store, at, "trust", body, body.document)
    before = set(store.rows(_SQL["revocations_of_version"], {"version": highest[0]})) if highest else set()
    for revocation in body.revoked:
        fingerprint, since = revocation.fingerprint, _microseconds(revocation.since)
        row = {"version": body.version, "key_fpr": fingerprint, "reason": revocation.reason, "since": since}
        store.run(_SQL["add_revocation"], row)
        if (fingerprint, since) not in before:
            raise_epochs(store, sorted(_vouched_for(store, fingerprint)), at, 0)


def record_policy(store: Store, *, at: int, scope: str, policy: Digest, document: bytes | None = None) -> None:
    """Put a policy in force for a scope; the one in force already changes nothing."""
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document) if document is not None else None
        apply_policy(store, at, PolicyBody(scope, policy, doc))


def apply_policy(store: Store, at: int, body: PolicyBody) -> None:
    """Write a policy event. Ingest and rebuild both come here."""
    active = store.row(_SQL["active_policy"], {"scope": body.scope})
    if active is None or active[0] != to_bytes(body.policy):
        at = begin_estate(store, at)
        store.run(_SQL["add_policy"], {"scope": body.scope, "at": at, "policy": to_bytes(body.policy)})
        write_estate_event(store, at, "policy", body, body.document)


def record_exemption(store: Store, *, at: int, exemption: Exemption, document: bytes) -> None:
    """Take in a granted exemption; every digest that it covers is judged again within the usual time.

    Raises:
        Refused: ``malformed-exemption`` when its end is no RFC 3339 time or its scope no package URL.
    """
    with store.transaction():
        doc = TableDocuments(store).put_if_absent(document)
        apply_exemption(store, at, ExemptionBody(exemption, doc))


def apply_exemption(store: Store, at: int, body: ExemptionBody) -> None:
    """Write an exemption's event. Ingest and rebuild both come here."""
    exemption, doc = body.exemption, to_bytes(body.document)
    if store.row(_SQL["find_exemption"], {"doc": doc}) is not None:
        return
    try:
        until, covered = from_rfc3339(exemption.until), _covered(store, exemption.scope)
    except ValueError as error:
        raise _malformed(exemption, error) from error
    at = begin_estate(store, at)
    row = {"doc": doc, "scope": exemption.scope, "rule": exemption.rule, "valid_until": until, "at": at}
    store.run(_SQL["add_exemption"], row)
    write_estate_event(store, at, "exemption", body, body.document)
    raise_epochs(store, sorted(covered), at, at + GRACE)


def _microseconds(since: datetime | None) -> int | None:
    # A time without a zone says nothing certain: then nothing that the key ever signed counts.
    return from_rfc3339(since.isoformat()) if since is not None and since.tzinfo is not None else None


def _vouched_for(store: Store, fingerprint: str) -> set[bytes]:
    """Digests of releases with evidence that the key signed, or built from a commit that it signed."""
    found: set[bytes] = set()
    for (identity_id,) in store.rows(_SQL["identities_of_key"], {"key_fpr": fingerprint}):
        key = {"identity_id": identity_id}
        found.update(row[0] for row in store.rows(_SQL["digests_signed_by"], key))
        for (sha,) in store.rows(_SQL["digests_from_commits_of"], key):
            found.update(row[0] for row in store.rows(_SQL["digests_of_commit"], {"sha": sha}))
    return found


def _covered(store: Store, scope: str) -> set[bytes]:
    if is_digest(scope):
        return {to_bytes(find_release_digest(store, Digest(scope)))}
    if scope.startswith("pkg:"):
        return _with_package(store, scope)
    found: set[bytes] = set()
    for line_id, key in store.rows(_SQL["artifact_lines"]):
        if scope in {json.loads(key)["repository"], "*"}:
            found.update(row[0] for row in store.rows(_SQL["digests_of_line"], {"line_id": line_id}))
    return found


def _with_package(store: Store, purl: str) -> set[bytes]:
    wanted = parse_purl(purl)
    found: set[bytes] = set()
    for pkg_id, version in store.rows(_SQL["packages_of_name"], {"purl_base": wanted.base}):
        if wanted.version in {"", version}:
            found.update(row[0] for row in store.rows(_SQL["digests_with_package"], {"pkg_id": pkg_id}))
    return found


def _rollback(version: int, highest: int) -> Refused:
    return Refused(
        "trust-rollback",
        f"trust snapshot version {version} is not newer than what is in force",
        why=f"version {highest} was seen already; an older one could bring back a revoked key",
        next_step="safeconduct trust show, then install the newest snapshot",
    )


def _malformed(exemption: Exemption, error: ValueError) -> Refused:
    return Refused(
        "malformed-exemption",
        f"the exemption from {exemption.rule!r} cannot be kept",
        why=str(error),
        next_step="give 'until' as an RFC 3339 time with its zone, and 'scope' as a repository, a digest or a purl",
    )
