"""bun.lock."""

from pathlib import Path

from safeconduct.capabilities.inventory import bun
from safeconduct.model.component import Scope

SAMPLE = (Path(__file__).resolve().parents[2] / "cases/inventory/testdata/bun-lock/bun.lock").read_bytes()


def test_needs_are_looked_up_from_the_nearest_place_outwards() -> None:
    reading = bun.read("bun.lock", SAMPLE)
    assert [(c.purl, c.direct, c.scope, len(c.hashes)) for c in reading.components] == [
        ("pkg:npm/a@1.2.0", True, Scope.RUNTIME, 1),
        ("pkg:npm/b@2.0.0", False, Scope.RUNTIME, 1),
        ("pkg:npm/b@3.0.0", False, Scope.DEV, 1),
        ("pkg:npm/d@1.0.0", True, Scope.DEV, 1),
    ]
    assert reading.edges == (("pkg:npm/a@1.2.0", "pkg:npm/b@2.0.0"), ("pkg:npm/d@1.0.0", "pkg:npm/b@3.0.0"))


def test_commas_and_slashes_inside_texts_stay() -> None:
    data = b'{"lockfileVersion": 1, "packages": {"a": ["a@1.0.0", "https://x.example/,]", {}, ""],}, }'
    assert [c.purl for c in bun.read("bun.lock", data).components] == ["pkg:npm/a@1.0.0"]


def test_a_lock_without_packages_is_unread() -> None:
    assert bun.read("bun.lock", b'{"lockfileVersion": 1}').unread
