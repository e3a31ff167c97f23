"""pnpm-lock.yaml, old keys and new ones."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import pnpm
from safeconduct.model.component import Scope

SAMPLE = (Path(__file__).resolve().parents[2] / "cases/inventory/testdata/pnpm-lock/pnpm-lock.yaml").read_bytes()
OLD = b"""lockfileVersion: 5.4
specifiers:
  '@s/a': ^1
dependencies:
  '@s/a': 1.10.0_b@2.0.0
packages:
  /@s/a/1.10.0_b@2.0.0:
    resolution: {integrity: sha512-x}
    dependencies:
      b: 2.0.0
    dev: false
  /b/2.0.0:
    resolution: {integrity: sha512-x}
    dev: true
  h.example/o/g/0123456789012345678901234567890123456789:
    resolution: {tarball: https://h.example/o/g/tar.gz/0123456789012345678901234567890123456789}
    name: g
    version: 0.1.0
"""
SIX = b"""lockfileVersion: '6.0'
dependencies:
  a:
    specifier: ^1
    version: 1.0.0(b@2.0.0)
packages:
  /a@1.0.0(b@2.0.0):
    resolution: {integrity: sha512-x}
    optionalDependencies:
      b: 2.0.0
  /b@2.0.0:
    resolution: {integrity: sha512-x}
"""


def test_version_9_with_importers_peers_aliases_and_links() -> None:
    reading = pnpm.read("pnpm-lock.yaml", SAMPLE)
    assert [(c.purl, c.direct, c.scope, c.grade) for c in reading.components] == [
        ("pkg:npm/a@1.2.10", True, Scope.RUNTIME, 3),
        ("pkg:npm/b@2.0.0", False, Scope.RUNTIME, 3),
        ("pkg:npm/d@1.10.0", True, Scope.DEV, 3),
    ]
    assert reading.edges == (("pkg:npm/a@1.2.10", "pkg:npm/b@2.0.0"),)
    assert [r.manifest for r in reading.resolved] == ["package.json", "packages/web/package.json"]
    assert ("pkg:npm/a", "^1.0.0") in reading.resolved[0].declarations


@pytest.mark.parametrize(("lock", "a"), [(OLD, "pkg:npm/%40s/a@1.10.0"), (SIX, "pkg:npm/a@1.0.0")])
def test_older_keys_name_the_same_things(lock: bytes, a: str) -> None:
    reading = pnpm.read("pnpm-lock.yaml", lock)
    assert reading.edges == ((a, "pkg:npm/b@2.0.0"),)
    assert [c.purl for c in reading.components if c.direct] == [a]
    assert len(reading.resolved[0].declarations) == 1


def test_an_archive_from_elsewhere_is_named_in_the_purl() -> None:
    assert "download_url=https://h.example" in pnpm.read("pnpm-lock.yaml", OLD).components[2].purl


def test_a_document_before_the_lock_is_read_too() -> None:
    both = SIX.replace(b"/a@1.0.0", b"/z@1.0.0") + b"---\n" + SIX
    assert len(pnpm.read("pnpm-lock.yaml", both).components) == 4


@pytest.mark.parametrize("data", [b"a: [", b"just text", b"a: b", b"[" * 300_000, b"- " * 300_000 + b"a", b"x: *y"])
def test_what_is_no_lock_or_too_deep_is_unread(data: bytes) -> None:
    reading = pnpm.read("pnpm-lock.yaml", data)
    assert reading.unread
    assert not reading.components
