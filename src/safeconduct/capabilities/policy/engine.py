"""The engine behind one small interface: rules and input in, sets or errors out, within a deadline."""

import json
import selectors
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Any, Protocol, Self

from safeconduct.capabilities.policy.decision import RuleResult
from safeconduct.capabilities.policy.pack import Pack, Rule

DEADLINE_SECONDS = 10.0


class Engine(Protocol):
    """Whatever evaluates rules."""

    def evaluate(self, pack: Pack, rules: tuple[Rule, ...], encoded: bytes) -> dict[str, RuleResult]:
        """Return one result for each rule; an engine that fails gives errors, it does not raise."""


class RegoWorker:
    """Rego in a process of its own, started at the first use and again after it had to be killed.

    Safe to share between threads: requests queue.
    """

    def __init__(self, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded = ""  # digest of the pack that the running worker holds
        self._lock = threading.Lock()

    def evaluate(self, pack: Pack, rules: tuple[Rule, ...], encoded: bytes) -> dict[str, RuleResult]:
        """Return one result for each rule; all are errors when the worker failed or ran out of time."""
        if not rules:
            return {}
        request: dict[str, Any] = {
            "pack": pack.digest,
            "input": encoded.decode(),
            "rules": [{"id": rule.id, "package": rule.package, "unknown": rule.has_unknown} for rule in rules],
        }
        with self._lock:
            answer = self._ask(pack, request)
        if "results" not in answer:
            return {rule.id: RuleResult(error=str(answer.get("error", "no answer"))) for rule in rules}
        return {rule.id: RuleResult(**answer["results"][rule.id]) for rule in rules}

    def close(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            self._loaded = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, pack: Pack, request: dict[str, Any]) -> dict[str, Any]:
        try:
            process = self._start()
            if process.stdin is None or process.stdout is None:
                return {"error": "the policy worker has no pipes"}
            if self._loaded != pack.digest:
                request["modules"] = [[f"{rule.id}.rego", rule.module] for rule in pack.rules.values()]
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = self._read_line(process)
        except OSError as error:
            answer = b""
            reason = str(error)
        else:
            reason = f"no answer within {self._deadline:g} seconds, or the worker died"
        if not answer:
            self.close()
            return {"error": reason}
        parsed: dict[str, Any] = json.loads(answer)
        self._loaded = pack.digest if "results" in parsed else ""
        return parsed

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "safeconduct.capabilities.policy.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _read_line(self, process: subprocess.Popen[bytes]) -> bytes:
        if process.stdout is None:
            return b""
        ends = time.monotonic() + self._deadline
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, ends - time.monotonic())):
                part = process.stdout.read1()  # type: ignore[attr-defined]
                if not part:
                    return b""
                parts.append(part)
                if part.endswith(b"\n"):
                    return b"".join(parts)
        return b""
