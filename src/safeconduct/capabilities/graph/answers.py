"""Answers: what the graph says, with the evidence for it. Times are microseconds since 1970, 0 where unknown."""

import msgspec

from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest
from safeconduct.model.finding import Level
from safeconduct.model.identity import Identity


class Gap(msgspec.Struct, frozen=True, order=True):
    """A part of the question that could not be told, and why."""

    subject: str
    why: str


class Proof(msgspec.Struct, frozen=True):
    """One document that an answer rests on.

    Attributes:
        kind: predicate type of an attestation.
        role: usage under which its key was trusted.
        verified: a key that is trusted signed it; else it is a claim.
        known_since: when the graph learnt it.
        kept: False when the bytes were erased since.
        revoked: why its key is believed no longer; empty while it is.
    """

    document: Digest
    kind: str
    role: str
    verified: bool
    signer: Identity | None
    trust_version: int
    signed_at: int
    known_since: int
    kept: bool = True
    revoked: str = ""


class CommitFact(msgspec.Struct, frozen=True):
    """A source commit.

    Attributes:
        state: of its signature; ``unknown`` where nothing verified it, ``untrusted`` once ``revoked``.
        revoked: why its signer's key is believed no longer; empty while it is.
    """

    id: str
    repository: str = ""
    author: str = ""
    subject: str = ""
    state: str = "unknown"
    signer: Identity | None = None
    committed_at: int = 0
    document: Digest | None = None
    revoked: str = ""


class ReleaseFact(msgspec.Struct, frozen=True):
    """A release, or a single digest nobody named (then ``product`` is its name, if any).

    Attributes:
        commit_verified: verified provenance names the commit; else it is claimed.
        signers: who vouches for it: builders and gates that signed evidence about it, sorted.
        revoked: who did, with a key that is believed no longer.
        inventory: digest of the inventory of record.
        inventory_is: ``verified``, ``claimed`` or ``none``.
    """

    product: str
    version: str
    digest: Digest
    repository: str
    commit: CommitFact | None
    commit_verified: bool
    signers: tuple[Identity, ...]
    inventory: Digest | None
    inventory_is: str
    built_at: int
    known_since: int
    revoked: tuple[Identity, ...] = ()


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a container runs, and since when."""

    cluster: str
    region: str
    namespace: str
    workload: str
    container: str
    since: int


class Running(msgspec.Struct, frozen=True):
    """A release that runs somewhere, with the package that was asked for."""

    place: Place
    purl: str
    release: ReleaseFact


class Runs(msgspec.Struct, frozen=True):
    """What runs a package.

    Attributes:
        purls: the package versions that match, as far as some release holds or held them.
        running: by cluster, namespace, workload; at most the limit asked for.
        total: how many run in all.
        gaps: why the answer may miss something.
    """

    asked: str
    purls: tuple[str, ...]
    running: tuple[Running, ...]
    total: int
    gaps: tuple[Gap, ...]


class AdvisoryFact(msgspec.Struct, frozen=True):
    """An advisory as it was in force at the moment asked for."""

    id: str
    aliases: tuple[str, ...]
    level: Level
    summary: str
    withdrawn: bool
    document: Digest
    known_since: int


class Finding(msgspec.Struct, frozen=True):
    """A package version of a release that an advisory meets; ``fixed`` None: no fix is known."""

    purl: str
    advisory: AdvisoryFact
    fixed: str | None
    known_since: int


class Reached(msgspec.Struct, frozen=True):
    """A release that an advisory reaches, and where that runs."""

    release: ReleaseFact
    findings: tuple[Finding, ...]
    places: tuple[Place, ...]


class Reach(msgspec.Struct, frozen=True):
    """What a vulnerability reaches; releases that run come first. ``total`` and ``running`` count without the limit."""

    asked: str
    advisories: tuple[AdvisoryFact, ...]
    releases: tuple[Reached, ...]
    total: int
    running: int
    gaps: tuple[Gap, ...]


class Witness(msgspec.Struct, frozen=True):
    """How a package got into a release: one shortest path from a direct dependency down to it.

    Attributes:
        steps: purls; empty when the release does not hold the package.
        inventory: the document that says so.
    """

    asked: str
    release: ReleaseFact
    steps: tuple[str, ...]
    inventory: Digest | None
    gaps: tuple[Gap, ...]


class Judgement(msgspec.Struct, frozen=True):
    """A decision, verdict or admission as it was given; ``place`` only for admissions."""

    kind: str
    scope: str
    outcome: Outcome
    policy: Digest | None
    trust_version: int
    decision: Digest | None
    place: str
    at: int


class ViolationFact(msgspec.Struct, frozen=True):
    """A runtime violation; ``join`` says how it was tied to the release."""

    rule: str
    cluster: str
    namespace: str
    workload: str
    join: str
    document: Digest
    at: int
    known_since: int


class Everything(msgspec.Struct, frozen=True):
    """Everything about one digest.

    Attributes:
        other_names: (relation, what): platform manifests under it, repositories that hold it as well.
        components: how many package versions it holds; None when it has no inventory.
        ran: deployments that ended.
    """

    asked: Digest
    release: ReleaseFact
    other_names: tuple[tuple[str, str], ...]
    components: int | None
    proofs: tuple[Proof, ...]
    findings: tuple[Finding, ...]
    judgements: tuple[Judgement, ...]
    running: tuple[Place, ...]
    ran: tuple[Place, ...]
    violations: tuple[ViolationFact, ...]
    gaps: tuple[Gap, ...]


class Upgrade(msgspec.Struct, frozen=True):
    """One package to upgrade; ``to`` None: no version is known to repair all of it.

    Attributes:
        workloads: running containers that the upgrade repairs.
        level: the worst of its advisories.
    """

    purl: str
    to: str | None
    workloads: int
    level: Level
    advisories: tuple[str, ...]


class Upgrades(msgspec.Struct, frozen=True):
    """What to upgrade first: by running workloads repaired, then by severity."""

    upgrades: tuple[Upgrade, ...]
    gaps: tuple[Gap, ...]
