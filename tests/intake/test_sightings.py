from safeconduct.capabilities.graph import questions as ask
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.intake.rebuild import rebuild
from safeconduct.intake.sightings import record_list, record_sightings
from safeconduct.model.digest import sha256
from safeconduct.model.workload import CompleteList
from simulators.releases import MINUTE, T0, dump, inventory, put, release, see, sighting

HELD = inventory("web@1.0.0", "left@1.0.0")
DIGEST = release("1.0").digest


def running(store, **moment) -> list[int]:
    return [found.place.since for found in ask.runs(store, "pkg:npm/left", **moment).running]


def test_what_a_cluster_reports_runs_until_it_reports_the_end(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1)
    assert running(store) == [T0 + 1]
    see(store, DIGEST, at=T0 + MINUTE, running=False)
    assert running(store) == []
    assert running(store, as_of=T0 + 2) == [T0 + 1]
    found = ask.digest(store, DIGEST)
    assert (len(found.running), len(found.ran)) == (0, 1)


def test_a_deployment_ends_with_its_last_pod(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, pod="a")
    see(store, DIGEST, at=T0 + 2, pod="b")
    assert running(store) == [T0 + 1]
    see(store, DIGEST, at=T0 + 3, pod="a", running=False)
    assert running(store) == [T0 + 1]
    see(store, DIGEST, at=T0 + 4, pod="b", running=False)
    assert running(store) == []


def test_the_same_sightings_again_change_nothing(store):
    put(store, "1.0", HELD, at=T0)
    seen = [sighting(DIGEST, at=T0 + 1), sighting(DIGEST, at=T0 + 2, running=False)]
    assert record_sightings(store, at=T0 + 3, sightings=seen, document=b"watch") == 2
    before = dump(store)
    assert record_sightings(store, at=T0 + 4, sightings=seen, document=b"watch") == 0
    assert dump(store) == before


def test_an_end_that_comes_before_its_beginning_ends_nothing(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 5)
    see(store, DIGEST, at=T0 + 4, running=False)
    assert running(store) == [T0 + 5]


def test_a_restarted_container_replaces_the_one_before_it_in_its_pod(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, container_id="a" * 64)
    see(store, DIGEST, at=T0 + 2, container_id="b" * 64)
    see(store, DIGEST, at=T0 + 3, container_id="b" * 64, running=False)
    assert running(store) == []


def test_pods_without_names_do_not_replace_each_other(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, pod="", container_id="a" * 64)
    see(store, DIGEST, at=T0 + 2, pod="", container_id="b" * 64)
    see(store, DIGEST, at=T0 + 3, pod="", container_id="b" * 64, running=False)
    assert running(store) == [T0 + 1]


def test_an_unknown_digest_is_kept_and_named_as_could_not_tell(store):
    unknown = sha256(b"somebody else's image")
    see(store, unknown, at=T0)
    found = ask.digest(store, unknown)
    assert len(found.running) == 1
    assert found.gaps
    assert [gap.subject for gap in ask.runs(store, "pkg:npm/left").gaps] == ["1 running container"]


def test_a_region_that_is_learnt_later_is_kept(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, region="", pod="a")
    see(store, DIGEST, at=T0 + 2, region="eu", pod="b")
    assert {found.place.region for found in ask.runs(store, "pkg:npm/left").running} == {"eu"}


def test_state_and_knowledge_are_asked_apart(store):
    """It ran from T0 to T0 + 5; the graph heard of the start a minute later, of the end after two."""
    put(store, "1.0", HELD, at=T0 - MINUTE)
    record_sightings(store, at=T0 + MINUTE, sightings=[sighting(DIGEST, at=T0)])
    record_sightings(store, at=T0 + 2 * MINUTE, sightings=[sighting(DIGEST, at=T0 + 5, running=False)])
    assert running(store, as_of=T0 + 3) == []
    assert running(store, as_of=T0 + 3, known=T0 + MINUTE) == [T0]
    assert running(store, as_of=T0 + MINUTE) == [T0]
    assert running(store, as_of=T0 + MINUTE, known=T0 + 2 * MINUTE) == []
    assert running(store, as_of=T0 + 3, known=T0 + 2 * MINUTE) == [T0]


LATER = T0 + MINUTE


def take(store, *named, at=LATER, known=LATER + 1, **more) -> list[str]:
    """Take in a complete list; the Pods that ended by it."""
    complete = CompleteList("prod", at, **more)
    return [ended.pod for ended in record_list(store, at=known, complete=complete, sightings=named, document=b"list")]


def test_a_complete_list_ends_what_it_does_not_name_at_its_own_time(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, pod="a")
    see(store, DIGEST, at=T0 + 2, pod="b")
    assert take(store, sighting(DIGEST, at=T0 + 1, pod="a")) == ["b"]
    assert running(store) == [T0 + 1]
    assert take(store, at=LATER + 5, known=LATER + 6) == ["a"]
    assert running(store) == []
    assert running(store, as_of=LATER + 4, known=LATER + 6) == [T0 + 1]
    assert ask.digest(store, DIGEST, known=LATER + 6).ran


def test_a_complete_list_taken_in_again_changes_nothing(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1)
    assert take(store) == ["shop-1"]
    before = dump(store)
    assert take(store, known=LATER + 9) == []
    assert dump(store) == before


def test_a_complete_list_says_nothing_of_other_clusters_and_namespaces(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1)
    elsewhere = CompleteList("test", LATER)
    assert record_list(store, at=LATER + 1, complete=elsewhere, sightings=()) == ()
    assert take(store, namespaces=("kitchen",)) == []
    assert running(store) == [T0 + 1]
    assert take(store, namespaces=("kitchen", "shop")) == ["shop-1"]


def test_a_complete_list_says_nothing_of_what_became_known_after_it_was_taken(store):
    """Whatever clock the node goes by: the start that it reports may lie before the list."""
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=LATER + 1, since=T0 + 1)
    assert take(store, at=LATER, known=LATER + 2) == []
    assert running(store) == [T0 + 1]


def test_a_pod_that_a_list_names_without_telling_all_of_it_does_not_end(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1)
    assert take(store, untold=("shop/shop-1",)) == []


def test_what_runs_again_under_another_id_or_digest_has_ended(store):
    put(store, "1.0", HELD, at=T0)
    put(store, "1.1", HELD, at=T0 + 1)
    see(store, DIGEST, at=T0 + 2)
    newer = sighting(release("1.1").digest, at=T0 + 3, container_id="e" * 64)
    assert take(store, newer) == ["shop-1"]
    assert [found.release.version for found in ask.runs(store, "pkg:npm/left").running] == ["1.1"]


def test_a_container_whose_id_one_side_does_not_tell_runs_on(store):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, container_id="")
    assert take(store, sighting(DIGEST, at=T0 + 1)) == []
    assert running(store) == [T0 + 1]


def test_what_a_list_ended_is_rebuilt_ended(store, tmp_path):
    put(store, "1.0", HELD, at=T0)
    see(store, DIGEST, at=T0 + 1, pod="a")
    see(store, DIGEST, at=T0 + 2, pod="b")
    take(store, sighting(DIGEST, at=T0 + 1, pod="a"))
    with open_graph(tmp_path / "rebuilt.db") as rebuilt:
        rebuild(store, rebuilt)
        for table in ("pod", "deployment", "event"):
            assert dump(rebuilt)[table] == dump(store)[table]
