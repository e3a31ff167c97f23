"""Errors say what, why and what to do next, and carry a documented id.

The tree; leaves live beside the code that raises them::

    SafeconductError
    ├── Refused        the answer is no: exit 1
    ├── BadUsage       the question was wrong: exit 2
    └── Undecided      no answer could be had: exit 3, gates fail closed
"""

from safeconduct.model.decision import Outcome


class SafeconductError(Exception):
    """Base of all errors we raise on purpose.

    Attributes:
        id: stable id, documented in ``docs/errors.md``.
        what: one sentence: what went wrong, naming the thing.
        why: what was seen that makes it so.
        next: what to do about it, preferably a command.
    """

    exit_code: int = Outcome.UNDECIDED

    def __init__(self, error_id: str, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(f"error[{error_id}]: {what}")
        self.id = error_id
        self.what = what
        self.why = why
        self.next = next_step

    def render(self) -> str:
        """Return the error as people read it, one to three lines."""
        lines = [f"error[{self.id}]: {self.what}"]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.next:
            lines.append(f"  next: {self.next}")
        return "\n".join(lines)


class Refused(SafeconductError):
    """Something was looked at and is not acceptable."""

    exit_code = Outcome.DENIED


class BadUsage(SafeconductError):
    """The command, a setting or an argument is wrong."""

    exit_code = 2


class Undecided(SafeconductError):
    """No answer could be had; never to be read as yes."""

    exit_code = Outcome.UNDECIDED
