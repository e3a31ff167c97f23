"""What every test may ask for."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["simulators.docker_registry"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that want it say so and are skipped without it."""
    folder = Path(os.environ.get("SAFECONDUCT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not here: no folder {folder.name!r} beside the checkout (set SAFECONDUCT_DATA)")
    return folder
