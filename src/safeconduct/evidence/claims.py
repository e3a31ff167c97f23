"""What documents beside a digest claim, before anybody verified them; for showing only."""

import msgspec

from safeconduct.capabilities.attestations.statements import read_statement
from safeconduct.capabilities.registry.attach import find_bundles
from safeconduct.capabilities.registry.repository import Source
from safeconduct.capabilities.signing.bundle import read_bundle
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest, sha256


class Claimed(msgspec.Struct, frozen=True):
    """One document as it describes itself; ``problem`` where it cannot be read."""

    document: Digest
    predicate_type: str = ""
    hint: str = ""
    subjects: tuple[str, ...] = ()
    problem: str = ""


def read_claims(source: Source, digest: str) -> tuple[Claimed, ...]:
    """Return what each document beside ``digest`` claims to be, in the order of their digests."""
    found = [_claimed(data) for _, data in find_bundles(source, digest).documents]
    return tuple(sorted(found, key=lambda c: c.document))


def _claimed(data: bytes) -> Claimed:
    document = sha256(data)
    try:
        bundle = read_bundle(data)
        statement = read_statement(bundle.envelope.payload)
    except Refused as error:
        return Claimed(document, problem=f"{error.what}: {error.why}")
    subjects = tuple(s.digest.get("sha256", "") for s in statement.subject)
    return Claimed(document, statement.predicateType, bundle.hint, subjects)
