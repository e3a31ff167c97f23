"""Facts around ids: releases, commits, proofs, advisories, names. What a question's last step puts into words."""

import json
from typing import NamedTuple

import msgspec

from safeconduct.capabilities.graph.answers import AdvisoryFact, CommitFact, Place, Proof, ReleaseFact
from safeconduct.capabilities.graph.codes import CLAIMED, COMMIT_STATES, SOURCES, to_digest
from safeconduct.capabilities.graph.moments import Moment
from safeconduct.capabilities.graph.revocations import Revocations
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Row, Store
from safeconduct.model.advisory import Advisory
from safeconduct.model.commit import CommitState
from safeconduct.model.digest import Digest, from_bytes
from safeconduct.model.finding import Level
from safeconduct.model.identity import Identity

_SQL = load_statements("safeconduct.capabilities.graph", "facts.sql")
_RANKS = ("none", "claimed", "verified")
_UNTRUSTED = CommitState.UNTRUSTED.value
_SUMMARY = 200


class ReleaseRow(NamedTuple):
    """A row of ``release`` as of some moment, without what names it."""

    digest: bytes
    inventory_doc: bytes | None
    inventory_rank: int
    graph: bytes | None
    commit_sha: bytes | None
    provenance_doc: bytes | None
    product: str
    version: str
    built_at: int
    known_from: int


class _Voucher(NamedTuple):
    """Who signed one document, and why that counts no longer; empty while it does."""

    signer: Identity
    revoked: str


class Facts:
    """Facts as of one moment, each looked up once."""

    def __init__(self, store: Store, moment: Moment) -> None:
        self.store = store
        self.moment = moment
        self._documents = TableDocuments(store)
        self._revocations = Revocations(store, moment.known)
        self._releases: dict[tuple[int, int], ReleaseFact | None] = {}
        self._commits: dict[bytes, CommitFact] = {}
        self._repositories: dict[int, str] = {}
        self._advisories: dict[int, AdvisoryFact | None] = {}
        self._identities: dict[int, Identity] = {}
        self._clusters: dict[int, tuple[str, str]] = {}
        self._fixes: dict[tuple[int, int], str | None] = {}

    def row(self, line_id: int, seq: int) -> ReleaseRow | None:
        """Return a release's row; None when it was not known at the moment."""
        key = {"line_id": line_id, "seq": seq}
        params = key if self.moment.is_now else key | self.moment.params
        row = self.store.row(_SQL[self.moment.pick("get_release")], params)
        return ReleaseRow(*row) if row else None

    def release(self, line_id: int, seq: int) -> ReleaseFact | None:
        """Return a release with its commit and its signers; None when it was not known at the moment."""
        if (line_id, seq) not in self._releases:
            row = self.row(line_id, seq)
            self._releases[line_id, seq] = self._release(line_id, seq, row) if row else None
        return self._releases[line_id, seq]

    def proofs(self, line_id: int, seq: int) -> tuple[Proof, ...]:
        """Return the attestations of a release with what each verification said."""
        key = {"line_id": line_id, "seq": seq, "known": self.moment.known}
        vouchers = self._vouchers(line_id, seq)
        return tuple(self._proof(row, vouchers.get(row[0])) for row in self.store.rows(_SQL["get_proofs"], key))

    def is_revoked(self, line_id: int, seq: int, document: bytes | None) -> bool:
        """Return whether a document counts no longer because its signer's key was revoked."""
        voucher = self._vouchers(line_id, seq).get(document) if document else None
        return bool(voucher and voucher.revoked)

    def commit(self, sha: bytes) -> CommitFact:
        """Return a commit with what the newest trust version said of its signature."""
        if sha not in self._commits:
            self._commits[sha] = self._commit(sha)
        return self._commits[sha]

    def repository(self, line_id: int) -> str:
        """Return the repository of a line, or the digest of a single one's."""
        if line_id not in self._repositories:
            row = self.store.row(_SQL["get_line"], {"line_id": line_id})
            self._repositories[line_id] = str(json.loads(row[0]).get("repository", "")) if row else ""
        return self._repositories[line_id]

    def place(self, cluster_id: int, namespace: str, workload: str, container: str, since: int) -> Place:
        """Return a place with its cluster's name and region."""
        cluster, region = self.cluster(cluster_id)
        return Place(cluster, region, namespace, workload, container, since)

    def cluster(self, cluster_id: int) -> tuple[str, str]:
        """Return a cluster's name and region."""
        if cluster_id not in self._clusters:
            row = self.store.row(_SQL["get_cluster"], {"cluster_id": cluster_id})
            self._clusters[cluster_id] = (row[0], row[1]) if row else ("", "")
        return self._clusters[cluster_id]

    def advisory(self, advisory_id: int) -> AdvisoryFact | None:
        """Return an advisory as it was in force at the moment; None when nobody had published it to us."""
        if advisory_id not in self._advisories:
            key: dict[str, int] = {"advisory_id": advisory_id}
            params = key if self.moment.is_now else key | {"known": self.moment.known}
            row = self.store.row(_SQL[self.moment.pick("get_advisory")], params)
            self._advisories[advisory_id] = self._advisory(row) if row else None
        return self._advisories[advisory_id]

    def fixed(self, pkg_id: int, advisory_id: int) -> str | None:
        """Return the version that repairs a package version, as known at the moment."""
        if (pkg_id, advisory_id) not in self._fixes:
            key = {"pkg_id": pkg_id, "advisory_id": advisory_id, "known": self.moment.known}
            row = self.store.row(_SQL["get_fixed"], key)
            self._fixes[pkg_id, advisory_id] = row[0] if row else None
        return self._fixes[pkg_id, advisory_id]

    def identity(self, identity_id: int | None) -> Identity | None:
        """Return a signer."""
        if identity_id is None:
            return None
        if identity_id not in self._identities:
            row = self.store.row(_SQL["get_identity"], {"identity_id": identity_id})
            if row is not None:
                self._identities[identity_id] = Identity(*row)
        return self._identities.get(identity_id)

    def _release(self, line_id: int, seq: int, row: ReleaseRow) -> ReleaseFact:
        vouchers = self._vouchers(line_id, seq)
        believed = {voucher.signer for voucher in vouchers.values() if not voucher.revoked}
        gone = {document for document, voucher in vouchers.items() if voucher.revoked}
        rank = min(row.inventory_rank, CLAIMED) if row.inventory_doc in gone else row.inventory_rank
        return ReleaseFact(
            product=row.product,
            version=row.version,
            digest=from_bytes(row.digest),
            repository=self.repository(line_id),
            commit=self.commit(row.commit_sha) if row.commit_sha else None,
            commit_verified=row.provenance_doc is not None and row.provenance_doc not in gone,
            signers=tuple(sorted(believed)),
            inventory=to_digest(row.inventory_doc),
            inventory_is=_RANKS[rank],
            built_at=row.built_at,
            known_since=row.known_from,
            revoked=tuple(sorted({voucher.signer for voucher in vouchers.values()} - believed)),
        )

    def _vouchers(self, line_id: int, seq: int) -> dict[bytes, _Voucher]:
        key = {"line_id": line_id, "seq": seq, "known": self.moment.known}
        found: dict[bytes, _Voucher] = {}
        for doc, identity_id, seen, proven in self.store.rows(_SQL["get_vouchers"], key):
            signer = self.identity(identity_id)
            if signer is not None:
                at = seen if proven is None else min(seen, proven)
                found[doc] = _Voucher(signer, self._revocations.find(signer, at))
        return found

    def _proof(self, row: Row, voucher: _Voucher | None) -> Proof:
        doc, predicate_id, source, identity_id, outcome, trust_version, signed_time, known_from = row
        digest = from_bytes(doc)
        return Proof(
            document=digest,
            kind=self._predicate(predicate_id),
            role=SOURCES[source],
            verified=outcome == 0 and not (voucher and voucher.revoked),
            signer=self.identity(identity_id),
            trust_version=trust_version,
            signed_at=signed_time or 0,
            known_since=known_from,
            kept=self._documents.has_bytes(digest),
            revoked=voucher.revoked if voucher else "",
        )

    def _predicate(self, predicate_id: int) -> str:
        known: dict[int, str] = self.store.memory.setdefault("uris", {})
        if predicate_id not in known:
            row = self.store.row(_SQL["get_predicate"], {"predicate_id": predicate_id})
            known[predicate_id] = row[0] if row else ""
        return known[predicate_id]

    def _commit(self, sha: bytes) -> CommitFact:
        for (line_id,) in self.store.rows(_SQL["lines_of_commit"], {"sha": sha}):
            key = {"line_id": line_id, "sha": sha, "known": self.moment.known}
            row = self.store.row(_SQL["get_commit"], key)
            if row is not None:
                author, state, identity_id, committed_at, doc = row
                signer = self.identity(identity_id)
                first = self.store.row(_SQL["commit_first_seen"], {"line_id": line_id, "sha": sha})
                revoked = self._revocations.find(signer, first[0] if first else 0)
                return CommitFact(
                    id=sha.hex(),
                    repository=self.repository(line_id),
                    author=author,
                    subject=self._subject(to_digest(doc)),
                    state=_UNTRUSTED if revoked else COMMIT_STATES[state].value,
                    signer=signer,
                    committed_at=committed_at,
                    document=to_digest(doc),
                    revoked=revoked,
                )
        return CommitFact(sha.hex())

    def _subject(self, document: Digest | None) -> str:
        try:
            raw = self._documents.get(document) if document else b""
        except Undecided:
            return ""
        lines = raw.partition(b"\n\n")[2].splitlines()
        return lines[0].decode("utf-8", "replace")[:_SUMMARY] if lines else ""

    def _advisory(self, row: Row) -> AdvisoryFact:
        name, doc, severity, withdrawn, known_from = row
        document = from_bytes(doc)
        text = self._text(document)
        return AdvisoryFact(
            id=name,
            aliases=tuple(sorted({*(text.aliases or ()), *(text.upstream or ())})) if text else (),
            level=Level(severity),
            summary=(text.summary or text.details.partition("\n")[0])[:_SUMMARY] if text else "",
            withdrawn=bool(withdrawn),
            document=document,
            known_since=known_from,
        )

    def _text(self, document: Digest) -> Advisory | None:
        try:
            return msgspec.json.decode(self._documents.get(document), type=Advisory)
        except (Undecided, msgspec.MsgspecError):
            # Erased, or in a form that only its reader understands: the stored columns still answer.
            return None


def find_advisories(store: Store, text: str) -> list[int]:
    """Return the ids of the records known under a name: their own, an alias, or what they rest on."""
    return [row[0] for row in store.rows(_SQL["find_advisories"], {"name": text.strip()})]


def find_named(store: Store, product: str, version: str) -> list[tuple[int, int]]:
    """Return (line, seq) of the releases of that name, newest build first."""
    rows = store.rows(_SQL["find_named"], {"product": product, "version": version})
    return [(row[0], row[1]) for row in rows]
