"""A release carried from one repository to another: evidence first, image next, the tag last.

Whoever sees the tag at the target can see the evidence as well; what failed half-way left nothing that a tag names.
Everything is read back from the target before the copy counts as made.
"""

import msgspec

from safeconduct.capabilities.registry.repository import Repository, Source, read_document
from safeconduct.foundation.errors import Undecided
from safeconduct.model.image import Descriptor, Index, Manifest
from safeconduct.model.limits import LIMITS

_DEPTH = 4


class Copied(msgspec.Struct, frozen=True):
    """What was carried over and read back.

    Attributes:
        subject: what the tag names now.
        referrers: digests of the evidence, sorted.
        manifests, blobs: how many of each, evidence included.
    """

    subject: Descriptor
    referrers: tuple[str, ...]
    manifests: int
    blobs: int


class _Part(msgspec.Struct, frozen=True):
    """A manifest with the blobs under it; parts stand before what lists them."""

    data: bytes
    document: Manifest | Index
    digest: str

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        if isinstance(self.document, Index):
            return ()
        return (self.document.config, *self.document.layers)


def copy_release(source: Source, target: Repository, digest: str, tag: str | None) -> Copied:
    """Carry ``digest`` with all its evidence to ``target``, and point ``tag`` at it last.

    Raises:
        Refused: ``digest-mismatch`` when bytes were changed on either side.
        Undecided: ``not-found``, ``too-large``, ``registry-unreachable``; ``copy-incomplete`` when the target does not
            list evidence that was stored there.
    """
    image = _parts(source, digest)
    evidence = {part.digest: _evidence(source, part.digest) for part in image}
    for parts in evidence.values():
        for part in parts:
            _put(source, target, part)
    for part in image:
        _put(source, target, part)
    if tag is not None:
        target.put_manifest(image[-1].data, image[-1].document.media_type, tag)
    return _read_back(target, digest, tag, image, evidence)


def _parts(source: Source, digest: str, depth: int = 0) -> list[_Part]:
    if depth > _DEPTH:
        raise Undecided(
            "too-large",
            f"{digest} nests image indexes deeper than {_DEPTH}",
            why="an index holds manifests, or indexes of them; deeper ones serve nothing but exhausting the reader",
            next_step="copy the image of one platform by its own digest",
        )
    data = source.manifest(digest)
    document = read_document(data)
    below: dict[str, _Part] = {}
    if isinstance(document, Index):
        for child in document.manifests:
            below.update({part.digest: part for part in _parts(source, child.digest, depth + 1)})
    return [*below.values(), _Part(data, document, digest)]


def _evidence(source: Source, digest: str) -> list[_Part]:
    found = [_parts(source, entry.digest) for entry in source.referrers(digest)]
    return [part for parts in found for part in parts if part.digest != digest]


def _put(source: Source, target: Repository, part: _Part) -> None:
    for blob in part.blobs:
        target.put_blob(source.blob(blob.digest, LIMITS.layer))
    target.put_manifest(part.data, part.document.media_type)


def _read_back(
    target: Repository, digest: str, tag: str | None, image: list[_Part], evidence: dict[str, list[_Part]]
) -> Copied:
    parts = {part.digest: part for parts in (*evidence.values(), image) for part in parts}
    blobs = {blob.digest for part in parts.values() for blob in part.blobs}
    for name in parts:
        target.manifest(name)
    for name in sorted(blobs):
        target.blob(name, LIMITS.layer)
    for subject, expected in evidence.items():
        listed = {entry.digest for entry in target.referrers(subject)}
        missing = {part.digest for part in expected if part.document.subject is not None} - listed
        if missing:
            raise _incomplete(f"evidence {min(missing)} is stored there but not listed beside {subject}")
    named = target.resolve(tag or digest)
    if named.digest != digest:
        raise _incomplete(f"tag {tag} names {named.digest}: somebody else moved it")
    referrers = sorted({part.digest for parts in evidence.values() for part in parts})
    return Copied(named, tuple(referrers), len(parts), len(blobs))


def _incomplete(why: str) -> Undecided:
    return Undecided(
        "copy-incomplete",
        "the release is not whole at its target",
        why=why,
        next_step="run the same command again: what is there already is kept",
    )
