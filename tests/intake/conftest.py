"""A fresh graph for each test."""

import pytest

from safeconduct.capabilities.graph.store import open_graph


@pytest.fixture
def store(tmp_path):
    with open_graph(tmp_path / "graph.db") as opened:
        yield opened
