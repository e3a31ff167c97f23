import pytest

from safeconduct.capabilities.registry.client import RegistryRepository
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.registry.locations import open_repository
from safeconduct.foundation.errors import BadUsage, Refused, Undecided
from simulators.images import put_image


def test_a_configured_host_stands_for_a_folder_of_layouts(tmp_path):
    repository = open_repository("shop.example/team/web:1.0", {"shop.example": f"oci:{tmp_path}"})
    assert isinstance(repository, LayoutRepository)
    assert repository.path == tmp_path / "team/web"
    put_image(repository, tag="1.0")
    assert repository.tags() == ["1.0"]


def test_the_longest_configured_prefix_counts(tmp_path):
    registries = {"shop.example": "oci:/nowhere", "shop.example/team/web": f"oci:{tmp_path}"}
    whole = open_repository("shop.example/team/web", registries)
    assert isinstance(whole, LayoutRepository)
    assert whole.path == tmp_path
    nested = open_repository("shop.example/team/webx", registries)
    assert isinstance(nested, LayoutRepository)
    assert str(nested.path) == "/nowhere/team/webx"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("https://reg.local", "https://reg.local/team/app"),
        ("https://mirror.example:5000/hub/", "https://mirror.example:5000/hub/team/app"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/team/app"),
    ],
)
def test_a_configured_host_stands_for_a_registry(place, name):
    repository = open_repository("reg.local/team/app@sha256:" + "a" * 64, {"reg.local": place})
    assert isinstance(repository, RegistryRepository)
    assert repository.name == name
    repository.close()


@pytest.mark.parametrize(
    "name", ["evil.example/shop.example/web", "shop.example.evil/web", "docker.io/library/shop.example", "web"]
)
def test_a_registry_that_is_not_configured_is_not_contacted(name):
    with pytest.raises(Undecided) as caught:
        open_repository(name, {"shop.example": "oci:/nowhere"})
    assert caught.value.id == "registry-not-allowed"


def test_a_name_or_location_that_is_none_is_an_error():
    with pytest.raises(Refused, match="bad-reference"):
        open_repository("../etc", {"shop.example": "oci:/nowhere"})
    with pytest.raises(BadUsage, match="bad-registry"):
        open_repository("shop.example/web", {"shop.example": "/just/a/folder"})
