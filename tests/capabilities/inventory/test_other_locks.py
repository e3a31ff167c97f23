"""Cargo, Bundler, Composer, NuGet, Gradle and Maven."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import cargo, composer, gemfile, gradle, maven, nuget, nuget_manifest
from safeconduct.capabilities.inventory.tree import FolderTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Inventory, Presence, Scope

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"
COMMIT = "0123456789012345678901234567890123456789"


def case(name: str) -> Inventory:
    found = read_tree(FolderTree(CASES / name))
    assert found.unread == ()
    return found


def test_cargo_tells_versions_of_one_name_apart() -> None:
    found = case("cargo-lock")
    git = f"pkg:cargo/rand@0.7.0?vcs_url=git%2Bhttps://h.example/o/rand%3Fbranch%3Dmain%23{COMMIT}"
    assert [(c.purl, c.direct, c.grade) for c in found.components] == [
        (git, False, 3),
        ("pkg:cargo/rand@0.8.5", True, 3),
        ("pkg:cargo/serde@1.0.190", True, 3),
    ]
    assert found.edges == (("pkg:cargo/serde@1.0.190", git),)


def test_bundler_keeps_platforms_and_leaves_the_projects_own_gems_out() -> None:
    found = case("gemfile-lock")
    nokogiri = "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux"
    assert [(c.purl, c.direct, c.grade) for c in found.components] == [
        (f"pkg:gem/g@0.1.0?vcs_url=git%2Bhttps://h.example/o/g.git%40{COMMIT}", True, 3),
        (nokogiri, True, 2),
        ("pkg:gem/racc@1.7.1", False, 3),
    ]
    assert found.edges == ((nokogiri, "pkg:gem/racc@1.7.1"),)


def test_composer_with_its_manifest() -> None:
    found = case("composer-lock")
    console = "pkg:composer/symfony/console@v6.3.4"
    assert [(c.purl, c.direct, c.scope, c.grade, c.licenses) for c in found.components] == [
        ("pkg:composer/phpunit/phpunit@10.4.1", True, Scope.DEV, 2, ("BSD-3-Clause",)),
        ("pkg:composer/psr/log@3.0.0", False, Scope.RUNTIME, 2, ("MIT",)),
        (console, True, Scope.RUNTIME, 3, ("MIT",)),
    ]
    assert found.edges == ((console, "pkg:composer/psr/log@3.0.0"),)
    assert [(c.purl, c.requirement) for c in case("composer").components] == [
        ("pkg:composer/phpunit/phpunit@10.4.1", None),
        ("pkg:composer/symfony/console", "^6"),
    ]


def test_nuget_locks_do_not_tell_case_and_projects_are_no_packages() -> None:
    found = case("nuget-lock")
    json, system = "pkg:nuget/Newtonsoft.Json@13.0.3", "pkg:nuget/System.Text@1.0.0"
    assert [(c.purl, c.direct, c.grade) for c in found.components] == [(json, True, 3), (system, False, 3)]
    assert found.edges == ((json, system),)


def test_assets_of_a_restore_hold_the_same() -> None:
    assets = b"""{"version": 3, "targets": {"net8.0": {
      "A/1.0.0": {"type": "package", "dependencies": {"b": "1.0.0"}}, "B/2.0.0": {"type": "package"},
      "Own/1.0.0": {"type": "project"}}}, "libraries": {"A/1.0.0": {"sha512": ""}},
      "projectFileDependencyGroups": {"net8.0": ["A >= 1.0.0"]}}"""
    reading = nuget.read("obj/project.assets.json", assets)
    assert [(c.purl, c.direct) for c in reading.components] == [
        ("pkg:nuget/A@1.0.0", True),
        ("pkg:nuget/B@2.0.0", False),
    ]
    assert reading.edges == (("pkg:nuget/A@1.0.0", "pkg:nuget/B@2.0.0"),)


def test_project_files_take_a_version_only_where_one_stands() -> None:
    assert [(c.purl, c.requirement, c.scope, c.grade) for c in case("nuget-manifest").components] == [
        ("pkg:nuget/Analyzers@2.0.0", None, Scope.BUILD, 2),
        ("pkg:nuget/Central", "", Scope.RUNTIME, 0),
        ("pkg:nuget/Floating", "1.*", Scope.RUNTIME, 1),
        ("pkg:nuget/Newtonsoft.Json@13.0.3", None, Scope.RUNTIME, 2),
    ]


def test_gradle_locks_and_catalogs() -> None:
    assert [(c.purl, c.scope, c.locations[0].line) for c in case("gradle-lock").components] == [
        ("pkg:maven/com.example/lib@1.2.3", Scope.RUNTIME, 2),
        ("pkg:maven/org.junit/junit@5.10.0", Scope.DEV, 3),
    ]
    assert [(c.purl, c.requirement) for c in case("gradle-catalog").components] == [
        ("pkg:maven/com.example/managed", ""),
        ("pkg:maven/com.example/open", "[1.0, 2.0["),
        ("pkg:maven/com.example/short@1.0", None),
        ("pkg:maven/org.jetbrains.kotlin/kotlin-stdlib@1.9.20", None),
    ]


def test_maven_puts_properties_in_and_leaves_open_what_it_cannot_know() -> None:
    assert [(c.purl, c.requirement, c.scope, c.grade) for c in case("maven").components] == [
        ("pkg:maven/com.example/sibling@1.0.0", None, Scope.RUNTIME, 2),
        ("pkg:maven/org.managed/m@2.0", None, Scope.DEV, 2),
        ("pkg:maven/org.parent/p", "${elsewhere}", Scope.RUNTIME, 1),
        ("pkg:maven/org.range/r", "[1,2)", Scope.RUNTIME, 1),
        ("pkg:maven/org.snap/s@1-SNAPSHOT", None, Scope.OPTIONAL, 1),
        ("pkg:maven/org.springframework/spring-core@6.0.1", None, Scope.RUNTIME, 2),
    ]


@pytest.mark.parametrize("reader", [cargo, composer, gemfile, maven, nuget, nuget_manifest, gradle])
@pytest.mark.parametrize("data", [b"{", b"<a", b"x y", b"[[package", b"\xff\xfe\x00"])
def test_what_is_no_such_file_is_unread(reader, data: bytes) -> None:
    assert reader.read("x", data).unread


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project>&b;</project>',
        b"<a>" * 5_000 + b"</a>" * 5_000,
        b'<?xml version="1.0" encoding="nonsense"?><project/>',
    ],
)
def test_xml_bombs_are_unread(data: bytes) -> None:
    assert maven.read("pom.xml", data).unread


def test_a_property_that_names_itself_ends() -> None:
    pom = b"""<project><properties><a>${b}${b}</a><b>${a}${a}</b></properties><dependencies><dependency>
    <groupId>g</groupId><artifactId>x</artifactId><version>${a}</version></dependency></dependencies></project>"""
    (found,) = maven.read("pom.xml", pom).components
    assert found.presence == Presence.UNRESOLVED
    assert len(found.requirement) <= 200
