"""What was answered is kept, however late: in order, or by whoever finds no room, or told as lost."""

import threading

import pytest

from safeconduct.capabilities.graph.store import open_graph
from safeconduct.foundation.errors import Undecided
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import sha256
from safeconduct.model.workload import Workload
from safeconduct.phases.deploy.admissions import Admitted, KeepAtOnce, KeepLater

DIGEST = sha256(b"image")


def admitted(number: int) -> Admitted:
    return Admitted(number, DIGEST, Workload("prod", "eu", "shop", f"pod/{number}", "web"), Outcome.PASSED, None)


def kept(store) -> list[str]:
    """The workloads whose admission the graph holds, in the order in which they were written."""
    return [row[0] for row in store._connection.execute("SELECT workload FROM judgement ORDER BY n")]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "graph.db"


@pytest.fixture
def store(file):
    with open_graph(file) as opened:
        yield opened


def test_everything_is_kept_in_order_when_the_keeper_is_closed(store, file):
    with KeepLater(lambda: open_graph(file)) as keeper:
        for number in range(1_000):
            keeper.keep(store, [admitted(number)])
    assert kept(store) == [f"pod/{number}" for number in range(1_000)]


def test_many_threads_lose_nothing(store, file):
    def answer(first: int) -> None:
        for number in range(first, first + 100):
            keeper.keep(store, [admitted(number)])

    with KeepLater(lambda: open_graph(file)) as keeper:
        threads = [threading.Thread(target=answer, args=(first,)) for first in range(0, 800, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(kept(store)) == sorted(f"pod/{number}" for number in range(800))


def test_what_finds_no_room_is_kept_before_it_is_answered(store, file):
    opening = threading.Event()

    def open_late():
        opening.wait(30)
        return open_graph(file)

    with KeepLater(open_late, room=2) as keeper:
        for number in range(20):
            keeper.keep(store, [admitted(number)])
        at_once = kept(store)
        opening.set()
    assert 0 < len(at_once) < 20
    assert sorted(kept(store)) == sorted(f"pod/{number}" for number in range(20))


def test_a_graph_that_cannot_be_written_for_a_while_gets_everything_later(store, file, monkeypatch):
    monkeypatch.setattr("safeconduct.phases.deploy.admissions._PAUSE_SECONDS", 0.01)
    tries = iter(range(100))

    def open_at_last():
        if next(tries) < 5:
            raise Undecided("store-busy", "somebody writes")
        return open_graph(file)

    keeper = KeepLater(open_at_last)
    keeper.keep(store, [admitted(1)])
    while not kept(store):
        pass
    keeper.close()
    assert kept(store) == ["pod/1"]


def test_what_can_never_be_kept_is_told(store):
    def refuse():
        raise Undecided("store-busy", "somebody writes")

    keeper = KeepLater(refuse)
    for number in range(3):
        keeper.keep(store, [admitted(number)])
    with pytest.raises(Undecided) as error:
        keeper.close()
    assert (error.value.id, error.value.what[:10]) == ("admissions-not-kept", "3 requests")
    assert kept(store) == []


def test_after_the_end_each_answer_is_kept_at_once(store, file):
    keeper = KeepLater(lambda: open_graph(file))
    keeper.close()
    keeper.close()
    keeper.keep(store, [admitted(1)])
    KeepAtOnce().keep(store, [admitted(2)])
    assert kept(store) == ["pod/1", "pod/2"]
