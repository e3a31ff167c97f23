"""``package.json`` of a project: what it names itself, as ranges. With a lock beside it, the lock answers."""

import re

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, decode_text, strings
from safeconduct.capabilities.inventory.npm_spec import Declaration, find_declaration
from safeconduct.capabilities.inventory.reading import Asked, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope

READER = "npm-manifest"
YIELDS = Yields(
    reader=READER,
    files=("package.json",),
    ecosystem="npm",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
)
NAMES = ("package.json",)
_KINDS = {
    "dependencies": Scope.RUNTIME,
    "devDependencies": Scope.DEV,
    "optionalDependencies": Scope.OPTIONAL,
    "peerDependencies": Scope.PEER,
}


def read(path: str, data: bytes) -> Reading:
    """Return the declared dependencies; only an exact specifier carries a version."""
    try:
        manifest = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    source = decode_text(data)
    found: dict[str, Component] = {}
    declared: list[tuple[str, str, Scope]] = []
    for kind, scope in _KINDS.items():
        for name, specifier in strings(manifest.get(kind)).items():
            declared.append((name, specifier, scope))
            declaration = find_declaration(name, specifier)
            # npm keeps the first kind: what is optional or a peer as well stays what it is needed for first
            if declaration is not None and declaration.purl not in found:
                found[declaration.purl] = _component(path, declaration, scope, _line_of(source, name))
    names = tuple(dict.fromkeys(name for name, *_ in declared))
    asked = (Asked("npm", folder_of(path), names, tuple(declared)),) if names else ()
    return Reading(components=tuple(found.values()), asked=asked)


def _component(path: str, declaration: Declaration, scope: Scope, line: int | None) -> Component:
    return Component(
        purl=declaration.purl,
        presence=Presence.UNRESOLVED if declaration.requirement is not None else Presence.DECLARED,
        locations=(Location(path, READER, line),),
        scope=scope,
        direct=True,
        requirement=declaration.requirement,
        grade=declaration.grade,
    )


def _line_of(source: str, name: str) -> int | None:
    found = re.search(rf'"{re.escape(name)}"\s*:\s*"', source)
    return source.count("\n", 0, found.start()) + 1 if found else None
