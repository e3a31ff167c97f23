"""Package URLs: the one name of a package across every document.

Source: the package-url specification 1.0; the text form is read and written by its own library.
"""

import re
from functools import lru_cache

import msgspec
from packageurl import PackageURL

_PYPI_SEPARATORS = re.compile(r"[-_.]+")


class Purl(msgspec.Struct, frozen=True, order=True):
    """One package, or one version of it, in canonical form."""

    type: str
    namespace: str = ""
    name: str = ""
    version: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()
    subpath: str = ""

    def __str__(self) -> str:
        return PackageURL(
            self.type,
            self.namespace or None,
            self.name,
            self.version or None,
            dict(self.qualifiers) or None,
            self.subpath or None,
        ).to_string()

    @property
    def base(self) -> str:
        """The canonical text without version, qualifiers and subpath: the package's name in the graph."""
        return str(Purl(self.type, self.namespace, self.name))

    @property
    def qualifier_text(self) -> str:
        """The qualifiers as ``k=v&k=v``, sorted: part of a package version's key in the graph."""
        return "&".join(f"{k}={v}" for k, v in self.qualifiers)


@lru_cache(maxsize=65_536)
def parse_purl(text: str) -> Purl:
    """Return ``text`` as a canonical purl: type and name in the spelling of their ecosystem.

    Raises:
        ValueError: the text is not a package URL.
    """
    parsed = PackageURL.from_string(text)
    qualifiers = tuple(sorted(dict(parsed.qualifiers or {}).items()))
    kind, name = _canonical_type(parsed.type), parsed.name
    if kind == "pypi":
        name = _PYPI_SEPARATORS.sub("-", name).lower()
    return Purl(kind, parsed.namespace or "", name, parsed.version or "", qualifiers, parsed.subpath or "")


def _canonical_type(kind: str) -> str:
    # Trivy and bom write pkg:alpine for what the specification calls apk.
    return "apk" if kind == "alpine" else kind


def make_purl(kind: str, name: str, version: str = "", namespace: str = "") -> str:
    """Return the canonical text of a purl; the fast way for readers with thousands of plain names.

    Args:
        kind: purl type such as ``npm`` or ``pypi``.
        name: for npm with its scope (``@scope/name``), for pypi in any spelling.
        version: exact version, or empty.
        namespace: empty where the type has none.
    """
    if kind == "npm" and name.startswith("@") and "/" in name:
        namespace, name = name.split("/", 1)
    if kind == "pypi":
        name = _PYPI_SEPARATORS.sub("-", name).lower()
    if (
        _PLAIN.fullmatch(name)
        and _PLAIN_VERSION.fullmatch(version)
        and (not namespace or _PLAIN.fullmatch(namespace[1:] if namespace[0] == "@" else namespace))
    ):
        space = "" if not namespace else namespace.replace("@", "%40") + "/"
        lower = name.lower() if kind in _LOWER_CASE else name
        return f"pkg:{kind}/{space}{lower}" + (f"@{version}" if version else "")
    return str(parse_purl(PackageURL(kind, namespace or None, name, version or None).to_string()))


_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_PLAIN_VERSION = re.compile(r"[A-Za-z0-9._-]*")
_LOWER_CASE = frozenset({"npm", "pypi", "deb", "apk", "github", "bitbucket", "composer"})
