"""What a gate shows to its rules: facts in our own words, encoded from our own structs.

A fact that nobody gathered is absent (None), which is not the same as empty: a rule that needs it is not run, and
the gate could not tell. Nothing of a foreign document is passed through.
"""

from typing import Any

import msgspec

from safeconduct.model.digest import Digest, sha256


class ProductFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is being judged, as declared."""

    name: str
    version: str
    repository: str


class CommitFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One commit and what verification said of it (a CommitState word)."""

    id: str
    author: str
    subject: str
    state: str
    signer: str = ""
    problem: str = ""


class SourceFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The commits to be judged; ``complete`` is False when history was cut off."""

    head: str
    complete: bool
    commits: tuple[CommitFacts, ...]
    dirty: tuple[str, ...] = ()


class ComponentFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One component. ``path`` and ``line`` say where it is pinned worst, ``remedy`` how to pin it there."""

    purl: str
    presence: str
    scope: str
    grade: int
    direct: bool | None = None
    requirement: str = ""
    path: str = ""
    line: int | None = None
    remedy: str = ""


class InventoryFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it is made of, and the parts that could not be read."""

    components: tuple[ComponentFacts, ...]
    unread: tuple[tuple[str, str], ...] = ()


class FindingFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vulnerability in one component; ``level`` is a Level word, ``fixed`` empty when no fix exists."""

    component: str
    advisory: str
    ids: tuple[str, ...]
    level: str
    certainty: str
    fixed: str = ""
    malicious: bool = False
    scope: str = "runtime"
    path: tuple[str, ...] = ()


class GapFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A component that the advisory data could not judge."""

    component: str
    coverage: str


class FeedFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feed with the age of its data in whole days."""

    id: str
    as_of: str
    age_days: int


class VulnerabilityFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scan: findings, gaps, and the feeds that it rests on."""

    findings: tuple[FindingFacts, ...]
    gaps: tuple[GapFacts, ...]
    feeds: tuple[FeedFacts, ...]


class LicenseFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One component's terms."""

    component: str
    expression: str
    keys: tuple[str, ...]
    known: bool


class ProvenanceFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What verified provenance says."""

    builder: str
    commit: str
    repository: str
    signer: str


class SummaryFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a verified summary of an earlier gate says; ``age_days`` from the older of claim and first sight."""

    passed: bool
    resource: str
    policy: str
    signer: str
    age_days: int


class RefusedFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document beside the digest that was not believed."""

    error: str
    problem: str
    claimed_type: str = ""


class EvidenceFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What vouches for one digest. ``complete`` is False when not everything could be fetched."""

    digest: str
    complete: bool
    signers: tuple[str, ...]
    predicates: tuple[str, ...]
    refused: tuple[RefusedFacts, ...]
    provenance: tuple[ProvenanceFacts, ...] = ()
    summaries: tuple[SummaryFacts, ...] = ()
    sbom_components: int | None = None
    scan_age_days: int | None = None
    problem: str = ""


class PodFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a workload asks of its node: one string for each thing that escapes its container."""

    kind: str
    namespace: str
    name: str
    dangers: tuple[str, ...] = ()


class GateInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that rules of one gate may look at."""

    gate: str
    now: str
    parameters: dict[str, Any]
    product: ProductFacts | None = None
    source: SourceFacts | None = None
    inventory: InventoryFacts | None = None
    vulnerabilities: VulnerabilityFacts | None = None
    licenses: tuple[LicenseFacts, ...] | None = None
    evidence: EvidenceFacts | None = None
    workload: PodFacts | None = None

    def missing(self, facts: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``facts`` that nobody gathered. An inventory without components was not gathered."""
        return tuple(name for name in facts if not self._has(name))

    def _has(self, name: str) -> bool:
        if name == "inventory":
            return self.inventory is not None and bool(self.inventory.components)
        return getattr(self, name, None) is not None


def encode_input(value: GateInput) -> bytes:
    """Return the exact bytes that the engine sees: sorted keys, absent facts left out."""
    builtins = {k: v for k, v in msgspec.to_builtins(value).items() if v is not None}
    return msgspec.json.encode(builtins, order="sorted")


def input_digest(encoded: bytes) -> Digest:
    """Return the digest that a decision records for its input."""
    return sha256(encoded)
