import pytest

from safeconduct.capabilities.graph import questions as ask
from safeconduct.foundation.errors import Refused
from safeconduct.intake.releases import Arrival, record_release, record_single
from safeconduct.model.component import Component, Inventory, Presence
from safeconduct.model.digest import sha256
from safeconduct.model.evidence import Claim, Evidence
from safeconduct.model.release import Line
from simulators.releases import COMMIT, MINUTE, T0, advisory, dump, evidence, feed, inventory, put, release, sbom, see

OLD = inventory("web@1.0.0", "left@1.0.0", edges=[("web@1.0.0", "left@1.0.0")])
NEW = inventory("web@1.1.0", "left@1.0.0", edges=[("web@1.1.0", "left@1.0.0")])


ASKED = ("web@1.0.0", "web@1.1.0", "left@1.0.0", "right@2.0.0")


def purls(store, version: str, **moment) -> set[str]:
    """The packages of a running release: by its spans, by its graph and by their number, which must agree."""
    digest = release(version).digest
    running = {name: ask.runs(store, f"pkg:npm/{name}", **moment).running for name in ASKED}
    by_span = {name for name, found in running.items() if version in {one.release.version for one in found}}
    by_graph = {name for name in ASKED if ask.path(store, digest, f"pkg:npm/{name}", **moment).steps}
    assert by_span == by_graph
    assert len(by_span) == (ask.digest(store, digest, **moment).components or 0)
    return by_span


def ship(store, version: str, held: Inventory | None, *, at: int, **more) -> None:
    """Record a release and see it run."""
    put(store, version, held, at=at, **more)
    see(store, release(version).digest, at=at + 1, pod=version)


def test_a_release_answers_with_what_it_is_made_of_and_who_vouches(store):
    assert put(store, "1.0", OLD, at=T0) is Arrival.NEW
    found = ask.digest(store, release("1.0").digest)
    assert found.release.commit is not None
    assert (found.release.product, found.release.version, found.release.commit.id) == ("shop", "1.0", COMMIT)
    assert found.release.commit_verified
    assert [signer.subject for signer in found.release.signers] == ["builder"]
    assert found.release.inventory_is == "verified"
    assert found.components == 2


def test_the_same_document_twice_changes_nothing(store):
    put(store, "1.0", OLD, at=T0)
    before = dump(store)
    assert put(store, "1.0", OLD, at=T0 + MINUTE, built_at=T0) is Arrival.KNOWN
    assert dump(store) == before


def test_membership_is_written_once_for_what_stays(store):
    ship(store, "1.0", OLD, at=T0)
    ship(store, "1.1", NEW, at=T0 + MINUTE)
    assert len(dump(store)["span"]) == 3
    assert purls(store, "1.0") == {"web@1.0.0", "left@1.0.0"}
    assert purls(store, "1.1") == {"web@1.1.0", "left@1.0.0"}


def test_a_release_older_than_the_head_gets_a_side_line_and_leaves_the_others_alone(store):
    ship(store, "1.1", NEW, at=T0 + MINUTE)
    ship(store, "1.0", OLD, at=T0 + 2 * MINUTE, built_at=T0)
    assert len(dump(store)["line"]) == 2
    assert purls(store, "1.0") == {"web@1.0.0", "left@1.0.0"}
    assert purls(store, "1.1") == {"web@1.1.0", "left@1.0.0"}
    before = dump(store)
    assert put(store, "1.0", OLD, at=T0 + 3 * MINUTE, built_at=T0) is Arrival.KNOWN
    assert dump(store) == before


def test_a_claimed_inventory_gives_way_to_a_verified_one_and_both_stay_known_as_of(store):
    first = release("1.0", built_at=T0)
    claimed = sbom(OLD)
    record_release(
        store,
        at=T0,
        release=first,
        evidence=Evidence(first.digest),
        documents={sha256(claimed): claimed},
        inventory_document=sha256(claimed),
    )
    see(store, first.digest, at=T0 + 1)
    ship(store, "1.1", NEW, at=T0 + MINUTE)
    assert ask.digest(store, first.digest).release.inventory_is == "claimed"
    changed = inventory("web@1.0.0", "right@2.0.0")
    record_release(store, at=T0 + 2 * MINUTE, release=first, evidence=evidence(first.digest, changed))
    assert ask.digest(store, first.digest).release.inventory_is == "verified"
    assert ask.digest(store, first.digest).components == 2
    assert purls(store, "1.0") == {"web@1.0.0", "right@2.0.0"}
    assert purls(store, "1.0", as_of=T0 + MINUTE) == {"web@1.0.0", "left@1.0.0"}
    assert purls(store, "1.0", as_of=T0 + MINUTE, known=T0 + 3 * MINUTE) == {"web@1.0.0", "right@2.0.0"}
    assert purls(store, "1.1") == {"web@1.1.0", "left@1.0.0"}


def test_a_correction_takes_the_findings_with_it_and_leaves_those_of_before(store):
    feed(store, advisory("GHSA-1", "left"), advisory("GHSA-2", "right"), at=T0 - MINUTE)
    for number in range(3):
        put(store, f"1.{number}", OLD, at=T0 + number * MINUTE)
    middle = release("1.1", built_at=T0 + MINUTE)
    # A verified inventory gives way to none: make the one held a claim.
    store._connection.execute("UPDATE release SET inventory_rank = 1")
    heard = evidence(middle.digest, inventory("right@2.0.0"))
    record_release(store, at=T0 + 9 * MINUTE, release=middle, evidence=heard)

    def met(version: str, **moment) -> list[str]:
        return [f.advisory.id for f in ask.digest(store, release(version).digest, **moment).findings]

    assert [met(f"1.{number}") for number in range(3)] == [["GHSA-1"], ["GHSA-2"], ["GHSA-1"]]
    assert [met(f"1.{number}", as_of=T0 + 8 * MINUTE) for number in range(3)] == [["GHSA-1"]] * 3


def test_a_correction_of_the_head_reaches_the_releases_that_follow(store):
    ship(store, "1.0", None, at=T0)
    assert ask.digest(store, release("1.0").digest).gaps
    first = release("1.0", built_at=T0)
    record_release(store, at=T0 + MINUTE, release=first, evidence=evidence(first.digest, OLD))
    assert purls(store, "1.0") == {"web@1.0.0", "left@1.0.0"}
    ship(store, "1.1", NEW, at=T0 + 2 * MINUTE)
    assert purls(store, "1.1") == {"web@1.1.0", "left@1.0.0"}
    assert purls(store, "1.0") == {"web@1.0.0", "left@1.0.0"}


def test_a_correction_in_the_middle_of_a_line_leaves_its_neighbours_alone(store):
    for number in range(3):
        ship(store, f"1.{number}", None if number == 1 else OLD, at=T0 + number * MINUTE)
    middle = release("1.1", built_at=T0 + MINUTE)
    record_release(store, at=T0 + 9 * MINUTE, release=middle, evidence=evidence(middle.digest, NEW))
    assert purls(store, "1.0") == purls(store, "1.2") == {"web@1.0.0", "left@1.0.0"}
    assert purls(store, "1.1") == {"web@1.1.0", "left@1.0.0"}


def test_the_same_digest_elsewhere_is_another_name_and_no_second_release(store):
    put(store, "1.0", OLD, at=T0)
    first = release("1.0", built_at=T0)
    mirrored = type(first)(
        "shop", "1.0", "mirror.example/shop", first.digest, COMMIT, Line("mirror.example/shop", "shop"), None, T0
    )
    assert record_release(store, at=T0 + MINUTE, release=mirrored, evidence=evidence(first.digest, OLD)) is Arrival.MORE
    assert len(dump(store)["release"]) == 1
    assert ("mirror", "mirror.example/shop") in ask.digest(store, first.digest).other_names
    before = dump(store)
    record_release(store, at=T0 + 2 * MINUTE, release=mirrored, evidence=evidence(first.digest, OLD))
    assert dump(store) == before


def test_the_platform_manifest_leads_to_its_release(store):
    manifest = sha256(b"linux/amd64")
    put(store, "1.0", OLD, at=T0, manifest=manifest)
    assert ask.digest(store, manifest).release.version == "1.0"


@pytest.mark.parametrize("by_manifest", [False, True])
def test_what_ran_before_its_release_was_known_moves_over_to_it(store, by_manifest):
    """The line of the unknown digest stays, and who asks by the knowledge of then still finds it there."""
    manifest = sha256(b"linux/amd64")
    seen = manifest if by_manifest else release("1.0").digest
    see(store, seen, at=T0)
    put(store, "1.0", OLD, at=T0 + MINUTE, manifest=manifest)
    found = ask.runs(store, "pkg:npm/left")
    assert [(r.release.version, r.place.since) for r in found.running] == [("1.0", T0)]
    assert len(ask.digest(store, seen).running) == 1
    assert len(ask.digest(store, seen, as_of=T0 + MINUTE // 2).running) == 1
    assert ask.digest(store, seen, as_of=T0 + MINUTE // 2).release.version == ""


def test_a_third_party_image_has_a_line_of_its_own(store):
    digest, document = sha256(b"redis"), sbom(OLD)
    record_single(
        store,
        at=T0,
        digest=digest,
        documents={sha256(document): document},
        inventory_document=sha256(document),
        name="docker.io/library/redis",
    )
    found = ask.digest(store, digest)
    assert (found.release.product, found.components) == ("docker.io/library/redis", 2)


def test_a_document_under_a_wrong_digest_is_refused_and_leaves_nothing(store):
    first = release("1.0")
    before = dump(store)
    with pytest.raises(Refused) as error:
        record_release(
            store, at=T0, release=first, evidence=Evidence(first.digest), documents={sha256(b"other"): b"this"}
        )
    assert error.value.id == "wrong-document"
    assert dump(store) == before


def test_evidence_whose_document_is_missing_is_refused(store):
    first = release("1.0")
    heard = evidence(first.digest, OLD)
    with pytest.raises(Refused) as error:
        record_release(store, at=T0, release=first, evidence=Evidence(first.digest, heard.claims))
    assert error.value.id == "evidence-without-document"


def test_an_inventory_with_a_name_that_is_none_is_refused_and_leaves_nothing(store):
    bad = Inventory((Component("not a purl", Presence.INSTALLED, ()),))
    first, document = release("1.0"), b"{}"
    before = dump(store)
    with pytest.raises(Refused) as error:
        record_release(
            store,
            at=T0,
            release=first,
            evidence=Evidence(first.digest),
            documents={sha256(document): document},
            inventory=bad,
            inventory_document=sha256(document),
        )
    assert error.value.id == "malformed-purl"
    assert dump(store) == before
    assert put(store, "1.0", OLD, at=T0) is Arrival.NEW


def test_a_signed_document_that_is_no_inventory_is_evidence_but_no_membership(store):
    first = release("1.0")
    heard = evidence(first.digest, OLD)
    nonsense = b"\xff\x00 no json"
    claims = (*heard.claims[:1], Claim(sha256(nonsense), *_rest(heard.claims[1])))
    raw = {**heard.raw, str(sha256(nonsense)): nonsense}
    record_release(store, at=T0, release=first, evidence=Evidence(first.digest, claims, raw=raw))
    found = ask.digest(store, first.digest)
    assert found.release.inventory_is == "none"
    assert found.components is None
    assert len(found.proofs) == 2
    assert found.gaps


def _rest(claim: Claim) -> tuple:
    return claim.predicate_type, claim.verified, claim.role


def test_times_are_made_monotonic_along_a_line(store):
    """A clock that runs back must not make an answer as of an instant change later."""
    put(store, "1.0", OLD, at=T0)
    put(store, "1.1", NEW, at=T0 - MINUTE, built_at=T0 + 1)
    times = [row[2] for row in dump(store)["event"]]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


def test_two_occurrences_of_one_package_count_once_with_the_stronger_scope(store):
    twice = Inventory(
        (
            Component("pkg:npm/left@1.0.0", Presence.LOCKED, (), ref="a"),
            Component("pkg:npm/left@1.0.0", Presence.INSTALLED, (), ref="b"),
        )
    )
    first, document = release("1.0"), b"{}"
    record_release(
        store,
        at=T0,
        release=first,
        evidence=Evidence(first.digest),
        documents={sha256(document): document},
        inventory=twice,
        inventory_document=sha256(document),
    )
    assert ask.digest(store, first.digest).components == 1
