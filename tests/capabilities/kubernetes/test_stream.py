"""Objects are given out with the byte that ends them; what is broken is told once, and the rest goes on."""

import json
import random

import pytest

from safeconduct.capabilities.kubernetes.stream import Broken, Objects

EVENTS = [
    {"type": "ADDED", "object": {"kind": "Pod", "text": 'a "quoted" {brace} [and] \\ back\nslash', "list": [{}, []]}},
    {"type": "MODIFIED", "object": {"kind": "Pod", "conditions": [{"type": "Ready"}, {"type": "Initialized"}]}},
    {"type": "DELETED", "object": {"kind": "Pod", "text": "\u2028 ü"}},
]


def compact(event) -> bytes:
    return json.dumps(event).encode() + b"\n"


def spread(event) -> bytes:
    """As kubectl prints it."""
    return json.dumps(event, indent=4, ensure_ascii=False).encode() + b"\n"


def flush_left(event) -> bytes:
    """Over lines, without indentation: an inner object may begin a line as well."""
    return json.dumps(event, indent=0, ensure_ascii=False).encode() + b"\n"


def together(event) -> bytes:
    return json.dumps(event).encode()


def parts(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def read(pieces) -> list:
    objects = Objects()
    found = [one for piece in pieces for one in objects.feed(piece)] + objects.finish()
    return [one if isinstance(one, Broken) else json.loads(one) for one in found]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
@pytest.mark.parametrize("form", [compact, spread, together, flush_left])
def test_objects_are_told_apart_however_they_are_printed_and_arrive(form, size):
    assert read(parts(b"".join(map(form, EVENTS * 3)), size)) == EVENTS * 3


@pytest.mark.parametrize("form", [compact, spread, together, flush_left])
def test_an_object_is_given_out_with_its_last_brace(form):
    objects = Objects()
    for event in EVENTS:
        data = form(event).rstrip()
        assert objects.feed(data[:-1]) == []
        assert [json.loads(one) for one in objects.feed(data[-1:])] == [event]


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("form", [compact, spread])
@pytest.mark.parametrize(
    "bad",
    [
        b"Error from server (Forbidden): pods is forbidden\n",
        b"  indented { nonsense\n",
        b'{"type": "ADDED", "object": {"a": 1\n',
        b'{"type": "ADDED", "object": {"a": "cut in the mid\n',
        b'{\n    "type": "ADDED",\n    "object": {\n        "a": "cut\n        {\n            "type": "Q"\n        }\n',
        b'{\n    "type": "ADDED",\n    "object": {\n        "a": [\n',
        b'{\n    "type": "ADDED",\n',
        b"\xff\xfe\x00\n",
        b"]\n",
        b'"text"\n',
    ],
)
def test_what_is_broken_is_told_once_and_the_rest_goes_on(form, size, bad):
    found = read(parts(form(EVENTS[0]) + bad + form(EVENTS[1]) + form(EVENTS[2]), size))
    assert [one for one in found if not isinstance(one, Broken)] == EVENTS
    assert [isinstance(one, Broken) for one in found] == [False, True, False, False]


def test_a_stream_that_ends_inside_of_an_object_says_so():
    assert read([compact(EVENTS[0]), b'{"type": "ADD']) == [
        EVENTS[0],
        Broken('the stream ends inside of \'{"type": "ADD\''),
    ]
    assert read([b" \n\n"]) == []


def test_an_object_without_end_is_given_up_at_the_cap():
    objects = Objects(most=1_000)
    found = [
        one
        for piece in [b'{"a": "' + b"x" * 900, b"x" * 900, b'"}\n', compact(EVENTS[0])]
        for one in objects.feed(piece)
    ]
    assert found[0] == Broken("more than 1000 bytes without an end")
    assert [json.loads(one) for one in found[1:]] == [EVENTS[0]]


def test_random_bytes_are_survived():
    chance = random.Random(1)
    text = b"".join(map(spread, EVENTS))
    for _ in range(300):
        data = bytearray(text)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.choice(b'{}[]"\\\n,x\x00\xff')
        objects = Objects(most=chance.choice([50, 100_000]))
        for piece in parts(bytes(data), chance.randint(1, 90)):
            objects.feed(piece)
        objects.finish()
