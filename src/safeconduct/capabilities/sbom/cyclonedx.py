"""CycloneDX JSON: an inventory written as 1.6, and documents of 1.2 to 1.7 read as an inventory.

Source: CycloneDX 1.6 specification. The same inventory, subject and time give the same bytes.
"""

import hashlib
import uuid

import msgspec

from safeconduct import __version__
from safeconduct.capabilities.sbom import document as cdx
from safeconduct.capabilities.sbom.properties import has_field, properties_of, unread_properties
from safeconduct.capabilities.sbom.reading import read_document
from safeconduct.capabilities.sbom.terms import is_expression
from safeconduct.model.component import Component, Inventory, Scope
from safeconduct.model.digest import Digest
from safeconduct.model.limits import LIMITS, Limits
from safeconduct.model.purl import parse_purl

MEDIA_TYPE = "application/vnd.cyclonedx+json"

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:safeconduct:sbom")
_SCOPES = {
    Scope.RUNTIME: "required",
    Scope.OPTIONAL: "optional",
    Scope.PEER: "optional",
    Scope.DEV: "excluded",
    Scope.BUILD: "excluded",
}
_CONTAINERS = ("pkg:docker/", "pkg:oci/")


class Subject(msgspec.Struct, frozen=True):
    """What the document is about.

    Attributes:
        type: a component type of CycloneDX, such as ``application`` or ``container``.
        digest: of the image or file, None where there is none (a source tree).
    """

    name: str
    version: str = ""
    type: str = "application"
    purl: str = ""
    digest: Digest | None = None


def write(inventory: Inventory, subject: Subject, *, timestamp: str) -> bytes:
    """Return the inventory as a CycloneDX 1.6 document, without a final newline.

    Args:
        inventory: an incomplete one is written as such, with what could not be read.
        subject: becomes ``metadata.component``; it depends on what is direct.
        timestamp: RFC 3339, from the caller's clock or the commit.
    """
    root = _root(inventory, subject)
    bom = cdx.Bom(
        schema=cdx.SCHEMA,
        bom_format=cdx.FORMAT,
        spec_version=cdx.SPEC_VERSION,
        version=1,
        metadata=cdx.Metadata(
            timestamp=timestamp,
            tools=cdx.Tools([cdx.Part(type="application", name="safeconduct", version=__version__)]),
            component=root,
            properties=unread_properties(inventory.unread) or None,
        ),
        components=[_part(component) for component in inventory.components],
        dependencies=_dependencies(inventory, root.bom_ref or ""),
        compositions=[cdx.Composition("incomplete" if inventory.unread else "complete", [root.bom_ref or ""])],
    )
    content = msgspec.json.encode(bom)
    serial = uuid.uuid5(_NAMESPACE, hashlib.sha256(content).hexdigest())
    return msgspec.json.encode(msgspec.structs.replace(bom, serial_number=f"urn:uuid:{serial}"))


def read(data: bytes, *, limits: Limits = LIMITS) -> Inventory:
    """Return the inventory that a document claims; one that we wrote comes back as it was.

    A document without components gives an inventory without any: whether that is acceptable is the caller's to say.

    Raises:
        Refused: ``not-an-sbom``.
        Undecided: ``sbom-too-large``, ``sbom-version-unknown``.
    """
    return read_document(data, limits)


def _root(inventory: Inventory, subject: Subject) -> cdx.Part:
    ref = subject.purl or f"{subject.name}@{subject.version}".rstrip("@")
    taken = {component.key for component in inventory.components}
    while ref in taken:
        ref = f"subject:{ref}"
    return cdx.Part(
        type=subject.type,
        bom_ref=ref,
        name=subject.name,
        version=subject.version or None,
        hashes=[cdx.HashValue("SHA-256", subject.digest[7:])] if subject.digest else None,
        purl=subject.purl or None,
    )


def _part(component: Component) -> cdx.Part:
    purl = parse_purl(component.purl)
    return cdx.Part(
        type="container" if component.purl.startswith(_CONTAINERS) else "library",
        bom_ref=component.key,
        group=purl.namespace or None,
        name=purl.name,
        version=purl.version or None,
        scope=_SCOPES[component.scope],
        hashes=[cdx.HashValue(cdx.ALGORITHMS[h.algorithm], h.value) for h in component.hashes if has_field(h)] or None,
        licenses=_licenses(component.licenses),
        purl=component.purl,
        properties=properties_of(component),
    )


def _licenses(texts: tuple[str, ...]) -> list[cdx.LicenseChoice] | None:
    # The schema allows one expression alone, or any number of licences.
    if len(texts) == 1 and is_expression(texts[0]):
        return [cdx.LicenseChoice(expression=texts[0])]
    return [cdx.LicenseChoice(license=cdx.LicenseName(name=text)) for text in texts] or None


def _dependencies(inventory: Inventory, root: str) -> list[cdx.Dependency]:
    below: dict[str, list[str]] = {}
    for parent, child in inventory.edges:
        below.setdefault(parent, []).append(child)
    direct = [component.key for component in inventory.components if component.direct]
    return [cdx.Dependency(root, direct or None), *(cdx.Dependency(key, below[key]) for key in sorted(below))]
