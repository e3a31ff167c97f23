"""The demo's questions over a generated estate: how many rows each gives, and in how many milliseconds."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safeconduct.capabilities.graph.questions import everything, path, reaches, runs, upgrades
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.cli.demo.stage import Stage
from safeconduct.cli.face import Face
from safeconduct.foundation.clock import system_clock, to_rfc3339
from safeconduct.foundation.errors import Undecided
from safeconduct.foundation.store import Store
from safeconduct.intake import estate

MINUTE = 60_000_000
"""Microseconds from one generated release to the next."""

POPULAR = "pkg:npm/gen-0"
"""The generated package that most releases hold."""

_FILE = "estate.db"
_KNOWN_NOW = 1 << 62
_FEW = 20
_TOLD = 50
_NAME = 34
_MEGA = 1_000_000


class Question(NamedTuple):
    """One question over the estate.

    Attributes:
        ask: takes the store and a moment (``as_of``, ``known``; none of them for now), gives the answer.
        rows: what its answer counts: containers, releases, steps, components or upgrades.
        then: the moment of the past that it is asked for as well.
    """

    name: str
    ask: Callable[..., Any]
    rows: Callable[[Any], int]
    then: Mapping[str, int]


def ask_estate(stage: Stage, releases: int) -> None:
    """Generate an estate beside the shop's graph and ask the demo's questions over it, now and as of its middle."""
    count = -(-max(releases, 1) // estate.RELEASES_IN_LINE) * estate.RELEASES_IN_LINE
    stage.title(f"The same questions over {count:,} generated releases")
    file = stage.folder / "operator" / _FILE
    began = system_clock() // MINUTE * MINUTE - (count + 2) * MINUTE
    middle = began + count // 2 * MINUTE
    with open_graph(file) as store:
        _generate(stage, store, count, began)
        stage.say(f"operator/{_FILE} has {_size(file):,.0f} MB")
        stage.say(f"{'':{_NAME}} {'now':>19}   {'as of ' + to_rfc3339(middle)[:16]:>22}")
        for question in questions_of(store, middle=middle, names=estate.name_count(count)):
            now, past = _timed(store, question, {}), _timed(store, question, question.then)
            stage.say(f"{question.name:{_NAME}} {now:>19}   {past:>22}")
    stage.say(f"by hand: SAFECONDUCT_STORE=operator/{_FILE} safeconduct ask upgrades")


def questions_of(store: Store, *, middle: int, names: int) -> list[Question]:
    """Return the demo's questions, put to a generated estate.

    Args:
        middle: microseconds since 1970: the moment of the past to ask for.
        names: how many package names the estate draws from; those of high number are in few releases.

    Raises:
        Undecided: ``demo-broken`` when nothing in the estate runs.
    """
    then = {"as_of": middle}
    # The generated feed comes last, so that a risk of the past is one known by now.
    later = {"as_of": middle, "known": _KNOWN_NOW}
    rare, release = _find_rare(store, names, then)
    first = upgrades(store, limit=1).upgrades
    advisory = first[0].advisories[0] if first else "GEN-0"
    short = f"{release[:14]}…"
    return [
        Question(f"runs {POPULAR}", lambda at, **when: runs(at, POPULAR, limit=_TOLD, **when), _total, then),
        Question(f"runs {rare}", lambda at, **when: runs(at, rare, limit=_TOLD, **when), _total, then),
        Question(f"reaches {advisory}", lambda at, **when: reaches(at, advisory, limit=_TOLD, **when), _total, later),
        Question(f"path {short} {rare[8:]}", lambda at, **when: path(at, release, rare, **when), _steps, then),
        Question(f"digest {short}", lambda at, **when: everything(at, release, **when), _components, later),
        Question("upgrades", lambda at, **when: upgrades(at, limit=_TOLD, **when), _upgrades, later),
    ]


def _generate(stage: Stage, store: Store, count: int, began: int) -> None:
    started = time.perf_counter()
    with Face().progress("releases") as progress:
        estate.generate(store, releases=count, at=began, on_progress=progress)
    spent = time.perf_counter() - started
    stage.say(f"generated and taken in in {spent:.1f} seconds, {count / spent:,.0f} releases a second")


def _find_rare(store: Store, names: int, then: Mapping[str, int]) -> tuple[str, Any]:
    """Return a package that few containers run, now and then, and one of the releases that they ran then."""
    for number in range(names - 1, 0, -1):
        purl = f"pkg:npm/gen-{number}"
        ran = runs(store, purl, limit=1, **then)
        if ran.running and 0 < runs(store, purl, limit=1).total <= _FEW:
            return purl, ran.running[0].release.digest
    raise Undecided("demo-broken", "nothing in the generated estate runs", next_step="ask for more releases")


def _timed(store: Store, question: Question, when: Mapping[str, int]) -> str:
    """Ask once, as a user would: on a graph just opened."""
    with open_graph(store.path) as fresh:
        started = time.perf_counter()
        answer = question.ask(fresh, **when)
        spent = (time.perf_counter() - started) * 1000
    return f"{question.rows(answer):,} in {spent:.1f} ms"


def _size(file: Path) -> float:
    return sum(part.stat().st_size for part in file.parent.glob(file.name + "*")) / _MEGA


def _total(answer: Any) -> int:
    return int(answer.total)


def _steps(answer: Any) -> int:
    return len(answer.steps)


def _components(answer: Any) -> int:
    return int(answer.components or 0)


def _upgrades(answer: Any) -> int:
    return len(answer.upgrades)
