"""An image's documents: index, manifest and config, each held to the digest by which it was asked for.

Source: OCI image specification 1.1, "Image Index", "Image Manifest", "Image Configuration", "Descriptor".
"""

from typing import Any, Protocol, TypeVar

import msgspec

from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.digest import Digest, is_digest, sha256
from safeconduct.model.image import DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST, Descriptor, Index, Manifest
from safeconduct.model.limits import LIMITS, Limits

_DEPTH = 4
_T = TypeVar("_T", Manifest, Index)


class Blobs(Protocol):
    """Where an image's parts are found by digest: a registry, a layout or memory."""

    def manifest(self, digest: str) -> bytes:
        """Return an index's or manifest's bytes."""

    def blob(self, digest: str, limit: int) -> bytes:
        """Return a config's or layer's bytes, no more than ``limit``."""


class Image(msgspec.Struct, frozen=True):
    """One image for one platform.

    Attributes:
        digest: of its manifest.
        config: the whole configuration document.
        diff_ids: digest of each unpacked layer, bottom first, as many as there are layers.
    """

    digest: Digest
    manifest: Manifest
    config: dict[str, Any]
    diff_ids: tuple[str, ...]


def find_image(blobs: Blobs, digest: str, *, platform: str = "", limits: Limits = LIMITS) -> Image:
    """Return the image behind ``digest``, which may name an index.

    Args:
        blobs: where its parts are.
        digest: of an index or a manifest.
        platform: ``os/architecture[/variant]``; may stay empty where an index lists one image only.
        limits: ``manifest`` caps each document.

    Raises:
        Refused: ``digest-mismatch``, ``malformed-json``, ``not-an-image``.
        Undecided: ``platform-unknown`` when the index has no image, or several, for ``platform``.
    """
    for _ in range(_DEPTH):
        data = check_bytes(blobs.manifest(digest), digest, "manifest")
        document = parse_strict(data, max_bytes=limits.manifest)
        if not isinstance(document, dict):
            raise _not_an_image("a manifest is a JSON object")
        if not _is_index(document):
            return _image(blobs, Digest(digest), _convert(document, Manifest), limits)
        digest = _select(_convert(document, Index), platform)
    raise _not_an_image(f"indexes are nested deeper than {_DEPTH}")


def check_bytes(data: bytes, digest: str, what: str, size: int | None = None) -> bytes:
    """Return ``data`` if it has this digest and size.

    Raises:
        Refused: ``digest-mismatch``.
    """
    found = sha256(data)
    if found != digest or (size is not None and len(data) != size):
        raise Refused(
            "digest-mismatch",
            f"the {what} is not what its digest and size say",
            why=f"wanted {digest[:100]} with {size if size is not None else 'any'} bytes, got {found} with {len(data)}",
            next_step="do not use it; fetch it again from a source that you trust",
        )
    return data


def _is_index(document: dict[str, Any]) -> bool:
    kind = document.get("mediaType")
    if kind in {INDEX, DOCKER_INDEX} and "manifests" in document and "layers" not in document:
        return True
    if kind in {MANIFEST, DOCKER_MANIFEST, None} and "layers" in document and "manifests" not in document:
        return False
    if kind is None and "manifests" in document and "layers" not in document:
        return True
    # A document that is both is read as either by different tools (CVE-2021-41190).
    raise _not_an_image(f"media type {str(kind)[:100]!r} does not fit its fields")


def _select(index: Index, platform: str) -> str:
    images = [entry for entry in index.manifests if not _is_attestation(entry)]
    fitting = [entry for entry in images if not platform or _fits(entry, platform)]
    if len(fitting) != 1:
        known = ", ".join(sorted({_spell(entry) for entry in images})[:16])
        raise Undecided(
            "platform-unknown",
            f"the index lists {len(fitting)} images for platform {platform or '(none named)'}",
            why=f"it lists: {known or 'no image at all'}",
            next_step="name one platform, or the digest of one image",
        )
    if not is_digest(fitting[0].digest):
        raise _not_an_image(f"not a sha256 digest: {fitting[0].digest[:100]!r}")
    return fitting[0].digest


def _is_attestation(entry: Descriptor) -> bool:
    return (entry.platform or {}).get("os") == "unknown" or entry.artifact_type is not None


def _fits(entry: Descriptor, platform: str) -> bool:
    spelled = _spell(entry)
    return spelled == platform or spelled.startswith(f"{platform}/")


def _spell(entry: Descriptor) -> str:
    place = entry.platform or {}
    return "/".join(str(place[part]) for part in ("os", "architecture", "variant") if place.get(part))


def _image(blobs: Blobs, digest: Digest, manifest: Manifest, limits: Limits) -> Image:
    wanted = manifest.config
    data = check_bytes(blobs.blob(wanted.digest, limits.manifest), wanted.digest, "config", wanted.size)
    config = parse_strict(data, max_bytes=limits.manifest)
    rootfs = config.get("rootfs") if isinstance(config, dict) else None
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or not all(isinstance(item, str) for item in diff_ids):
        raise _not_an_image("its config has no rootfs.diff_ids, so it is an artifact of another kind")
    if len(diff_ids) != len(manifest.layers):
        raise _not_an_image(f"its config names {len(diff_ids)} layers, its manifest {len(manifest.layers)}")
    return Image(digest, manifest, config, tuple(diff_ids))


def _convert(document: dict[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _not_an_image(str(error)) from error


def _not_an_image(why: str) -> Refused:
    return Refused(
        "not-an-image",
        "the document is not the manifest or index of an image",
        why=why,
        next_step="name an image by tag or digest",
    )
