"""A repository: one name in a registry or one image layout, asked and filled by digest.

Everything read is checked against the digest it was asked by, so that whoever holds bytes from here may trust that
they are those bytes, and nothing more.
"""

import re
from typing import Any, Protocol

import msgspec

from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.digest import Digest, is_digest, sha256
from safeconduct.model.image import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    EMPTY,
    INDEX,
    MANIFEST,
    Descriptor,
    Index,
    Manifest,
)
from safeconduct.model.limits import LIMITS

INDEXES = frozenset({INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
EMPTY_CONFIG = b"{}"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_UNTYPED = frozenset({"application/json", "application/octet-stream", "text/plain"})


class Source(Protocol):
    """What can be read from a repository."""

    def resolve(self, asked: str) -> Descriptor:
        """Return what a tag or digest names, looking it up exactly once.

        Raises:
            Undecided: ``not-found``, ``registry-unreachable`` ...
        """

    def manifest(self, digest: str) -> bytes:
        """Return a manifest's bytes, which have this digest.

        Raises:
            Refused: ``digest-mismatch``.
        """

    def blob(self, digest: str, limit: int) -> bytes:
        """Return a blob's bytes, which have this digest and are no more than ``limit``.

        Raises:
            Refused: ``digest-mismatch``. Undecided: ``too-large``.
        """

    def referrers(self, digest: str) -> list[Descriptor]:
        """Return what says that it refers to ``digest``, sorted by digest; a hint, not a proof.

        Raises:
            Undecided: ``too-many-referrers``.
        """

    def tags(self) -> list[str]:
        """Return all tags, sorted, without those that only list referrers."""

    def close(self) -> None:
        """Give back connections; asking again afterwards is an error."""


class Repository(Source, Protocol):
    """A repository that can be filled as well."""

    def put_blob(self, data: bytes) -> Descriptor:
        """Store a blob, unless it is there; return its descriptor."""

    def put_manifest(self, data: bytes, media_type: str, tag: str | None = None) -> Descriptor:
        """Store a manifest, then point ``tag`` at it; with a subject it becomes a referrer of that."""


def verify_bytes(data: bytes, digest: str, what: str) -> bytes:
    """Return ``data``, which has this digest.

    Raises:
        Refused: ``digest-mismatch``.
    """
    found = sha256(data)
    if found != digest:
        raise Refused(
            "digest-mismatch",
            f"{what} is not what its digest says",
            why=f"asked for {digest}, got {len(data)} bytes with {found}",
            next_step="the store or the way to it changed the bytes: fetch them again, else publish the release again",
        )
    return data


def check_digest(text: str) -> Digest:
    """Return ``text`` as a digest that may be part of a path or URL.

    Raises:
        Refused: ``bad-digest``.
    """
    if not is_digest(text):
        raise Refused(
            "bad-digest",
            f"{text[:100]!r} is not a digest",
            why="only sha256: and 64 lower-case hex digits names content here",
            next_step="give the digest as the registry prints it",
        )
    return Digest(text)


def read_document(data: bytes, declared: str = "") -> Manifest | Index:
    """Return a manifest or index, whichever the bytes are, in one reading only.

    Args:
        data: the document's bytes.
        declared: media type that its transport or descriptor gave; empty when none did.

    Raises:
        Refused: ``bad-manifest`` when it is neither, both, or not what was declared.
    """
    value = parse_strict(data, max_bytes=LIMITS.manifest)
    if not isinstance(value, dict):
        raise _bad("it is not a JSON object")
    if "layers" in value and "manifests" in value:
        raise _bad("it has both layers and manifests, so that two readers would see two images")
    declared = "" if declared in _UNTYPED else declared
    kind = value.get("mediaType") or declared or (INDEX if "manifests" in value else MANIFEST)
    if declared and kind != declared:
        raise _bad(f"it calls itself {str(kind)[:80]!r} but was served as {declared[:80]!r}")
    if kind in INDEXES and "manifests" in value:
        return _convert(value, Index, kind)
    if kind in MANIFESTS and "layers" in value:
        return _convert(value, Manifest, kind)
    raise _bad(f"media type {str(kind)[:80]!r} with the fields {sorted(value)[:8]}")


def encode_document(document: Manifest | Index) -> bytes:
    """Return the bytes of a manifest or index, with the two fields that every reader wants written out."""
    head = {"schemaVersion": document.schema_version, "mediaType": document.media_type}
    return msgspec.json.encode({**head, **msgspec.to_builtins(document)})


def check_asked(text: str) -> str:
    """Return ``text``, which is a tag or a digest and may be part of a URL.

    Raises:
        Refused: ``bad-reference``.
    """
    if is_digest(text) or _TAG.fullmatch(text):
        return text
    raise Refused(
        "bad-reference",
        f"{text[:100]!r} is neither a tag nor a digest",
        why="a tag has up to 128 letters, digits, '_', '.' and '-'; a digest is sha256: and 64 hex digits",
        next_step="write it as the registry prints it",
    )


def describe(data: bytes, media_type: str) -> Descriptor:
    """Return the descriptor of ``data``."""
    return Descriptor(media_type, sha256(data), len(data))


def describe_referrer(data: bytes, document: Manifest | Index) -> Descriptor:
    """Return the descriptor by which a list of referrers names this document (distribution-spec, referrers)."""
    kind = document.artifact_type
    if not kind and isinstance(document, Manifest) and document.config.media_type != EMPTY:
        kind = document.config.media_type
    return Descriptor(document.media_type, sha256(data), len(data), kind or None, document.annotations)


def fallback_tag(digest: str) -> str:
    """Return the tag that lists the referrers of ``digest`` where a registry has no referrers API."""
    return digest.replace(":", "-")


def is_fallback_tag(tag: str) -> bool:
    """Return whether ``tag`` is spelled as one that lists referrers."""
    return is_digest(tag.replace("sha256-", "sha256:", 1))


def not_found(what: str, where: str) -> Undecided:
    """Return the error for something that a repository says it does not have."""
    return Undecided(
        "not-found",
        f"{what} is not in {where}",
        why="the repository answered that it has nothing by that name",
        next_step="check the name, and that the release was published there",
    )


def too_large(what: str, limit: int) -> Undecided:
    """Return the error for something longer than its cap."""
    return Undecided(
        "too-large",
        f"{what} is larger than {limit} bytes",
        why="everything read from outside has a cap, and this is beyond it",
        next_step="publish a smaller one, or have the operator raise the limit",
    )


def too_many_referrers(digest: str, where: str) -> Undecided:
    """Return the error for more referrers than the cap; hiding one among many is an attack."""
    return Undecided(
        "too-many-referrers",
        f"{digest} has more than {LIMITS.referrers} referrers in {where}",
        why="which of them matter can only be told by reading all",
        next_step="remove the artifacts that do not belong to this release from the registry",
    )


def _convert(value: dict[str, Any], kind: type[Manifest] | type[Index], media_type: str) -> Manifest | Index:
    try:
        return msgspec.convert({**value, "mediaType": media_type}, kind)
    except msgspec.ValidationError as error:
        raise _bad(str(error)) from error


def _bad(why: str) -> Refused:
    return Refused(
        "bad-manifest",
        "a document in the repository is neither an image manifest nor an image index",
        why=why,
        next_step="publish the image again with a tool that writes OCI images",
    )
