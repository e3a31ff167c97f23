"""Keys against the ecosystems' own tools on random versions, and the chains and spellings that their manuals name."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconduct.model.version import compare, version_key

DIGITS = ["0", "1", "2", "9", "10", "00", "01", "11", "2024", "20240101123456"]


def dpkg_version(pick):
    words = [*DIGITS, ".", "+", "~", "a", "rc", "Z", "ubuntu", "deb"]
    text = "".join(pick(words) for _ in range(pick([1, 2, 3, 4, 5])))
    revision = "-" + "".join(pick(words) for _ in range(pick([1, 2, 3]))) if pick([0, 1]) else ""
    return pick(["", "", "0:", "1:", "10:"]) + pick(DIGITS) + text + revision


def rpm_version(pick):
    words = [*DIGITS, ".", ".", "..", "_", "~", "^", "+", "a", "rc", "el", "git", "Z"]
    text = pick(DIGITS) + "".join(pick(words) for _ in range(pick([0, 1, 2, 3, 4, 5])))
    release = "-" + pick(DIGITS) + "".join(pick(words) for _ in range(pick([0, 1, 2, 3])))
    return pick(["", "", "0:", "1:", "10:"]) + text + release


def npm_version(pick):
    text = ".".join(pick(["0", "1", "2", "10"]) for _ in range(3))
    words = ["0", "1", "10", "a", "alpha", "B", "rc-1", "-", "0a", "x"]
    pre = pick(["-", "-", "a"]) + ".".join(pick(words) for _ in range(pick([1, 2, 3])))
    return pick(["", "v", "="]) + text + (pre if pick([0, 1]) else "")


def gem_version(pick):
    words = ["0", "1", "10", "00", "a", "b", "rc", "rc1", "beta", "0a", "Z", "pre"]
    return ".".join([pick(DIGITS), *(pick(words) for _ in range(pick([0, 1, 2, 3, 4])))]) + pick(["", "", "-1", "-a.0"])


def composer_version(pick):
    numbers = ".".join(pick(["0", "1", "2", "10"]) for _ in range(pick([1, 2, 3, 4])))
    stage = pick(["", "", "-dev", "-alpha", "-beta1", "RC2", "-rc.3", "-p1", "-pl2", "-b2.1", "-patch", "a1", "+build"])
    return pick(["", "v"]) + numbers + stage


def cran_version(pick):
    return pick(["0", "1", "2024"]) + "".join(
        pick(".-") + pick(["0", "1", "10", "01", "00"]) for _ in range(pick([1, 2, 3, 4]))
    )


GRAMMARS = {
    "deb": (dpkg_version, 250),
    "rpm": (rpm_version, 1500),
    "npm": (npm_version, 3000),
    "gem": (gem_version, 3000),
    "composer": (composer_version, 3000),
    "cran": (cran_version, 1500),
}


@pytest.mark.parametrize("kind", sorted(GRAMMARS))
def test_keys_sort_as_the_ecosystems_own_tool_does(kind, referee):
    """Half of the pairs are neighbours in our order, where a wrong step shows first."""
    grammar, count = GRAMMARS[kind]
    pick = random.Random(20261123).choice
    versions = sorted({grammar(pick) for _ in range(count)}, key=lambda v: version_key(kind, v) or b"")
    mixed = [(pick(versions), pick(versions)) for _ in range(count // 2)]
    pairs = [*pairwise(versions[: count // 2] if kind == "deb" else versions), *mixed]
    verdicts = [(pair, verdict) for pair, verdict in zip(pairs, referee(kind, pairs), strict=True)]
    assert [(*pair, v) for pair, v in verdicts if v is not None and compare(kind, *pair) != v] == []
    assert sum(verdict is not None for _, verdict in verdicts) > count // 3


ORDERED = {"deb", "rpm", "apk", "maven", "gem", "composer", "hackage", "cran", "opam", "julia", "bitnami"}
CHAINS = [
    ("deb", "1.0~~ 1.0~~a 1.0~ 1.0 1.0-0.1 1.0-1~bpo1 1.0-1 1.0-1+b1 1.0a 1.0+1 1.0.1 1:0.1"),
    ("rpm", "1.0~rc1-1 1.0-1 1.0^git1-1 1.0a-1 1.0.1-1 1.1-1 1:0.1-1"),
    (
        "apk",
        "1.0_alpha 1.0_alpha1 1.0_pre2 1.0_rc1 1.0 1.0-r0 1.0-r1 1.0_git2020 1.0_p1 1.0a 1.0.01 1.0.1 1.1",
    ),
    ("maven", "1-alpha-1 1-beta 1-milestone 1-rc 1-SNAPSHOT 1 1-sp 1-abc 1-xyz 1-1 1-2 1.0.1 1.1 2"),
    ("gem", "1.0.a 1.0.a.1 1.0.b 1.0.rc1 1 1.0.1.a 1.0.1 1.1"),
    ("composer", "1.0-dev 1.0-alpha 1.0-beta1 1.0-RC1 1.0 1.0-p1 1.0.1"),
    ("hackage", "0.9 1 1.0 1.0.0 1.0.1 1.10"),
    ("cran", "0.9 1.0 1.0-1 1.0.2 1.0-10 1.1"),
    ("opam", "1.0~beta 1.0 1.0+1 1.0.1 v0.9"),
    ("julia", "1.0.7 1.0.7+0 1.0.7+1 1.0.8"),
    ("bitnami", "1.2.3 1.2.4-0 1.2.4"),
]


@pytest.mark.parametrize(("kind", "chain"), CHAINS, ids=[kind for kind, _ in CHAINS])
def test_a_chain_is_ordered_in_all_its_pairs(kind, chain):
    keys = [version_key(kind, v) for v in chain.split()]
    assert keys == sorted(set(keys))


SAME = [
    ("deb", "1.0 1.0-0 0:1.0 1.00 1.0-00"),
    ("rpm", "1.0-1 0:1.0-1 1.00-1 1_0-1"),
    ("maven", "1 1.0 1.0.0 1-0 1.ga 1-final 1.0.0-RELEASE 01"),
    ("maven", "1-alpha-1 1a1 1.0.alpha1 1.0-Alpha-1"),
    ("maven", "1-rc 1.cr 1.0.0CR"),
    ("gem", "1 1.0 1.0.0"),
    ("composer", "1 v1.0 1.0.0 1.0.0.0 1.0+build"),
    ("cran", "1.0-1 1.0.1"),
]


@pytest.mark.parametrize(("kind", "spellings"), SAME, ids=[s for _, s in SAME])
def test_spellings_of_one_version_have_one_key(kind, spellings):
    assert len({version_key(kind, v) for v in spellings.split()}) == 1


REFUSED = [
    ("deb", ["", "1:", "1.0-", "a:1.0", "1 0", "99999999999:1", "1.0_1", "1.0\n1"]),
    ("rpm", ["", "1-", "-1", "1 0-1"]),
    ("apk", ["", "1.2.x", "1.0-1", "1.0-r", "1.0A", "1..2", "1.0_foo", "6.6.2p1"]),
    ("maven", ["", "LATEST", "RELEASE", "[1.0,2.0)", "${version}", "1.0 beta"]),
    ("gem", ["1beta", "a", ">= 1", "1..2", "junk"]),
    ("composer", ["", "dev-master", "2.x-dev", "^1.0", "1.2.3.#", "latest"]),
    ("hackage", ["", "1.0a", "1..2", "1.0 "]),
    ("cran", ["", "1.0a", "1--2"]),
    ("opam", ["", "1.0 2"]),
]


@pytest.mark.parametrize(("kind", "texts"), REFUSED, ids=[kind for kind, _ in REFUSED])
def test_what_its_own_ecosystem_refuses_has_no_key(kind, texts):
    assert [text for text in texts if version_key(kind, text) is not None] == []


@given(st.text(max_size=40), st.sampled_from(sorted(ORDERED)))
def test_no_text_breaks_a_key(text, kind):
    key = version_key(kind, text)
    assert key is None or len(key) > 1


@pytest.mark.parametrize("kind", ["deb", "rpm", "apk", "maven", "gem", "composer", "hackage", "cran", "opam"])
@pytest.mark.parametrize("unit", ["1", "1.", "~", "0.", "-", "a1", "_p"])
def test_a_long_text_costs_little(kind, unit):
    version_key(kind, "1" + unit * 170)
    assert version_key(kind, "1" + unit * 5000) is None
