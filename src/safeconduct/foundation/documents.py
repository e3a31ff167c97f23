"""Documents: everything that was ever taken in, verbatim, under the digest of its bytes.

Three verbs, so that a folder, a table or an S3 bucket can hold them. What comes back is checked against its digest:
a store that lies is found out on reading.
"""

import zlib
from typing import Protocol

from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.digest import Digest, sha256, to_bytes

_SQL = load_statements("safeconduct.foundation", "documents.sql")
_LEVEL = 3


class Documents(Protocol):
    """Where documents lie."""

    def put_if_absent(self, data: bytes, media_type: str = "") -> Digest:
        """Keep ``data`` and return its digest; what is there already stays as it is."""
        ...

    def get(self, digest: Digest) -> bytes:
        """Return the bytes, checked.

        Raises:
            Undecided: ``document-missing``, ``document-erased`` or ``document-damaged``.
        """
        ...

    def exists(self, digest: Digest) -> bool:
        """Return whether the document was ever kept; an erased one was."""
        ...


class TableDocuments:
    """Documents in the ``blob`` table of a store, deflated. Writing happens inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put_if_absent(self, data: bytes, media_type: str = "") -> Digest:
        """Keep ``data`` and return its digest; what is there already stays as it is."""
        digest = sha256(data)
        if not self.exists(digest):
            row = {"doc": to_bytes(digest), "media_type": media_type, "size": len(data)}
            self._store.run(_SQL["put_document"], row | {"zbytes": zlib.compress(data, _LEVEL)})
        return digest

    def get(self, digest: Digest) -> bytes:
        """Return the bytes, checked against ``digest``.

        Raises:
            Undecided: ``document-missing``, ``document-erased`` or ``document-damaged``.
        """
        found = self._store.row(_SQL["get_document"], {"doc": to_bytes(digest)})
        if found is None:
            raise _lost("document-missing", digest, "the store does not hold it", "record its source again")
        size, packed = found
        if packed is None:
            raise _lost(
                "document-erased",
                digest,
                "it was erased on request",
                "ask whoever erased it; the event in the graph holds the reason",
            )
        data = _inflate(packed, size)
        if data is None or sha256(data) != digest:
            raise _lost("document-damaged", digest, "its bytes have another digest", "restore the store from a backup")
        return data

    def exists(self, digest: Digest) -> bool:
        """Return whether the document was ever kept; an erased one was."""
        return self._store.row(_SQL["has_document"], {"doc": to_bytes(digest)}) is not None

    def has_bytes(self, digest: Digest) -> bool:
        """Return whether the document can be read: it was kept and not erased."""
        found = self._store.row(_SQL["has_bytes"], {"doc": to_bytes(digest)})
        return found is not None and bool(found[0])

    def empty(self, digest: Digest) -> bool:
        """Drop the bytes but remember that they were there; return whether there were any."""
        return self._store.run(_SQL["empty_document"], {"doc": to_bytes(digest)}) > 0


def _inflate(packed: bytes, size: int) -> bytes | None:
    # Never more than the recorded size: a damaged row must not unpack without end.
    unpacker = zlib.decompressobj()
    try:
        return unpacker.decompress(packed, size + 1)
    except zlib.error:
        return None


def _lost(error_id: str, digest: Digest, why: str, next_step: str) -> Undecided:
    return Undecided(error_id, f"document {digest} cannot be read", why=why, next_step=next_step)
