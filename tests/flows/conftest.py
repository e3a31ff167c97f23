"""Worlds for whole flows: made once in a session, copied for each test."""

import shutil

import pytest

from simulators.world import World, make_world


@pytest.fixture(scope="session")
def committed_world(tmp_path_factory) -> World:
    """A world with a signed commit and advisory data; not to be changed."""
    for program in ("git", "ssh-keygen"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt-get install git openssh-client)")
    world = make_world(tmp_path_factory.mktemp("committed"))
    world.run("db", "update", world.feed("feed"))
    return world


@pytest.fixture(scope="session")
def released_world(committed_world, tmp_path_factory) -> World:
    """A world whose release 1.0 is built, published to a layout and recorded; not to be changed."""
    world = committed_world.copy(tmp_path_factory.mktemp("released"))
    world.run("build", "app", "-o", "stage")
    return world


@pytest.fixture
def committed(committed_world, tmp_path) -> World:
    """A world of this test's own, before its first release."""
    return committed_world.copy(tmp_path / "world")


@pytest.fixture
def world(released_world, tmp_path) -> World:
    """A world of this test's own, with release 1.0 published and recorded."""
    return released_world.copy(tmp_path / "world")
