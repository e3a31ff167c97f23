import msgspec
import pytest

from safeconduct.capabilities.graph.store import open_graph
from safeconduct.foundation.errors import Undecided
from safeconduct.intake import estate
from safeconduct.intake.bodies import decode_body, encode_body
from safeconduct.intake.rebuild import rebuild
from simulators.releases import T0, inventory, put


class Anything(msgspec.Struct):
    text: str
    numbers: list[int]


def test_a_body_comes_back_as_it_was():
    body = Anything("\x00 \N{SNOWMAN} sha256:" * 50, list(range(1_000)))
    assert decode_body(encode_body(body), Anything) == body


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:20], lambda _: b"", lambda _: b"{}"])
def test_a_damaged_body_is_could_not_tell(damage):
    with pytest.raises(Undecided) as error:
        decode_body(damage(encode_body(Anything("x" * 100, []))), Anything)
    assert error.value.id == "event-damaged"


def test_a_changed_body_is_noticed():
    data = bytearray(encode_body(Anything("some text", [1, 2, 3])))
    for place in range(len(data)):
        data[place] ^= 1
        with pytest.raises(Undecided):
            decode_body(bytes(data), Anything)
        data[place] ^= 1


def test_a_release_with_its_commit_and_what_runs_takes_about_500_bytes_of_events(store):
    with store.transaction():
        for document in estate.make_documents(20, at=T0):
            estate.ingest(store, document)
    rows = store._connection.execute("SELECT kind, AVG(LENGTH(body)) FROM event GROUP BY kind")
    sizes = dict(rows)
    assert sizes["release"] < 300
    assert sizes["commits"] < 180


def test_a_damaged_event_stops_a_rebuild(store, tmp_path):
    put(store, "1.0", inventory("web@1.0.0"), at=T0)
    store._connection.execute("UPDATE event SET body = x'00'")
    with open_graph(tmp_path / "other.db") as other, pytest.raises(Undecided) as error:
        rebuild(store, other)
    assert error.value.id == "event-damaged"
