"""Ecosystems: how OSV names a package, and how a purl names it.

A package of a language has one purl base (``pkg:npm/%40scope/name``); one of a distribution has one for each release,
see ``distributions``.

Source: OSV schema, "Defined ecosystems"; package-url types.
"""

from functools import lru_cache

from packageurl import PackageURL

from safeconduct.capabilities.vulnerabilities.distributions import is_distribution, release_base
from safeconduct.model.purl import parse_purl

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
_LANGUAGE_OF = {kind: ecosystem for ecosystem, kind in _LANGUAGES.items()}
_SPLIT_AT = {"Maven": ":", "Go": "/", "Packagist": "/", "SwiftURL": "/", "npm": "/", "GitHub Actions": "/"}


@lru_cache(maxsize=65_536)
def base_of(ecosystem: str, name: str, purl: str | None = None) -> str | None:
    """Return the name under which a package's advisories are kept; None when no purl can name it.

    Args:
        ecosystem: OSV's, with its release suffix (``Debian:12``).
        name: in the ecosystem's own spelling.
        purl: as the record gives it; used only for an ecosystem we do not know.
    """
    root = ecosystem.partition(":")[0]
    if not name:
        return None
    try:
        if root in _LANGUAGES:
            namespace, _, last = name.rpartition(_SPLIT_AT[root]) if root in _SPLIT_AT else ("", "", name)
            return parse_purl(str(PackageURL(_LANGUAGES[root], namespace or None, last))).base
        if is_distribution(root):
            return release_base(ecosystem, name)
        return parse_purl(purl).base if purl else None
    except ValueError:
        return None


def type_of(base: str) -> str:
    """Return the purl type of a base that ``base_of`` gave."""
    return base[4 : base.index("/")]


def language_ecosystem(kind: str) -> str | None:
    """Return OSV's ecosystem of a purl type whose packages have no releases of a distribution."""
    return _LANGUAGE_OF.get(kind)
