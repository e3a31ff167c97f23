"""``pom.xml``: what a Maven project names, as far as one file can tell without the network.

Source: Maven documentation, "POM Reference", "Introduction to the Dependency Mechanism". Properties and managed
versions of the same file are put in; what a parent elsewhere would say stays unresolved.
"""

import re

from safeconduct.capabilities.inventory.documents import Damaged
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.xml_document import Element, decode_xml
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence, Scope
from safeconduct.model.purl import make_purl

READER = "maven"
YIELDS = Yields(
    reader=READER,
    files=("pom.xml", "*.pom"),
    ecosystem="maven",
    evidence="declared",
    direct=True,
    scope=True,
    lines=True,
    note="a version that only a parent or an imported BOM knows stays unresolved",
)
NAMES = ("pom.xml",)
_PROPERTY = re.compile(r"\$\{([^${}]+)\}")
_EXACT = re.compile(r"[\w][\w.+-]*")
_PINNED = re.compile(r"\[\s*([\w][\w.+-]*)\s*\]")
_ROUNDS = 10
_LONGEST = 200
_SCOPES = {"test": Scope.DEV, "provided": Scope.BUILD, "system": Scope.BUILD}


def read(path: str, data: bytes) -> Reading:
    """Return the declared dependencies, in their order."""
    try:
        root = decode_xml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if root.name != "project":
        return not_read(path, f"a Maven project was expected, found <{root.name}>")
    pom = _Pom(root)
    found = (pom.component(path, element) for element in _dependencies(root))
    return Reading(components=tuple(dict.fromkeys(c for c in found if c is not None)))


def _dependencies(root: Element) -> list[Element]:
    group = root.find("dependencies")
    return group.all("dependency") if group else []


class _Pom:
    """One file's properties and managed versions."""

    def __init__(self, root: Element) -> None:
        group = root.find("properties")
        self._properties = {p.name: p.text.strip() for p in group.children} if group else {}
        for key in ("groupId", "artifactId", "version"):
            value = root.value(key) or (root.value("parent", key) if key != "artifactId" else "")
            if value:
                self._properties |= {f"project.{key}": value, f"pom.{key}": value}
            if parent := root.value("parent", key):
                self._properties[f"project.parent.{key}"] = parent
        managed = root.find("dependencyManagement", "dependencies")
        self._managed = {self._name(item): item for item in (managed.all("dependency") if managed else ())}

    def component(self, path: str, element: Element) -> Component | None:
        """Return one dependency, None when its name has an unknown part."""
        group, artifact = self._name(element)
        if not group or not artifact or "$" in group + artifact:
            return None
        managed = self._managed.get((group, artifact))
        written = self._value(element, "version") or (self._value(managed, "version") if managed else "")
        pinned = _PINNED.fullmatch(written)
        movable = written in {"LATEST", "RELEASE"}
        exact = pinned[1] if pinned else written if _EXACT.fullmatch(written) and not movable else ""
        return Component(
            purl=make_purl("maven", artifact, exact, group),
            presence=Presence.DECLARED if exact else Presence.UNRESOLVED,
            locations=(Location(path, READER, element.line),),
            scope=self._scope(element, managed),
            direct=True,
            requirement=None if exact else written,
            grade=_grade(written, exact),
        )

    def _name(self, element: Element) -> tuple[str, str]:
        return self._value(element, "groupId"), self._value(element, "artifactId")

    def _scope(self, element: Element, managed: Element | None) -> Scope:
        if self._value(element, "optional") == "true":
            return Scope.OPTIONAL
        scope = self._value(element, "scope") or (self._value(managed, "scope") if managed else "")
        return _SCOPES.get(scope, Scope.RUNTIME)

    def _value(self, element: Element, name: str) -> str:
        written = element.value(name)
        for _ in range(_ROUNDS):
            new = _PROPERTY.sub(lambda found: self._properties.get(found[1].strip()) or found[0], written)[:_LONGEST]
            if new == written:
                break
            written = new
        return written.strip()


def _grade(written: str, exact: str) -> int:
    if not exact:
        return 1 if written and written not in {"LATEST", "RELEASE"} else 0
    return 1 if exact.endswith("SNAPSHOT") else 2
