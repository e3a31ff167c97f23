"""package.json of a project, and npm's specifiers."""

import json

import pytest

from safeconduct.capabilities.inventory import npm_manifest
from safeconduct.model.component import Presence, Scope

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def read(body: object):
    return npm_manifest.read("web/package.json", json.dumps(body, indent=1).encode())


@pytest.mark.parametrize(
    ("specifier", "purl", "grade"),
    [
        ("1.2.3", "pkg:npm/a@1.2.3", 2),
        ("=1.2.3-rc.1+build", "pkg:npm/a@1.2.3-rc.1", 2),
        ("^1.2.3", "pkg:npm/a", 1),
        (">=1 <2 || 3", "pkg:npm/a", 1),
        ("1.x", "pkg:npm/a", 1),
        ("*", "pkg:npm/a", 0),
        ("", "pkg:npm/a", 0),
        ("latest", "pkg:npm/a", 0),
        ("next", "pkg:npm/a", 0),
        ("npm:@s/real@^2", "pkg:npm/%40s/real", 1),
        ("npm:real@2.0.0", "pkg:npm/real@2.0.0", 2),
        (f"git+https://h/o/r.git#{COMMIT}", f"pkg:npm/a?vcs_url=git%2Bhttps://h/o/r.git%23{COMMIT}", 3),
        ("o/r", "pkg:npm/a?vcs_url=git%2Bhttps://github.com/o/r", 1),
        ("gitlab:o/r#v1", "pkg:npm/a?vcs_url=git%2Bhttps://gitlab.com/o/r%23v1", 1),
        ("https://u:p@h/x.tgz", "pkg:npm/a?download_url=https://h/x.tgz", 1),
    ],
)
def test_a_specifier_becomes_a_version_only_when_it_is_exact(specifier: str, purl: str, grade: int) -> None:
    (found,) = read({"dependencies": {"a": specifier}}).components
    assert (found.purl, found.grade) == (purl, grade)
    assert (found.presence == Presence.UNRESOLVED) == (found.requirement is not None)
    assert found.direct is True


@pytest.mark.parametrize("specifier", ["file:../x", "link:x", "workspace:*", "./x"])
def test_folders_of_the_project_are_no_components(specifier: str) -> None:
    assert read({"dependencies": {"a": specifier}}).components == ()


def test_scopes_and_lines_are_told() -> None:
    reading = read({"dependencies": {"a": "1"}, "devDependencies": {"b": "1"}, "peerDependencies": {"c": "1"}})
    assert [(c.scope, c.locations[0].line) for c in reading.components] == [
        (Scope.RUNTIME, 3),
        (Scope.DEV, 6),
        (Scope.PEER, 9),
    ]


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\x00"])
def test_a_damaged_manifest_is_unread(data: bytes) -> None:
    assert npm_manifest.read("package.json", data).unread
