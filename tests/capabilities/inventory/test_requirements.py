"""pip's requirements files."""

import random

import pytest

from safeconduct.capabilities.inventory import requirements
from safeconduct.model.component import Presence, Scope

H = "sha256:" + "ab" * 32


def read(text: str, path: str = "requirements.txt"):
    return requirements.read(path, text.encode())


@pytest.mark.parametrize(
    ("line", "purl", "presence", "grade"),
    [
        (f"Flask_Login==1.0 --hash={H}", "pkg:pypi/flask-login@1.0", Presence.LOCKED, 3),
        ("flask==1.0", "pkg:pypi/flask@1.0", Presence.DECLARED, 2),
        ("flask==1.*", "pkg:pypi/flask", Presence.UNRESOLVED, 1),
        ("flask>=1,<2", "pkg:pypi/flask", Presence.UNRESOLVED, 1),
        (f"flask>=1 --hash={H}", "pkg:pypi/flask", Presence.UNRESOLVED, 1),
        ("flask", "pkg:pypi/flask", Presence.UNRESOLVED, 0),
        ("flask[async]==1.0 ; python_version >= '3.8'  # why", "pkg:pypi/flask@1.0", Presence.DECLARED, 2),
        ("flask==1.0 --config-settings x=y", "pkg:pypi/flask@1.0", Presence.DECLARED, 2),
    ],
)
def test_only_an_exact_version_is_one(line: str, purl: str, presence: Presence, grade: int) -> None:
    (found,) = read(line).components
    assert (found.purl, found.presence, found.grade, found.direct) == (purl, presence, grade, True)
    assert (found.requirement is None) == (presence != Presence.UNRESOLVED)


def test_continuations_and_several_hashes_belong_to_one_requirement() -> None:
    other = "sha256:" + "cd" * 32
    (found, second) = read(f"a==1 \\\n    --hash={H} \\\n    --hash={other}\nb==2\n").components
    assert [h.value for h in found.hashes] == ["ab" * 32, "cd" * 32]
    assert (found.locations[0].line, second.locations[0].line) == (1, 4)


def test_compiled_files_give_edges_and_directness() -> None:
    text = (
        "a==1 \\\n"
        f"    --hash={H}\n"
        "    # via -r requirements.in\n"
        "b==2 \\\n"
        f"    --hash={H}\n"
        "    # via\n"
        "    #   a\n"
        "    #   c\n"
        "c==3\n"
        "    # via shop (pyproject.toml)\n"
    )
    reading = read(text)
    assert [(c.purl, c.direct) for c in reading.components] == [
        ("pkg:pypi/a@1", True),
        ("pkg:pypi/b@2", False),
        ("pkg:pypi/c@3", True),
    ]
    assert set(reading.edges) == {("pkg:pypi/a@1", "pkg:pypi/b@2"), ("pkg:pypi/c@3", "pkg:pypi/b@2")}


def test_vcs_and_url_requirements_keep_their_source_without_credentials() -> None:
    commit = "a" * 40
    reading = read(
        f"a @ git+https://u:secret@h/o/a@{commit}\nb @ https://h/b.whl\n-e git+https://h/o/c@main#egg=c\n"
        "d @ https://h/d.whl#sha256=" + "ab" * 32
    )
    assert [(c.purl.partition("?")[0], c.grade, c.presence) for c in reading.components] == [
        ("pkg:pypi/a", 3, Presence.UNRESOLVED),
        ("pkg:pypi/b", 1, Presence.UNRESOLVED),
        ("pkg:pypi/c", 1, Presence.UNRESOLVED),
        ("pkg:pypi/d", 3, Presence.UNRESOLVED),
    ]
    assert not any("secret" in str(c) for c in reading.components)


def test_includes_are_followed_and_constraints_reported() -> None:
    reading = read("-r base.txt\n--requirement=../x.txt\n-c pins.txt\n-r https://h/x.txt\n", "deps/requirements.txt")
    assert reading.includes == ("deps/base.txt", "x.txt")
    assert [u.path for u in reading.unread] == ["deps/requirements.txt:3", "deps/requirements.txt:4"]


def test_options_and_the_project_itself_are_no_components() -> None:
    assert read("--index-url https://h\n-e .\n./lib\n# only a comment\n") == read("")


def test_a_line_that_cannot_be_read_is_named() -> None:
    reading = read("good==1\n=== what\n")
    assert len(reading.components) == 1
    assert reading.unread[0].path == "requirements.txt:2"


def test_a_text_that_is_no_requirements_file_gives_a_few_notes_not_thousands() -> None:
    reading = requirements.read("requirements.txt", random.Random(1).randbytes(200_000))
    assert 0 < len(reading.unread) <= 11


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("requirements.txt", True),
        ("requirements-dev.txt", True),
        ("dev_requirements.txt", True),
        ("requirements/base.txt", True),
        ("a/requirements/base.txt", True),
        ("notes.txt", False),
        ("requirements.md", False),
    ],
)
def test_files_are_known_by_their_names(path: str, expected: bool) -> None:
    assert requirements.is_requirements(path) is expected


def test_the_files_name_tells_the_scope() -> None:
    assert read("a==1", "requirements-dev.txt").components[0].scope == Scope.DEV
    assert read("a==1", "requirements/test.txt").components[0].scope == Scope.DEV
    assert read("a==1", "requirements-latest.txt").components[0].scope == Scope.RUNTIME
