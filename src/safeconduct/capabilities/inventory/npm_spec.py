"""Specifiers of npm: what may stand behind a name in ``dependencies``, and in ``resolved`` of a lock file.

Source: npm documentation, package.json, "dependencies"; npm-package-arg.
"""

import re

import msgspec

from safeconduct.model.purl import Purl, make_purl, parse_purl

NONE, RANGE, EXACT, HASHED = 0, 1, 2, 3

_EXACT_VERSION = re.compile(r"[v=\s]*(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?\s*")
_RANGE_START = re.compile(r"[\d^~<>=v|x*\s]")
_COMMIT = re.compile(r"#[0-9a-f]{40}$")
_SHORTHAND = re.compile(r"(?:(github|gitlab|bitbucket|gist):)?([\w.-]+/[\w.-]+)(#.*)?")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "gist": "gist.github.com"}
_LOCAL = ("file:", "link:", "workspace:", "portal:", "./", "../", "/", "~/")
_GIT = ("git+", "git:", "git@")
_ANY = frozenset({"", "*", "x", "X", "latest", ">=0", ">=0.0.0"})


class Declaration(msgspec.Struct, frozen=True):
    """One dependency as written.

    Attributes:
        purl: with a version only when the specifier is exact.
        requirement: as written, None when exact.
        grade: pinning of the specifier alone.
    """

    purl: str
    requirement: str | None
    grade: int

    @property
    def identity(self) -> tuple[str, str]:
        """What a lock file's copy of the same declaration equals."""
        return self.purl, self.requirement or ""


def find_declaration(name: str, specifier: str) -> Declaration | None:
    """Return what ``"name": "specifier"`` declares, None for a folder of the project itself."""
    if specifier.startswith(_LOCAL):
        return None
    if specifier.startswith("npm:"):
        real, _, rest = specifier[4:].rpartition("@")
        name, specifier = (real, rest) if real else (rest, "")
    if exact := _EXACT_VERSION.fullmatch(specifier):
        return Declaration(make_purl("npm", name, exact[1]), None, EXACT)
    if specifier.strip() in _ANY:
        return Declaration(make_purl("npm", name), specifier, NONE)
    if source := _source_of(specifier):
        grade = HASHED if _COMMIT.search(source[1]) else RANGE
        return Declaration(_with_source(name, "", source), without_credentials(specifier), grade)
    grade = RANGE if _RANGE_START.match(specifier) else NONE
    return Declaration(make_purl("npm", name), specifier, grade)


def answered(name: str, specifier: str) -> tuple[str, str] | None:
    """Return the identity of a declaration that a lock file repeats, None for a folder of the project."""
    declaration = find_declaration(name, specifier)
    return declaration.identity if declaration else None


def locked_purl(name: str, version: str, resolved: str) -> tuple[str, bool]:
    """Return a locked package's purl, and whether its source alone pins the content (a git commit).

    A tarball from a registry or its mirror is the package itself; one from elsewhere, or a git repository, is
    named in the purl's qualifiers, because the same name and version may hold something else there.
    """
    if resolved.startswith(_GIT):
        return _with_source(name, version, ("vcs_url", resolved)), bool(_COMMIT.search(resolved))
    if resolved.startswith(("http:", "https:")) and "/-/" not in resolved and "/download/" not in resolved:
        return _with_source(name, version, ("download_url", resolved)), False
    return make_purl("npm", name, version), False


def without_credentials(url: str) -> str:
    """Return ``url`` without user and password: what is written down is shown to others."""
    return _CREDENTIALS.sub("", url)


def _source_of(specifier: str) -> tuple[str, str] | None:
    if specifier.startswith(_GIT) or (
        specifier.startswith("https://") and specifier.partition("#")[0].endswith(".git")
    ):
        return "vcs_url", specifier
    if specifier.startswith(("http://", "https://")):
        return "download_url", specifier
    if short := _SHORTHAND.fullmatch(specifier):
        return "vcs_url", f"git+https://{_HOSTS[short[1] or 'github']}/{short[2]}{short[3] or ''}"
    return None


def _with_source(name: str, version: str, source: tuple[str, str]) -> str:
    plain = parse_purl(make_purl("npm", name, version))
    qualifier = (source[0], without_credentials(source[1]))
    return str(Purl("npm", plain.namespace, plain.name, plain.version, (qualifier,)))
