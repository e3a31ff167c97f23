"""Decisions: three answers, never two, with their reasons."""

from enum import IntEnum

import msgspec

from safeconduct.model.digest import Digest


class Outcome(IntEnum):
    """The answer, which is also the exit code of the command that gives it."""

    PASSED = 0
    DENIED = 1
    UNDECIDED = 3

    @property
    def word(self) -> str:
        """As people read it."""
        return _WORDS[self]


_WORDS = {Outcome.PASSED: "passed", Outcome.DENIED: "denied", Outcome.UNDECIDED: "could not tell"}


class Reason(msgspec.Struct, frozen=True):
    """Why one rule said no, or could not say.

    Attributes:
        rule: id of the rule, which is also its page in the docs.
        subject: what it is about: a purl, a commit, a digest, a path.
        remedy: what to do next, as a sentence or a command.
    """

    rule: str
    outcome: Outcome
    message: str
    subject: str = ""
    remedy: str = ""
    severity: str = "high"
    exempted_by: str = ""


class Decision(msgspec.Struct, frozen=True):
    """One judgement of one gate.

    Attributes:
        gate: ``develop``, ``build``, ``release``, ``deploy`` or ``operate``.
        policy: digest of the policy pack with its parameters.
        input: digest of the exact input bytes the engine saw.
        rules: ids of the rules that were evaluated.
        at: microseconds since 1970.
        valid_until: microseconds since 1970, the earliest expiry of anything it rests on; 0 when nothing expires.
    """

    gate: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    policy: Digest
    input: Digest
    rules: tuple[str, ...]
    at: int
    trust_version: int = 0
    subject: str = ""
    valid_until: int = 0
    exempted: tuple[Reason, ...] = ()
