"""Times as users type them."""

from datetime import UTC, datetime
from typing import Any

import click

from safeconduct.foundation.clock import from_rfc3339

NOW = 1 << 62
"""Later than anything that ever was."""


class Instant(click.ParamType[int | None]):
    """An RFC 3339 time, as microseconds since 1970; ``now`` is no time at all."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Return microseconds since 1970, None for now."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if value == "now":
            return NOW
        try:
            return from_rfc3339(value)
        except ValueError:
            self.fail(
                f"{value!r} is no RFC 3339 time with a zone, such as {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", param, ctx
            )
