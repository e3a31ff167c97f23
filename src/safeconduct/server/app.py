"""The HTTP face: admission reviews, event receivers, health and counters.

Asynchronous only here; judging runs in a bounded pool of threads under a deadline. Whatever goes wrong on the way to
an answer is *could not tell*, which a webhook that fails closed does not admit.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from safeconduct.capabilities.kubernetes import review as reviews
from safeconduct.capabilities.kubernetes.review import AdmissionReview, Answer, encode_answer, read_review
from safeconduct.capabilities.kubernetes.watch import Place, Seen, read_pods
from safeconduct.capabilities.runtime.falco import read_alerts
from safeconduct.foundation.clock import Clock, system_clock
from safeconduct.foundation.errors import BadUsage, Refused, SafeconductError, Undecided
from safeconduct.model.limits import LIMITS
from safeconduct.model.violation import Violation
from safeconduct.server.access import Access
from safeconduct.server.counters import Counters

Phase = Literal["mutate", "validate"]
Taker = Callable[[bytes, Place], tuple[int, tuple[str, ...]]]
Handler = Callable[[Request], Awaitable[Response]]

_LOG = logging.getLogger("safeconduct.server")
_SECONDS = re.compile(r"(\d{1,3})s")
_RESERVE_SECONDS = 1.0
_LEAST_SECONDS = 0.5
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,252}")
_EVENT_BYTES = LIMITS.bundle
_STATUS = {Refused: 400, BadUsage: 400, Undecided: 503}


class Reviewer(Protocol):
    """Judges admission requests; called from many threads at once."""

    def review(self, request: reviews.Request, *, phase: Phase) -> Answer:
        """Return the answer; a SafeconductError raised here is one as well (Refused: no; else: could not tell)."""


class Receiver(Protocol):
    """Takes what detectors and watchers report; called from many threads at once."""

    def take_violations(self, violations: tuple[Violation, ...]) -> None:
        """Record all of them, or raise."""

    def take_sightings(self, seen: Seen) -> None:
        """Record all of them, or raise."""


class Bounds(msgspec.Struct, frozen=True):
    """How much this server takes on.

    Attributes:
        workers: threads that judge and record.
        waiting: reviews that may be under way or wait; beyond, the answer is *could not tell* at once.
    """

    workers: int = 8
    waiting: int = 256


BOUNDS = Bounds()


def create_app(
    reviewer: Reviewer,
    receiver: Receiver,
    access: Access,
    *,
    timeout_seconds: float = 10,
    bounds: Bounds = BOUNDS,
    ready: Callable[[], bool] = lambda: True,
    clock: Clock = system_clock,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application.

    Args:
        reviewer: judges reviews.
        receiver: records events.
        access: who may post events; admission itself is open to whoever reaches it, as it only answers questions.
        timeout_seconds: of the webhook configuration, unless the API server says less; we answer a second before it.
        bounds: of work.
        ready: whether this server may be sent traffic.
        clock: for events that carry no time of their own.
        routes: of other faces, such as the lineage page.
    """
    counters = Counters()
    pool = ThreadPoolExecutor(bounds.workers, "review")
    admission = _Admission(reviewer, pool, counters, timeout_seconds, bounds)
    events = _Events(receiver, pool, counters, access, clock)
    own = [
        Route("/admission/mutate", admission.endpoint("mutate"), methods=["POST"]),
        Route("/admission/validate", admission.endpoint("validate"), methods=["POST"]),
        Route("/events/falco", events.endpoint("falco"), methods=["POST"]),
        Route("/events/pods", events.endpoint("pods"), methods=["POST"]),
        Route("/healthz", _fixed(lambda: True), methods=["GET"]),
        Route("/readyz", _fixed(ready), methods=["GET"]),
        Route("/metrics", _metrics(counters), methods=["GET"]),
    ]
    return Starlette(routes=[*own, *routes], exception_handlers={Exception: _crashed, SafeconductError: _failed})


class _Admission:
    """Answers reviews within their time."""

    def __init__(
        self, reviewer: Reviewer, pool: ThreadPoolExecutor, counters: Counters, timeout_seconds: float, bounds: Bounds
    ) -> None:
        self._reviewer = reviewer
        self._pool = pool
        self._counters = counters
        self._timeout_seconds = timeout_seconds
        self._room = bounds.waiting

    def endpoint(self, phase: Phase) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                body = await _body(request, LIMITS.review)
                started = time.perf_counter()
                review = read_review(body)
            except SafeconductError as error:
                self._counters.add("refused_total", reason="bad-review")
                return _error(error)
            given = await self._judge(review, phase, _seconds(request, self._timeout_seconds))
            self._counters.add("admissions_total", phase=phase, outcome=given.outcome.name.lower())
            self._counters.add("admission_seconds_total", time.perf_counter() - started, phase=phase)
            return Response(encode_answer(review.api_version, review.request.uid, given), media_type="application/json")

        return answer

    async def _judge(self, review: AdmissionReview, phase: Phase, seconds: float) -> Answer:
        if self._room <= 0:
            return reviews.could_not_tell("too many reviews are waiting already")
        self._room -= 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._ask, review.request, phase)
        work.add_done_callback(self._done)
        await asyncio.wait((work,), timeout=seconds)
        if work.done():
            return work.result()
        return reviews.could_not_tell(f"judging takes longer than {seconds:g} seconds; it goes on meanwhile")

    def _done(self, _: object) -> None:
        self._room += 1

    def _ask(self, request: reviews.Request, phase: Phase) -> Answer:
        try:
            return self._reviewer.review(request, phase=phase)
        except Refused as error:
            return reviews.deny(_sentence(error))
        except SafeconductError as error:
            return reviews.could_not_tell(_sentence(error))
        except Exception:  # noqa: BLE001 - any error of ours is an answer: could not tell
            _LOG.exception("a review ended in an error of ours; uid %r", request.uid[:64])
            return reviews.could_not_tell("an error of ours, which is in the server's log under this request's uid")


class _Events:
    """Takes events from those who may post them."""

    def __init__(
        self, receiver: Receiver, pool: ThreadPoolExecutor, counters: Counters, access: Access, clock: Clock
    ) -> None:
        self._receiver = receiver
        self._pool = pool
        self._counters = counters
        self._access = access
        self._clock = clock

    def endpoint(self, kind: Literal["falco", "pods"]) -> Handler:
        take = self._falco if kind == "falco" else self._pods

        async def answer(request: Request) -> Response:
            if not self._access.is_granted(request):
                self._counters.add("refused_total", reason="no-token")
                return _error(_no_token(), 401, {"www-authenticate": "Bearer"})
            try:
                body = await _body(request, _EVENT_BYTES)
                place = _place(request, needed=kind == "pods")
                loop = asyncio.get_running_loop()
                taken, unknown = await loop.run_in_executor(self._pool, _recorded, take, body, place)
            except SafeconductError as error:
                self._counters.add("refused_total", reason=f"bad-{kind}")
                return _error(error)
            self._counters.add("events_total", taken, kind=kind)
            return _json({"taken": taken, "unknown": unknown}, 202)

        return answer

    def _falco(self, body: bytes, place: Place) -> tuple[int, tuple[str, ...]]:
        found = read_alerts(body, place.cluster)
        if found:
            self._receiver.take_violations(found)
        return len(found), ()

    def _pods(self, body: bytes, place: Place) -> tuple[int, tuple[str, ...]]:
        now = self._clock()
        seen = read_pods(body, place, now)
        if seen.sightings or seen.unknown:
            self._receiver.take_sightings(seen)
        return len(seen.sightings), seen.unknown


def _recorded(take: Taker, body: bytes, place: Place) -> tuple[int, tuple[str, ...]]:
    try:
        return take(body, place)
    except SafeconductError:
        raise
    except Exception as error:
        _LOG.exception("events could not be recorded")
        raise Undecided(
            "not-recorded",
            "these events could not be recorded",
            why="an error of ours, which is in the server's log",
            next_step="send them again later: recording twice changes nothing",
        ) from error


async def _body(request: Request, limit: int) -> bytes:
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit:
                raise Refused(
                    "body-too-large",
                    f"a request of more than {limit} bytes",
                    why="everything read from outside has a cap, and this is beyond it",
                    next_step="send it in smaller parts",
                )
    except ClientDisconnect as error:
        raise Undecided("client-gone", "the client hung up before its request was whole") from error
    return bytes(data)


def _seconds(request: Request, configured: float) -> float:
    """Return how long judging may take: the API server says in ``?timeout=10s`` when it hangs up."""
    asked = _SECONDS.fullmatch(request.query_params.get("timeout", ""))
    allowed = min(configured, float(asked[1])) if asked else configured
    return max(allowed - _RESERVE_SECONDS, _LEAST_SECONDS)


def _place(request: Request, *, needed: bool) -> Place:
    cluster, region = (request.query_params.get(name, "") for name in ("cluster", "region"))
    if (needed and not cluster) or any(text and not _PLACE.fullmatch(text) for text in (cluster, region)):
        raise BadUsage(
            "bad-place",
            "these events do not say which cluster they come from",
            why="'cluster' is missing or is not a plain name",
            next_step="post to …?cluster=NAME&region=NAME",
        )
    return Place(cluster, region)


def _sentence(error: SafeconductError) -> str:
    parts = [f"[{error.id}] {error.what}", error.why, f"next: {error.next}" if error.next else ""]
    return "; ".join(part for part in parts if part)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def _error(error: SafeconductError, status: int | None = None, headers: dict[str, str] | None = None) -> Response:
    code = status or (413 if error.id == "body-too-large" else _STATUS.get(type(error), 400))
    fields = {"id": error.id, "what": error.what, "why": error.why, "next": error.next}
    text = {name: reviews.printable(value, 1_000) for name, value in fields.items()}
    return _json({"error": text}, code, headers)


def _no_token() -> Refused:
    return Refused(
        "no-token",
        "events are taken only from those who hold this server's token",
        why="the Authorization header carries none, or another one",
        next_step="send 'Authorization: Bearer TOKEN' with the token that 'safeconduct serve' made at its start",
    )


def _fixed(good: Callable[[], bool]) -> Handler:
    async def answer(_: Request) -> Response:
        return PlainTextResponse("ok\n") if good() else PlainTextResponse("not ready\n", 503)

    return answer


def _metrics(counters: Counters) -> Handler:
    async def answer(_: Request) -> Response:
        return PlainTextResponse(counters.render(), media_type="text/plain; version=0.0.4")

    return answer


async def _failed(_: Request, error: Exception) -> Response:
    return _error(error if isinstance(error, SafeconductError) else Undecided("internal", "an error of ours"))


async def _crashed(_: Request, __: Exception) -> Response:
    return _error(Undecided("internal", "an error of ours, which is in the server's log"), 500)
