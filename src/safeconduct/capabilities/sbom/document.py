"""The part of a CycloneDX document that we write and read, as it is spelled there.

Source: CycloneDX 1.6 JSON schema; fields of 1.2 to 1.7 that we use have the same shape.
"""

from typing import Any

import msgspec

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
FORMAT = "CycloneDX"
SPEC_VERSION = "1.6"
READABLE = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")

ALGORITHMS = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "sha3-256": "SHA3-256",
    "sha3-384": "SHA3-384",
    "sha3-512": "SHA3-512",
    "blake2b-256": "BLAKE2b-256",
    "blake2b-384": "BLAKE2b-384",
    "blake2b-512": "BLAKE2b-512",
    "blake3": "BLAKE3",
}
"""Our spelling of an algorithm to that of the schema."""


class Property(msgspec.Struct, frozen=True, gc=False):
    """A name with a value; names are not unique."""

    name: str = ""
    value: str | None = ""


class HashValue(msgspec.Struct, frozen=True, gc=False):
    """A hash in hex."""

    alg: str = ""
    content: str = ""


class LicenseName(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A licence by SPDX id, or by name where it has none."""

    id: str | None = None
    name: str | None = None


class LicenseChoice(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A licence, or a whole expression."""

    license: LicenseName | None = None
    expression: str | None = None


class Occurrence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where a component was seen."""

    location: str | None = None
    line: int | None = None


class Evidence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Why a component is listed."""

    occurrences: list[Occurrence] | None = None


class Part(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename={"bom_ref": "bom-ref"}):
    """A component as the document writes it."""

    type: str = ""
    bom_ref: str | None = None
    group: str | None = None
    name: str = ""
    version: str | None = None
    scope: str | None = None
    hashes: list[HashValue] | None = None
    licenses: list[LicenseChoice] | None = None
    purl: str | None = None
    components: "list[Part] | None" = None
    evidence: Evidence | None = None
    properties: list[Property] | None = None


class Tools(msgspec.Struct, frozen=True, gc=False):
    """What made the document; before 1.5 a plain list, which is not read."""

    components: list[Part]


class Metadata(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the document is about."""

    timestamp: str | None = None
    tools: Any = None
    component: Part | None = None
    properties: list[Property] | None = None


class Dependency(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename={"depends_on": "dependsOn"}):
    """The components that one needs."""

    ref: str
    depends_on: list[str] | None = None


class Composition(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How complete a part of the document is."""

    aggregate: str
    assemblies: list[str] | None = None


class Bom(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """A whole document."""

    schema: str = msgspec.field(name="$schema", default="")
    bom_format: str = ""
    spec_version: str = ""
    serial_number: str | None = None
    version: Any = None
    metadata: Metadata | None = None
    components: list[Part] | None = None
    dependencies: list[Dependency] | None = None
    compositions: list[Composition] | None = None
