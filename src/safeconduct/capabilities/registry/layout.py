"""An OCI image layout: a repository as a folder.

A blob is written once, beside its place and then moved there; ``index.json`` is changed under a lock and replaced
whole, so a reader sees the old or the new one and two writers both succeed.

Source: OCI image specification 1.1, image-layout.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from safeconduct.capabilities.registry.repository import (
    INDEXES,
    MANIFESTS,
    check_asked,
    check_digest,
    describe,
    describe_referrer,
    encode_document,
    fallback_tag,
    is_fallback_tag,
    not_found,
    read_document,
    too_large,
    too_many_referrers,
    verify_bytes,
)
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.digest import sha256
from safeconduct.model.image import Descriptor, Index, Manifest
from safeconduct.model.limits import LIMITS

REF_NAME = "org.opencontainers.image.ref.name"
_INDEX_BYTES = 64 * 1024 * 1024
_MARK = b'{"imageLayoutVersion":"1.0.0"}'
_OCTETS = "application/octet-stream"


class LayoutRepository:
    """An image layout at ``path``. It is made by the first write; reading one that is not there finds nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._subjects: dict[str, tuple[str, Descriptor | None]] = {}

    def resolve(self, asked: str) -> Descriptor:
        """Return what a tag or digest names."""
        if asked.startswith("sha256:"):
            data = self.manifest(asked)
            return describe(data, read_document(data).media_type)
        for entry in self._index().manifests:
            if (entry.annotations or {}).get(REF_NAME) == asked:
                return msgspec.structs.replace(entry, annotations=None)
        raise not_found(f"tag {asked[:128]!r}", str(self.path))

    def manifest(self, digest: str) -> bytes:
        """Return a manifest's bytes, which have this digest."""
        return self._read(digest, LIMITS.manifest, "manifest")

    def blob(self, digest: str, limit: int) -> bytes:
        """Return a blob's bytes, which have this digest."""
        return self._read(digest, limit, "blob")

    def referrers(self, digest: str) -> list[Descriptor]:
        """Return what refers to ``digest``: listed manifests with that subject, and the fallback tag's list."""
        check_digest(digest)
        found: dict[str, Descriptor] = {}
        for entry in self._index().manifests:
            name = (entry.annotations or {}).get(REF_NAME)
            if name == fallback_tag(digest):
                found.update(self._listed(entry.digest))
            elif name is None:
                subject, described = self._subject(entry)
                if described is not None and subject == digest:
                    found[entry.digest] = described
        if len(found) > LIMITS.referrers:
            raise too_many_referrers(digest, str(self.path))
        return sorted(found.values(), key=lambda entry: entry.digest)

    def tags(self) -> list[str]:
        """Return all tags, sorted."""
        names = {(entry.annotations or {}).get(REF_NAME) for entry in self._index().manifests}
        return sorted(name for name in names if name and not is_fallback_tag(name))

    def close(self) -> None:
        """Do nothing: a folder holds no connection."""

    def put_blob(self, data: bytes) -> Descriptor:
        """Store a blob, unless a whole one is there."""
        self._make()
        digest = sha256(data)
        place = self._place(digest)
        if not _holds(place, data):
            _write_whole(place, data)
        return Descriptor(_OCTETS, digest, len(data))

    def put_manifest(self, data: bytes, media_type: str, tag: str | None = None) -> Descriptor:
        """Store a manifest and list it if it has a tag or a subject; the rest is reached through what lists it."""
        document = read_document(data, media_type)
        self.put_blob(data)
        entry = describe(data, media_type)
        if tag is not None:
            check_asked(tag)
            listed = msgspec.structs.replace(entry, annotations={REF_NAME: tag}, artifact_type=document.artifact_type)
            self._list(listed, tag)
        if document.subject is not None:
            self._list(describe_referrer(data, document), None)
        return entry

    def _list(self, entry: Descriptor, tag: str | None) -> None:
        with self._locked():
            index = self._index()
            kept = [known for known in index.manifests if not _replaces(entry, tag, known)]
            changed = msgspec.structs.replace(index, manifests=(*kept, entry))
            _write_whole(self.path / "index.json", msgspec.json.format(encode_document(changed), indent=2))

    def _read(self, digest: str, limit: int, what: str) -> bytes:
        place = self._place(check_digest(digest))
        try:
            with place.open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError:
            raise not_found(f"{what} {digest}", str(self.path)) from None
        except OSError as error:
            raise _unreadable(self.path, str(error)) from error
        if len(data) > limit:
            raise too_large(f"{what} {digest}", limit)
        return verify_bytes(data, digest, f"{what} in {self.path}")

    def _index(self) -> Index:
        try:
            with (self.path / "index.json").open("rb") as file:
                data = file.read(_INDEX_BYTES + 1)
        except FileNotFoundError:
            return Index(())
        except OSError as error:
            raise _unreadable(self.path, str(error)) from error
        try:
            return msgspec.json.decode(data, type=Index)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise _unreadable(self.path, f"index.json: {error}") from error

    def _subject(self, entry: Descriptor) -> tuple[str, Descriptor | None]:
        # By digest, so it can be remembered. One that cannot be read might be anybody's evidence: the error goes up.
        if entry.media_type not in MANIFESTS and entry.media_type not in INDEXES:
            return "", None
        if entry.digest not in self._subjects:
            data = self.manifest(entry.digest)
            document = read_document(data)
            subject = document.subject.digest if document.subject else ""
            self._subjects[entry.digest] = (subject, describe_referrer(data, document))
        return self._subjects[entry.digest]

    def _listed(self, digest: str) -> dict[str, Descriptor]:
        document = read_document(self.manifest(digest))
        if isinstance(document, Manifest):
            raise Refused(
                "bad-manifest",
                "the fallback tag names an image, not a list of referrers",
                why=f"{digest} in {self.path} is a manifest",
                next_step="remove that tag and attach the evidence again",
            )
        return {entry.digest: entry for entry in document.manifests}

    def _place(self, digest: str) -> Path:
        return self.path / "blobs" / "sha256" / digest[7:]

    def _make(self) -> None:
        try:
            (self.path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
            if not (self.path / "oci-layout").exists():
                _write_whole(self.path / "oci-layout", _MARK)
        except OSError as error:
            raise _unreadable(self.path, str(error)) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.path / ".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _replaces(entry: Descriptor, tag: str | None, known: Descriptor) -> bool:
    name = (known.annotations or {}).get(REF_NAME)
    return name == tag if tag is not None else name is None and known.digest == entry.digest


def _holds(place: Path, data: bytes) -> bool:
    try:
        return place.stat().st_size == len(data) and place.read_bytes() == data
    except FileNotFoundError:
        return False


def _write_whole(place: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unreadable(path: Path, why: str) -> Undecided:
    return Undecided(
        "layout-unreadable",
        f"the image layout {path} cannot be read",
        why=why,
        next_step="check that it is an OCI image layout and that you may read and write it",
    )
