"""Dart, Elixir, Swift, CocoaPods and Conan."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import cocoapods, conan, mix, pub, swift
from safeconduct.capabilities.inventory.tree import FolderTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory, Scope

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"
K = "0123456789012345678901234567890123456789"


def case(name: str) -> Inventory:
    found = read_tree(FolderTree(CASES / name))
    assert found.unread == ()
    return found


def test_pub_tells_direct_and_development_packages() -> None:
    assert [(c.purl, c.direct, c.scope, c.grade) for c in case("pub-lock").components] == [
        ("pkg:pub/args@2.10", True, Scope.RUNTIME, 3),
        ("pkg:pub/meta@1.9.1", False, Scope.RUNTIME, 3),
        (f"pkg:pub/test@1.0.0?vcs_url=git%2Bhttps://h.example/o/test%40{K}", True, Scope.DEV, 3),
    ]


def test_mix_gives_edges_and_git_sources() -> None:
    found = case("mix-lock")
    assert [(c.purl, c.grade) for c in found.components] == [
        ("pkg:hex/mime@2.0.5", 3),
        (f"pkg:hex/own?vcs_url=git%2Bhttps://h.example/o/own.git%40{K}", 3),
        ("pkg:hex/plug@1.14.0", 3),
    ]
    assert found.edges == (("pkg:hex/plug@1.14.0", "pkg:hex/mime@2.0.5"),)


def test_swift_pins_name_the_repository_and_the_commit_where_there_is_no_version() -> None:
    assert [c.purl for c in case("swift-resolved").components] == [
        "pkg:swift/github.com/apple/swift-nio@2.41.0",
        f"pkg:swift/h.example/o/x@{K}",
    ]
    old = b'{"object": {"pins": [{"repositoryURL": "https://h.example/o/y", "state": {"version": "1.0.0"}}]}}'
    assert [c.purl for c in swift.read("Package.resolved", old).components] == ["pkg:swift/h.example/o/y@1.0.0"]


def test_pods_keep_subspecs_and_leave_the_projects_own_out() -> None:
    found = case("podfile-lock")
    assert [(c.purl, c.direct) for c in found.components] == [
        ("pkg:cocoapods/Bolts@1.10", True),
        ("pkg:cocoapods/Bolts@1.10#Tasks", False),
    ]
    assert found.edges == (("pkg:cocoapods/Bolts@1.10", "pkg:cocoapods/Bolts@1.10#Tasks"),)


def test_conan_of_both_ages() -> None:
    assert [(c.purl, c.scope, c.grade) for c in case("conan-lock").components] == [
        ("pkg:conan/cmake@3.25.0", Scope.BUILD, 2),
        ("pkg:conan/fmt@9.1.0?channel=stable&rrev=0123abcd&user=user", Scope.RUNTIME, 3),
        ("pkg:conan/zlib@1.2.13?rrev=0123abcd", Scope.RUNTIME, 3),
    ]
    graph = b"""{"graph_lock": {"nodes": {"0": {"ref": "own/1.0", "requires": ["1"]},
      "1": {"ref": "a/1.0", "requires": ["2"]}, "2": {"ref": "b/2.0"}}}}"""
    reading = conan.read("conan.lock", graph)
    assert [(c.purl, c.direct) for c in reading.components] == [("pkg:conan/a@1.0", True), ("pkg:conan/b@2.0", False)]
    assert reading.edges == (("pkg:conan/a@1.0", "pkg:conan/b@2.0"),)


@pytest.mark.parametrize("reader", [cocoapods, conan, mix, pub, swift])
@pytest.mark.parametrize("data", [b"a: [", b"x", b"\xff\xfe\x00", b"<a/>"])
def test_what_is_no_lock_is_unread(reader, data: bytes) -> None:
    assert reader.read("x", data).unread
