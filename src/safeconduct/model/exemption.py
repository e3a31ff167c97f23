"""Exemptions: a rule set aside for a scope, by someone, for a reason, until a day."""

import msgspec


class Exemption(msgspec.Struct, frozen=True):
    """A granted exemption. It may turn denied into passed, never could-not-tell into passed.

    Attributes:
        scope: what it covers: a repository, a digest or a purl.
        until: RFC 3339 time after which it no longer holds.
    """

    rule: str
    scope: str
    reason: str
    owner: str
    until: str
