"""Small codes: how the graph's columns spell what documents and structs spell as words. Never renumber one."""

from safeconduct.model.commit import CommitState
from safeconduct.model.component import Component, Presence, Scope
from safeconduct.model.digest import Digest, from_bytes

OPEN_SEQ = 2_147_483_647
"""``span.last`` of a package that the newest release still has."""

_SCOPES = (Scope.RUNTIME, Scope.OPTIONAL, Scope.PEER, Scope.BUILD, Scope.DEV)
_PRESENCES = (Presence.INSTALLED, Presence.LOCKED, Presence.DECLARED, Presence.CLAIMED, Presence.UNRESOLVED)
_SCOPE_BITS = 8

COMMIT_STATES = (
    CommitState.VERIFIED,
    CommitState.UNSIGNED,
    CommitState.UNTRUSTED,
    CommitState.INVALID,
    CommitState.UNKNOWN,
)
TIME_SOURCES = ("none", "claimed", "first-seen", "timestamp", "log")
SOURCES = ("build", "gate", "other")
"""``attestation.source``: the usage under which its key was trusted."""

JUDGEMENTS = ("decision", "verdict", "admission")
JOINS = ("none", "image name", "digest", "pod", "container")
"""How a violation was tied to its release, weakest first."""

CLAIMED, VERIFIED = 1, 2
"""``release.inventory_rank``; 0 means that there is no inventory."""

AFFECTED = 0
"""The one ``affects.state`` so far."""


def encode_membership(component: Component) -> int:
    """Return the code of scope and presence; of two occurrences of one package the smaller code counts."""
    return _SCOPE_CODE[component.scope] + _SCOPE_BITS * _PRESENCE_CODE[component.presence]


def decode_membership(code: int) -> tuple[Scope, Presence]:
    """Return what ``encode_membership`` was given."""
    return _SCOPES[code % _SCOPE_BITS], _PRESENCES[code // _SCOPE_BITS]


def to_digest(raw: bytes | None) -> Digest | None:
    """Return a stored digest, or None where the column is empty."""
    return None if raw is None else from_bytes(raw)


_SCOPE_CODE = {scope: code for code, scope in enumerate(_SCOPES)}
_PRESENCE_CODE = {presence: code for code, presence in enumerate(_PRESENCES)}
