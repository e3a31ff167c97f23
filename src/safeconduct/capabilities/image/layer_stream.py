"""A layer's bytes as a stream: decompressed, hashed and counted on the way, so that it is read once.

Source: OCI image specification 1.1, "Layer Changesets", "DiffID"; RFC 1952; RFC 8878.
"""

import hashlib
import zlib
from collections.abc import Iterator

import zstandard

from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.digest import Digest
from safeconduct.model.limits import Limits

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_STEP = 256 * 1024
_OUT = 1024 * 1024
_WINDOW = 2**27
_FREE = 64 * 1024 * 1024
"""Bytes that a layer may unpack to before the ratio counts: small layers of zeros compress very well."""


def damaged(why: str) -> Undecided:
    """Return the error for a layer that is what its digest says and still cannot be read."""
    return Undecided(
        "layer-unreadable",
        "a layer of the image cannot be read",
        why=why,
        next_step="build the image again; a runtime may fail on this layer, or read it otherwise than we do",
    )


class LayerStream:
    """Forward reading of a layer; ``finish`` must be called to know that it was what the config says."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Open a layer's bytes as they lie in the registry: gzip, zstd or plain tar, told by their first bytes."""
        self.position = 0
        self._chunks = _unpack(data)
        self._allowed = max(_FREE, limits.unpack_ratio * len(data))
        self._chunk, self._at = b"", 0
        self._hash = hashlib.sha256()
        self._out = 0

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer at the end."""
        if self._at + size <= len(self._chunk):
            found = self._chunk[self._at : self._at + size]
            self._at += size
            self.position += size
            return found
        parts: list[bytes] = []
        missing = size
        while missing and (self._at < len(self._chunk) or self._next()):
            part = self._chunk[self._at : self._at + missing]
            self._at += len(part)
            missing -= len(part)
            parts.append(part)
        self.position += size - missing
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Pass over ``size`` bytes.

        Raises:
            Undecided: ``layer-unreadable`` when it ends before.
        """
        missing = size
        while missing > 0:
            if self._at >= len(self._chunk) and not self._next():
                raise damaged("the archive ends inside a file")
            step = min(missing, len(self._chunk) - self._at)
            self._at += step
            missing -= step
        self.position += size

    def finish(self, diff_id: str) -> None:
        """Read what is left and check the whole against the config's diffID.

        Raises:
            Refused: ``digest-mismatch``.
        """
        while self._next():
            pass
        found = Digest(f"sha256:{self._hash.hexdigest()}")
        if found != diff_id:
            raise Refused(
                "digest-mismatch",
                f"a layer unpacks to {found}, not to what the image's config names",
                why=f"the config's diffID is {diff_id[:100]}",
                next_step="do not use this image; fetch or build it again",
            )

    def _next(self) -> bool:
        try:
            self._chunk = next(self._chunks, b"")
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise damaged(f"it cannot be decompressed: {error}") from error
        self._at = 0
        self._hash.update(self._chunk)
        self._out += len(self._chunk)
        if self._out > self._allowed:
            raise Undecided(
                "unpack-limit",
                f"a layer unpacks to more than {self._allowed} bytes",
                why="that is beyond the limit for its compressed size, as in a decompression bomb",
                next_step="build the image without it, or raise the limit if you know where it comes from",
            )
        return bool(self._chunk)


def _unpack(data: bytes) -> Iterator[bytes]:
    if data.startswith(_GZIP):
        return _gunzip(data)
    if data.startswith(_ZSTD):
        return _unzstd(data)
    return (data[start : start + _OUT] for start in range(0, len(data), _OUT))


def _gunzip(data: bytes) -> Iterator[bytes]:
    """Yield the content of all members; zeros after the last one are padding."""
    view = memoryview(data)
    position = 0
    while position < len(view):
        unpacker = zlib.decompressobj(wbits=31)
        pending: bytes | memoryview = b""
        while not unpacker.eof:
            if not pending:
                if position >= len(view):
                    raise EOFError("the gzip stream is cut off")
                pending = view[position : position + _STEP]
                position += len(pending)
            if out := unpacker.decompress(pending, _OUT):
                yield out
            pending = unpacker.unconsumed_tail
        position -= len(unpacker.unused_data)
        if not bytes(view[position : position + _STEP]).strip(b"\0"):
            return


def _unzstd(data: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    with unpacker.stream_reader(data, read_across_frames=True) as reader:
        while out := reader.read(_OUT):
            yield out
