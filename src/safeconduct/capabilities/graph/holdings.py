"""What the graph holds about releases that are to be judged again: their documents, and which of them matter now."""

import json

import msgspec

from safeconduct.capabilities.graph.directory import find_entry
from safeconduct.capabilities.graph.keys import fingerprint_of, source_key
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.model.digest import Digest, from_bytes

_SQL = load_statements("safeconduct.capabilities.graph", "holdings.sql")


class Held(msgspec.Struct, frozen=True):
    """A release as the graph names it; ``repository`` is empty for a digest whose line nobody declared."""

    digest: Digest
    product: str
    version: str
    repository: str
    running: bool


def held_documents(store: Store, digest: Digest) -> dict[Digest, tuple[bytes, int]]:
    """Return the evidence kept about a digest: document digest to its bytes and when it was first known.

    Times are microseconds since 1970. Empty for a digest that the graph does not know.
    """
    entry = find_entry(store, digest)
    if entry is None or not entry.seq:
        return {}
    documents = TableDocuments(store)
    rows = store.rows(_SQL["documents_of_release"], {"line_id": entry.line_id, "seq": entry.seq})
    return {from_bytes(doc): (documents.get(from_bytes(doc)), known) for doc, known in rows}


def commits_seen(store: Store, repository: str) -> dict[str, int]:
    """Return when each commit of a repository was first recorded: hex id to microseconds since 1970."""
    found = store.row(_SQL["find_line"], {"sha256": fingerprint_of(source_key(repository))})
    if found is None:
        return {}
    return {sha.hex(): known for sha, known in store.rows(_SQL["commits_seen"], {"line_id": found[0]})}


def releases_in_use(store: Store) -> list[Held]:
    """Return what runs somewhere now, and the newest release of every line; each digest once, running ones first."""
    running = store.rows(_SQL["releases_running"])
    heads = [row for row in store.rows(_SQL["release_heads"]) if row not in set(running)]
    named = [_named(store, row, running=True) for row in running] + [_named(store, row, running=False) for row in heads]
    return [held for held in named if held is not None]


def _named(store: Store, place: tuple[int, int], *, running: bool) -> Held | None:
    row = store.row(_SQL["name_release"], {"line_id": place[0], "seq": place[1]})
    if row is None:
        return None
    digest, product, version, key = row
    return Held(from_bytes(digest), product, version, str(json.loads(key).get("repository", "")), running)
