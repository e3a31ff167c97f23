"""A signature alone, over an image that is already somewhere."""

import msgspec

from safeconduct.capabilities.attestations.statements import write_statement
from safeconduct.capabilities.image.documents import find_image
from safeconduct.capabilities.registry.attach import attach_bundle, find_bundles
from safeconduct.capabilities.registry.repository import Source
from safeconduct.capabilities.signing.sign import sign_payload
from safeconduct.evidence.images import judge_bundles
from safeconduct.evidence.targets import name_target, open_target
from safeconduct.foundation.clock import to_datetime, to_rfc3339
from safeconduct.model.digest import Digest
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate
from safeconduct.phases.authority import Authority


class Signed(msgspec.Struct, frozen=True):
    """What was signed; ``referrer`` is empty when the same key had signed it for this repository before."""

    digest: Digest
    repository: str
    referrer: str = ""


def sign_image(authority: Authority, target: str, key: str, repository: str | None) -> Signed:
    """Sign an image for a repository, never for a local path; once is enough.

    Args:
        target: ``oci:DIR[:tag]`` or an image reference.
        key: a key's name or URI.
        repository: needed where the target is a layout, which does not say whose it is.

    Raises:
        BadUsage: ``which-repository``; SafeconductError: the image or the key cannot be used.
    """
    source, found = open_target(target, authority.repository)
    digest, named = Digest(found), repository or name_target(target)
    signer = authority.signer(key)
    if _is_signed(authority, source, digest, named, signer.public.fingerprint):
        return Signed(digest, named)
    subjects = {named: digest}
    manifest = find_image(source, digest).digest
    if manifest != digest:
        subjects[f"{named}#manifest"] = manifest
    bundle = sign_payload(write_statement(subjects, Predicate.SIGNATURE, {}), PAYLOAD_TYPE, signer)
    when = to_rfc3339(authority.clock())
    attached = attach_bundle(source, source.resolve(digest), bundle, Predicate.SIGNATURE, when)
    return Signed(digest, named, attached.digest)


def _is_signed(authority: Authority, source: Source, digest: Digest, repository: str, fingerprint: str) -> bool:
    trust = authority.trust()
    if trust is None:
        return False
    found = find_bundles(source, digest)
    evidence = judge_bundles(
        digest,
        [data for _, data in found.documents],
        trust,
        repository=repository,
        now=to_datetime(authority.clock()),
    )
    return any(
        claim.predicate_type == Predicate.SIGNATURE and claim.verified.signer.fingerprint == fingerprint
        for claim in evidence.claims
    )
