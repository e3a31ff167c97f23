"""Evidence: the verified claims about one digest, and those that were refused."""

import msgspec

from safeconduct.model.digest import Digest
from safeconduct.model.verified import Verified


class Claim(msgspec.Struct, frozen=True):
    """A document found beside a digest that verified.

    Attributes:
        document: digest of the document's bytes as stored (the bundle).
        predicate_type: from inside the signed payload, never from an annotation.
        role: the usage under which its key was trusted: ``build`` or ``gate``.
    """

    document: Digest
    predicate_type: str
    verified: Verified
    role: str


class Refusal(msgspec.Struct, frozen=True):
    """A document found beside a digest that did not verify, and why.

    Attributes:
        error: id of the error.
        claimed_type: predicate type that the unverified bytes claim, empty where they say nothing.
    """

    document: str
    problem: str
    error: str
    claimed_type: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """All that was found beside one digest.

    Attributes:
        complete: False when something could not be fetched or a cap was met: could not tell.
        raw: documents by digest, exactly as found, verified ones only.
    """

    digest: Digest
    claims: tuple[Claim, ...] = ()
    refused: tuple[Refusal, ...] = ()
    complete: bool = True
    problem: str = ""
    raw: dict[str, bytes] = {}
