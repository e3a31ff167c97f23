"""The demo's questions over a generated estate."""

from pathlib import Path

import pytest

from safeconduct.capabilities.graph.store import open_graph
from safeconduct.cli.demo.estate import MINUTE, ask_estate, questions_of
from safeconduct.cli.demo.stage import Stage
from safeconduct.foundation.errors import Undecided
from safeconduct.intake import estate

AT = 1_700_000_000_000_000
RELEASES = 60


def test_each_question_has_rows_now_and_then(tmp_path: Path) -> None:
    with open_graph(tmp_path / "estate.db") as store:
        estate.generate(store, releases=RELEASES, at=AT)
        questions = questions_of(store, middle=AT + RELEASES // 2 * MINUTE, names=estate.name_count(RELEASES))
        rows = {q.name.split()[0]: (q.rows(q.ask(store)), q.rows(q.ask(store, **q.then))) for q in questions}
    assert list(rows) == ["runs", "reaches", "path", "digest", "upgrades"]
    assert all(now > 0 and then > 0 for now, then in rows.values()), rows


def test_what_runs_a_popular_package_was_less_in_the_past(tmp_path: Path) -> None:
    with open_graph(tmp_path / "estate.db") as store:
        estate.generate(store, releases=RELEASES, at=AT)
        popular = questions_of(store, middle=AT + 10 * MINUTE, names=estate.name_count(RELEASES))[0]
        assert popular.rows(popular.ask(store)) > popular.rows(popular.ask(store, **popular.then))


def test_an_estate_in_which_nothing_runs_is_told_and_not_timed(tmp_path: Path) -> None:
    with open_graph(tmp_path / "estate.db") as store, pytest.raises(Undecided, match="nothing in the generated estate"):
        questions_of(store, middle=AT, names=30)


def test_the_demo_prints_one_line_for_each_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "operator").mkdir()
    ask_estate(Stage(tmp_path), RELEASES - 5)
    lines = capsys.readouterr().out.splitlines()
    assert "60 generated releases" in lines[1]
    assert sum(" ms" in line for line in lines) == 6
    assert (tmp_path / "operator" / "estate.db").is_file()
