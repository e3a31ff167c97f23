"""What .NET projects name: ``*.csproj`` and its relatives, ``Directory.Packages.props``, ``packages.config``.

Source: NuGet documentation, "PackageReference in project files", "Central Package Management", "Package versioning". A
bare version there is a minimum, but restore takes exactly it where it exists; ranges and floating versions stay open.
"""

import re
from collections.abc import Iterator

from safeconduct.capabilities.inventory.documents import Damaged
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.xml_document import Element, decode_xml
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope
from safeconduct.model.purl import make_purl

READER = "nuget-manifest"
YIELDS = Yields(
    reader=READER,
    files=("*.csproj", "*.fsproj", "*.vbproj", "Directory.Packages.props", "Directory.Build.props", "packages.config"),
    ecosystem="nuget",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
    note="properties of the same file are put in; a version that stands elsewhere stays unresolved",
)
NAMES = ("Directory.Packages.props", "Directory.Build.props", "Directory.Build.targets", "packages.config")
ENDINGS = (".csproj", ".fsproj", ".vbproj")
_ITEMS = frozenset(
    {"PackageReference", "PackageVersion", "GlobalPackageReference", "DotNetCliToolReference", "package"}
)
_EXACT = re.compile(r"\d+(?:\.\d+){0,3}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_PINNED = re.compile(r"\[\s*(\d[^,\]\s]*)\s*\]")
_PROPERTY = re.compile(r"\$\((\w[\w.-]*)\)")
_ROUNDS = 10


def read(path: str, data: bytes) -> Reading:
    """Return the packages that a project file names, at most once for each name and version."""
    try:
        root = decode_xml(data)
    except Damaged as error:
        return not_read(path, str(error))
    properties = {p.name: p.text.strip() for group in root.all("PropertyGroup") for p in group.children}
    found: dict[tuple[str, str | None], Component] = {}
    for element in _elements(root):
        component = _component(path, element, properties)
        if component is not None:
            found.setdefault((component.purl, component.requirement), component)
    return Reading(components=tuple(found.values()))


def _elements(root: Element) -> Iterator[Element]:
    pending = [root]
    while pending:
        element = pending.pop(0)
        if element.name in _ITEMS:
            yield element
        pending += element.children


def _component(path: str, element: Element, properties: dict[str, str]) -> Component | None:
    attributes = element.attributes
    name = attributes.get("Include") or attributes.get("Update") or attributes.get("id") or ""
    written = _substitute(_version(element), properties).strip()
    if not name.strip() or "$" in name or "*" in name:
        return None
    pinned = _PINNED.fullmatch(written)
    exact = pinned[1] if pinned else written if _EXACT.fullmatch(written) else ""
    return Component(
        purl=make_purl("nuget", name.strip(), exact),
        presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
        locations=(Location(path, READER, element.line),),
        scope=_scope(element),
        direct=True,
        requirement=None if exact else written,
        grade=2 if exact else 1 if written else 0,
    )


def _version(element: Element) -> str:
    attributes = element.attributes
    for key in ("VersionOverride", "Version", "version"):
        if found := attributes.get(key) or element.value(key):
            return found
    return ""


def _substitute(written: str, properties: dict[str, str]) -> str:
    for _ in range(_ROUNDS):
        new = _PROPERTY.sub(lambda found: properties.get(found[1]) or found[0], written)[:200]
        if new == written:
            break
        written = new
    return written


def _scope(element: Element) -> Scope:
    private = (element.attributes.get("PrivateAssets") or element.value("PrivateAssets")).lower()
    is_dev = private == "all" or element.attributes.get("developmentDependency", "").lower() == "true"
    return Scope.BUILD if is_dev else Scope.RUNTIME
