"""Licence texts as SPDX expressions."""

import random

import pytest

from safeconduct.capabilities.licenses.expression import license_fact, read_terms, with_expressions
from safeconduct.model.component import Component, Inventory, Presence


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("  The MIT\n License ", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("(MIT or Apache-2.0)", "MIT OR Apache-2.0"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("LicenseRef-shop AND MIT", "LicenseRef-shop AND MIT"),
    ],
)
def test_common_spellings_become_expressions(text: str, expression: str) -> None:
    terms = read_terms(text)
    assert terms.known
    assert terms.expression == expression
    assert read_terms(terms.expression) == terms


@pytest.mark.parametrize(
    "text",
    ["", "BSD", "UNKNOWN", "NOASSERTION", "SEE LICENSE IN LICENSE", "Dual License", "MIT OR", "(((", "Foo WITH Bar",
     "MIT WITH GPL-2.0-only", "MIT OR Mine",
     "\x00", "(" * 4_000, "MIT AND " * 5_000 + "MIT", "License :: OSI Approved"],
)  # fmt: skip
def test_what_is_no_known_spelling_is_not_known(text: str) -> None:
    assert not read_terms(text).known


def test_random_text_never_crashes() -> None:
    words = ["MIT", "AND", "OR", "WITH", "(", ")", "+", "BSD", "GPL-2.0", "LicenseRef-", ",", "/"]
    for seed in range(500):
        read_terms(" ".join(random.Random(seed).choices(words, k=8)))


def component(*licenses: str) -> Component:
    return Component("pkg:npm/a@1", Presence.LOCKED, (), licenses=licenses)


def test_several_declared_texts_all_apply() -> None:
    fact = license_fact("a", ("MIT OR ISC", "Apache 2.0", "MIT OR ISC"))
    assert (fact.expression, fact.keys, fact.known) == (
        "(MIT OR ISC) AND Apache-2.0",
        ("Apache-2.0", "ISC", "MIT"),
        True,
    )


@pytest.mark.parametrize("licenses", [(), ("BSD",), ("MIT", "Mine")])
def test_a_component_with_an_unknown_part_is_not_known(licenses: tuple[str, ...]) -> None:
    fact = license_fact("a", licenses)
    assert (fact.known, fact.keys) == (False, ())


def test_an_inventory_is_respelled_and_unknown_text_stays() -> None:
    found = with_expressions(Inventory((component("MIT License", "MIT", "Mine"),)))
    assert found.components[0].licenses == ("MIT", "Mine")
