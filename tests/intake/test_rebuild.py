import msgspec
import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.signing.trust import Revocation
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.store import Store
from safeconduct.intake import estate
from safeconduct.intake.commits import record_commits
from safeconduct.intake.erasure import erase
from safeconduct.intake.judgements import raise_epoch, record_admission, record_decision, record_verdict
from safeconduct.intake.operator import record_exemption, record_policy, record_trust
from safeconduct.intake.rebuild import rebuild
from safeconduct.intake.releases import record_release, record_single
from safeconduct.intake.violations import record_violation
from safeconduct.model.commit import CommitState, JudgedCommit
from safeconduct.model.decision import Decision, Outcome
from safeconduct.model.digest import sha256
from safeconduct.model.evidence import Evidence
from safeconduct.model.exemption import Exemption
from safeconduct.model.identity import Identity
from safeconduct.model.violation import Violation
from safeconduct.model.workload import Workload
from simulators.releases import (
    BUILDER,
    COMMIT,
    MINUTE,
    RAW_COMMIT,
    T0,
    advisory,
    evidence,
    feed,
    inventory,
    put,
    release,
    sbom,
    see,
)

OLD = inventory("web@1.0.0", "left@1.0.0", edges=[("web@1.0.0", "left@1.0.0")])
NEW = inventory("web@1.1.0", "left@1.0.0", edges=[("web@1.1.0", "left@1.0.0")])
POLICY = sha256(b"policy")
MANIFEST = sha256(b"linux/amd64")


def live(store: Store) -> list[int]:
    """A life in which everything happens that a graph can hold; returns the instants worth asking about."""
    at = iter(range(T0, T0 + 1_000 * MINUTE, MINUTE))
    first = release("1.0", built_at=T0)
    claimed = sbom(OLD)
    feed(store, advisory("GHSA-1", "left", fixed="1.2.0", aliases=["CVE-1"]), at=next(at))
    record_trust(store, at=next(at), version=1, document=b"trust 1")
    record_policy(store, at=next(at), scope="deploy", policy=POLICY, document=b"pack")
    dev = Identity("ssh", "dev@shop.example", "SHA256:dev")
    commit = JudgedCommit(first.commit, "Dev <dev@shop.example>", "first", 1, CommitState.VERIFIED, dev)
    source = {"repository": "git+https://reg.example/shop", "trust_version": 1}
    record_commits(store, at=next(at), raw_commits=[(COMMIT, RAW_COMMIT)], judged=[commit], **source)
    see(store, MANIFEST, at=next(at))
    claim = {"documents": {sha256(claimed): claimed}, "inventory_document": sha256(claimed)}
    record_release(store, at=next(at), release=first, evidence=Evidence(first.digest), **claim)
    put(store, "1.1", NEW, at=next(at), built_at=T0 + 1, manifest=MANIFEST)
    put(store, "0.9", OLD, at=next(at), built_at=T0 - 1)
    record_release(store, at=next(at), release=first, evidence=evidence(first.digest, inventory("right@2.0.0")))
    see(store, first.digest, at=next(at), pod="shop-2")
    record_single(store, at=next(at), digest=sha256(b"redis"), name="redis")
    decision = Decision("deploy", Outcome.PASSED, (), POLICY, sha256(b"in"), ("r",), T0, 1)
    epoch = ask.find_epoch(store, first.digest)
    record_verdict(
        store, at=next(at), digest=first.digest, scope="deploy", decision=decision, document=b"v", epoch=epoch
    )
    record_decision(store, at=next(at), decision=decision, document=b"d", digest=MANIFEST)
    where = Workload("prod", "eu", "shop", "deployment/shop", "web")
    record_admission(store, at=next(at), digest=first.digest, where=where, outcome=Outcome.PASSED)
    record_decision(store, at=next(at), decision=decision, document=b"s", repository="git+https://reg.example/shop")
    feed(store, advisory("GHSA-2", "web"), advisory("GHSA-3", "right", fixed="3.0.0"), at=next(at))
    alert = Violation("Shell", "warning", T0 + 30 * MINUTE, "falco", "", container_id=sha256(b"shop-2")[7:19])
    record_violation(store, at=next(at), violation=alert, document=b"alert")
    record_violation(store, at=next(at), violation=Violation("Odd", "low", T0, "falco", ""), document=b"odd")
    gone = {"withdrawn": "2026-02-01T00:00:00Z", "modified": "2026-02-01T00:00:00Z"}
    feed(store, advisory("GHSA-1", "left", **gone), at=next(at))
    granted = Exemption("rule", "pkg:npm/right", "because", "me", "2027-01-01T00:00:00Z")
    record_exemption(store, at=next(at), exemption=granted, document=b"exemption")
    raise_epoch(store, at=next(at), digests=[MANIFEST], rejudge_by=0, reason="test")
    revoked = (Revocation(dev.fingerprint, "lost"),)
    record_trust(store, at=next(at), version=2, document=b"trust 2", revoked=revoked)
    revoked += (Revocation(BUILDER.fingerprint, "stolen", to_datetime(T0 + 6 * MINUTE)),)
    record_trust(store, at=next(at), version=3, document=b"trust 3", revoked=revoked)
    renewed = evidence(first.digest, NEW, signer=dev, trust=3)
    record_release(store, at=next(at), release=first, evidence=renewed)
    see(store, first.digest, at=next(at), pod="shop-2", running=False)
    return [*range(T0 - 1, next(at), MINUTE), T0 + 900 * MINUTE]


def answers(store: Store, digests, packages, advisories, moments) -> list[bytes]:
    """Every question at every moment, as bytes."""
    said = []
    for as_of, known in [(None, None), *((m, None) for m in moments), *((m, moments[-1]) for m in moments)]:
        when = {"as_of": as_of, "known": known}
        said += [ask.runs(store, purl, **when) for purl in packages]
        said += [ask.reaches(store, name, **when) for name in advisories]
        said.append(ask.upgrades(store, **when))
        for digest in digests:
            said += [answer(question, store, digest, **when) for question in (ask.digest, ask.lineage)]
            said += [answer(ask.path, store, digest, purl, **when) for purl in packages]
    said += [ask.find_epoch(store, digest) for digest in digests]
    said += [
        ask.find_verdict(store, digest, scope="deploy", policy=POLICY, trust_version=1, now=now)
        for digest in digests
        for now in moments
    ]
    return [msgspec.json.encode(one) for one in said]


def answer(question, *asked, **when):
    try:
        return question(*asked, **when)
    except Undecided as error:
        return error.render()


def test_a_rebuilt_graph_gives_the_same_answer_to_every_question_at_every_moment(store, tmp_path):
    moments = live(store)
    digests = [release(v).digest for v in ("1.0", "1.1", "0.9")] + [MANIFEST, sha256(b"redis"), sha256(b"unknown")]
    packages = ["pkg:npm/left", "pkg:npm/web@1.0.0", "pkg:npm/web@<2", "pkg:npm/right", "pkg:npm/nowhere"]
    advisories = ["GHSA-1", "CVE-1", "GHSA-2", "GHSA-3", "GHSA-4"]
    asked = (digests, packages, advisories, moments)
    with open_graph(tmp_path / "rebuilt.db") as rebuilt:
        rebuild(store, rebuilt)
        assert answers(rebuilt, *asked) == answers(store, *asked)


def test_an_estate_is_rebuilt_to_the_same_answers(store, tmp_path):
    estate.generate(store, releases=60, at=T0)
    digests = [ask.find_digest(store, f"service-{line}@1.{place}.0") for line in range(3) for place in (0, 7, 19)]
    asked = (digests, ["pkg:npm/gen-0", "pkg:npm/gen-3@<1.2"], ["GEN-0", "CVE-0000-1"], [T0 + 30 * MINUTE])
    with open_graph(tmp_path / "rebuilt.db") as rebuilt:
        assert rebuild(store, rebuilt) > 120
        assert answers(rebuilt, *asked) == answers(store, *asked)


def test_a_rebuild_adds_to_no_graph_that_holds_something(store, tmp_path):
    put(store, "1.0", OLD, at=T0)
    with open_graph(tmp_path / "other.db") as other:
        put(other, "1.0", OLD, at=T0)
        with pytest.raises(Undecided) as error:
            rebuild(store, other)
    assert error.value.id == "target-not-empty"


@pytest.mark.parametrize(("sql", "error_id"), [("UPDATE blob SET zbytes = x'00'", "document-damaged")])
def test_a_rebuild_stops_at_a_damaged_document(store, tmp_path, sql, error_id):
    put(store, "1.0", OLD, at=T0)
    store._connection.execute(sql)
    with open_graph(tmp_path / "other.db") as other, pytest.raises(Undecided) as error:
        rebuild(store, other)
    assert error.value.id == error_id


def test_a_lost_event_is_noticed(store, tmp_path):
    put(store, "1.0", OLD, at=T0)
    put(store, "1.1", NEW, at=T0 + 1)
    store._connection.execute("DELETE FROM event WHERE n = 1")
    with open_graph(tmp_path / "other.db") as other, pytest.raises(Undecided) as error:
        rebuild(store, other)
    assert error.value.id == "rebuild-differs"


def test_an_erased_document_stays_erased_and_answers_say_so(store, tmp_path):
    put(store, "1.0", OLD, at=T0)
    digest = release("1.0").digest
    lost = ask.digest(store, digest).release.inventory
    assert erase(store, at=T0 + MINUTE, document=lost, reason="asked to")
    assert not erase(store, at=T0 + MINUTE, document=lost, reason="asked to")
    assert [gap.subject for gap in ask.digest(store, digest).gaps] == [lost]
    with open_graph(tmp_path / "rebuilt.db") as rebuilt:
        rebuild(store, rebuilt)
        found = ask.digest(rebuilt, digest)
        assert found.release.inventory_is == "none"
        assert lost in {gap.subject for gap in found.gaps}
