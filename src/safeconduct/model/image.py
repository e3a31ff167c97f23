"""Images: descriptors, manifests and configs as the OCI image specification 1.1 spells them."""

from typing import Any

import msgspec

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


class Descriptor(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A pointer to content: verified against ``digest`` and ``size`` when it is read."""

    media_type: str
    digest: str
    size: int
    artifact_type: str | None = None
    annotations: dict[str, str] | None = None
    platform: dict[str, Any] | None = None


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """An image manifest, or an artifact that refers to another by ``subject``."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = MANIFEST
    artifact_type: str | None = None
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None
    schema_version: int = 2


class Index(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """An image index, a layout's index, or a list of referrers."""

    manifests: tuple[Descriptor, ...]
    media_type: str = INDEX
    artifact_type: str | None = None
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None
    schema_version: int = 2
