"""Images that a file names: which repository, and how firmly.

Source: the image reference grammar of the distribution project; purl type ``docker``.
"""

from safeconduct.capabilities.inventory.dockerfile import IMAGE, NONE, RANGE, image_purl
from safeconduct.model.component import Component, Hash, Location, Presence, Scope

HASHED = 3


def image_component(path: str, reader: str, written: str, line: int | None, scope: Scope) -> Component | None:
    """Return the image that ``written`` names, None when a variable leaves open which repository it is."""
    known, variable, _ = written.partition("$")
    parsed = IMAGE.fullmatch(known.rstrip(":@"))
    if parsed is None or (variable and not known.endswith((":", "@"))):
        return None
    digest, tag = parsed["digest"] or "", parsed["tag"] or ""
    requirement = written if variable else tag
    loose = bool(variable) or requirement in {"", "latest"}
    return Component(
        purl=image_purl(parsed["name"], digest),
        presence=Presence.DECLARED if digest else Presence.UNRESOLVED,
        locations=(Location(path, reader, line),),
        scope=scope,
        direct=True,
        requirement=None if digest else requirement,
        grade=HASHED if digest else (NONE if loose else RANGE),
        hashes=(Hash("sha256", digest[7:]),) if digest else (),
    )
