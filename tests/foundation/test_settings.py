"""Settings: layers, origins, and what a judged tree may not say."""

from pathlib import Path

import pytest

from safeconduct.foundation.errors import BadUsage
from safeconduct.foundation.settings import load_settings, load_tree_settings

DEFAULT = Path("/data/graph.db")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_anything_there_are_defaults() -> None:
    loaded = load_settings((), {}, {}, DEFAULT)
    assert (loaded.settings.store, loaded.settings.policy.pack, loaded.origins) == (str(DEFAULT), "default", {})


def test_later_layers_win_and_each_value_says_where_it_came_from(tmp_path: Path) -> None:
    operator = write(
        tmp_path / "etc" / "safeconduct.toml", 'store = "a.db"\n[trust]\nroot = ["sha256:1"]\nthreshold = 2\n'
    )
    user = write(tmp_path / "home" / "safeconduct.toml", 'store = "b.db"\n[policy.parameters]\nminimum_grade = 2\n')
    environment = {"SAFECONDUCT_TRUST_THRESHOLD": "3", "SAFECONDUCT_CONFIG": "x", "OTHER": "y"}
    loaded = load_settings((operator, user, tmp_path / "missing.toml"), environment, {"source.since": "v1"}, DEFAULT)
    settings = loaded.settings
    assert settings.store == str(user.parent / "b.db")
    assert (settings.trust.root, settings.trust.threshold, settings.source.since) == (("sha256:1",), 3, "v1")
    assert loaded.origins["store"] == str(user)
    assert loaded.origins["trust.root"] == str(operator)
    assert loaded.origins["trust.threshold"] == "SAFECONDUCT_TRUST_THRESHOLD"
    assert loaded.origins["source.since"] == "flag"
    assert loaded.origins["policy.parameters.minimum_grade"] == str(user)


def test_paths_in_a_file_are_relative_to_that_file(tmp_path: Path) -> None:
    text = '[trust]\nsnapshot = "t.json"\n[keys]\nfolder = "k"\n[registries]\n"a.example" = "oci:../r"\n"b.example" = "https://b"\n'
    settings = load_settings((write(tmp_path / "o" / "s.toml", text),), {}, {}, DEFAULT).settings
    assert settings.trust.snapshot == str(tmp_path / "o" / "t.json")
    assert settings.keys.folder == str(tmp_path / "o" / "k")
    assert settings.registries == {"a.example": f"oci:{tmp_path / 'o'}/../r", "b.example": "https://b"}


@pytest.mark.parametrize(
    "text",
    [
        "store = ",
        "unknown = 1",
        "[trust]\nroot = 7",
        "[trust]\nunknown = 1",
        "exemptions = 3",
        "[keys]\npassphrase = 's'",
    ],
)
def test_a_file_that_says_something_else_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = write(tmp_path / "s.toml", text)
    with pytest.raises(BadUsage, match="bad-settings") as caught:
        load_settings((file,), {}, {}, DEFAULT)
    assert str(file) in caught.value.what


def test_an_unknown_variable_is_refused() -> None:
    with pytest.raises(BadUsage, match="bad-settings"):
        load_settings((), {"SAFECONDUCT_NOTHING": "1"}, {}, DEFAULT)


def test_what_kubernetes_says_of_a_service_of_our_name_is_no_setting() -> None:
    links = {"SAFECONDUCT_PORT": "tcp://10.0.0.1:443", "SAFECONDUCT_SERVICE_HOST": "10.0.0.1"}
    links |= {"SAFECONDUCT_PORT_443_TCP_ADDR": "10.0.0.1", "SAFECONDUCT_WEBHOOK_SERVICE_PORT_HTTPS": "443"}
    assert load_settings((), links, {}, DEFAULT).origins == {}


@pytest.mark.parametrize(
    "text",
    [
        '[trust]\nroot = ["sha256:1"]',
        '[registries]\n"a" = "https://evil.example"',
        "[source]\nsince = 'HEAD'",
        'store = "x"',
        'exemptions = ["e.json"]',
        '[policy]\npack = "mine"',
        "[keys]\nfolder = 'x'",
        "[builder]\nid = 'https://trusted.example'",
        "[feeds]\n",
    ],
)
def test_a_judged_tree_may_not_configure_its_judge(text: str) -> None:
    with pytest.raises(BadUsage, match="authority-in-tree"):
        load_tree_settings(text.encode(), "safeconduct.toml")


def test_a_tree_declares_product_build_and_parameters() -> None:
    text = b"""
[product]
name = "shop"
version = "1"
repository = "r.example/shop"
[build]
copies = [{ from = "a", to = "/b" }]
[policy.parameters]
minimum_grade = 4
"""
    settings = load_tree_settings(text, "safeconduct.toml")
    assert settings.product.repository == "r.example/shop"
    assert settings.build is not None
    assert (settings.build.base, settings.build.copies[0].target) == ("scratch", "/b")
    assert settings.parameters == {"minimum_grade": 4}
    assert load_tree_settings(None, "x").build is None


@pytest.mark.parametrize("data", [b"\xff", b"[product", b"[product]\nname = 1", b"policy = 3", b"[build]\ncopies = 1"])
def test_a_tree_file_that_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(BadUsage):
        load_tree_settings(data, "safeconduct.toml")
