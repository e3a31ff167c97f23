"""XML documents of packagers: no entities, no network, a bounded depth.

Source: XML 1.0; the expat parser. A document type is refused, because entities can grow without bound.
"""

from xml.parsers import expat

from safeconduct.capabilities.inventory.documents import Damaged

_BOM = b"\xef\xbb\xbf"
_DEPTH = 100


class Element:
    """One element: its name without namespace, attributes, text, children, and the line of its start tag."""

    __slots__ = ("attributes", "children", "line", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""
        self.line = line

    def all(self, name: str) -> list["Element"]:
        """Return the children of that name."""
        return [child for child in self.children if child.name == name]

    def find(self, *names: str) -> "Element | None":
        """Return the first element down that way, None where there is none."""
        found: Element | None = self
        for name in names:
            found = next((child for child in found.children if child.name == name), None) if found else None
        return found

    def value(self, *names: str) -> str:
        """Return the text of the element down that way, empty where there is none."""
        found = self.find(*names)
        return found.text.strip() if found else ""


def decode_xml(data: bytes) -> Element:
    """Return the root element.

    Raises:
        Damaged: not XML, truncated, too deep, or with a document type.
    """
    builder = _Builder()
    try:
        builder.parser.Parse(data.removeprefix(_BOM), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Damaged(f"not XML: {error}") from error
    if builder.root is None:
        raise Damaged("XML without an element")
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEPTH:
            raise Damaged("XML nested too deeply")
        element = Element(name.rpartition(":")[2], attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def _doctype(self, *_: object) -> None:
        raise Damaged("XML with a document type")
