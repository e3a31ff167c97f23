"""GitHub workflows and composite actions: the actions, workflows and images that ``uses`` names.

Source: GitHub documentation, "Workflow syntax", jobs.<id>.uses, steps[*].uses, container, services; "Metadata syntax".
"""

import re
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_text, decode_yaml, items, table, text
from safeconduct.capabilities.inventory.images import image_component
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yaml_lines import lines_of
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Hash, Location, Presence, Scope
from safeconduct.model.purl import Purl

READER = "github-workflow"
YIELDS = Yields(
    reader=READER,
    files=(".github/workflows/*.yml", ".github/workflows/*.yaml", "action.yml", "action.yaml"),
    ecosystem="docker, github",
    evidence="declared",
    hashes=True,
    direct=True,
    scope=True,
    lines=True,
    note="a full commit pins an action, a tag or branch does not",
)
_FOLDER = ".github/workflows/"
_ACTIONS = ("action.yml", "action.yaml")
_USES = re.compile(r"([\w.-]+)/([\w.-]+)((?:/[^@\s]+)?)@(\S+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_EXPRESSION = "${{"


def is_workflow(path: str, name: str) -> bool:
    """Return whether a YAML file is a workflow by its place, or an action by its name."""
    folder = path.removesuffix(name)
    return name in _ACTIONS or folder == _FOLDER or folder.endswith("/" + _FOLDER)


def read(path: str, data: bytes) -> Reading:
    """Return what the jobs and steps use; actions of the same repository are the project's own."""
    try:
        document = decode_yaml(data)
    except Damaged as error:
        return not_read(path, str(error))
    source = decode_text(data)
    components: list[Component] = []
    for uses in _uses(document):
        component = _component(path, uses, lines_of(source, "uses").get(uses))
        components += [component] if component else []
    for image in _images(document):
        line = lines_of(source, "image").get(image) or lines_of(source, "container").get(image)
        component = image_component(path, READER, image, line, Scope.BUILD)
        components += [component] if component else []
    return Reading(components=tuple(dict.fromkeys(components)))


def _uses(document: dict[str, Any]) -> Iterator[str]:
    jobs = [table(job) for job in table(document.get("jobs")).values()]
    for job in (*jobs, table(document.get("runs"))):
        for step in (job, *map(table, items(job.get("steps")))):
            if uses := text(step.get("uses")).strip():
                yield uses


def _images(document: dict[str, Any]) -> Iterator[str]:
    for job in map(table, table(document.get("jobs")).values()):
        container = job.get("container")
        services = [table(service).get("image") for service in table(job.get("services")).values()]
        for image in (container, table(container).get("image"), *services):
            if text(image) and _EXPRESSION not in text(image):
                yield text(image)
    if (image := text(table(document.get("runs")).get("image"))).startswith("docker://"):
        yield image.removeprefix("docker://")


def _component(path: str, uses: str, line: int | None) -> Component | None:
    if uses.startswith("docker://"):
        return image_component(path, READER, uses.removeprefix("docker://"), line, Scope.BUILD)
    found = _USES.fullmatch(uses)
    if found is None:
        return None  # "./…" is in this repository
    owner, name, below, version = found.groups()
    pinned = bool(_COMMIT.fullmatch(version))
    purl = Purl("github", owner.lower(), name.lower(), version if pinned else "", (), below.strip("/"))
    return Component(
        purl=str(purl),
        presence=Presence.DECLARED if pinned else Presence.UNRESOLVED,
        locations=(Location(path, READER, line),),
        scope=Scope.BUILD,
        direct=True,
        requirement=None if pinned else version,
        grade=3 if pinned else 1,
        hashes=(Hash("sha1", version, "commit"),) if pinned else (),
    )
