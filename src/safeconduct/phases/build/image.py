"""The image of a release, assembled from a commit's objects as its build table says; nothing is executed."""

from pathlib import Path

import msgspec

from safeconduct.capabilities.image.assemble import Assembled, Base, Source, assemble
from safeconduct.capabilities.image.documents import find_image
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.evidence.sources import SourceFiles
from safeconduct.foundation.errors import BadUsage
from safeconduct.model.digest import Digest, is_digest
from safeconduct.model.image import Descriptor

PLATFORM = "linux/amd64"
_SCRATCH = "scratch"
_LAYOUT = "oci:"


class Staged(msgspec.Struct, frozen=True):
    """An image in a layout: its index, which is signed and deployed, and the platform's manifest under it."""

    index: Descriptor
    manifest: Descriptor


def stage_image(files: SourceFiles, layout: LayoutRepository) -> Staged:
    """Assemble the image of a commit, put it into ``layout`` and tag it with the product's version.

    The same commit gives the same digests: paths sorted, owner 0:0, every time the commit's own.

    Raises:
        BadUsage: ``no-build-settings``, ``nothing-to-copy``, ``base-not-pinned``.
        Refused: a path that leads out of the image, or two that differ only in case.
    """
    build, product = files.settings.build, files.settings.product
    if build is None:
        raise BadUsage("no-build-settings", "the commit has no [build] table", next_step="safeconduct init")
    base, base_layout = _base(build.base)
    image = assemble(
        _sources(files),
        created=files.commit.committed_at,
        config={_field(name): value for name, value in build.config.items()},
        annotations={
            "org.opencontainers.image.revision": files.commit.id,
            "org.opencontainers.image.version": product.version,
        },
        platform=PLATFORM,
        base=base,
    )
    _put(image, layout, base_layout, product.version)
    return Staged(image.index, image.manifest)


def _put(image: Assembled, layout: LayoutRepository, base: LayoutRepository | None, tag: str) -> None:
    for layer in image.base_layers:
        if base is not None:
            layout.put_blob(base.blob(layer.digest, layer.size))
    documents = {image.manifest.digest, image.index.digest}
    for digest, data in sorted(image.blobs.items()):
        if digest not in documents:
            layout.put_blob(data)
    layout.put_manifest(image.blobs[Digest(image.manifest.digest)], image.manifest.media_type)
    layout.put_manifest(image.blobs[Digest(image.index.digest)], image.index.media_type, tag=tag)


def _sources(files: SourceFiles) -> list[Source]:
    build = files.settings.build
    sources = []
    for copy in build.copies if build else ():
        below = "" if copy.source == "." else copy.source.strip("/") + "/"
        taken = {
            _target(copy.target, path, below, copy.source): (data, 0o755 if executable else 0o644)
            for path, (data, executable) in files.files.items()
            if path.startswith(below) or path == copy.source
        }
        if not taken:
            raise BadUsage(
                "nothing-to-copy",
                f"the commit has no file {copy.source!r} to copy",
                why="[build] copies names it; files that are not committed have no part in a build",
                next_step="commit it, or correct safeconduct.toml",
            )
        sources.append(Source(taken, f"{copy.source} of commit {files.commit.id}"))
    return sources


def _target(target: str, path: str, below: str, source: str) -> str:
    inside = target.strip("/")
    return inside if path == source else f"{inside}/{path.removeprefix(below)}".strip("/")


def _base(text: str) -> tuple[Base | None, LayoutRepository | None]:
    if text == _SCRATCH:
        return None, None
    place, _, digest = text.removeprefix(_LAYOUT).partition("@")
    if not text.startswith(_LAYOUT) or not is_digest(digest):
        raise BadUsage(
            "base-not-pinned",
            f"the base {text!r} is neither scratch nor pinned",
            why="a build on a base that may change cannot be repeated",
            next_step='write base = "oci:DIR@sha256:…"',
        )
    layout = LayoutRepository(Path(place))
    image = find_image(layout, digest, platform=PLATFORM)
    return Base(image.digest, image.manifest, image.config, place), layout


def _field(name: str) -> str:
    """The image specification's spelling of a config field: ``workingdir`` is WorkingDir."""
    special = {"workingdir": "WorkingDir", "exposedports": "ExposedPorts", "stopsignal": "StopSignal"}
    return special.get(name.lower(), name[:1].upper() + name[1:])
