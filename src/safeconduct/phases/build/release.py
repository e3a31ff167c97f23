"""A release is made: gate, assemble, attest and sign, read back, gate again, approve, publish, record.

Nothing of the project is executed: the image is assembled from the commit's objects. Every document that is signed is
read back from the layout before the second gate looks at it, so that the gate judges what users will get.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from safeconduct import __version__
from safeconduct.assessment.facts import sbom_of, without_covered_ranges
from safeconduct.assessment.judge import Case, judge
from safeconduct.capabilities.attestations import predicates
from safeconduct.capabilities.attestations.statements import write_statement
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.capabilities.licenses.expression import with_expressions
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.input import ProductFacts
from safeconduct.capabilities.registry.attach import attach_bundle, find_bundles
from safeconduct.capabilities.registry.copy import Copied, copy_release
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.registry.reference import parse_reference
from safeconduct.capabilities.sbom import cyclonedx
from safeconduct.capabilities.signing.key_store import Signer
from safeconduct.capabilities.signing.sign import sign_payload
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.evidence.images import judge_bundles
from safeconduct.evidence.sources import Source, SourceFiles, read_files, read_source
from safeconduct.evidence.targets import open_image
from safeconduct.foundation.clock import to_datetime, to_rfc3339
from safeconduct.foundation.errors import BadUsage, Refused
from safeconduct.foundation.store import Store
from safeconduct.intake.commits import record_commits
from safeconduct.intake.judgements import record_decision
from safeconduct.intake.releases import record_release
from safeconduct.model.component import Inventory
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.evidence import Evidence
from safeconduct.model.image import Descriptor
from safeconduct.model.release import Line, Release
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate
from safeconduct.phases.authority import Authority, advisories_in
from safeconduct.phases.build.image import PLATFORM, stage_image
from safeconduct.phases.verdict import keep_authority, listed_in

Tell = Callable[[str], None]


class Keys(msgspec.Struct, frozen=True):
    """Who signs: the builder vouches for what was built, the gate for its verdict. Never one key."""

    builder: Signer
    gate: Signer


class Built(msgspec.Struct, frozen=True):
    """What came of a build. ``release`` is None when the first gate said no; nothing was assembled then.

    Attributes:
        documents: (predicate type, digest of the signed bundle), in the order they were made.
        published: what was copied where users find it; None when a gate said no or nothing was to be published.
    """

    decisions: tuple[Decision, ...]
    release: Release | None = None
    documents: tuple[tuple[str, Digest], ...] = ()
    components: int = 0
    published: Copied | None = None

    @property
    def outcome(self) -> Outcome:
        """The last gate's answer."""
        return self.decisions[-1].outcome


class _Work(msgspec.Struct, frozen=True):
    """What every step of one build needs."""

    authority: Authority
    engine: Engine
    keys: Keys
    trust: TrustStore
    store: Store
    layout: LayoutRepository
    started: int
    tell: Tell
    record: bool


def build(
    path: Path,
    authority: Authority,
    engine: Engine,
    keys: Keys,
    *,
    output: Path,
    publish: bool = True,
    record: bool = True,
    tell: Tell = lambda _: None,
) -> Built:
    """Return the release made from the commit that is checked out at ``path``.

    Args:
        output: folder of the OCI layout that the release is staged in.
        record: write the release, its commits and both decisions to the graph.
        publish: copy it to where the settings' registries say that ``product.repository`` lies.

    Raises:
        BadUsage: ``no-build-settings``; Refused: ``approval-not-believed``; SafeconductError: trust, keys or policy
            that cannot be used.
    """
    with authority.graph() as store:
        work = _Work(
            authority,
            engine,
            keys,
            authority.required_trust(),
            store,
            LayoutRepository(output),
            authority.clock(),
            tell,
            record,
        )
        source = _read(work, path)
        if record:
            keep_authority(store, authority.pack(), work.trust, now=work.started)
        first = _source_gate(work, source)
        tell(f"build gate: {first.outcome.word}")
        if first.outcome is not Outcome.PASSED:
            return Built((first,))
        return _make(work, read_files(path, authority.environment), first, publish=publish)


def _read(work: _Work, path: Path) -> Source:
    authority = work.authority
    source = read_source(
        path,
        authority.environment,
        work.trust,
        since=authority.settings.source.since,
        now=to_datetime(work.started),
        first_seen=authority.first_seen,
    )
    product = source.settings.product
    if source.settings.build is None or not (product.name and product.version and product.repository):
        raise BadUsage(
            "no-build-settings",
            f"{path} does not say what it is or how it is built",
            why="its safeconduct.toml needs [product] name, version, repository and a [build] table",
            next_step="safeconduct init, then fill it in and commit it",
        )
    if source.history is not None and work.record:
        record_commits(
            work.store,
            at=work.started,
            repository=product.repository,
            raw_commits=list(source.raw_commits),
            judged=list(source.history.commits),
            trust_version=work.trust.version,
        )
    return source


def _source_gate(work: _Work, source: Source) -> Decision:
    inventory = without_covered_ranges(source.inventory)
    decision = judge(
        "build",
        Case(
            subject=source.history.head if source.history else "",
            product=_product(source),
            history=source.history,
            inventory=inventory,
            scan=scan(inventory, advisories_in(work.store)),
        ),
        work.authority.pack(source.settings),
        work.engine,
        now=work.started,
        trust_version=work.trust.version,
        exemptions=work.authority.exemptions(),
    )
    if work.record:
        record_decision(
            work.store,
            at=work.started,
            decision=decision,
            document=msgspec.json.encode(decision),
            repository=source.settings.product.repository,
        )
    return decision


def _make(work: _Work, files: SourceFiles, first: Decision, *, publish: bool) -> Built:
    product = files.settings.product
    image = stage_image(files, work.layout)
    release = Release(
        product=product.name,
        version=product.version,
        repository=product.repository,
        digest=Digest(image.index.digest),
        commit=files.commit.id,
        line=Line(product.repository, product.name, PLATFORM, files.branch),
        manifest=Digest(image.manifest.digest),
        built_at=files.commit.committed_at * 1_000_000,
    )
    work.tell(f"image assembled: {release.repository}@{release.digest}")
    inventory = with_expressions(read_tree(open_image(work.layout, release.digest)))
    documents = _attest(work, files, release, image.index, inventory)
    evidence = _read_back(work, release)
    work.tell(f"read back: {len(evidence.claims)} signed documents")
    second = _release_gate(work, files, release, evidence)
    work.tell(f"release gate: {second.outcome.word}")
    published = None
    if second.outcome is Outcome.PASSED:
        documents = (*documents, _approve(work, release, image.index, evidence, second))
        evidence = _read_back(work, release)
        _require_approval(evidence)
        published = _publish(work, release) if publish else None
    if work.record:
        listed = listed_in(evidence)
        record_release(
            work.store,
            at=work.started,
            release=release,
            evidence=evidence,
            inventory=listed.inventory if listed else None,
            inventory_document=listed.document if listed else None,
        )
        record_decision(
            work.store, at=work.started, decision=second, document=msgspec.json.encode(second), digest=release.digest
        )
    return Built((first, second), release, documents, len(inventory.components), published)


def _attest(
    work: _Work, files: SourceFiles, release: Release, subject: Descriptor, inventory: Inventory
) -> tuple[tuple[str, Digest], ...]:
    """Sign the signature, SBOM, provenance and scan with the builder key, and attach each to the image."""
    started = to_rfc3339(work.started)
    found = scan(inventory, advisories_in(work.store))
    finished = to_rfc3339(work.authority.clock())
    facts = predicates.BuildFacts(
        builder=work.authority.settings.builder.id,
        version=__version__,
        repository=release.repository,
        source=f"git+{release.repository}",
        commit=release.commit,
        branch=files.branch,
        invocation=f"{release.commit}-{work.started}",
        started=started,
        finished=finished,
    )
    scanned = predicates.vulnerabilities(
        found.findings,
        scanner_version=__version__,
        feeds={feed.id: feed.as_of for feed in found.feeds},
        started=started,
        finished=finished,
    )
    made = {
        Predicate.SIGNATURE: {},
        Predicate.CYCLONEDX: _bom(inventory, release, files),
        Predicate.PROVENANCE: predicates.provenance(facts),
        Predicate.VULNS: scanned,
    }
    return tuple(_attach(work, release, subject, kind, made[kind], work.keys.builder) for kind in made)


def _bom(inventory: Inventory, release: Release, files: SourceFiles) -> dict[str, Any]:
    subject = cyclonedx.Subject(release.repository, release.version, "container", digest=release.digest)
    made = to_rfc3339(files.commit.committed_at * 1_000_000)
    bom: dict[str, Any] = json.loads(cyclonedx.write(inventory, subject, timestamp=made))
    return bom


def _attach(
    work: _Work, release: Release, subject: Descriptor, kind: str, predicate: dict[str, Any], signer: Signer
) -> tuple[str, Digest]:
    subjects = {release.repository: release.digest}
    if release.manifest:
        subjects[f"{release.repository}#manifest"] = release.manifest
    bundle = sign_payload(write_statement(subjects, kind, predicate), PAYLOAD_TYPE, signer)
    attach_bundle(work.layout, subject, bundle, kind, to_rfc3339(work.started))
    work.tell(f"signed and attached: {kind}")
    return kind, sha256(bundle)


def _read_back(work: _Work, release: Release) -> Evidence:
    """Return the evidence as the layout gives it, image bytes checked on the way."""
    read_tree(open_image(work.layout, release.digest))
    found = find_bundles(work.layout, release.digest)
    return judge_bundles(
        release.digest,
        [data for _, data in found.documents],
        work.trust,
        repository=release.repository,
        now=to_datetime(work.authority.clock()),
        complete=found.complete,
        problem=found.problem,
    )


def _release_gate(work: _Work, files: SourceFiles, release: Release, evidence: Evidence) -> Decision:
    listed = sbom_of(evidence)
    return judge(
        "release",
        Case(
            subject=release.digest,
            product=ProductFacts(release.product, release.version, release.repository),
            inventory=listed,
            scan=scan(listed, advisories_in(work.store)) if listed else None,
            evidence=evidence,
        ),
        work.authority.pack(files.settings),
        work.engine,
        now=work.authority.clock(),
        trust_version=work.trust.version,
        exemptions=work.authority.exemptions(),
    )


def _approve(
    work: _Work, release: Release, subject: Descriptor, evidence: Evidence, decision: Decision
) -> tuple[str, Digest]:
    summary = predicates.summary(
        passed=True,
        repository=release.repository,
        policy=decision.policy,
        verified_at=to_rfc3339(decision.at),
        inputs={c.predicate_type: c.document for c in evidence.claims},
        levels=["SLSA_BUILD_LEVEL_1"],
    )
    return _attach(work, release, subject, Predicate.VSA, summary, work.keys.gate)


def _require_approval(evidence: Evidence) -> None:
    """An approval that deploying will not believe is found out here, before anything is published or recorded."""
    if any(claim.predicate_type == Predicate.VSA for claim in evidence.claims):
        return
    raise Refused(
        "approval-not-believed",
        "the release gate's approval would be believed by nobody",
        why="; ".join(r.problem for r in evidence.refused if r.claimed_type == Predicate.VSA),
        next_step="sign it with a key that the trust store believes for usage gate: --gate-key, safeconduct trust show",
    )


def _publish(work: _Work, release: Release) -> Copied:
    target = work.authority.repository(release.repository)
    tag = parse_reference(f"{release.repository}:{release.version}").tag
    copied = copy_release(work.layout, target, release.digest, tag)
    work.tell(f"published: {release.repository}:{tag}, {len(copied.referrers)} documents of evidence")
    return copied


def _product(source: Source) -> ProductFacts:
    product = source.settings.product
    return ProductFacts(product.name, product.version, product.repository)
