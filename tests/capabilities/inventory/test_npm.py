"""npm lock files of all three versions."""

import json

import pytest

from safeconduct.capabilities.inventory import npm
from safeconduct.model.component import Component, Presence, Scope

SHA512 = "sha512-" + "A" * 86 + "=="
HEX = "00" * 64


def lock(packages: dict, version: int = 3) -> bytes:
    return json.dumps({"name": "shop", "lockfileVersion": version, "packages": packages}).encode()


def by_purl(data: bytes, path: str = "package-lock.json") -> dict[str, Component]:
    return {c.purl: c for c in npm.read(path, data).components}


def package(version: str = "1.0.0", **more: object) -> dict:
    return {"version": version, "resolved": "https://reg.example/x/-/x.tgz", "integrity": SHA512, **more}


def test_a_locked_package_has_version_hash_licence_and_grade_3() -> None:
    found = by_purl(lock({"": {"dependencies": {"a": "^1"}}, "node_modules/a": package(license="MIT")}))
    a = found["pkg:npm/a@1.0.0"]
    assert (a.presence, a.scope, a.direct, a.grade) == (Presence.LOCKED, Scope.RUNTIME, True, 3)
    assert [(h.algorithm, h.value) for h in a.hashes] == [("sha512", HEX)]
    assert a.licenses == ("MIT",)


def test_edges_follow_nodes_search_upwards() -> None:
    """Both a and b need c; a finds its own nested copy, b the hoisted one."""
    reading = npm.read(
        "package-lock.json",
        lock(
            {
                "": {"dependencies": {"a": "^1", "b": "^1"}},
                "node_modules/a": package(dependencies={"c": "^2"}),
                "node_modules/a/node_modules/c": package("2.0.0"),
                "node_modules/b": package(dependencies={"c": "^1"}),
                "node_modules/c": package("1.5.0"),
            }
        ),
    )
    assert set(reading.edges) == {
        ("pkg:npm/a@1.0.0", "pkg:npm/c@2.0.0"),
        ("pkg:npm/b@1.0.0", "pkg:npm/c@1.5.0"),
    }
    assert {c.purl: c.direct for c in reading.components}["pkg:npm/c@1.5.0"] is False


def test_workspace_packages_are_no_components_but_what_they_name_is_direct() -> None:
    reading = npm.read(
        "package-lock.json",
        lock(
            {
                "": {"workspaces": ["web"]},
                "web": {"name": "web", "version": "0.1.0", "dependencies": {"a": "^1"}},
                "node_modules/web": {"resolved": "web", "link": True},
                "node_modules/a": package(),
            }
        ),
    )
    assert [(c.purl, c.direct) for c in reading.components] == [("pkg:npm/a@1.0.0", True)]
    assert [r.manifest for r in reading.resolved] == ["package.json", "web/package.json"]


@pytest.mark.parametrize(
    ("flags", "scope"),
    [
        ({"dev": True}, Scope.DEV),
        ({"optional": True}, Scope.OPTIONAL),
        ({"devOptional": True}, Scope.OPTIONAL),
        ({"peer": True}, Scope.PEER),
    ],
)
def test_flags_become_scopes(flags: dict, scope: Scope) -> None:
    assert by_purl(lock({"node_modules/a": package(**flags)}))["pkg:npm/a@1.0.0"].scope == scope


def test_an_alias_counts_as_the_package_behind_it() -> None:
    found = by_purl(lock({"node_modules/alias": package(name="@scope/real")}))
    assert list(found) == ["pkg:npm/%40scope/real@1.0.0"]


def test_a_git_commit_pins_and_a_branch_does_not() -> None:
    commit, branch = "git+ssh://git@github.com/o/r.git#" + "a" * 40, "git+https://user:secret@host/o/r.git#main"
    found = npm.read(
        "package-lock.json",
        lock(
            {
                "node_modules/a": {"version": "1.0.0", "resolved": commit},
                "node_modules/b": {"version": "1.0.0", "resolved": branch},
            }
        ),
    ).components
    assert [c.grade for c in found] == [3, 1]
    assert "vcs_url=git%2Bssh" in found[0].purl
    assert "secret" not in found[1].purl


def test_a_package_in_a_bundle_is_covered_by_the_hash_of_its_carrier() -> None:
    assert (
        by_purl(lock({"node_modules/a/node_modules/b": {"version": "1.0.0", "inBundle": True}}))[
            "pkg:npm/b@1.0.0"
        ].grade
        == 3
    )


def test_version_1_gives_nested_packages_and_edges() -> None:
    data = json.dumps(
        {
            "lockfileVersion": 1,
            "dependencies": {
                "a": {
                    "version": "1.0.0",
                    "integrity": SHA512,
                    "requires": {"c": "^2"},
                    "dependencies": {"c": {"version": "2.0.0", "dev": True}},
                },
                "c": {"version": "1.0.0"},
                "g": {"version": "git+https://h/o/r.git#" + "b" * 40, "from": "git+https://h/o/r.git"},
                "alias": {"version": "npm:real@3.0.0"},
            },
        }
    ).encode()
    reading = npm.read("package-lock.json", data)
    found = {c.purl.partition("?")[0]: c for c in reading.components}
    assert set(found) == {
        "pkg:npm/a@1.0.0", "pkg:npm/c@2.0.0", "pkg:npm/c@1.0.0", "pkg:npm/g", "pkg:npm/real@3.0.0",
    }  # fmt: skip
    assert reading.edges == (("pkg:npm/a@1.0.0", "pkg:npm/c@2.0.0"),)
    assert found["pkg:npm/a@1.0.0"].direct is None
    assert found["pkg:npm/c@2.0.0"].direct is False
    assert found["pkg:npm/g"].presence == Presence.UNRESOLVED
    assert found["pkg:npm/g"].grade == 3


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe{", b'{"packages": 3}', b"[" * 100_000])
def test_a_damaged_lock_is_unread_and_never_empty(data: bytes) -> None:
    reading = npm.read("x/package-lock.json", data)
    assert not reading.components
    assert [u.path for u in reading.unread] == ["x/package-lock.json"]


def test_every_truncation_of_a_lock_is_unread() -> None:
    whole = lock({"": {"dependencies": {"a": "^1"}}, "node_modules/a": package()})
    for length in range(len(whole)):
        assert npm.read("package-lock.json", whole[:length]).unread


def test_a_lock_that_lacks_what_it_needs_says_so() -> None:
    """Valid JSON with an entry cut out is as incomplete as a cut file."""
    reading = npm.read("package-lock.json", lock({"": {"dependencies": {"a": "^1"}}}))
    assert "a, which the lock file does not hold" in reading.unread[0].reason


def test_a_missing_optional_package_is_no_gap() -> None:
    needs = {"dependencies": {"a": "^1"}, "optionalDependencies": {"a": "^1"}, "peerDependencies": {"b": "1"}}
    assert not npm.read("package-lock.json", lock({"": needs})).unread


@pytest.mark.parametrize("junk", [None, 3, [], "x", True, {"x": []}])
def test_junk_in_any_field_never_crashes(junk: object) -> None:
    fields = ("name", "version", "resolved", "integrity", "dependencies", "license", "licenses", "link", "dev")
    for field in fields:
        npm.read("package-lock.json", lock({"node_modules/a": {field: junk}, "": {field: junk}}))
        nested = {"lockfileVersion": 1, "dependencies": {"a": {field: junk, "requires": junk}, "b": junk}}
        npm.read("package-lock.json", json.dumps(nested).encode())
