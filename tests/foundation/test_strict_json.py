import time

import pytest

from safeconduct.foundation.errors import Refused
from safeconduct.foundation.strict_json import parse_strict


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 2}',
        b'{"image": "good", "Image": "evil"}',
        b'{"a": NaN}',
        b'{"a": 1} {"b": 2}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        b"",
        b"[" * 65 + b"]" * 65,
        b'{"s": "\\"", "b": ' + b"[" * 64 + b"]" * 64 + b"}",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="malformed-json"):
        parse_strict(data, max_bytes=1000)


def test_a_document_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refused, match="malformed-json"):
        parse_strict(b'{"a": 1}', max_bytes=7)


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    text = b'{"a": "' + b"[" * 500 + b'\\"' + b"{" * 500 + b'"}'
    assert parse_strict(text, max_bytes=5000)["a"].count("[") == 500


def test_a_string_without_end_is_refused_in_time_that_grows_with_its_length() -> None:
    """Half a megabyte took minutes when each quote in it was tried as a beginning."""
    began = time.process_time()
    with pytest.raises(Refused, match="malformed-json"):
        parse_strict(b'{"a": "' + b'\\"' * 250_000, max_bytes=1_000_000)
    assert time.process_time() - began < 2
