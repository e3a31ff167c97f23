"""In-toto statements: what is claimed about which subjects.

Source: in-toto attestation framework, Statement v1.
"""

from typing import Any

import msgspec

STATEMENT_V1 = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Predicate:
    """The predicate types we write, spelled as their registries spell them."""

    SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
    PROVENANCE = "https://slsa.dev/provenance/v1"
    CYCLONEDX = "https://cyclonedx.org/bom"
    SPDX = "https://spdx.dev/Document"
    VULNS = "https://in-toto.io/attestation/vulns/v0.2"
    VSA = "https://slsa.dev/verification_summary/v1"
    OPENVEX = "https://openvex.dev/ns"


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the statement is about; matched by digest only, names are hints."""

    digest: dict[str, str]
    name: str = ""
    uri: str = ""


class Statement(msgspec.Struct, frozen=True):
    """A statement as signed."""

    subject: tuple[Subject, ...]
    predicateType: str  # noqa: N815 - the field's own spelling
    predicate: dict[str, Any] = {}
