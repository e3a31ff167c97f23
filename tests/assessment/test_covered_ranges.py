"""A range of a manifest is judged only where no lock has settled it."""

import pytest

from safeconduct.assessment.facts import without_covered_ranges
from safeconduct.capabilities.inventory import npm_manifest, pyproject
from safeconduct.model.component import Component, Inventory, Location, Presence


def component(purl: str, presence: Presence, path: str, reader: str) -> Component:
    return Component(purl, presence, (Location(path, reader),))


def kept(*components: Component) -> list[str]:
    return [c.purl for c in without_covered_ranges(Inventory(components)).components]


@pytest.mark.parametrize("name", ["pkg:npm/left-pad", "pkg:npm/%40scope/left-pad"])
def test_a_lock_beside_the_manifest_settles_its_range(name: str) -> None:
    manifest = component(name, Presence.UNRESOLVED, "web/package.json", npm_manifest.READER)
    locked = component(f"{name}@1.3.0", Presence.LOCKED, "web/package-lock.json", "npm-lock")
    assert kept(manifest, locked) == [locked.purl]


def test_a_lock_of_another_folder_or_package_settles_nothing() -> None:
    manifest = component("pkg:pypi/flask", Presence.UNRESOLVED, "a/pyproject.toml", pyproject.READER)
    elsewhere = component("pkg:pypi/flask@3.0", Presence.LOCKED, "b/uv.lock", "uv-lock")
    other = component("pkg:pypi/flask-login@1.0", Presence.LOCKED, "a/uv.lock", "uv-lock")
    assert kept(manifest, elsewhere, other) == [manifest.purl, elsewhere.purl, other.purl]


def test_a_range_of_a_requirements_file_is_what_gets_installed_and_stays() -> None:
    loose = component("pkg:pypi/flask", Presence.UNRESOLVED, "requirements.txt", "requirements")
    locked = component("pkg:pypi/flask@3.0", Presence.LOCKED, "uv.lock", "uv-lock")
    assert kept(loose, locked) == [loose.purl, locked.purl]


def test_where_nothing_is_loose_the_inventory_is_as_it_was() -> None:
    inventory = Inventory((component("pkg:npm/a@1.0.0", Presence.LOCKED, "package-lock.json", "npm-lock"),))
    assert without_covered_ranges(inventory) is inventory
