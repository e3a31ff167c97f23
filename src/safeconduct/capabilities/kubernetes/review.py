"""Admission reviews: what an API server asks, and the answer in its own words.

Only what is judged is decoded; the object stays as it came until its kind is known.

Source: Kubernetes API, admission.k8s.io/v1 (v1beta1 has the same fields and is answered in its own version).
"""

from typing import Any

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.decision import Outcome
from safeconduct.model.limits import LIMITS

VERSIONS = frozenset({"admission.k8s.io/v1", "admission.k8s.io/v1beta1"})
_MESSAGE = 4_096
_WARNING = 256
_WARNINGS = 8
_AUDIT = 1_024
_CODES = {Outcome.DENIED: (403, "Forbidden"), Outcome.UNDECIDED: (503, "ServiceUnavailable")}
_RETRY = "could not tell, so not admitted; retry"


class Kind(msgspec.Struct, frozen=True):
    """Group, version and kind of an object."""

    group: str = ""
    version: str = ""
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}" if self.group else self.kind


class Resource(msgspec.Struct, frozen=True):
    """Group, version and plural resource of an object."""

    group: str = ""
    version: str = ""
    resource: str = ""


class UserInfo(msgspec.Struct, frozen=True):
    """Who asked the API server."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] | None = None


class Request(msgspec.Struct, frozen=True, rename="camel"):
    """One admission request.

    Attributes:
        object, old_object: JSON as it came; empty when absent or null.
        sub_resource: empty for the object itself, else such as ``ephemeralcontainers`` or ``exec``.
    """

    uid: str
    kind: Kind = Kind()
    resource: Resource = Resource()
    sub_resource: str | None = None
    request_kind: Kind | None = None
    name: str | None = None
    namespace: str | None = None
    operation: str = ""
    user_info: UserInfo = UserInfo()
    object: msgspec.Raw = msgspec.Raw(b"")
    old_object: msgspec.Raw = msgspec.Raw(b"")
    dry_run: bool | None = None


class AdmissionReview(msgspec.Struct, frozen=True, rename="camel"):
    """A review as it was asked."""

    api_version: str
    kind: str
    request: Request


class Answer(msgspec.Struct, frozen=True):
    """What we say to one review.

    Attributes:
        message: what kubectl shows; empty when allowed.
        patch: a JSON patch, empty for none.
        warnings: shown by kubectl, also when allowed.
        audit: written into the API server's audit log; keys without a slash.
    """

    outcome: Outcome
    message: str = ""
    patch: bytes = b""
    warnings: tuple[str, ...] = ()
    audit: dict[str, str] = {}


_REVIEW = msgspec.json.Decoder(AdmissionReview)


def read_review(data: bytes) -> AdmissionReview:
    """Return the review that ``data`` is.

    Raises:
        Refused: ``bad-review`` when it is no AdmissionReview of a version that we speak, or too long.
    """
    if len(data) > LIMITS.review:
        raise bad_review(f"it has {len(data)} bytes, more than the limit of {LIMITS.review}")
    try:
        review = _REVIEW.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise bad_review(str(error)) from error
    if review.api_version not in VERSIONS or review.kind != "AdmissionReview":
        raise bad_review(f"it is {review.api_version[:80]!r}, {review.kind[:80]!r}; {sorted(VERSIONS)} are answered")
    if not review.request.uid:
        raise bad_review("its request has no uid, without which no answer can name it")
    return review


def allow(*, patch: bytes = b"", warnings: tuple[str, ...] = (), audit: dict[str, str] | None = None) -> Answer:
    """Return yes, with a patch if there is one."""
    return Answer(Outcome.PASSED, "", patch, warnings, audit or {})


def deny(message: str, *, warnings: tuple[str, ...] = (), audit: dict[str, str] | None = None) -> Answer:
    """Return no, and why: code 403."""
    return Answer(Outcome.DENIED, message, b"", warnings, audit or {})


def could_not_tell(message: str, *, warnings: tuple[str, ...] = (), audit: dict[str, str] | None = None) -> Answer:
    """Return that nothing could be said: not admitted, code 503, worth another try."""
    return Answer(Outcome.UNDECIDED, f"{message} ({_RETRY})", b"", warnings, audit or {})


def encode_answer(api_version: str, uid: str, answer: Answer) -> bytes:
    """Return the AdmissionReview that carries ``answer`` back; texts are shortened and made printable."""
    response: dict[str, Any] = {"uid": uid, "allowed": answer.outcome is Outcome.PASSED}
    if answer.outcome is not Outcome.PASSED:
        code, reason = _CODES[answer.outcome]
        message = printable(answer.message, _MESSAGE)
        response["status"] = {"status": "Failure", "message": message, "reason": reason, "code": code}
    elif answer.patch:
        response |= {"patchType": "JSONPatch", "patch": answer.patch}
    if answer.warnings:
        response["warnings"] = [printable(warning, _WARNING) for warning in answer.warnings[:_WARNINGS]]
    if answer.audit:
        response["auditAnnotations"] = {key: printable(value, _AUDIT) for key, value in answer.audit.items()}
    return msgspec.json.encode({"apiVersion": api_version, "kind": "AdmissionReview", "response": response})


def printable(text: str, limit: int) -> str:
    """Return ``text`` with line breaks kept, other unprintable characters replaced, and no longer than ``limit``."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def bad_review(why: str) -> Refused:
    """Return the error for a body that is no review."""
    return Refused(
        "bad-review",
        "this is not an admission review that can be answered",
        why=why,
        next_step="send a v1 AdmissionReview, as an API server does for a webhook configuration",
    )
