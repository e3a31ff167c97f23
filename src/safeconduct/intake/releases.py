"""Releases taken in: one document-sized, idempotent transaction each."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from safeconduct.capabilities.graph.codes import CLAIMED
from safeconduct.capabilities.graph.directory import EARLIER, MANIFEST, MIRROR, Entry, find_own
from safeconduct.capabilities.graph.facts import Facts
from safeconduct.capabilities.graph.keys import Kind, artifact_key, single_key
from safeconduct.capabilities.graph.moments import Moment
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Refused
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.claims import Testimony, are_known, commit_of, hear, is_provenance, predicate_in, record_claims
from safeconduct.intake.directory import GRACE, add_alias, claim, fill, raise_epochs
from safeconduct.intake.inventories import Given, OfRecord, Reader, find_better
from safeconduct.intake.lines import OpenLine, close_line, last_estate_event, load_line, open_generation, open_line
from safeconduct.intake.membership import Membership, correct_line, extend_line, read_membership
from safeconduct.intake.sbom import read_sbom
from safeconduct.intake.sightings import move_deployments
from safeconduct.model.component import Inventory
from safeconduct.model.digest import Digest, sha256, to_bytes
from safeconduct.model.evidence import Evidence
from safeconduct.model.release import Line, Release

_SQL = load_statements("safeconduct.intake", "releases.sql")


class Arrival(StrEnum):
    """What a document did to the graph."""

    NEW = "new"
    MORE = "more"
    KNOWN = "known"


class ReleaseBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event of a release or of more evidence about it: with the documents, all that a rebuild needs.

    Attributes:
        line: None for a digest without proven predecessor.
        claimed: an inventory document that nobody vouches for.
        estate: number of the last estate event that was known.
    """

    digest: Digest
    line: Line | None = None
    product: str = ""
    version: str = ""
    commit: str = ""
    manifest: Digest | None = None
    built_at: int = 0
    testimony: Testimony = Testimony()
    claimed: Digest | None = None
    estate: int = 0


def record_release(
    store: Store,
    *,
    at: int,
    release: Release,
    evidence: Evidence,
    documents: Mapping[Digest, bytes] | None = None,
    inventory: Inventory | None = None,
    inventory_document: Digest | None = None,
    reader: Reader = read_sbom,
) -> Arrival:
    """Take in a release with what was found beside it; the same again changes nothing.

    Args:
        at: microseconds since 1970; made monotonic along the line.
        evidence: verified claims about ``release.digest``, their documents in ``raw``.
        documents: further documents to keep: the manifest, an inventory that nobody signed.
        inventory: what ``inventory_document`` says, when the caller has read it already: exactly what ``reader`` gives.
        inventory_document: an inventory; without a verified claim of it, it is a mere claim.

    Raises:
        Refused: ``evidence-without-document``, ``wrong-document``, ``malformed-purl``; nothing was recorded.
        Undecided: ``store-busy``.
    """
    body = ReleaseBody(
        digest=release.digest,
        line=release.line,
        product=release.product,
        version=release.version,
        commit=release.commit,
        manifest=release.manifest,
        built_at=release.built_at,
        testimony=hear(evidence),
        claimed=inventory_document,
    )
    given = _given(inventory, inventory_document)
    return _record(store, at, body, dict(evidence.raw) | dict(documents or {}), given, reader)


def record_single(
    store: Store,
    *,
    at: int,
    digest: Digest,
    evidence: Evidence | None = None,
    documents: Mapping[Digest, bytes] | None = None,
    inventory: Inventory | None = None,
    inventory_document: Digest | None = None,
    name: str = "",
) -> Arrival:
    """Take in a digest that has no proven predecessor: a third-party image, a file. Arguments as above.

    Args:
        name: what people call it, such as ``docker.io/library/redis``.
    """
    testimony = hear(evidence) if evidence else Testimony()
    body = ReleaseBody(digest=digest, product=name, testimony=testimony, claimed=inventory_document)
    kept = dict(evidence.raw if evidence else {}) | dict(documents or {})
    return _record(store, at, body, kept, _given(inventory, inventory_document), read_sbom)


def apply_release(store: Store, at: int, body: ReleaseBody, *, reader: Reader, given: Given | None = None) -> Arrival:
    """Write what a release's event says; its documents are in the store. Ingest and rebuild both come here."""
    own = find_own(store, body.digest)
    if own is None:
        return _add_release(store, at, body, _choose_line(store, body), reader, given)
    held_by = load_line(store, own.line_id)
    if body.line is None or held_by.key in {artifact_key(body.line), artifact_key(body.line, body.digest)}:
        return _add_evidence(store, at, body, held_by, own, reader, given)
    if held_by.kind == Kind.SINGLE:
        return _add_release(store, at, body, _choose_line(store, body), reader, given)
    elsewhere = open_line(store, artifact_key(body.line))
    new_name = add_alias(store, body.digest, elsewhere.line_id, 0, MIRROR)
    return _add_evidence(store, at, body, held_by, own, reader, given, new_name=new_name)


def _record(
    store: Store, at: int, body: ReleaseBody, kept: dict[str, bytes], given: Given | None, reader: Reader
) -> Arrival:
    heard = {claim.document for claim in body.testimony.claims}
    if body.claimed in heard:
        # It is more than claimed; the event names it once.
        body = msgspec.structs.replace(body, claimed=None)
    with store.transaction():
        documents = TableDocuments(store)
        for digest, data in sorted(kept.items()):
            if documents.put_if_absent(data) != digest:
                raise _wrong_document(digest, data)
        for wanted in sorted(heard | ({body.claimed} if body.claimed else set())):
            if not documents.exists(wanted):
                raise _without_document(body.digest, wanted)
        estate = last_estate_event(store)[0]
        return apply_release(store, at, msgspec.structs.replace(body, estate=estate), reader=reader, given=given)


def _given(inventory: Inventory | None, document: Digest | None) -> Given | None:
    return Given(document, inventory) if inventory is not None and document is not None else None


def _choose_line(store: Store, body: ReleaseBody) -> OpenLine:
    if body.line is None:
        return open_line(store, single_key(body.digest))
    line = open_line(store, artifact_key(body.line))
    if line.head_seq and body.built_at:
        head = store.row(_SQL["get_release"], {"line_id": line.line_id, "seq": line.head_seq})
        if head is not None and body.built_at < head[5]:
            # Older than the head: a side line, instead of splitting spans that later releases rest on.
            return open_line(store, artifact_key(body.line, body.digest))
    return line


def _add_release(
    store: Store, at: int, body: ReleaseBody, line: OpenLine, reader: Reader, given: Given | None
) -> Arrival:
    line.begin(_after_singles(store, at, body))
    own = claim(store, body.digest, line.line_id)
    seq = line.head_seq = line.head_seq + 1
    best = find_better(TableDocuments(store), body.testimony, body.claimed, than=0, reader=reader, given=given)
    membership = read_membership(store, line, best.inventory) if best else Membership({}, None)
    extend_line(store, line, seq, membership.scopes)
    commit, provenance = _source_of(store, body)
    facts = _facts(best, membership) | {"commit_sha": commit, "provenance_doc": provenance, "gen": line.gen}
    place = {"line_id": line.line_id, "seq": seq, "digest": to_bytes(body.digest), "known_from": line.changed_at}
    names = {"product": body.product, "version": body.version, "built_at": body.built_at}
    store.run(_SQL["add_release"], place | names | facts)
    record_claims(store, line, seq, body.testimony)
    _name_digest(store, line, seq, body.digest, own)
    _name_manifest(store, line, seq, body.manifest)
    close_line(store, line, "release", body)
    return Arrival.NEW


def _add_evidence(
    store: Store,
    at: int,
    body: ReleaseBody,
    line: OpenLine,
    own: Entry,
    reader: Reader,
    given: Given | None,
    *,
    new_name: bool = False,
) -> Arrival:
    row = store.row(_SQL["get_release"], {"line_id": line.line_id, "seq": own.seq})
    if row is None:
        raise LookupError(f"{body.digest} has no release row")
    inventory_gone, source_gone = (_is_revoked(store, line, own.seq, document) for document in (row[0], row[4]))
    than = CLAIMED if inventory_gone else row[1]
    best = find_better(TableDocuments(store), body.testimony, body.claimed, than=than, reader=reader, given=given)
    if best is not None and inventory_gone and to_bytes(best.document) == row[0]:
        best = None
    commit, provenance = _source_of(store, body)
    learnt_source = provenance is not None and (row[4] is None or (source_gone and provenance != row[4]))
    known = are_known(store, line.line_id, own.seq, body.testimony)
    before = line.changed_at
    line.begin(_after_singles(store, at, body))
    new_name |= _name_manifest(store, line, own.seq, body.manifest)
    if known and best is None and not learnt_source and not new_name:
        line.changed_at = before
        return Arrival.KNOWN
    if best is not None or learnt_source:
        source = (commit, provenance) if learnt_source else (row[3], row[4])
        _correct(store, line, own.seq, best, (row[0], row[1], row[2]), source)
    record_claims(store, line, own.seq, body.testimony)
    raise_epochs(store, [to_bytes(body.digest)], line.changed_at, line.changed_at + GRACE)
    close_line(store, line, "release", body)
    return Arrival.MORE


def _is_revoked(store: Store, line: OpenLine, seq: int, document: bytes | None) -> bool:
    """Whether what the release rests on was signed with a key that is believed no longer: then a new one counts."""
    return document is not None and Facts(store, Moment()).is_revoked(line.line_id, seq, document)


def _correct(
    store: Store,
    line: OpenLine,
    seq: int,
    best: OfRecord | None,
    before: tuple[bytes | None, int, bytes | None],
    source: tuple[bytes | None, bytes | None],
) -> None:
    open_generation(store, line, "inventory" if best else "provenance", best.document if best else None)
    place = {"line_id": line.line_id, "seq": seq}
    store.run(_SQL["keep_past_release"], place | {"gen_end": line.gen})
    facts: dict[str, object]
    if best is None:
        facts = dict(zip(("inventory_doc", "inventory_rank", "graph"), before, strict=True))
    else:
        membership = read_membership(store, line, best.inventory)
        correct_line(store, line, seq, membership.scopes)
        facts = _facts(best, membership)
    row = place | facts | {"commit_sha": source[0], "provenance_doc": source[1], "gen": line.gen}
    store.run(_SQL["correct_release"], row)


def _facts(best: OfRecord | None, membership: Membership) -> dict[str, object]:
    return {
        "inventory_doc": to_bytes(best.document) if best else None,
        "inventory_rank": best.rank if best else 0,
        "graph": membership.graph,
    }


def _source_of(store: Store, body: ReleaseBody) -> tuple[bytes | None, bytes | None]:
    """The commit that verified provenance names, with its document; else the commit that the caller claims."""
    for heard in body.testimony.claims:
        if is_provenance(heard.predicate_type):
            commit = _hex(commit_of(predicate_in(TableDocuments(store), heard.document)))
            if commit is not None:
                return commit, to_bytes(heard.document)
    return _hex(body.commit), None


def _name_digest(store: Store, line: OpenLine, seq: int, digest: Digest, own: Entry) -> None:
    fill(store, digest, line.line_id, seq)
    if own.line_id != line.line_id:
        # It was seen running before anybody said what it is: that line stays, what runs moves over.
        add_alias(store, digest, own.line_id, own.seq, EARLIER)
        move_deployments(store, own, line, seq)
        raise_epochs(store, [to_bytes(digest)], line.changed_at, line.changed_at + GRACE)


def _name_manifest(store: Store, line: OpenLine, seq: int, manifest: Digest | None) -> bool:
    if manifest is None or not add_alias(store, manifest, line.line_id, seq, MANIFEST):
        return False
    own = find_own(store, manifest)
    if own is not None and own.line_id != line.line_id and load_line(store, own.line_id).kind == Kind.SINGLE:
        _name_digest(store, line, seq, manifest, own)
    return True


def _after_singles(store: Store, at: int, body: ReleaseBody) -> int:
    """A time after all that happened on the lines of single digests that this release may take over."""
    for digest in (body.digest, body.manifest):
        own = find_own(store, digest) if digest else None
        if own is not None:
            at = max(at, load_line(store, own.line_id).changed_at + 1)
    return at


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        return None


def _wrong_document(digest: str, data: bytes) -> Refused:
    return Refused(
        "wrong-document",
        f"a document was handed in as {digest[:100]}",
        why=f"its bytes have the digest {sha256(data)}",
        next_step="fetch it again; nothing was recorded",
    )


def _without_document(digest: Digest, document: str) -> Refused:
    return Refused(
        "evidence-without-document",
        f"the evidence about {digest} names a document that did not come with it",
        why=f"{document} is neither among the documents nor in the store",
        next_step="hand in the bytes with the claim; nothing was recorded",
    )
