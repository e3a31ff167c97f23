"""Owners: a language package that a package of the operating system brought is that package's business.

The distribution repairs it under a version number of the language that stays the same, so the language's own advisories
would accuse what was repaired long ago. They are suppressed, never dropped; the distribution's advisories decide.
"""

from collections.abc import Iterable, Mapping

import msgspec

from safeconduct.model.component import Inventory
from safeconduct.model.finding import Finding, Suppression, SuppressionKind

_SYSTEM = ("pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/")


def system_owners(inventory: Inventory) -> dict[str, str]:
    """Return for each component purl the operating system package that owns it.

    A purl that also stands somewhere without such an owner has none: that copy nobody else repairs.
    """
    found: dict[str, str] = {}
    free: set[str] = set()
    for component in inventory.components:
        if component.owner is not None and component.owner.startswith(_SYSTEM):
            found.setdefault(component.purl, component.owner)
        else:
            free.add(component.purl)
    return {purl: owner for purl, owner in found.items() if purl not in free}


def suppress_owned(
    findings: Iterable[Finding], owners: Mapping[str, str]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings that count and those that an owner takes over, both in their order.

    A malicious package counts, whoever brought it.
    """
    counted: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        owner = owners.get(finding.component)
        if owner is None or finding.malicious:
            counted.append(finding)
        else:
            why = Suppression(SuppressionKind.OWNER, owner)
            suppressed.append(msgspec.structs.replace(finding, suppression=why))
    return tuple(counted), tuple(suppressed)
