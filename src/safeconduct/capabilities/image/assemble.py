"""Images assembled from files, without a daemon: the same input gives the same digest, anywhere.

Source: OCI image specification 1.1; reproducible-builds.org, "Archive metadata" and "Stable order for inputs".
"""

import io
import json
import tarfile
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.image import CONFIG, INDEX, LAYER_GZIP, LAYER_TAR, MANIFEST, Descriptor, Manifest

GZIP, PLAIN = "gzip", "none"
_LEVEL = 6
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Method deflate, no name, time 0, no extra flags, system 255 (unknown)."""
_EXECUTABLE, _PLAIN_FILE = 0o755, 0o644
_BASE_DIGEST, _BASE_NAME = "org.opencontainers.image.base.digest", "org.opencontainers.image.base.name"

Files = Mapping[str, tuple[bytes, int]]
"""Path in the image to content and mode; of the mode only "may anyone execute it" counts."""


class Source(msgspec.Struct, frozen=True):
    """The files of one layer.

    Attributes:
        origin: where they come from, for the image's history, such as ``commit 1a2b…``.
    """

    files: Files
    origin: str


class Base(msgspec.Struct, frozen=True):
    """An image to build on; its layers must already lie where the new image is put.

    Attributes:
        digest: of its manifest, by which it is pinned.
        config: its whole configuration document.
    """

    digest: Digest
    manifest: Manifest
    config: Mapping[str, Any]
    name: str = ""


class Assembled(msgspec.Struct, frozen=True):
    """A new image.

    Attributes:
        blobs: everything new by digest: layers, config, manifest and index.
        manifest, index: descriptors; the index is what is signed and deployed.
        compressor: what made the layers' bytes; another one gives other digests for the same files.
        base_layers: layers of the base that must be copied along.
    """

    blobs: dict[Digest, bytes]
    manifest: Descriptor
    index: Descriptor
    compressor: str
    base_layers: tuple[Descriptor, ...] = ()


def assemble(
    sources: Sequence[Source],
    *,
    created: int,
    config: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    platform: str = "linux/amd64",
    base: Base | None = None,
    compression: str = GZIP,
) -> Assembled:
    """Return an image with one layer for each source, above those of the base.

    Args:
        sources: bottom first.
        created: seconds since 1970, normally the commit's time: of every file, layer and the image.
        config: the ``config`` part of the configuration (Cmd, Env …); it stands above the base's.
        annotations: of manifest and index; the base's digest and name are added.
        platform: ``os/architecture``; that of the base where there is one.
        base: None builds from scratch.
        compression: ``gzip`` or ``none``.

    Raises:
        Refused: ``image-path`` for a path that leads out of the image, is spelled ambiguously, or meets another one.
    """
    layers = [_layer(source, created, compression) for source in sources]
    notes = {**(annotations or {}), **_base_notes(base)} or None
    place = _platform(platform, base)
    document = _config(sources, layers, created=created, config=config or {}, place=place, base=base)
    below = base.manifest.layers if base else ()
    config_data = canonical(document)
    manifest_data = canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _plain(_describe(config_data, CONFIG)),
            "layers": [_plain(d) for d in (*below, *(layer.descriptor for layer in layers))],
            **({"annotations": notes} if notes else {}),
        }
    )
    manifest = msgspec.structs.replace(_describe(manifest_data, MANIFEST), platform=place)
    index_data = canonical(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [_plain(manifest)],
            **({"annotations": notes} if notes else {}),
        }
    )
    documents = (config_data, manifest_data, index_data)
    blobs = {layer.digest: layer.data for layer in layers} | {sha256(data): data for data in documents}
    return Assembled(blobs, manifest, _describe(index_data, INDEX), _compressor(compression), below)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class _Layer(msgspec.Struct, frozen=True):
    data: bytes
    digest: Digest
    diff_id: Digest
    descriptor: Descriptor


def _layer(source: Source, created: int, compression: str) -> _Layer:
    archive = _archive(source.files, created)
    data = _gzip(archive) if compression == GZIP else archive
    descriptor = _describe(data, LAYER_GZIP if compression == GZIP else LAYER_TAR)
    return _Layer(data, Digest(descriptor.digest), sha256(archive), descriptor)


def _archive(files: Files, created: int) -> bytes:
    """Return a PAX archive: folders and files sorted by their bytes, owner 0:0, one time, two modes."""
    folders = check_paths(files)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for path in sorted([*files, *folders], key=str.encode):
            member = tarfile.TarInfo(path)
            member.mtime = created
            if path in folders:
                member.type, member.mode = tarfile.DIRTYPE, _EXECUTABLE
                archive.addfile(member)
                continue
            data, mode = files[path]
            member.size, member.mode = len(data), _EXECUTABLE if mode & 0o111 else _PLAIN_FILE
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def check_paths(files: Files) -> frozenset[str]:
    """Return the folders of ``files``, after every path was found to mean one place everywhere.

    Raises:
        Refused: ``image-path``.
    """
    folders: set[str] = set()
    for path in files:
        _check_path(path)
        folders.update("/".join(path.split("/")[:count]) for count in range(1, path.count("/") + 1))
    spelled: dict[str, str] = {}
    for path in [*sorted(files), *sorted(folders)]:
        other = spelled.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if other != path:
            _refuse(path, f"it differs from {other!r} only in case or in the form of its letters")
    if both := folders & set(files):
        _refuse(min(both), "it is a file and a folder at once")
    return frozenset(folders)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if path.startswith("/"):
        _refuse(path, "it is absolute")
    if any(part in {"", ".", ".."} for part in parts):
        _refuse(path, "it has an empty part, '.' or '..'")
    if any(part.startswith(".wh.") for part in parts):
        _refuse(path, "names that start with '.wh.' remove files from the layers below")
    if not path.isprintable() or "\\" in path:
        _refuse(path, "it has a control character or a backslash")


def _refuse(path: str, why: str) -> None:
    raise Refused(
        "image-path",
        f"the path {path[:200]!r} cannot stand in an image",
        why=why,
        next_step="rename it in the source",
    )


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data) + packer.flush()
    tail = zlib.crc32(data).to_bytes(4, "little") + (len(data) % 2**32).to_bytes(4, "little")
    return _GZIP_HEAD + body + tail


def _compressor(compression: str) -> str:
    return f"zlib {zlib.ZLIB_RUNTIME_VERSION} level {_LEVEL}" if compression == GZIP else PLAIN


def _config(
    sources: Sequence[Source],
    layers: Sequence[_Layer],
    *,
    created: int,
    config: Mapping[str, Any],
    place: dict[str, Any],
    base: Base | None,
) -> dict[str, Any]:
    below = dict(base.config) if base else {}
    when = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    history = [{"created": when, "created_by": f"safeconduct build: {source.origin}"} for source in sources]
    return {
        **place,
        "created": when,
        "config": {**below.get("config", {}), **config},
        "rootfs": {
            "type": "layers",
            "diff_ids": [*below.get("rootfs", {}).get("diff_ids", ()), *(layer.diff_id for layer in layers)],
        },
        "history": [*below.get("history", ()), *history],
    }


def _platform(platform: str, base: Base | None) -> dict[str, Any]:
    if base:
        return {key: base.config[key] for key in ("os", "architecture", "variant") if key in base.config}
    names = platform.split("/")
    return dict(zip(("os", "architecture", "variant"), names, strict=False))


def _base_notes(base: Base | None) -> dict[str, str]:
    if base is None:
        return {}
    return {_BASE_DIGEST: base.digest, **({_BASE_NAME: base.name} if base.name else {})}


def _describe(data: bytes, media_type: str) -> Descriptor:
    return Descriptor(media_type, sha256(data), len(data))


def _plain(descriptor: Descriptor) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(descriptor)
    return plain
