"""The process that evaluates Rego: it can be killed at a deadline and may not grow past its memory.

Started as ``python -m safeconduct.capabilities.policy.worker``; one JSON object a line on standard input, one a line
on standard output. The engine holds the interpreter while it runs, which is why it does not run in ours.
"""

import json
import resource
import sys
from typing import Any

_MEMORY_BYTES = 2 * 1024 * 1024 * 1024
_LOADED: dict[str, Any] = {}


def main() -> None:
    """Answer requests until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    for line in sys.stdin.buffer:
        try:
            answer = evaluate(json.loads(line))
        except BaseException as error:  # noqa: BLE001 - the engine's panics are BaseExceptions; all mean "could not tell"
            answer = {"error": f"{type(error).__name__}: {first_line(str(error))}"}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"results": {rule: {deny, unknown} or {error}}}``.

    Args:
        request: ``pack`` (digest), ``modules`` ([name, text]; may be left out once loaded), ``input`` (JSON text),
            ``rules`` ([{id, package, unknown}]).
    """
    engine = _engine(request)
    engine.set_input_json(request["input"])
    return {"results": {rule["id"]: _evaluate_rule(engine, rule) for rule in request["rules"]}}


def _engine(request: dict[str, Any]) -> Any:
    import regorus

    if request["pack"] not in _LOADED:
        engine = regorus.Engine()
        for name, text in request["modules"]:
            engine.add_policy(name, text)
        _LOADED.clear()
        _LOADED[request["pack"]] = engine
    return _LOADED[request["pack"]]


def _evaluate_rule(engine: Any, rule: dict[str, Any]) -> dict[str, Any]:
    try:
        found = {"deny": json.loads(engine.eval_rule_as_json(f"data.{rule['package']}.deny"))}
        if rule["unknown"]:
            found["unknown"] = json.loads(engine.eval_rule_as_json(f"data.{rule['package']}.unknown"))
    except BaseException as error:  # noqa: BLE001 - as above
        return {"error": first_line(str(error)) or type(error).__name__}
    return found


def first_line(text: str) -> str:
    """Return an engine error without the engine's own stack."""
    return " ".join(text.split("Stack backtrace", maxsplit=1)[0].split())[:500]


if __name__ == "__main__":
    main()
