"""What an attacker with write access to the registry would do; each leaves a tag that a manifest deploys."""

import json

import msgspec

from safeconduct.capabilities.attestations.statements import read_statement
from safeconduct.capabilities.registry.attach import attach_bundle, find_bundles
from safeconduct.capabilities.registry.copy import copy_release
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.signing.bundle import read_bundle
from safeconduct.foundation.clock import system_clock, to_rfc3339
from safeconduct.model.image import Descriptor
from safeconduct.model.statement import Predicate


def push_unsigned(registry: LayoutRepository, tag: str, new_tag: str) -> str:
    """Push an image nobody signed: the release's files under another configuration."""
    return _edited(registry, tag, {"org.opencontainers.image.title": "shop, made elsewhere"}, new_tag).digest


def edit_behind_tag(registry: LayoutRepository, tag: str, moved: str) -> str:
    """Move a tag that meant the release to an edited manifest."""
    return _edited(registry, tag, {"org.opencontainers.image.version": "1.0.0", "edited": "yes"}, moved).digest


def replace_sbom(staged: LayoutRepository, tag: str, target: LayoutRepository, new_tag: str, other: str | None) -> str:
    """Publish a signed release with everything but its SBOM; in its place the SBOM of the image tagged ``other``."""
    image = staged.resolve(tag)
    bare = LayoutRepository(staged.path.with_name(f"{staged.path.name}-{new_tag}"))
    _copy_image(staged, bare, image.digest)
    own = [b for b in _bundles(staged, image.digest) if _predicate_type(b) != Predicate.CYCLONEDX]
    if other:
        own += [b for b in _bundles(target, target.resolve(other).digest) if _predicate_type(b) == Predicate.CYCLONEDX]
    for bundle in own:
        attach_bundle(bare, image, bundle, "", to_rfc3339(system_clock()))
    copy_release(bare, target, image.digest, new_tag)
    return image.digest


def _bundles(repository: LayoutRepository, digest: str) -> list[bytes]:
    return [bundle for _, bundle in find_bundles(repository, digest).documents]


def _edited(registry: LayoutRepository, tag: str, annotations: dict[str, str], new_tag: str) -> Descriptor:
    index = json.loads(registry.manifest(registry.resolve(tag).digest))
    manifest = json.loads(registry.manifest(index["manifests"][0]["digest"]))
    manifest["annotations"] = {**manifest.get("annotations", {}), **annotations}
    stored = registry.put_manifest(msgspec.json.encode(manifest), index["manifests"][0]["mediaType"])
    index["manifests"][0] |= {"digest": stored.digest, "size": stored.size}
    return registry.put_manifest(msgspec.json.encode(index), index["mediaType"], tag=new_tag)


def _copy_image(source: LayoutRepository, target: LayoutRepository, digest: str) -> None:
    index = json.loads(source.manifest(digest))
    for entry in index["manifests"]:
        manifest = json.loads(source.manifest(entry["digest"]))
        for part in (manifest["config"], *manifest["layers"]):
            target.put_blob(source.blob(part["digest"], part["size"]))
        target.put_manifest(source.manifest(entry["digest"]), entry["mediaType"])
    target.put_manifest(source.manifest(digest), index["mediaType"], tag="image")


def _predicate_type(bundle: bytes) -> str:
    return read_statement(read_bundle(bundle).envelope.payload).predicateType
