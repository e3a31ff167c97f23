"""Verification of one image, as a user asks for it: its bytes, its evidence, and what deploying it would be told."""

import msgspec

from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import ProductFacts
from safeconduct.evidence.targets import name_target, open_image, open_target
from safeconduct.model.decision import Decision
from safeconduct.model.digest import Digest
from safeconduct.model.evidence import Evidence
from safeconduct.phases.authority import Authority
from safeconduct.phases.verdict import Bench, gather_found, judge_digest


class Verification(msgspec.Struct, frozen=True):
    """What was found and decided; ``files`` counts the image's files, all of whose layers were checked."""

    evidence: Evidence
    decision: Decision
    files: int


def verify_target(authority: Authority, engine: Engine, target: str, repository: str | None) -> Verification:
    """Return what vouches for an image; its layers, config and manifests are read and their digests recomputed.

    Args:
        target: ``oci:DIR[:tag]`` or an image reference.
        repository: what the evidence must be for; the target's own name by default.

    Raises:
        Refused: ``digest-mismatch``: bytes that are not what their digest says.
        Undecided: no trust store, a registry that does not answer, an image that is not there.
    """
    source, digest = open_target(target, authority.repository)
    named = repository or name_target(target)
    bench = Bench(authority.pack(), authority.required_trust(), engine, authority.exemptions(), authority.clock())
    files = sum(1 for _ in open_image(source, digest).entries())
    evidence = gather_found(source, Digest(digest), named, bench)
    store = authority.graph() if authority.has_graph() else None
    try:
        judged = judge_digest(store, "deploy", evidence, ProductFacts("", "", named), bench)
    finally:
        if store is not None:
            store.close()
    return Verification(evidence, judged.decision, files)
