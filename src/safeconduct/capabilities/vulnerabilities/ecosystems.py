"""Ecosystems: how OSV names a package, and how a purl names it.

A package of a language has one purl base (``pkg:npm/%40scope/name``). A distribution patches the same source package
differently in each release, so there the release is part of the name: ``pkg:deb/debian/openssl?distro=debian-12`` is
source package openssl of ``Debian:12``. OSV names source packages; a component gives its own in ``upstream``.

Source: OSV schema, "Defined ecosystems"; package-url types; the ``distro`` and ``upstream`` qualifiers as Syft writes
them.
"""

import re
from functools import lru_cache

from packageurl import PackageURL

from safeconduct.model.purl import Purl, parse_purl

_LANGUAGES = {
    "PyPI": "pypi",
    "npm": "npm",
    "Go": "golang",
    "crates.io": "cargo",
    "Maven": "maven",
    "NuGet": "nuget",
    "RubyGems": "gem",
    "Packagist": "composer",
    "Hex": "hex",
    "Pub": "pub",
    "Hackage": "hackage",
    "CRAN": "cran",
    "Julia": "julia",
    "SwiftURL": "swift",
    "opam": "opam",
    "ConanCenter": "conan",
    "GitHub Actions": "github",
    "Bitnami": "bitnami",
    "Homebrew": "brew",
}
_DISTRIBUTIONS = {
    "Alpine": ("apk", "alpine"),
    "Wolfi": ("apk", "wolfi"),
    "Chainguard": ("apk", "chainguard"),
    "MinimOS": ("apk", "minimos"),
    "Alpaquita": ("apk", "alpaquita"),
    "Debian": ("deb", "debian"),
    "Ubuntu": ("deb", "ubuntu"),
    "Echo": ("deb", "echo"),
    "AlmaLinux": ("rpm", "almalinux"),
    "Rocky Linux": ("rpm", "rocky"),
    "Red Hat": ("rpm", "redhat"),
    "SUSE": ("rpm", "suse"),
    "openSUSE": ("rpm", "opensuse"),
    "openEuler": ("rpm", "openeuler"),
    "Azure Linux": ("rpm", "azurelinux"),
    "Mageia": ("rpm", "mageia"),
}
_LANGUAGE_OF = {kind: ecosystem for ecosystem, kind in _LANGUAGES.items()}
_DISTRIBUTION_OF = {pair: ecosystem for ecosystem, pair in _DISTRIBUTIONS.items()}
_SPLIT_AT = {"Maven": ":", "Go": "/", "Packagist": "/", "SwiftURL": "/", "npm": "/", "GitHub Actions": "/"}
_RELEASE_PARTS = {"alpine": 2, "ubuntu": 2, "alpaquita": 2}
"""How many numbers of a release count; of the others one (Debian 12.4 is Debian 12)."""
_RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+)*")


@lru_cache(maxsize=65_536)
def base_of(ecosystem: str, name: str, purl: str | None = None) -> str | None:
    """Return the name under which a package's advisories are kept; None when no purl can name it.

    Args:
        ecosystem: OSV's, with its release suffix (``Debian:12``).
        name: in the ecosystem's own spelling.
        purl: as the record gives it; used only for an ecosystem we do not know.
    """
    root, _, release = ecosystem.partition(":")
    if not name:
        return None
    try:
        if root in _LANGUAGES:
            namespace, _, last = name.rpartition(_SPLIT_AT[root]) if root in _SPLIT_AT else ("", "", name)
            return parse_purl(str(PackageURL(_LANGUAGES[root], namespace or None, last))).base
        if root in _DISTRIBUTIONS:
            kind, space = _DISTRIBUTIONS[root]
            return release_base(kind, space, name, _release_word(space, release))
        return parse_purl(purl).base if purl else None
    except ValueError:
        return None


def release_base(kind: str, space: str, name: str, release: str) -> str:
    """Return the name of a source package of one release of a distribution (``distro=debian-12``)."""
    return str(Purl(kind, space, name.lower(), "", (("distro", f"{space}-{release}"),) if release else ()))


def type_of(base: str) -> str:
    """Return the purl type of a base that ``base_of`` gave."""
    return base[4 : base.index("/")]


def language_ecosystem(kind: str) -> str | None:
    """Return OSV's ecosystem of a purl type whose packages have no releases of a distribution."""
    return _LANGUAGE_OF.get(kind)


def is_distribution(ecosystem: str) -> bool:
    """Return whether ``ecosystem`` (without release) is one whose releases are judged apart."""
    return ecosystem in _DISTRIBUTIONS


def distribution_of(purl: Purl) -> tuple[str, str] | None:
    """Return ecosystem (``Debian:12``) and base of an operating system package; None when its release is unknown."""
    root = _DISTRIBUTION_OF.get((purl.type, purl.namespace))
    qualifiers = dict(purl.qualifiers)
    distro = qualifiers.get("distro", "")
    found = _RELEASE.search(distro)
    if root is None or found is None:
        return None
    parts = found.group().split(".")[: _RELEASE_PARTS.get(purl.namespace, 1)]
    release = ".".join(parts)
    source = qualifiers.get("upstream", "").partition("@")[0] or purl.name
    suffix = f"v{release}" if root == "Alpine" else release
    return f"{root}:{suffix}", release_base(purl.type, purl.namespace, source, release)


def _release_word(space: str, release: str) -> str:
    """``12``, ``v3.18`` and ``22.04:LTS`` as they stand in ``distro``; anything else as written (``Pro:18.04:LTS``)."""
    if space == "ubuntu":
        release = release.removesuffix(":LTS")
    return release[1:] if space == "alpine" and release.startswith("v") else release
