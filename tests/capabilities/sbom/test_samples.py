"""What every reader finds goes through a document unchanged, and the document is valid."""

import json
from importlib import resources, util
from pathlib import Path

import jsonschema_rs
import pytest

from safeconduct.capabilities.inventory.tree import FolderTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.capabilities.sbom.cyclonedx import Subject, read, write

CASES = sorted((Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata").iterdir())
TIME = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_readers_sample_comes_back_as_it_was(case: Path) -> None:
    inventory = read_tree(FolderTree(case))
    found = read(write(inventory, Subject("sample"), timestamp=TIME))
    assert found.components == inventory.components
    assert found.edges == inventory.edges


def test_the_official_schema_accepts_all_samples() -> None:
    if util.find_spec("cyclonedx") is None:
        pytest.skip("cyclonedx-python-lib is not installed: it carries the official schema")
    folder = resources.files("cyclonedx.schema._res")
    names = ("bom-1.6", "spdx", "jsf-0.82")
    schemas = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8")) for name in names}
    base = "http://cyclonedx.org/schema/"
    registry = jsonschema_rs.Registry([(f"{base}{n}.SNAPSHOT.schema.json", s) for n, s in schemas.items()])
    validator = jsonschema_rs.validator_for(schemas["bom-1.6"], registry=registry)
    for case in CASES:
        document = json.loads(write(read_tree(FolderTree(case)), Subject("sample"), timestamp=TIME))
        assert [error.message for error in validator.iter_errors(document)] == []
