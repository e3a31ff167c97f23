"""Our orders against the comparison tables of osv-scalibr (``semantic/testdata``), which are not kept here."""

import os
import sys
from pathlib import Path

import pytest

from safeconduct.capabilities.vulnerabilities.quality import comparisons

FOLDER = "SAFECONDUCT_SEMANTIC_TESTDATA"
KINDS = {
    "alpine": "apk",
    "cran": "cran",
    "debian": "deb",
    "hackage": "hackage",
    "maven": "maven",
    "nuget": "nuget",
    "packagist": "composer",
    "pub": "pub",
    "pypi": "pypi",
    "redhat": "rpm",
    "rubygems": "gem",
    "semver": "semver",
}
# What differs, with what the ecosystem's own tool says. All but two agree with us.
MAVEN = "ComparableVersion of Maven 3.8.7 and 3.9.9 says as we do: a qualifier means the same behind a dot and a dash"
MAVEN_MORE = (
    "ComparableVersion of 3.9.9 says as the table does: with more behind it, a qualifier after a dot stands apart"
)
COMPOSER = (
    "composer/semver 3.3 says as we do: it normalises to four numbers first, the table's version_compare does not"
)
DIFFERS = {
    "1.0.0-RC16 < 1.0.0.RC8-beta": MAVEN,
    "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3": MAVEN,
    "2.9.0-1 < 2.9.0.RC1": MAVEN,
    "3.6.2.FL.20090615 < 3.6.2-FL-2009-05-11": MAVEN_MORE,
    "6.1.12.rc5 < 6.1.12rc1": MAVEN,
    "1.1.31.sec10 < 1.1.31_noneautotype": MAVEN,
    "1.1.34.sec10 < 1.1.34_noneautotype": MAVEN,
    "1.1.46.sec10 < 1.1.46_noneautotype": MAVEN,
    "1.2.8.sec10_noneautotype < 1.2.8_noneautotype": MAVEN,
    "1.2.31.sec10 < 1.2.31_noneautotype": MAVEN,
    "1.2.48.sec10 < 1.2.48_noneautotype": MAVEN,
    "1.2.50.sec10 < 1.2.50_noneautotype": MAVEN,
    "1.2.54.sec10 < 1.2.54_noneautotype": MAVEN,
    "1.2.57.sec10 < 1.2.57_noneautotype": MAVEN,
    "1.2.60.sec10 < 1.2.60_noneautotype": MAVEN,
    "1.2.67.sec10 < 1.2.67_noneautotype": MAVEN,
    "1.0.0rc0 < 1.0.beta8": MAVEN,
    "1.5.9.RC1 < 1.5.9-RC0": MAVEN,
    "3.5.0-CR-2 < 3.5.0.Beta-1": MAVEN_MORE,
    "1.1.0-01-glassfish < 1.1.0.Beta1": MAVEN,
    "v3.0 < v3.0.0-beta": COMPOSER,
    "v3.4 < v3.4.0-alpha": COMPOSER,
    "v4-beta4 < v4.0-alpha": COMPOSER,
    "v4.4 < v4.4.0-beta": COMPOSER,
    "v6.5 < v6.5.0-beta-0": COMPOSER,
    "v6.6 < v6.6.0-beta": COMPOSER,
    "1.0.0 > 1.0": COMPOSER,
}


@pytest.fixture(scope="module")
def tables():
    folder = os.environ.get(FOLDER)
    if not folder:
        pytest.skip(f"NOT COMPARED with the tables of osv-scalibr: set {FOLDER} to its semantic/testdata")
    return sorted(Path(folder).glob("*-versions*.txt"))


def test_the_tables_agree_but_for_the_lines_that_are_named(tables, capsys):
    total, differs, unordered = 0, set(), []
    for table in tables:
        found = comparisons(KINDS[table.name.partition("-")[0]], table.read_text().splitlines())
        with capsys.disabled():
            row = (table.name, found.right, len(found.wrong), len(found.unordered))
            sys.stdout.write("\n{:36} right {:6} differ {:3} could not compare {:3}".format(*row))
        total += found.right + len(found.wrong) + len(found.unordered)
        unordered += found.unordered
        differs |= {line for line in found.wrong if (table.name[:4], line) != ("cran", "1.0.0 > 1.0")}
    assert len(tables) == 19
    assert total == 71_818
    assert len(unordered) <= 189
    assert differs == set(DIFFERS)


def test_a_line_counts_as_right_wrong_or_not_comparable():
    found = comparisons("maven", ["# a remark", "", "1 < 2", "1.0 = 1", "2 < 1", "[1,2) < 3"])
    assert (found.right, found.wrong, found.unordered) == (2, ("2 < 1",), ("[1,2) < 3",))
