"""Attestations as package registries serve them, read as the bundles that they hold.

npm and GitHub answer with a list of bundles; PyPI has a form of its own around the same parts.

Source: npm registry API (attestations), GitHub REST API (attestations), PEP 740.
"""

from typing import Any

from safeconduct.capabilities.signing.bundle import Bundle, read_entry, read_value
from safeconduct.capabilities.signing.dsse import Envelope, Signature, decode_base64
from safeconduct.foundation.errors import Refused
from safeconduct.model.limits import LIMITS

_STATEMENT = "application/vnd.in-toto+json"


def read_list(value: Any) -> tuple[Bundle, ...]:
    """Return the bundles of a registry's strictly parsed answer, in its order; each malformed one refuses all.

    Raises:
        Refused: ``malformed-attestations``, or as ``bundle.read_bundle``.
    """
    held = value.get("attestations") if isinstance(value, dict) else None
    if not isinstance(held, list) or len(held) > LIMITS.referrers:
        raise _malformed(f"attestations is no list of at most {LIMITS.referrers}")
    if not all(isinstance(a, dict) and "bundle" in a for a in held):
        raise _malformed("an attestation without bundle")
    return tuple(read_value(a["bundle"]) for a in held)


def read_publish_attestation(value: Any) -> Bundle:
    """Return the bundle in PyPI's own form of it, strictly parsed.

    Raises:
        Refused: ``malformed-attestations``, or as ``bundle.read_bundle``.
    """
    try:
        if value["version"] != 1:
            raise ValueError(f"version {str(value['version'])[:20]!r}")
        material, envelope = value["verification_material"], value["envelope"]
        content = Envelope(
            decode_base64(envelope["statement"]), _STATEMENT, (Signature(decode_base64(envelope["signature"])),)
        )
        entries = material["transparency_entries"]
        if not isinstance(entries, list) or not 0 < len(entries) <= LIMITS.signatures:
            raise ValueError("no log entry, or too many")
        return Bundle(
            content,
            certificates=(decode_base64(material["certificate"]),),
            entries=tuple(read_entry(e, "0.3") for e in entries),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _malformed(f"{type(error).__name__}: {error}"[:200]) from error


def _malformed(why: str) -> Refused:
    return Refused(
        "malformed-attestations",
        "a registry's attestations are not well formed",
        why=why,
        next_step="ask the registry again; if it stays wrong, treat the package as not attested",
    )
