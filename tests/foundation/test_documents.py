import zlib

import pytest

from safeconduct.capabilities.graph.store import open_graph
from safeconduct.foundation.documents import TableDocuments, _inflate
from safeconduct.foundation.errors import Undecided
from safeconduct.model.digest import sha256


@pytest.fixture
def kept(tmp_path):
    with open_graph(tmp_path / "graph.db") as store, store.transaction():
        documents = TableDocuments(store)
        yield store, documents, documents.put_if_absent(b"a document", "text/plain")


def test_a_document_comes_back_as_it_went_in(kept):
    _, documents, digest = kept
    assert digest == sha256(b"a document")
    assert documents.get(digest) == b"a document"
    assert documents.exists(digest)
    assert documents.put_if_absent(b"a document") == digest


def test_an_empty_document_is_a_document(kept):
    _, documents, _ = kept
    assert documents.get(documents.put_if_absent(b"")) == b""


def test_a_document_nobody_kept_is_missing(kept):
    _, documents, _ = kept
    with pytest.raises(Undecided) as error:
        documents.get(sha256(b"another"))
    assert error.value.id == "document-missing"


@pytest.mark.parametrize("stored", [zlib.compress(b"A document"), b"", b"\x00", zlib.compress(b"0" * 10_000_000)])
def test_bytes_that_are_not_the_digests_are_never_handed_out(kept, stored):
    """Another text, no deflate stream, or one that unpacks without end."""
    store, documents, digest = kept
    store._connection.execute("UPDATE blob SET zbytes = ?", (stored,))
    with pytest.raises(Undecided) as error:
        documents.get(digest)
    assert error.value.id == "document-damaged"


def test_a_damaged_row_is_never_unpacked_beyond_its_size():
    assert len(_inflate(zlib.compress(b"0" * 10_000_000), 10)) == 11


def test_an_erased_document_was_there_and_cannot_be_read(kept):
    _, documents, digest = kept
    assert documents.empty(digest)
    assert documents.exists(digest)
    assert not documents.has_bytes(digest)
    with pytest.raises(Undecided) as error:
        documents.get(digest)
    assert error.value.id == "document-erased"
