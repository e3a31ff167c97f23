"""A little software world for the graph's tests: releases with signed evidence, advisories, workloads.

Signatures are not made here: ``evidence`` says what verification would have said, and the documents are bare
statements, which intake reads like bundles.
"""

import hashlib
import json
from collections.abc import Iterable

from safeconduct.capabilities.attestations.statements import write_statement
from safeconduct.capabilities.sbom import cyclonedx
from safeconduct.foundation.clock import to_rfc3339
from safeconduct.foundation.store import Store
from safeconduct.intake.feeds import FeedReport, record_feed
from safeconduct.intake.releases import Arrival, record_release
from safeconduct.intake.sightings import record_sightings
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.evidence import Claim, Evidence
from safeconduct.model.finding import Feed
from safeconduct.model.identity import Identity, Usage
from safeconduct.model.release import Line, Release
from safeconduct.model.statement import PAYLOAD_TYPE, Predicate
from safeconduct.model.verified import Verified
from safeconduct.model.workload import Sighting, Workload

T0 = 1_700_000_000_000_000
MINUTE = 60_000_000
BUILDER = Identity("key", "builder", "sha256:" + "b" * 64)
RAW_COMMIT = (
    b"tree "
    + b"0" * 40
    + b"\nauthor Dev <dev@shop.example> 1 +0000\ncommitter Dev <dev@shop.example> 1 +0000\n\nfirst\n"
)
COMMIT = hashlib.sha1(b"commit %d\0" % len(RAW_COMMIT) + RAW_COMMIT).hexdigest()


def inventory(*names: str, edges: Iterable[tuple[str, str]] = ()) -> Inventory:
    """An inventory of npm packages given as ``name@version``; the first is direct."""
    purls = [f"pkg:npm/{name}" for name in names]
    components = tuple(Component(purl, Presence.INSTALLED, (), direct=purl == purls[0]) for purl in sorted(purls))
    return Inventory(components, tuple(sorted((f"pkg:npm/{a}", f"pkg:npm/{b}") for a, b in edges)))


def release(version: str, *, built_at: int = 0, name: str = "shop", manifest: Digest | None = None) -> Release:
    digest = sha256(f"{name} {version}".encode())
    repository = f"reg.example/{name}"
    return Release(name, version, repository, digest, COMMIT, Line(repository, name), manifest, built_at)


def sbom(held: Inventory) -> bytes:
    return cyclonedx.write(held, cyclonedx.Subject("shop"), timestamp=to_rfc3339(T0))


def evidence(
    digest: Digest, held: Inventory | None = None, *, commit: str = COMMIT, signer: Identity = BUILDER, trust: int = 1
) -> Evidence:
    """Verified provenance, and an inventory where one is given."""
    source = {"buildDefinition": {"resolvedDependencies": [{"digest": {"gitCommit": commit}}]}}
    payloads = {Predicate.PROVENANCE: write_statement({"image": digest}, Predicate.PROVENANCE, source)}
    if held is not None:
        document = json.loads(sbom(held))
        payloads[Predicate.CYCLONEDX] = write_statement({"image": digest}, Predicate.CYCLONEDX, document)
    claims = tuple(
        Claim(sha256(data), kind, Verified(data, PAYLOAD_TYPE, signer, trust, ("signature",)), Usage.BUILD)
        for kind, data in payloads.items()
    )
    return Evidence(digest, claims, raw={str(sha256(data)): data for data in payloads.values()})


def put(store: Store, version: str, held: Inventory | None, *, at: int, built_at: int = 0, **more) -> Arrival:
    """Record a release with verified evidence."""
    made = release(version, built_at=built_at or at, **more)
    return record_release(store, at=at, release=made, evidence=evidence(made.digest, held))


def advisory(advisory_id: str, name: str, *, fixed: str = "", **fields) -> bytes:
    """An OSV record on an npm package: every version before ``fixed``."""
    events = [{"introduced": "0"}] + ([{"fixed": fixed}] if fixed else [])
    affected = {"package": {"ecosystem": "npm", "name": name}, "ranges": [{"type": "SEMVER", "events": events}]}
    record = {"id": advisory_id, "modified": "2026-01-01T00:00:00Z", "summary": f"{name} is broken"}
    record |= {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}
    return json.dumps(record | {"affected": [affected]} | fields).encode()


def feed(store: Store, *records: bytes, at: int, name: str = "osv") -> FeedReport:
    said = Feed(name, "2026-01-01T00:00:00Z", ("npm",))
    return record_feed(store, at=at, feed=said, records=[(f"{n}.json", data) for n, data in enumerate(records)])


def sighting(digest: Digest, *, at: int, running: bool = True, pod: str = "shop-1", **more) -> Sighting:
    where = Workload("prod", more.get("region", "eu"), "shop", "deployment/shop", "web")
    container = more.get("container_id", sha256(pod.encode())[7:])
    return Sighting(where, digest, at, running=running, pod=pod, container_id=container)


def see(store: Store, digest: Digest, *, at: int, since: int = 0, **more) -> int:
    return record_sightings(store, at=at, sightings=[sighting(digest, at=since or at, **more)], document=b"watch")


def dump(store: Store) -> dict[str, list[tuple]]:
    """Every row of every table but the dictionaries' counters: what "nothing changed" means."""
    connection = store._connection
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {t: sorted(connection.execute(f"SELECT * FROM {t}"), key=repr) for t in tables if t != "id_block"}
