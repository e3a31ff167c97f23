"""Installed Python distributions."""

import pytest

from safeconduct.capabilities.inventory import dist_info
from safeconduct.model.component import Presence

META = b"""Metadata-Version: 2.1
Name: Zope.Interface
Version: 5.0
License: ZPL 2.1
Classifier: Programming Language :: Python
Classifier: License :: OSI Approved :: Zope Public License
Requires-Dist: setuptools
Requires-Dist: tomli >=1 ; python_version < "3.11"
Requires-Dist: docs ; extra == 'docs'
Requires-Dist: !!broken

Name: evil
Version: 1
"""


def test_headers_give_name_version_licence_and_needs() -> None:
    reading = dist_info.read("lib/site-packages/zope.interface-5.0.dist-info/METADATA", META)
    (found,) = reading.components
    assert (found.purl, found.presence) == ("pkg:pypi/zope-interface@5.0", Presence.INSTALLED)
    assert found.licenses == ("License :: OSI Approved :: Zope Public License",)
    assert reading.installed[0].needs == ("setuptools", "tomli")


def test_a_licence_expression_comes_before_classifiers() -> None:
    data = META.replace(b"License: ZPL 2.1", b"License-Expression: ZPL-2.1 OR MIT")
    assert dist_info.read("a.dist-info/METADATA", data).components[0].licenses == ("ZPL-2.1 OR MIT",)


def test_a_whole_licence_text_is_no_licence_name() -> None:
    data = b"Name: a\nVersion: 1\nLicense: Copyright\n        All rights\n        reserved\n"
    assert dist_info.read("a.dist-info/METADATA", data).components[0].licenses == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("venv/lib/python3/site-packages/a-1.dist-info/METADATA", True),
        ("site-packages/a-1.dist-info/METADATA", True),
        ("site-packages/setuptools/_vendor/b-1.dist-info/METADATA", False),
        ("site-packages/pip/_vendor/deep/b-1.dist-info/METADATA", False),
        ("site-packages/a/tests/b-1.dist-info/METADATA", False),
        ("site-packages/~ip-1.dist-info/METADATA", False),
        ("usr/lib/python3/dist-packages/a-1.egg-info/PKG-INFO", True),
        ("usr/lib/python3/dist-packages/a-1.egg-info", True),
        ("src/shop.egg-info/PKG-INFO", False),
        ("layer/a-1.dist-info/METADATA", True),
        ("testdata/a-1.dist-info/METADATA", False),
        ("site-packages/a-1.dist-info/REQUESTED", True),
        ("a/METADATA", False),
    ],
)
def test_only_what_lies_in_a_site_itself_is_installed(path: str, expected: bool) -> None:
    assert dist_info.is_metadata(path, path.rpartition("/")[2]) is expected


@pytest.mark.parametrize("data", [b"", b"Name: a\n", b"\x00" * 1000, b"Version: 1\n\nName: a\n"])
def test_metadata_without_name_and_version_is_unread(data: bytes) -> None:
    assert dist_info.read("a.dist-info/METADATA", data).unread
