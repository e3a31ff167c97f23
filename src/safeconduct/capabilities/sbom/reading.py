"""CycloneDX documents of any maker, read with patience for what is left out and none for what is not CycloneDX."""

import re
from collections.abc import Iterator
from typing import NoReturn

import msgspec

from safeconduct.capabilities.sbom import document as cdx
from safeconduct.capabilities.sbom.properties import PRESENCE, Known, read_known, read_unread
from safeconduct.foundation.errors import Refused, Undecided
from safeconduct.model.component import Component, Hash, Inventory, Location, Presence, Scope, Unread
from safeconduct.model.limits import Limits
from safeconduct.model.purl import Purl, parse_purl

READER = "cyclonedx"

_BOM = b"\xef\xbb\xbf"
_DECODER = msgspec.json.Decoder(cdx.Bom)
_ALGORITHMS = {theirs: ours for ours, theirs in cdx.ALGORITHMS.items()}
_HEX = re.compile(r"[0-9a-fA-F]{32,128}")
_SCOPES = {"required": Scope.RUNTIME, "optional": Scope.OPTIONAL, "excluded": Scope.DEV}
_PACKAGES = frozenset({"library", "framework", "application", "container", "firmware", "device-driver"})
"""Types that name something with versions and vulnerabilities: one without a purl cannot be looked up."""
_DEVELOPMENT = ("cdx:npm:package:development", "cdx:poetry:group", "cdx:composer:package:isDevRequirement")
# Purls that are canonical by their looks; parsing 5,000 of them costs more than the rest of the document.
_CANONICAL = re.compile(
    r"pkg:(?:pypi/[a-z0-9]+(?:-[a-z0-9]+)*|npm/(?:%40[a-z0-9._-]+/)?[a-z0-9._-]+|(?:cargo|gem|maven)/[A-Za-z0-9._/-]+)"
    r"@[A-Za-z0-9._-]+"
)


def read_document(data: bytes, limits: Limits) -> Inventory:
    """Return the inventory that a CycloneDX JSON document claims.

    Raises:
        Refused: ``not-an-sbom``.
        Undecided: ``sbom-too-large``, ``sbom-version-unknown``.
    """
    if len(data) > limits.sbom:
        raise Undecided(
            "sbom-too-large",
            f"the SBOM has {len(data)} bytes, more than the limit of {limits.sbom}",
            next_step="split it by artifact, or raise the limit if you know where it comes from",
        )
    return _Document(_decode(data)).inventory()


def _decode(data: bytes) -> cdx.Bom:
    try:
        bom = _DECODER.decode(data.removeprefix(_BOM))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        _refuse(str(error))
    if bom.bom_format != cdx.FORMAT:
        _refuse(f"'bomFormat' is {bom.bom_format[:40]!r}, not 'CycloneDX'")
    if bom.spec_version not in cdx.READABLE:
        raise Undecided(
            "sbom-version-unknown",
            f"the SBOM is CycloneDX {bom.spec_version[:40]!r}, which cannot be read yet",
            why=f"versions that can be read: {', '.join(cdx.READABLE)}",
            next_step="have its maker write one of these versions",
        )
    return bom


def _refuse(why: str) -> NoReturn:
    raise Refused(
        "not-an-sbom",
        "the document is not a CycloneDX SBOM in JSON",
        why=why,
        next_step="name a CycloneDX JSON document, or have its maker write one",
    )


class _Document:
    """A document while its components get their keys."""

    def __init__(self, bom: cdx.Bom) -> None:
        self._bom = bom
        self._found: dict[str, Component] = {}
        self._unread: list[Unread] = []
        self._keys: dict[str, str] = {}
        """bom-ref to key; an empty key for a component that is listed and is none of ours."""
        self._groups = self._group_edges()
        self._own: set[str] = set()

    def inventory(self) -> Inventory:
        """Return everything that the document says."""
        nested: list[tuple[str, str]] = []
        for part, parent in _flatten(self._bom.components or []):
            self._add(part)
            if parent and part.bom_ref:
                nested.append((parent, part.bom_ref))
        self._note_incomplete()
        listed = self._listed()
        direct = self._direct(listed)
        components = tuple(self._told(self._found[key], direct) for key in sorted(self._found))
        return Inventory(
            components=components,
            edges=tuple(sorted(self._edges(listed, nested))),
            unread=tuple(sorted(set(self._unread))),
            readers=tuple(sorted({place.reader for c in components for place in c.locations})),
        )

    def _group_edges(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for dependency in self._bom.dependencies or ():
            found.setdefault(dependency.ref, []).extend(dependency.depends_on or ())
        return found

    def _add(self, part: cdx.Part) -> None:
        label = part.bom_ref or f"{part.name}@{part.version or ''}".rstrip("@")
        try:
            component = _component(part)
        except ValueError as error:
            self._unread.append(Unread(label, str(error)))
            component = None
        if component is None:
            self._keys.setdefault(part.bom_ref or "", "")
            return
        if _is_own(part):
            self._own.add(component.key)
        self._keep(component, part.bom_ref)

    def _keep(self, component: Component, ref: str | None) -> None:
        same = self._found.get(component.key)
        if same is None:
            self._found[component.key] = component
            self._keys[ref or component.key] = component.key
        elif same.purl != component.purl:
            self._unread.append(Unread(component.key, "one bom-ref names two components; the second is left out"))
        elif same != component:
            self._found[component.key] = _united(same, component)

    def _listed(self) -> dict[str, str]:
        return {ref: key for ref, key in self._keys.items() if key}

    def _edges(self, listed: dict[str, str], nested: list[tuple[str, str]]) -> set[tuple[str, str]]:
        written = ((ref, child) for ref, children in self._groups.items() for child in children)
        # What lies inside another component came with it.
        pairs = [*written, *nested]
        return {(listed[a], listed[b]) for a, b in pairs if a in listed and b in listed}

    def _direct(self, listed: dict[str, str]) -> dict[str, bool]:
        """Return by key whether the subject names it; empty when the document does not say.

        Some makers put groups (a lock file, a folder) between the subject and the packages: these stand for it.
        """
        metadata = self._bom.metadata
        root = metadata.component.bom_ref if metadata and metadata.component else None
        if not root or not self._groups.get(root):
            return {}
        named: set[str] = set()
        pending, seen = [root], {root}
        while pending:
            for child in self._groups.get(pending.pop(), ()):
                if child in listed:
                    named.add(listed[child])
                elif child in self._keys and child not in seen:
                    seen.add(child)
                    pending.append(child)
        below = {listed[c] for ref in self._groups if ref in listed for c in self._groups[ref] if c in listed}
        return {**dict.fromkeys(below, False), **dict.fromkeys(named, True)}

    def _told(self, component: Component, direct: dict[str, bool]) -> Component:
        # What we wrote says itself what is direct, or that nothing is known.
        if component.key in self._own or component.key not in direct:
            return component
        return msgspec.structs.replace(component, direct=direct[component.key])

    def _note_incomplete(self) -> None:
        properties = self._bom.metadata.properties if self._bom.metadata else None
        try:
            own = read_unread(properties)
        except msgspec.DecodeError as error:
            own = (Unread("metadata.properties", f"a property of ours that cannot be read: {error}"),)
        self._unread += own
        if not own and any(c.aggregate.startswith("incomplete") for c in self._bom.compositions or ()):
            self._unread.append(Unread("compositions", "the document says that it is incomplete"))


def _flatten(parts: list[cdx.Part]) -> Iterator[tuple[cdx.Part, str | None]]:
    """Yield every component with the bom-ref of the one that it lies in, however deep."""
    pending: list[tuple[cdx.Part, str | None]] = [(part, None) for part in reversed(parts)]
    while pending:
        part, parent = pending.pop()
        yield part, parent
        pending += [(child, part.bom_ref) for child in reversed(part.components or ())]


def _is_own(part: cdx.Part) -> bool:
    return any(item.name == PRESENCE for item in part.properties or ())


def _component(part: cdx.Part) -> Component | None:
    """Return the component, None for what is no package (a file, an operating system, a group).

    Raises:
        ValueError: a package that cannot be named, or a property of ours that cannot be read.
    """
    named = part.purl or (part.bom_ref if part.bom_ref and part.bom_ref.startswith("pkg:") else "")
    if not named:
        if part.type not in _PACKAGES or (part.type == "application" and not part.version):
            return None
        raise ValueError(f"the {part.type} {part.name!r} has no purl, so it cannot be looked up")
    purl = _canonical(named, part.version)
    known = read_known(part.properties) if part.properties else Known()
    claimed = Presence.CLAIMED if _has_version(purl) else Presence.UNRESOLVED
    ref = part.bom_ref or ""
    return Component(
        purl=purl,
        ref="" if ref == purl else ref,
        presence=known.presence or claimed,
        locations=known.locations if known.presence else _places(part),
        scope=known.scope or _scope(part),
        direct=known.direct,
        requirement=known.requirement,
        grade=known.grade or 0,
        hashes=tuple(sorted({*_hashes(part), *known.hashes})),
        licenses=_terms(part.licenses),
        owner=known.owner,
    )


def _canonical(text: str, version: str | None) -> str:
    if _CANONICAL.fullmatch(text):
        return text
    purl = parse_purl(text)
    if not purl.version and version and purl.type not in {"docker", "oci"}:
        purl = parse_purl(str(Purl(purl.type, purl.namespace, purl.name, version, purl.qualifiers, purl.subpath)))
    return str(purl)


def _has_version(purl: str) -> bool:
    return "@" in purl.partition("?")[0]


def _places(part: cdx.Part) -> tuple[Location, ...]:
    seen = part.evidence.occurrences if part.evidence else None
    found = {Location(item.location, READER, item.line) for item in seen or () if item.location}
    return tuple(sorted(found, key=lambda p: (p.path, p.line or 0))) or (Location("", READER),)


def _scope(part: cdx.Part) -> Scope:
    if part.properties and any(p.name in _DEVELOPMENT and p.value not in {"false", "main"} for p in part.properties):
        return Scope.DEV
    return _SCOPES.get(part.scope or "required", Scope.RUNTIME)


def _hashes(part: cdx.Part) -> Iterator[Hash]:
    for item in part.hashes or ():
        algorithm = _ALGORITHMS.get(item.alg)
        if algorithm and _HEX.fullmatch(item.content):
            yield Hash(algorithm, item.content.lower())


def _terms(choices: list[cdx.LicenseChoice] | None) -> tuple[str, ...]:
    found = (c.expression or (c.license and (c.license.id or c.license.name)) for c in choices or ())
    return tuple(dict.fromkeys(term for term in found if term))


def _united(first: Component, second: Component) -> Component:
    """Return one component for two entries with the same key and purl."""
    return msgspec.structs.replace(
        first,
        hashes=tuple(sorted({*first.hashes, *second.hashes})),
        licenses=tuple(dict.fromkeys((*first.licenses, *second.licenses))),
        locations=tuple(dict.fromkeys((*first.locations, *second.locations))),
    )
