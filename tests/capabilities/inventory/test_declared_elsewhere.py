"""Workflows, Compose files, winget, and what a Dockerfile's RUN installs."""

from pathlib import Path

import pytest

from safeconduct.capabilities.inventory import compose, dockerfile, winget, workflows
from safeconduct.capabilities.inventory.run_installs import installs
from safeconduct.capabilities.inventory.tree import FolderTree, MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.model.component import Scope

CASES = Path(__file__).resolve().parents[2] / "cases" / "inventory" / "testdata"
COMMIT, H = "0123456789012345678901234567890123456789", "sha256:" + "ab" * 32


def test_a_full_commit_pins_an_action_and_a_tag_does_not() -> None:
    found = read_tree(FolderTree(CASES / "github-workflow"))
    assert [(c.purl, c.requirement, c.grade, c.locations[0].line) for c in found.components] == [
        ("pkg:docker/node", "20", 1, 5),
        (f"pkg:docker/postgres@{H}", None, 3, 8),
        ("pkg:github/actions/checkout", "v4", 1, 10),
        (f"pkg:github/github/codeql-action@{COMMIT}#init", None, 3, 12),
        ("pkg:github/octo/repo#.github/workflows/x.yml", "main", 1, 16),
    ]
    assert {c.scope for c in found.components} == {Scope.BUILD}


def test_an_action_names_the_actions_it_is_made_of() -> None:
    action = b"runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v3\n"
    (found,) = read_tree(MemoryTree({"setup/action.yml": action})).components
    assert (found.purl, found.grade) == ("pkg:github/actions/cache", 1)
    assert read_tree(MemoryTree({"node_modules/x/.github/workflows/ci.yml": action})).components == ()


def test_compose_names_images_and_leaves_built_ones_to_their_dockerfile() -> None:
    found = read_tree(FolderTree(CASES / "compose"))
    assert [(c.purl.partition("@")[0], c.requirement, c.grade, c.locations[0].line) for c in found.components] == [
        ("pkg:docker/postgres", "16", 1, 6),
        ("pkg:docker/redis", None, 3, 8),
    ]
    unknown = compose.read("compose.yaml", b"services: {a: {image: '${IMAGE}'}}")
    assert "cannot be told" in unknown.unread[0].reason


def test_winget_exports_and_configurations() -> None:
    found = read_tree(FolderTree(CASES / "winget"))
    assert [(c.purl, c.grade, c.locations[0].line) for c in found.components] == [
        ("pkg:winget/Git.Git@2.43.0", 2, 5),
        ("pkg:winget/Microsoft.PowerShell", 0, 6),
        ("pkg:winget/Microsoft.VisualStudioCode@1.10", 2, 7),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "apt-get update && apt-get install -y curl=7.1-1 git",
            ["pkg:deb/debian/curl@7.1-1 2", "pkg:deb/debian/git 0"],
        ),
        (
            "sudo apt install -t bookworm-backports 'libc6:amd64=2.36' x/stable",
            ["pkg:deb/debian/libc6@2.36 2", "pkg:deb/debian/x 1"],
        ),
        (
            "DEBIAN_FRONTEND=noninteractive apt-get -qq install ./local.deb curl=7.*",
            ["pkg:deb/debian/curl 1"],
        ),
        (
            "apk add --no-cache -t .deps gcc=12.2-r1 'musl>1.2'",
            ["pkg:apk/alpine/gcc@12.2-r1 2", "pkg:apk/alpine/musl 1"],
        ),
        (
            "apk del gcc; apt-get remove -y git; apt-get purge install",
            [],
        ),
        (
            "dnf install -y httpd-2.4.57-5.el9 git @dev && yum -y install vim",
            ["pkg:rpm/httpd@2.4.57-5.el9 2", "pkg:rpm/git 0", "pkg:rpm/vim 0"],
        ),
        (
            "zypper --non-interactive in gcc=12",
            ["pkg:rpm/opensuse/gcc@12 2"],
        ),
        (
            # without quotes ">=2" sends the output to a file named "=2": any version of b is installed
            "python3 -m pip install -r requirements.txt 'a==1.0' b>=2 c",
            ["pkg:pypi/a@1.0 2", "pkg:pypi/b 0", "pkg:pypi/c 0"],
        ),
        (
            "pip3 install . -e ./x https://h.example/a.whl d==$V",
            ["pkg:pypi/d 0"],
        ),
        (
            "npm ci && npm install -g typescript@5.3.3 @s/x@^1 pnpm",
            ["pkg:npm/typescript@5.3.3 2", "pkg:npm/%40s/x 1", "pkg:npm/pnpm 0"],
        ),
        (
            "yarn add left-pad@1.3.0; yarn install",
            ["pkg:npm/left-pad@1.3.0 2"],
        ),
        (
            "gem install bundler -v 2.4.0 && gem install rails:7.0.1",
            ["pkg:gem/bundler@2.4.0 2", "pkg:gem/rails@7.0.1 2"],
        ),
        (
            "go install -ldflags=-s golang.org/x/tools/gopls@v0.14.2 example.com/y@latest ./cmd",
            ["pkg:golang/golang.org/x/tools/gopls@v0.14.2 3", "pkg:golang/example.com/y 0"],
        ),
        (
            "cargo install ripgrep --version 14.0.3 --locked",
            ["pkg:cargo/ripgrep@14.0.3 2"],
        ),
        (
            "dotnet tool install --global dotnet-ef --version 8.0.0",
            ["pkg:nuget/dotnet-ef@8.0.0 2"],
        ),
        (
            "winget install --id Git.Git --version 2.43.0 --exact",
            ["pkg:winget/Git.Git@2.43.0 2"],
        ),
        (
            "choco install git -y --version=2.43.0",
            ["pkg:chocolatey/git@2.43.0 2"],
        ),
        (
            "echo apt-get install curl",
            [],
        ),
        (
            "curl 'unclosed && apt-get install -y x",
            ["pkg:deb/debian/x 0"],
        ),
        (
            "if true; then apt-get install -y x; fi",
            ["pkg:deb/debian/x 0"],
        ),
    ],
)
def test_what_a_shell_line_installs(line: str, expected: list[str]) -> None:
    assert [f"{item.purl} {item.grade}" for item in installs(line)] == expected


def test_run_is_read_in_all_its_forms_and_scoped_by_its_stage() -> None:
    source = b"""FROM a:1 AS build
RUN --mount=type=cache,target=/x apk add gcc
FROM b:1
RUN ["apt-get", "install", "-y", "curl"]
RUN ["/bin/sh", "-c", "pip install x==1"]
RUN <<EOF
apt-get update
apt-get install -y git
EOF
COPY <<EOF /script
apt-get install -y no
EOF
"""
    found = [c for c in dockerfile.read("Dockerfile", source).components if "docker" not in c.purl]
    assert [(c.purl, c.scope, c.locations[0].line) for c in found] == [
        ("pkg:apk/alpine/gcc", Scope.BUILD, 2),
        ("pkg:deb/debian/curl", Scope.RUNTIME, 4),
        ("pkg:pypi/x@1", Scope.RUNTIME, 5),
        ("pkg:deb/debian/git", Scope.RUNTIME, 6),
    ]


@pytest.mark.parametrize("reader", [workflows, compose, winget])
@pytest.mark.parametrize("data", [b"a: [", b"- " * 300_000, b"[1", b"\xff\xfe\x00"])
def test_damaged_yaml_is_unread(reader, data: bytes) -> None:
    assert reader.read("x.yml", data).unread
