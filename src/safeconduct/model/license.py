"""Licences as a policy sees them."""

import msgspec


class LicenseFact(msgspec.Struct, frozen=True):
    """A component's terms.

    Attributes:
        expression: normalised SPDX expression, or the text as found when it is none.
        keys: the SPDX ids in it, sorted; empty when it could not be read.
        known: False when nothing is declared or the text is no SPDX expression.
    """

    component: str
    expression: str
    keys: tuple[str, ...]
    known: bool
