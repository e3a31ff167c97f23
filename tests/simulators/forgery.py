"""What someone with write access to a registry, or with a key of their own, can do to a release's evidence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from safeconduct.capabilities.attestations.statements import read_statement
from safeconduct.capabilities.registry.attach import attach_bundle, find_bundles
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.signing.bundle import read_bundle
from safeconduct.capabilities.signing.key_store import load_signer
from safeconduct.capabilities.signing.sign import sign_payload
from safeconduct.model.digest import Digest
from safeconduct.model.image import Descriptor, Manifest
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate
from simulators.world import World

WHEN = "2026-01-01T00:00:00Z"
KINDS = {
    "signature": Predicate.SIGNATURE,
    "sbom": Predicate.CYCLONEDX,
    "provenance": Predicate.PROVENANCE,
    "scan": Predicate.VULNS,
    "vsa": Predicate.VSA,
}
Change = Callable[[bytes], bytes | None]


def published(world: World) -> LayoutRepository:
    """Return the layout that release 1.0 is published in."""
    return LayoutRepository(world.folder / "registry" / "team" / "app")


def kind_of(bundle: bytes) -> str:
    """Return the predicate type that a bundle claims."""
    return read_statement(read_bundle(bundle).envelope.payload).predicateType


def evidence_of(world: World, tag: str = "1.0") -> dict[str, bytes]:
    """Return the bundles beside an image, by predicate type."""
    layout = published(world)
    return {kind_of(data): data for _, data in find_bundles(layout, layout.resolve(tag).digest).documents}


def files_of(world: World, tag: str = "1.0") -> dict[str, Path]:
    """Return where the parts of an image lie: index, manifest, config, layer; and the bundles by kind."""
    layout = published(world)
    index = layout.resolve(tag)
    manifest = json.loads(layout.manifest(index.digest))["manifests"][0]["digest"]
    parts = json.loads(layout.manifest(manifest))
    named = {"index": index.digest, "manifest": manifest, "config": parts["config"]["digest"]}
    named["layer"] = parts["layers"][0]["digest"]
    for entry, data in find_bundles(layout, index.digest).documents:
        [layer] = json.loads(layout.manifest(entry.digest))["layers"]
        name = next(name for name, kind in KINDS.items() if kind == kind_of(data))
        named[name], named[f"{name} referrer"] = layer["digest"], entry.digest
    return {name: layout.path / "blobs" / "sha256" / digest[7:] for name, digest in named.items()}


def flip(file: Path, at: int = -1) -> None:
    """Flip one bit of one byte of a file, by default in its middle."""
    data = bytearray(file.read_bytes())
    data[at if at >= 0 else len(data) // 2] ^= 1
    file.write_bytes(data)


def replace_evidence(world: World, change: dict[str, Change]) -> None:
    """Publish release 1.0 anew with other evidence: ``change`` is by predicate type; None leaves a document out."""
    old = published(world)
    image = old.resolve("1.0")
    evidence = evidence_of(world)
    new = LayoutRepository(world.folder / "forged")
    _copy_image(old, new, image, "1.0")
    for kind, bundle in evidence.items():
        changed = change[kind](bundle) if kind in change else bundle
        if changed is not None:
            attach_bundle(new, image, changed, kind, WHEN)
    shutil.rmtree(old.path)
    new.path.rename(old.path)


def resign(world: World, key: str, edit: Callable[[bytes], bytes] = lambda payload: payload) -> Change:
    """Return a change that signs a document's payload, edited first, with another key of the world."""
    signer = load_signer(f"file:{world.operator / 'keys' / (key + '.key')}", secret_of(world))
    return lambda bundle: sign_payload(edit(read_bundle(bundle).envelope.payload), PAYLOAD_TYPE, signer)


def edit_bundle(edit: Callable[[dict[str, Any]], None]) -> Change:
    """Return a change of a bundle's JSON that leaves its signature as it is."""

    def change(bundle: bytes) -> bytes:
        value = json.loads(bundle)
        edit(value)
        return json.dumps(value).encode()

    return change


def push_other_image(world: World, tag: str) -> Digest:
    """Push an image that nobody signed: the release's files under an annotation of its own."""
    layout = published(world)
    index = json.loads(layout.manifest(layout.resolve("1.0").digest))
    [entry] = index["manifests"]
    manifest = json.loads(layout.manifest(entry["digest"]))
    manifest["annotations"] = {"org.opencontainers.image.title": tag}
    stored = layout.put_manifest(msgspec.json.encode(manifest), entry["mediaType"])
    entry |= {"digest": stored.digest, "size": stored.size}
    return Digest(layout.put_manifest(msgspec.json.encode(index), index["mediaType"], tag=tag).digest)


def move_tag(world: World, tag: str, digest: str) -> None:
    """Make a tag mean another image."""
    layout = published(world)
    data = layout.manifest(digest)
    layout.put_manifest(data, json.loads(data)["mediaType"], tag=tag)


def attach(world: World, digest: str, bundles: list[bytes]) -> None:
    """Attach documents to an image, whatever they are about."""
    layout = published(world)
    for bundle in bundles:
        attach_bundle(layout, layout.resolve(digest), bundle, kind_of(bundle), WHEN)


def secret_of(world: World) -> bytes:
    """Return the passphrase of the world's keys."""
    return (world.operator / "keys" / "passphrase").read_bytes()


def _copy_image(old: LayoutRepository, new: LayoutRepository, image: Descriptor, tag: str) -> None:
    index = json.loads(old.manifest(image.digest))
    for entry in index["manifests"]:
        manifest = msgspec.json.decode(old.manifest(entry["digest"]), type=Manifest)
        for part in (manifest.config, *manifest.layers):
            new.put_blob(old.blob(part.digest, part.size))
        new.put_manifest(old.manifest(entry["digest"]), entry["mediaType"])
    new.put_manifest(old.manifest(image.digest), image.media_type, tag=tag)
