import pytest

from safeconduct.capabilities.vulnerabilities.ecosystems import base_of, language_ecosystem, type_of
from safeconduct.model.purl import make_purl, parse_purl


@pytest.mark.parametrize(
    ("ecosystem", "name", "base"),
    [
        ("PyPI", "Zope.Interface", "pkg:pypi/zope-interface"),
        ("npm", "@angular/core", "pkg:npm/%40angular/core"),
        ("npm", "left-pad", "pkg:npm/left-pad"),
        ("Go", "github.com/gogo/protobuf", "pkg:golang/github.com/gogo/protobuf"),
        ("Go", "stdlib", "pkg:golang/stdlib"),
        ("crates.io", "smallvec", "pkg:cargo/smallvec"),
        ("Maven", "org.jline:jline-parent", "pkg:maven/org.jline/jline-parent"),
        ("Packagist", "Drupal/Core", "pkg:composer/drupal/core"),
        ("NuGet", "Newtonsoft.Json", "pkg:nuget/Newtonsoft.Json"),
        ("RubyGems", "rails", "pkg:gem/rails"),
        ("Hex", "phoenix", "pkg:hex/phoenix"),
        ("SwiftURL", "github.com/apple/swift-nio", "pkg:swift/github.com/apple/swift-nio"),
        ("Debian:12", "openssl", "pkg:deb/debian/openssl?distro=debian-12"),
        ("Alpine:v3.18", "openssl", "pkg:apk/alpine/openssl?distro=alpine-3.18"),
        ("Ubuntu:22.04:LTS", "openssl", "pkg:deb/ubuntu/openssl?distro=ubuntu-22.04"),
        ("Debian", "openssl", "pkg:deb/debian/openssl"),
        ("GIT", "x", None),
        ("PyPI", "", None),
    ],
)
def test_a_package_of_an_ecosystem_has_one_purl_base(ecosystem, name, base):
    assert base_of(ecosystem, name) == base


@pytest.mark.parametrize(
    ("ecosystem", "kind", "name"),
    [
        ("PyPI", "pypi", "Zope.Interface"),
        ("npm", "npm", "@angular/core"),
        ("npm", "npm", "JSONStream"),
        ("Go", "golang", "github.com/Azure/azure-sdk-for-go/sdk/azcore"),
        ("Go", "golang", "gopkg.in/yaml.v2"),
        ("crates.io", "cargo", "serde_json"),
    ],
)
def test_a_base_is_the_one_that_an_inventory_gives_the_same_package(ecosystem, kind, name):
    assert base_of(ecosystem, name) == parse_purl(make_purl(kind, name, "1.0.0")).base


def test_an_unknown_ecosystem_is_named_by_the_purl_of_its_record():
    assert base_of("Moon", "x", "pkg:moon/x@1") == "pkg:moon/x"
    assert base_of("Moon", "x", "no purl") is None
    assert base_of("Moon", "x") is None


def test_types_and_ecosystems_are_named_both_ways():
    assert type_of("pkg:deb/debian/openssl") == "deb"
    assert language_ecosystem("golang") == "Go"
    assert language_ecosystem("docker") is None
