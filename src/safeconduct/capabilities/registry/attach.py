"""Signed bundles beside an image: attached and found as cosign 3 does it.

What a referrer says about itself (its type, its annotations) is unsigned and only a hint; the bundle inside is what
counts, once it has been verified.

Source: sigstore/cosign specs/BUNDLE_SPEC.md (OCI storage); OCI image specification 1.1, guidance for empty configs.
"""

import msgspec

from safeconduct.capabilities.registry.repository import (
    EMPTY_CONFIG,
    Repository,
    Source,
    describe,
    encode_document,
    read_document,
)
from safeconduct.foundation.errors import SafeconductError, Undecided
from safeconduct.model.image import BUNDLE, EMPTY, MANIFEST, Descriptor, Manifest
from safeconduct.model.limits import LIMITS, Limits

CONTENT = "dev.sigstore.bundle.content"
PREDICATE_TYPE = "dev.sigstore.bundle.predicateType"
CREATED = "org.opencontainers.image.created"
_BUNDLES = "application/vnd.dev.sigstore.bundle"


class Found(msgspec.Struct, frozen=True):
    """The bundles beside a digest.

    Attributes:
        documents: (descriptor of the referring manifest, the bundle's bytes), sorted by that manifest's digest.
        complete: False when something could not be had: what is missing may be what mattered.
        problem: why, as ``error-id: what``; empty when complete.
    """

    documents: tuple[tuple[Descriptor, bytes], ...] = ()
    complete: bool = True
    problem: str = ""


def attach_bundle(
    repository: Repository, subject: Descriptor, bundle: bytes, predicate_type: str, created: str
) -> Descriptor:
    """Store ``bundle`` as a referrer of ``subject``; return the descriptor of the referring manifest.

    Args:
        repository: where the subject is, or will be.
        subject: what the bundle is about.
        bundle: a sigstore bundle, version 0.3.
        predicate_type: of the statement inside; empty for a signature over plain bytes.
        created: RFC 3339 time; the same inputs give the same manifest.
    """
    repository.put_blob(EMPTY_CONFIG)
    stored = repository.put_blob(bundle)
    notes = {CONTENT: "dsse-envelope" if b'"dsseEnvelope"' in bundle else "message-signature", CREATED: created}
    if predicate_type:
        notes[PREDICATE_TYPE] = predicate_type
    manifest = Manifest(
        config=msgspec.structs.replace(describe(EMPTY_CONFIG, EMPTY), artifact_type=BUNDLE),
        layers=(Descriptor(BUNDLE, stored.digest, stored.size),),
        artifact_type=BUNDLE,
        subject=Descriptor(subject.media_type, subject.digest, subject.size),
        annotations=dict(sorted(notes.items())),
    )
    return repository.put_manifest(encode_document(manifest), MANIFEST)


def find_bundles(repository: Source, digest: str, limits: Limits = LIMITS) -> Found:
    """Return all bundles that refer to ``digest``; whatever could not be read makes the answer incomplete.

    A referrer that names another subject than the one asked for is left out: a fallback tag may list anything.
    """
    try:
        listed = repository.referrers(digest)
    except SafeconductError as error:
        return Found((), complete=False, problem=_problem(error))
    documents: list[tuple[Descriptor, bytes]] = []
    problems: list[str] = []
    room = limits.sbom
    for entry in listed:
        if entry.artifact_type is not None and not entry.artifact_type.startswith(_BUNDLES):
            continue
        try:
            bundles = _bundles_of(repository, entry, digest, min(limits.bundle, room))
        except SafeconductError as error:
            problems.append(_problem(error))
            continue
        documents += [(entry, bundle) for bundle in bundles]
        room -= sum(map(len, bundles))
    return Found(tuple(documents), complete=not problems, problem="; ".join(problems[:3]))


def _bundles_of(repository: Source, entry: Descriptor, digest: str, limit: int) -> list[bytes]:
    if limit <= 0:
        raise Undecided(
            "too-large",
            f"the bundles beside {digest} are too large together",
            why="they are read up to a cap, so that nobody can bury good evidence in bulk or exhaust the reader",
            next_step="have whoever may write there remove the referrers that do not belong",
        )
    document = read_document(repository.manifest(entry.digest))
    if not isinstance(document, Manifest) or document.subject is None or document.subject.digest != digest:
        return []
    layers = [layer for layer in document.layers if layer.media_type.startswith(_BUNDLES)]
    if len(layers) > 1:
        raise Undecided(
            "bad-manifest",
            f"the referrer {entry.digest} holds {len(layers)} bundles, not one",
            why="a bundle is attached as the one layer of a manifest of its own, so that its digest names it",
            next_step="have its producer attach each bundle by itself, as safeconduct attest does",
        )
    return [repository.blob(layer.digest, limit) for layer in layers]


def _problem(error: SafeconductError) -> str:
    return f"{error.id}: {error.what}"
