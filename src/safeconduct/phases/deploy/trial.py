"""A trial of the deploy gate: a manifest taken through mutation and validation, as an API server would."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from safeconduct.capabilities.kubernetes.manifest import read_manifest
from safeconduct.capabilities.kubernetes.review import Answer, encode_answer, read_review
from safeconduct.foundation.errors import SafeconductError, Undecided
from safeconduct.model.decision import Outcome
from safeconduct.phases.deploy.admission import Admission

Ask = Callable[[str, bytes], bytes]
"""Gives the answer to a review (``mutate`` or ``validate``, body), both as JSON bytes."""

_DENIED = 403


class Trial(msgspec.Struct, frozen=True):
    """What was said about one object.

    Attributes:
        images: the images that the object names after mutation.
        message: what kubectl would show; empty when admitted.
    """

    file: str
    kind: str
    name: str
    outcome: Outcome
    message: str
    images: tuple[str, ...]


def try_manifest(file: str, data: bytes, ask: Ask, *, namespace: str, record: bool) -> tuple[Trial, ...]:
    """Return what the gate says about each object in a manifest.

    Args:
        file: what the manifest is called.
        record: False asks as a dry run, of which the webhook keeps nothing.

    Raises:
        Refused: ``bad-manifest-file``; Undecided: ``bad-answer`` when the webhook's answer cannot be read.
    """
    return tuple(_try(file, review, ask) for review in read_manifest(data, namespace=namespace, dry_run=not record))


def ask_in_process(admission: Admission) -> Ask:
    """Return a way to ask an admission that runs here, without a server."""

    def ask(phase: str, body: bytes) -> bytes:
        review = read_review(body)
        try:
            answer = admission.review(review.request, phase="mutate" if phase == "mutate" else "validate")
        except Undecided as error:
            answer = Answer(Outcome.UNDECIDED, error.render())
        except SafeconductError as error:
            answer = Answer(Outcome.DENIED, error.render())
        return encode_answer(review.api_version, review.request.uid, answer)

    return ask


def _try(file: str, review: bytes, ask: Ask) -> Trial:
    asked = msgspec.json.decode(review)
    for phase in ("mutate", "validate"):
        response = _response(ask(phase, msgspec.json.encode(asked)))
        if not response.get("allowed"):
            status = response.get("status") or {}
            outcome = Outcome.DENIED if status.get("code") == _DENIED else Outcome.UNDECIDED
            return _trial(file, asked, outcome, str(status.get("message", "no reason was given")))
        if response.get("patch"):
            _apply(asked["request"]["object"], msgspec.json.decode(base64.b64decode(response["patch"])))
    return _trial(file, asked, Outcome.PASSED, "")


def _response(body: bytes) -> dict[str, Any]:
    try:
        response: dict[str, Any] = msgspec.json.decode(body)["response"]
        response["allowed"] = response["allowed"] is True
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise Undecided(
            "bad-answer",
            "the webhook's answer is no admission review",
            why=str(error),
            next_step="see that --webhook names a Safeconduct server",
        ) from error
    return response


def _apply(target: dict[str, Any], patch: list[dict[str, Any]]) -> None:
    for step in patch:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        holder: Any = target
        for part in path:
            holder = holder[int(part)] if isinstance(holder, list) else holder[part]
        if isinstance(holder, list):
            holder[int(last)] = step["value"]
        else:
            holder[last] = step["value"]


def _trial(file: str, asked: dict[str, Any], outcome: Outcome, message: str) -> Trial:
    given = asked["request"]["object"]
    return Trial(
        file=file,
        kind=str(given.get("kind", "")),
        name=str((given.get("metadata") or {}).get("name", "")),
        outcome=outcome,
        message=message,
        images=tuple(sorted(_images(given))),
    )


def _images(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["image"]} if isinstance(value.get("image"), str) else set()
        return own.union(*(_images(v) for v in value.values()))
    if isinstance(value, list):
        return set().union(*(_images(v) for v in value))
    return set()
