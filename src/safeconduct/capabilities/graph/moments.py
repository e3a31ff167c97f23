"""Moments: as of when the state is asked for, and with the knowledge of when."""

import msgspec

_ALWAYS = 1 << 62


class Moment(msgspec.Struct, frozen=True):
    """A state and a knowledge time, microseconds since 1970; both far ahead for now."""

    state: int = _ALWAYS
    known: int = _ALWAYS

    @property
    def is_now(self) -> bool:
        """True when the newest state is asked for with all that is known."""
        return self.state == _ALWAYS and self.known == _ALWAYS

    @property
    def params(self) -> dict[str, int]:
        """The parameters ``:state`` and ``:known`` of an as-of statement."""
        return {"state": self.state, "known": self.known}

    def pick(self, name: str) -> str:
        """Return the statement to use: ``name`` for now, ``name_at`` for any other moment."""
        return name if self.is_now else f"{name}_at"


def moment(as_of: int | None, known: int | None) -> Moment:
    """Return the moment that a question asks for.

    Args:
        as_of: state and knowledge at that time, unless
        known: says that the knowledge of another time is wanted.
    """
    state = _ALWAYS if as_of is None else as_of
    return Moment(state, (state if as_of is not None else _ALWAYS) if known is None else known)
