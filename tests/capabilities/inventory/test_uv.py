"""uv.lock."""

import pytest

from safeconduct.capabilities.inventory import uv
from safeconduct.model.component import Scope

LOCK = """
version = 1
[[package]]
name = "shop"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "flask" }]
[package.optional-dependencies]
fast = [{ name = "uvloop", marker = "sys_platform != 'win32'" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[package.metadata]
requires-dist = [{ name = "flask", specifier = ">=3" }]
[[package]]
name = "flask"
version = "3.0.0"
source = { registry = "https://reg.example/simple" }
dependencies = [{ name = "click" }]
sdist = { url = "https://x/f.tar.gz", hash = "sha256:SDIST", size = 1 }
wheels = [{ url = "https://x/f.whl", hash = "sha256:WHEEL", size = 1 }]
[[package]]
name = "click"
version = "8.0.0"
source = { registry = "https://reg.example/simple" }
wheels = [{ url = "https://x/c.whl", hash = "sha256:WHEEL" }]
[[package]]
name = "uvloop"
version = "0.1"
source = { git = "https://h/o/uvloop?rev=main#0123456789012345678901234567890123456789" }
[[package]]
name = "pytest"
version = "9.0"
source = { registry = "https://reg.example/simple" }
dependencies = [{ name = "click" }]
"""
DATA = LOCK.replace("SDIST", "aa" * 32).replace("WHEEL", "bb" * 32).encode()


def test_versions_hashes_scopes_directness_and_edges() -> None:
    reading = uv.read("uv.lock", DATA)
    assert [(c.purl.partition("?")[0], c.scope, c.direct, c.grade, len(c.hashes)) for c in reading.components] == [
        ("pkg:pypi/flask@3.0.0", Scope.RUNTIME, True, 3, 2),
        ("pkg:pypi/click@8.0.0", Scope.RUNTIME, False, 3, 1),
        ("pkg:pypi/uvloop@0.1", Scope.OPTIONAL, True, 3, 0),
        ("pkg:pypi/pytest@9.0", Scope.DEV, True, 2, 0),
    ]
    assert reading.edges == (
        ("pkg:pypi/flask@3.0.0", "pkg:pypi/click@8.0.0"),
        ("pkg:pypi/pytest@9.0", "pkg:pypi/click@8.0.0"),
    )
    assert reading.unread == ()


def test_the_project_is_no_component_and_its_manifest_is_resolved() -> None:
    (resolved,) = uv.read("svc/uv.lock", DATA).resolved
    assert resolved.manifest == "svc/pyproject.toml"
    assert ("pkg:pypi/flask", "") in resolved.declarations


def test_a_lock_with_a_package_cut_out_says_so() -> None:
    cut = DATA.replace(b'name = "click"\nversion', b'name = "other"\nversion')
    assert "click" in uv.read("uv.lock", cut).unread[0].reason


@pytest.mark.parametrize("data", [b"[[package", b"x = 1", b"\xff\xfe"])
def test_a_damaged_lock_is_unread(data: bytes) -> None:
    reading = uv.read("uv.lock", data)
    assert reading.unread
    assert not reading.components


@pytest.mark.parametrize(
    "body",
    [
        "version=1\npackage=3",
        "version=1\n[[package]]\nname=3",
        "version=1\n[[package]]\nname='a'\nsource=3\nwheels=3\ndependencies=[3]",
    ],
)
def test_wrong_types_never_crash(body: str) -> None:
    uv.read("uv.lock", body.encode())
