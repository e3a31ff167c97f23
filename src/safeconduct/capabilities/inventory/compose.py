"""Compose files: the images of services. A service that is built has its Dockerfile.

Source: Compose specification, "services", image, build; "Interpolation" for defaults of variables.
"""

import re

from safeconduct.capabilities.inventory.dockerfile import substitute
from safeconduct.capabilities.inventory.documents import Damaged, decode_text, decode_yaml, table, text
from safeconduct.capabilities.inventory.images import image_component
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yaml_lines import lines_of
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Scope, Unread

READER = "compose"
YIELDS = Yields(
    reader=READER,
    files=("compose*.yaml", "compose*.yml", "docker-compose*.yaml", "docker-compose*.yml"),
    ecosystem="docker",
    evidence="declared",
    hashes=True,
    direct=True,
    lines=True,
)
_NAME = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")


def is_compose(name: str) -> bool:
    """Return whether a file's name is one that Compose looks for, variants included."""
    return _NAME.fullmatch(name) is not None


def read(path: str, data: bytes) -> Reading:
    """Return the images of all services; one that only a variable names is unread."""
    try:
        document = decode_yaml(data)
    except Damaged as error:
        return not_read(path, str(error))
    lines = lines_of(decode_text(data), "image")
    components: list[Component] = []
    unread: list[Unread] = []
    for body in map(table, table(document.get("services")).values()):
        written = text(body.get("image")).strip()
        # What a service builds itself, "image" only names.
        if not written or "build" in body:
            continue
        component = image_component(path, READER, substitute(written, {}), lines.get(written), Scope.RUNTIME)
        if component is None:
            unread.append(Unread(path, f"which image {written!r} names cannot be told"))
        else:
            components.append(component)
    return Reading(components=tuple(dict.fromkeys(components)), unread=tuple(dict.fromkeys(unread)))
