"""A world for the command line's tests: made once, with a release; copied where a test changes it."""

import shutil

import pytest

from simulators.world import World, make_world


@pytest.fixture(scope="session")
def shown_world(tmp_path_factory) -> World:
    """A world with a release and a graph, for commands that only read; not to be changed."""
    for program in ("git", "ssh-keygen"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt-get install git openssh-client)")
    made = make_world(tmp_path_factory.mktemp("cli"))
    made.run("db", "update", made.feed("feed"))
    made.run("build", "app", "-o", "stage")
    return made


@pytest.fixture
def world(shown_world, tmp_path) -> World:
    """A world of this test's own, with a release and a graph."""
    return shown_world.copy(tmp_path / "world")
