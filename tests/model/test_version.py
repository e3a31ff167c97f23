import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from safeconduct.model.version import compare, is_ordered, major_of, version_key

# --- PyPI against its own library ---------------------------------------------------------------------------------

_NUMBER = st.sampled_from(["0", "1", "2", "9", "10", "00", "01", "11", "2024", "20240101123456"])
_SEPARATOR = st.sampled_from(["", ".", "-", "_"])


@st.composite
def pep440(draw):
    epoch = draw(st.sampled_from(["", "", "", "0!", "1!"]))
    text = draw(st.sampled_from(["", "", "v"])) + epoch + ".".join(draw(st.lists(_NUMBER, min_size=1, max_size=4)))
    for words in (["a", "alpha", "b", "BETA", "c", "rc", "pre", "preview"], ["post", "rev", "r"], ["dev"]):
        if draw(st.booleans()):
            number = draw(st.one_of(st.just(""), _NUMBER))
            text += draw(_SEPARATOR) + draw(st.sampled_from(words)) + draw(_SEPARATOR) + number
            if not number:
                text = text.rstrip("-_.")
    if draw(st.integers(0, 4)) == 0:
        parts = st.lists(st.sampled_from(["0", "1", "10", "abc", "ab", "1a", "cpu", "CU118"]), min_size=1, max_size=3)
        text += "+" + draw(st.sampled_from(".-_")).join(draw(parts))
    return text


def sign(a, b):
    return (a > b) - (a < b)


@given(pep440(), pep440())
def test_pypi_keys_sort_as_packaging_does(a, b):
    assert compare("pypi", a, b) == sign(Version(a), Version(b))


@given(st.text(alphabet="0123456789.abcdeprvost!+-_ \t", max_size=14))
def test_pypi_has_a_key_exactly_for_what_packaging_accepts(text):
    try:
        Version(text)
    except InvalidVersion:
        assert version_key("pypi", text) is None
    else:
        assert version_key("pypi", text) is not None


@given(st.lists(pep440(), max_size=12))
def test_a_list_sorted_by_key_is_a_list_sorted_by_packaging(texts):
    by_key = sorted(texts, key=lambda v: version_key("pypi", v))
    assert [Version(v) for v in by_key] == sorted(Version(v) for v in texts)


# --- SemVer against a direct reading of its section 11 ------------------------------------------------------------

_IDENTIFIER = st.one_of(
    st.integers(0, 12).map(str),
    st.sampled_from(["alpha", "beta", "rc", "a", "A", "a-b", "-", "0a", "20200101000000-abcdef123456", "x-1"]),
)


@st.composite
def semver(draw):
    text = ".".join(str(draw(st.integers(0, 12))) for _ in range(3))
    if draw(st.booleans()):
        text += "-" + ".".join(draw(st.lists(_IDENTIFIER, min_size=1, max_size=4)))
    if draw(st.integers(0, 3)) == 0:
        text += "+" + draw(st.sampled_from(["build", "1", "incompatible", "a.b"]))
    return text


def reference(text):
    """Section 11: numbers, then no pre-release last, identifiers numerically or in ASCII, numeric ones lower."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?", text)
    pre = match[4]
    identifiers = [(0, int(i), "") if i.isdigit() else (1, 0, i) for i in pre.split(".")] if pre else []
    return (int(match[1]), int(match[2]), int(match[3]), pre is None, identifiers)


@given(semver(), semver())
@pytest.mark.parametrize("kind", ["npm", "cargo", "golang", "hex", "semver"])
def test_semver_keys_sort_as_section_11_says(kind, a, b):
    assert compare(kind, a, b) == sign(reference(a), reference(b))


@given(semver(), semver())
def test_a_go_version_may_have_its_v(a, b):
    assert compare("golang", "v" + a, b) == compare("golang", a, b)


def test_the_example_chain_of_semver_2_holds():
    chain = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0"
    assert all(compare("npm", a, b) == -1 for a, b in pairwise(chain.split()))


@pytest.mark.parametrize(
    ("kind", "chain"),
    [
        ("golang", "v0.0.0-20190101000000-aaaaaaaaaaaa v0.0.0-20200101000000-000000000000 v0.0.1 v1.0.0"),
        ("golang", "v1.2.3 v1.2.4-0.20200101000000-abcdefabcdef v1.2.4 v2.0.0+incompatible"),
        ("golang", "go1.20.7 go1.21rc1 go1.21rc2 go1.21rc10 go1.21 go1.21.1"),
        ("golang", "1.20.99 1.21.0-0 1.21rc1 1.21.0-rc.2 go1.21.0"),
        ("nuget", "1.0.0-Alpha 1.0.0-beta 1.0.0 1.0.0.1 1.0.0.2 1.0.1"),
        ("npm", "1.2.3beta 1.2.3 1.2.4"),
        ("pub", "1.0.0-dev 1.0.0 1.0.0+1 1.0.0+2 1.0.1"),
        ("pypi", "1.0.dev0 1.0a1.dev1 1.0a1 1.0rc1 1.0 1.0+local 1.0.post1.dev1 1.0.post1 1.0.1 1!0.1"),
    ],
)
def test_a_chain_is_ordered(kind, chain):
    versions = chain.split()
    assert [compare(kind, a, b) for a, b in pairwise(versions)] == [-1] * (len(versions) - 1)


@pytest.mark.parametrize(
    ("kind", "a", "b"),
    [
        ("golang", "go1.21rc2", "1.21.0-rc.2"),
        ("nuget", "1.0.0-RC.1", "1.0-rc.1"),
        ("nuget", "1.0.0.0", "1.0"),
        ("npm", "v1.2.3", "=1.2.3+build"),
        ("pypi", "1.0", "1.0.0"),
        ("pypi", "1.0-1", "1.0.post1"),
    ],
)
def test_two_spellings_are_one_version(kind, a, b):
    assert version_key(kind, a) == version_key(kind, b)


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("npm", ""),
        ("npm", "latest"),
        ("npm", "1.x"),
        ("npm", "1x"),
        ("npm", "^1.0.0"),
        ("npm", "1.0.0-"),
        ("npm", "1.0.0-a..b"),
        ("npm", "1" * 300 + ".0.0"),
        ("npm", "1.0.0-" + "a" * 600),
        ("npm", "\u0661.0.0"),
        ("golang", "(devel)"),
        ("pypi", "1.0-foo"),
        ("pypi", "2004d-r1"),
        ("pypi", "1.0\x00"),
        ("docker", "1.0.0"),
        ("", "1.0.0"),
    ],
)
def test_what_cannot_be_ordered_has_no_key(kind, version):
    assert version_key(kind, version) is None
    assert compare(kind, version, version) is None


@given(st.text(max_size=40), st.sampled_from(["pypi", "npm", "golang", "nuget", "pub", "cargo", "hex"]))
def test_no_text_breaks_a_key(text, kind):
    key = version_key(kind, text)
    assert key is None or len(key) > 1


def test_the_major_number_is_read_with_its_epoch():
    found = [major_of(v) for v in ("1.2.3", "v1.0", "go1.21", "1!1.0", "01.2", "abc")]
    assert found == ["0!1", "0!1", "0!1", "1!1", "0!1", None]


def test_only_types_with_a_known_order_are_ordered():
    assert is_ordered("pypi")
    assert not is_ordered("brew")


@pytest.mark.parametrize(
    ("kind", "versions"),
    [
        ("pypi", ["1.2.3", "2024.1.15", "1.0rc1", "2.0.0.post1"]),
        ("npm", ["1.2.3", "18.2.0", "1.0.0-beta.1", "4.17.21"]),
    ],
)
def test_a_key_costs_a_few_microseconds(kind, versions):
    began = time.process_time()
    for _ in range(5_000):
        for version in versions:
            version_key(kind, version)
    assert (time.process_time() - began) / 20_000 < 20e-6
