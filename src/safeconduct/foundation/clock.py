"""The clock, as a value that is passed in: nothing below the command line and the server asks the system."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Gives microseconds since 1970."""

_MICROSECONDS = 1_000_000


def system_clock() -> int:
    """Return the system's time in microseconds since 1970."""
    return time.time_ns() // 1_000


def to_datetime(microseconds: int) -> datetime:
    """Return ``microseconds`` since 1970 as an aware UTC time."""
    return datetime.fromtimestamp(microseconds / _MICROSECONDS, UTC)


def to_rfc3339(microseconds: int) -> str:
    """Return ``microseconds`` since 1970 as ``2026-11-23T10:04:05.000006Z``."""
    seconds, rest = divmod(microseconds, _MICROSECONDS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:06d}Z" if rest else f"{text}Z"


def from_rfc3339(text: str) -> int:
    """Return an RFC 3339 time as microseconds since 1970.

    Raises:
        ValueError: not a time, or one without a zone.
    """
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    try:
        delta = parsed - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(f"a time beyond the calendar: {text!r}") from error
    return (delta.days * 86_400 + delta.seconds) * _MICROSECONDS + delta.microseconds
