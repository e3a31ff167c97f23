"""Facts for rules, made from values: what was read, scanned and verified, in the words of the policy input."""

import json
from functools import lru_cache
from pathlib import PurePosixPath

import msgspec

from safeconduct.capabilities.attestations.predicates import read_provenance, read_scan_time, read_summary
from safeconduct.capabilities.attestations.statements import read_statement
from safeconduct.capabilities.inventory import npm_manifest, pyproject
from safeconduct.capabilities.inventory.pinning import GRADES, PinningNote, pinning_notes
from safeconduct.capabilities.licenses.expression import license_fact
from safeconduct.capabilities.policy import input as facts
from safeconduct.capabilities.sbom import cyclonedx
from safeconduct.foundation.clock import from_rfc3339
from safeconduct.model.commit import History
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.evidence import Claim, Evidence
from safeconduct.model.finding import Scan
from safeconduct.model.statement import Predicate

_DAY = 86_400_000_000
_SKEW = 300_000_000
_MANIFESTS = frozenset({npm_manifest.READER, pyproject.READER})
_NEVER = 1_000_000
"""Days: older than any rule lets pass. A time that cannot be read or lies ahead counts as this."""


def source_facts(history: History) -> facts.SourceFacts:
    """Return the commits as rules see them."""
    return facts.SourceFacts(
        head=history.head,
        complete=history.complete,
        commits=tuple(
            facts.CommitFacts(c.id, c.author, c.subject, c.state, c.signer.subject if c.signer else "", c.problem)
            for c in history.commits
        ),
        dirty=history.dirty,
    )


def inventory_facts(inventory: Inventory) -> facts.InventoryFacts:
    """Return the components as rules see them, in the inventory's order."""
    notes = {note.component: note for note in pinning_notes(inventory, wanted=len(GRADES))}
    return facts.InventoryFacts(
        tuple(_component(c, notes.get(c.purl)) for c in inventory.components),
        tuple((part.path, part.reason) for part in inventory.unread),
    )


def _component(component: Component, note: PinningNote | None) -> facts.ComponentFacts:
    first = component.locations[0] if component.locations else None
    return facts.ComponentFacts(
        purl=component.purl,
        presence=component.presence,
        scope=component.scope,
        grade=component.grade,
        direct=component.direct,
        requirement=component.requirement or "",
        path=note.path if note else first.path if first else "",
        line=note.line if note else first.line if first else None,
        remedy=note.remedy if note else "",
    )


def vulnerability_facts(scan: Scan, inventory: Inventory, *, now: int) -> facts.VulnerabilityFacts:
    """Return the scan as rules see it.

    Args:
        now: microseconds since 1970, to tell the age of each feed's data.
    """
    scopes = {c.key: c.scope for c in inventory.components}
    return facts.VulnerabilityFacts(
        findings=tuple(
            facts.FindingFacts(
                component=f.component,
                advisory=f.advisory,
                ids=f.ids,
                level=f.level.word,
                certainty=f.certainty,
                fixed=f.fix.best or "",
                malicious=f.malicious,
                scope=scopes.get(f.component, "runtime"),
                path=f.path,
            )
            for f in scan.findings
        ),
        gaps=tuple(facts.GapFacts(g.component, g.coverage) for g in scan.gaps),
        feeds=tuple(facts.FeedFacts(f.id, f.as_of, _feed_age(f.as_of, now)) for f in scan.feeds),
    )


def license_facts(inventory: Inventory) -> tuple[facts.LicenseFacts, ...]:
    """Return the terms of every component."""
    found = (license_fact(c.purl, c.licenses) for c in inventory.components)
    return tuple(facts.LicenseFacts(f.component, f.expression, f.keys, f.known) for f in found)


def evidence_facts(evidence: Evidence, *, now: int) -> facts.EvidenceFacts:
    """Return what verified beside a digest, and what was refused.

    A claimed time can age evidence and never freshen it: age counts from the earlier of claim and first sight, and a
    claim from the future is as good as none.

    Raises:
        SafeconductError: a verified document cannot be read; it then vouches for nothing.
    """
    statements = {c.document: read_statement(c.verified.payload) for c in evidence.claims}
    by_kind: dict[str, list[Claim]] = {}
    for claim in evidence.claims:
        by_kind.setdefault(claim.predicate_type, []).append(claim)
    provenance = []
    for claim in by_kind.get(Predicate.PROVENANCE, []):
        p = read_provenance(statements[claim.document].predicate)
        provenance.append(facts.ProvenanceFacts(p.builder, p.commit, p.repository, claim.verified.signer.subject))
    summaries = []
    for claim in by_kind.get(Predicate.VSA, []):
        s = read_summary(statements[claim.document].predicate)
        age = _claim_age(s.verified_at, claim, now)
        summaries.append(facts.SummaryFacts(s.passed, s.resource, s.policy, claim.verified.signer.subject, age))
    scans = [
        _claim_age(read_scan_time(statements[c.document].predicate), c, now) for c in by_kind.get(Predicate.VULNS, [])
    ]
    return facts.EvidenceFacts(
        digest=evidence.digest,
        complete=evidence.complete,
        signers=tuple(sorted({c.verified.signer.subject for c in evidence.claims})),
        predicates=tuple(sorted(by_kind)),
        refused=tuple(facts.RefusedFacts(r.error, r.problem, r.claimed_type) for r in evidence.refused),
        provenance=tuple(provenance),
        summaries=tuple(summaries),
        sbom_components=_sbom_components(evidence),
        scan_age_days=min(scans, default=None),
        problem=evidence.problem,
    )


def sbom_of(evidence: Evidence) -> Inventory | None:
    """Return the inventory in the first verified SBOM (in order of document digest), None when there is none.

    Raises:
        Refused: it is signed, and no SBOM that can be read.
    """
    claim = next((c for c in evidence.claims if c.predicate_type == Predicate.CYCLONEDX), None)
    if claim is None:
        return None
    return _inventory_in(claim.verified.payload)


@lru_cache(maxsize=4)
def _inventory_in(payload: bytes) -> Inventory:
    # One judgement asks for it several times; the verified bytes are the key, so that it is always what they say.
    return cyclonedx.read(json.dumps(read_statement(payload).predicate).encode())


def without_covered_ranges(inventory: Inventory) -> Inventory:
    """Return the inventory without ranges of manifests that a lock in the same folder has settled.

    A manifest declares ``flask>=3``; the lock file beside it says which. Judging both would judge one choice twice.
    A requirements file is no manifest: it is what gets installed, so its ranges stay.
    """
    if all(c.presence is not Presence.UNRESOLVED for c in inventory.components):
        return inventory
    settled = {
        (_base_of(c.purl), folder)
        for c in inventory.components
        if c.presence is not Presence.UNRESOLVED
        for folder in _folders(c)
    }
    kept = tuple(c for c in inventory.components if not _is_covered(c, settled))
    return msgspec.structs.replace(inventory, components=kept)


def _is_covered(component: Component, settled: set[tuple[str, str]]) -> bool:
    return (
        component.presence is Presence.UNRESOLVED
        and {location.reader for location in component.locations} <= _MANIFESTS
        and all((component.purl, folder) in settled for folder in _folders(component))
    )


def _base_of(purl: str) -> str:
    # A canonical purl has no other "@": parsing each of 45,000 took four seconds of a check.
    head = purl.partition("#")[0].partition("?")[0]
    return head.rpartition("@")[0] or head


def _folders(component: Component) -> set[str]:
    return {str(PurePosixPath(location.path).parent) for location in component.locations}


def _sbom_components(evidence: Evidence) -> int | None:
    inventory = sbom_of(evidence)
    return None if inventory is None else len(inventory.components)


def _feed_age(as_of: str, now: int) -> int:
    try:
        return (now - from_rfc3339(as_of)) // _DAY
    except ValueError:
        return _NEVER


def _claim_age(claimed: str, claim: Claim, now: int) -> int:
    try:
        at = from_rfc3339(claimed)
    except ValueError:
        return _NEVER
    if at > now + _SKEW:
        return _NEVER
    seen = claim.verified.signed_at
    if seen is not None:
        at = min(at, int(seen.timestamp() * 1_000_000))
    return max(0, now - at) // _DAY
