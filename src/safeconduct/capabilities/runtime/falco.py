"""Falco alerts, as Falco's ``http_output`` and Falcosidekick post them, read into violations.

Any field of an alert may be missing, null, empty or ``<NA>``; what an alert does not say stays empty. Only rule,
priority and a time must be there, as Falcosidekick demands as well.

Source: Falco documentation, output formatting and supported fields; falcosidekick types.FalcoPayload.
"""

from typing import Any

import msgspec

from safeconduct.foundation.clock import from_rfc3339
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest, is_digest
from safeconduct.model.limits import LIMITS
from safeconduct.model.violation import Violation

DETECTOR = "falco"
PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
_ABSENT = frozenset({"", "<na>", "n/a", "null", "host"})
_ABBREVIATED = {"info": "informational"}
_TEXT = 4_096
_ALERTS = 1_000
_NOT_ALERTS = "falco internal:"
_CLUSTER_FIELDS = ("k8s.cluster.name", "cluster", "cluster_name")
_EARLIEST = from_rfc3339("2016-01-01T00:00:00Z")


class _Alert(msgspec.Struct, frozen=True):
    rule: str
    priority: str
    time: str | None = None
    output: str | None = None
    output_fields: dict[str, Any] | None = None


def read_alerts(data: bytes, cluster: str = "") -> tuple[Violation, ...]:
    """Return the violations in a request body or log: one JSON alert, or one a line; all or none.

    Falco's own messages (metrics, dropped events) are no violations and are left out.

    Args:
        data: UTF-8 JSON.
        cluster: where they come from, for alerts that do not say.

    Raises:
        Refused: ``bad-alert``.
    """
    if len(data) > LIMITS.review:
        raise _bad(f"{len(data)} bytes, more than the limit of {LIMITS.review}")
    try:
        alerts = [msgspec.json.decode(data, type=_Alert)]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) <= 1 or len(lines) > _ALERTS:
            raise _bad(str(error)) from error
        alerts = [_decode(line) for line in lines]
    return tuple(_violation(alert, cluster) for alert in alerts if not alert.rule.lower().startswith(_NOT_ALERTS))


def _decode(line: bytes) -> _Alert:
    try:
        return msgspec.json.decode(line, type=_Alert)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _bad(str(error)) from error


def _violation(alert: _Alert, cluster: str) -> Violation:
    fields = alert.output_fields or {}
    priority = alert.priority.lower()
    priority = _ABBREVIATED.get(priority, priority)
    if not alert.rule.strip() or priority not in PRIORITIES:
        raise _bad(f"rule {alert.rule[:80]!r} with priority {alert.priority[:40]!r}")
    repository, tag = _field(fields, "container.image.repository"), _field(fields, "container.image.tag")
    named = next((value for value in (_field(fields, name) for name in _CLUSTER_FIELDS) if value), "")
    return Violation(
        rule=alert.rule[:_TEXT],
        priority=priority,
        at=_time(alert, fields),
        detector=DETECTOR,
        output=(alert.output or "")[:_TEXT],
        cluster=named or cluster,
        namespace=_field(fields, "k8s.ns.name"),
        pod=_field(fields, "k8s.pod.name"),
        container=_field(fields, "container.name"),
        container_id=_field(fields, "container.full_id") or _field(fields, "container.id"),
        image=f"{repository}:{tag}" if repository and tag else repository,
        digest=_digest(_field(fields, "container.image.digest")),
    )


def _field(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value[:_TEXT] if isinstance(value, str) and value.strip().lower() not in _ABSENT else ""


def _digest(text: str) -> Digest | None:
    last = text.rpartition("@")[2]
    return Digest(last) if is_digest(last) else None


def _time(alert: _Alert, fields: dict[str, Any]) -> int:
    """Return microseconds since 1970: the alert's time, else the event's nanoseconds."""
    try:
        return from_rfc3339(alert.time or "")
    except (ValueError, OverflowError):
        nanoseconds = fields.get("evt.time")
    if isinstance(nanoseconds, int) and _EARLIEST <= nanoseconds // 1_000 < 2**62:
        return nanoseconds // 1_000
    raise _bad(f"no time that can be read: {str(alert.time)[:80]!r}")


def _bad(why: str) -> Refused:
    return Refused(
        "bad-alert",
        "this is not a Falco alert",
        why=why[:300],
        next_step="set json_output: true in falco.yaml and post its http_output, or Falcosidekick's webhook, here",
    )
