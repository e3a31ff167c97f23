"""A generated estate, taken in through the same door as a real one: for trying questions at size, and for benchmarks.

Lines of 20 releases that share 98 % of their packages, a few packages in nearly every release and many in few, one
commit, three attestations and a CycloneDX document each, three in ten deployed. Everything in it says that it was
generated: repositories lie under ``estate.invalid``, signers are of kind ``generated``. The same seed gives the same
estate.
"""

import random
from collections.abc import Callable, Iterator

import msgspec

from safeconduct.capabilities.attestations.statements import write_statement
from safeconduct.capabilities.sbom import cyclonedx
from safeconduct.foundation.clock import to_rfc3339
from safeconduct.foundation.store import Store
from safeconduct.intake.commits import CommitsBody, apply_commits
from safeconduct.intake.feeds import FeedReport, record_feed
from safeconduct.intake.releases import record_release
from safeconduct.intake.sightings import record_sightings
from safeconduct.model.commit import CommitState, JudgedCommit
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.evidence import Claim, Evidence
from safeconduct.model.finding import Feed
from safeconduct.model.identity import Identity, Usage
from safeconduct.model.release import Line, Release
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate
from safeconduct.model.verified import Verified
from safeconduct.model.workload import Sighting, Workload

RELEASES_IN_LINE = 20
_CHURN = 0.02
_PACKAGES = (200, 500)
_DEPLOYED = 0.3
_STOPPED = 0.5
_CLUSTERS = 50
_NAMESPACES = 20
_BATCH = 50
_STEP = 60_000_000
_DIRECT = 10
_SKEW = 3
_SECOND = 1_000_000
_REGIONS = ("eu-central", "us-east", "ap-south")
_BUILDER = Identity("generated", "generated-builder", "SHA256:generated-builder")
_AUTHORS = 40

Progress = Callable[[int], None]
"""Is told how many releases are in so far."""


class Document(msgspec.Struct, frozen=True):
    """One generated release with all that is taken in beside it."""

    release: Release
    evidence: Evidence
    inventory: Inventory
    inventory_document: Digest
    documents: dict[Digest, bytes]
    commit: JudgedCommit
    sightings: tuple[Sighting, ...]
    at: int


def generate(store: Store, *, releases: int, at: int, seed: int = 1, on_progress: Progress | None = None) -> FeedReport:
    """Take in a generated estate and a feed about it; return what the feed brought.

    Args:
        releases: how many, rounded up to whole lines of 20.
        at: when the first release was built; one follows each minute.
    """
    documents = make_documents(releases, at=at, seed=seed)
    done = 0
    while batch := [document for _, document in zip(range(_BATCH), documents, strict=False)]:
        with store.transaction():
            for document in batch:
                ingest(store, document)
        done += len(batch)
        if on_progress is not None:
            on_progress(done)
    feed, records = make_feed(releases, at=at + (done + 1) * _STEP, seed=seed)
    return record_feed(store, at=at + (done + 1) * _STEP, feed=feed, records=records)


def ingest(store: Store, document: Document) -> None:
    """Take in one generated document: its commit, its release, where it runs."""
    source = document.release.repository
    apply_commits(store, document.at, CommitsBody(f"git+https://{source}", (document.commit,), ("",), 1))
    record_release(
        store,
        at=document.at,
        release=document.release,
        evidence=document.evidence,
        documents=document.documents,
        inventory=document.inventory,
        inventory_document=document.inventory_document,
    )
    if document.sightings:
        record_sightings(store, at=document.at, sightings=document.sightings)


def make_documents(releases: int, *, at: int, seed: int = 1) -> Iterator[Document]:
    """Yield the estate's releases in order of time, line by line."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible estate, no secret
    names = name_count(releases)
    for line in range(-(-releases // RELEASES_IN_LINE)):
        held = {_pick(chance, names): 0 for _ in range(chance.randint(*_PACKAGES))}
        for place in range(RELEASES_IN_LINE):
            if place:
                _change(chance, held, names)
            yield _document(chance, line, place, held, at + (line * RELEASES_IN_LINE + place) * _STEP)


def make_feed(releases: int, *, at: int, seed: int = 1) -> tuple[Feed, list[tuple[str, bytes]]]:
    """Return a feed that affects about 2 % of the package versions, and its records."""
    chance = random.Random(seed + 1)  # noqa: S311 - a reproducible estate, no secret
    names = name_count(releases)
    records = [_advisory(chance, number, chance.randrange(1, names), at) for number in range(max(3, names // 25))]
    feed = Feed("generated", to_rfc3339(at), ("npm",), "CC0-1.0", "generated", "generated")
    return feed, records


def name_count(releases: int) -> int:
    """Return how many package names an estate of that size draws from."""
    return max(600, int(100 * releases**0.5))


def _pick(chance: random.Random, names: int) -> int:
    # Cubed, so that low numbers are in nearly every release and high ones in few.
    return int(names * chance.random() ** _SKEW)


def _change(chance: random.Random, held: dict[int, int], names: int) -> None:
    for name in chance.sample(sorted(held), max(1, int(len(held) * _CHURN))):
        if chance.random() < 0.8:  # noqa: PLR2004 - four of five changes are upgrades
            held[name] += 1
        else:
            del held[name]
            held.setdefault(_pick(chance, names), 0)


def _document(chance: random.Random, line: int, place: int, held: dict[int, int], at: int) -> Document:
    product, version = f"service-{line}", f"1.{place}.0"
    repository = f"estate.invalid/{product}"
    digest = sha256(f"{repository}@{version}".encode())
    commit = sha256(f"commit {repository} {place}".encode())[7:47]
    inventory = _inventory(held)
    subject = cyclonedx.Subject(product, version, "container", digest=digest)
    sbom = cyclonedx.write(inventory, subject, timestamp=to_rfc3339(at))
    payloads = {
        Predicate.PROVENANCE: _statement(digest, Predicate.PROVENANCE, commit),
        Predicate.SIGNATURE: _statement(digest, Predicate.SIGNATURE, ""),
        Predicate.CYCLONEDX: sbom,
    }
    release = Release(
        product, version, repository, digest, commit, Line(repository, product, "linux/amd64", "main"), None, at
    )
    return Document(
        release=release,
        evidence=_evidence(digest, payloads),
        inventory=inventory,
        inventory_document=sha256(sbom),
        documents={},
        commit=_commit(line, commit, at),
        sightings=_sightings(chance, digest, product, at),
        at=at,
    )


def _inventory(held: dict[int, int]) -> Inventory:
    components = sorted(
        (
            Component(_purl(name, step), Presence.INSTALLED, (), direct=name % _DIRECT == 0)
            for name, step in held.items()
        ),
        key=_by_purl,
    )
    keys = [component.purl for component in components]
    edges = {(keys[place // 3], key) for place, key in enumerate(keys) if place // 3 != place}
    edges |= {(keys[place // 5], key) for place, key in enumerate(keys) if place % _DIRECT < 3 and place // 5 != place}  # noqa: PLR2004 - 1.3 edges a package
    return Inventory(tuple(components), tuple(sorted(edges)), (), ("generated",))


def _by_purl(component: Component) -> str:
    return component.purl


def _purl(name: int, step: int) -> str:
    return f"pkg:npm/gen-{name}@1.{step}.0"


def _statement(digest: Digest, kind: str, commit: str) -> bytes:
    definition = {"resolvedDependencies": [{"digest": {"gitCommit": commit}}]}
    return write_statement({"image": digest}, kind, {"buildDefinition": definition} if commit else {})


def _evidence(digest: Digest, payloads: dict[str, bytes]) -> Evidence:
    claims = tuple(
        Claim(sha256(data), kind, Verified(data, PAYLOAD_TYPE, _BUILDER, 1, ("generated",)), Usage.BUILD)
        for kind, data in payloads.items()
    )
    return Evidence(digest, claims, raw={str(sha256(data)): data for data in payloads.values()})


def _commit(line: int, commit: str, at: int) -> JudgedCommit:
    author = f"dev-{line % _AUTHORS}@estate.invalid"
    signer = Identity("generated", author, f"SHA256:generated-{line % _AUTHORS}")
    return JudgedCommit(commit, f"Dev <{author}>", "generated", at // _SECOND, CommitState.VERIFIED, signer)


def _sightings(chance: random.Random, digest: Digest, product: str, at: int) -> tuple[Sighting, ...]:
    if chance.random() >= _DEPLOYED:
        return ()
    found = []
    for cluster in chance.sample(range(_CLUSTERS), chance.randint(1, 5)):
        where = Workload(
            f"cluster-{cluster}",
            _REGIONS[cluster % len(_REGIONS)],
            f"ns-{chance.randrange(_NAMESPACES)}",
            f"deployment/{product}",
            product,
        )
        container = sha256(f"{digest} {cluster}".encode())[7:]
        found.append(Sighting(where, digest, at, running=True, pod=f"{product}-{cluster}", container_id=container))
        if chance.random() < _STOPPED:
            found.append(msgspec.structs.replace(found[-1], running=False, at=at + _STEP))
    return tuple(found)


def _advisory(chance: random.Random, number: int, name: int, at: int) -> tuple[str, bytes]:
    fixed = f"1.{chance.randint(1, 3)}.0"
    events = [{"introduced": "0"}, {"fixed": fixed}]
    record = {
        "id": f"GEN-{number}",
        "modified": to_rfc3339(at),
        "aliases": [f"CVE-0000-{number}"],
        "summary": f"generated advisory on gen-{name}",
        "severity": [{"type": "CVSS_V3", "score": chance.choice(_VECTORS)}],
        "affected": [
            {"package": {"ecosystem": "npm", "name": f"gen-{name}"}, "ranges": [{"type": "SEMVER", "events": events}]}
        ],
    }
    return f"GEN-{number}.json", msgspec.json.encode(record)


_VECTORS = (
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
    "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N",
)
