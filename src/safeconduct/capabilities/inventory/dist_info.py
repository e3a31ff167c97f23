"""Installed Python distributions: ``*.dist-info`` and ``*.egg-info``.

Source: PyPA core metadata, recording installed projects, direct URL data structure. Only the headers are read.
A distribution vendored inside another one is not installed: pip does not list it either.
"""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.python_requirement import EXACT, parse_wish
from safeconduct.capabilities.inventory.reading import Asked, Installed, Reading, folder_of, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Component, Location, Presence
from safeconduct.model.purl import make_purl

READER = "dist-info"
YIELDS = Yields(
    reader=READER,
    files=("*.dist-info/METADATA", "*.egg-info", "*.egg-info/PKG-INFO"),
    ecosystem="pypi",
    evidence="installed",
    licenses=True,
    edges=True,
    direct=True,
)
HEADER_LIMIT = 256 * 1024
_NAMES = frozenset({"METADATA", "PKG-INFO", "REQUESTED"})
_SITES = ("site-packages", "dist-packages")
_HEADER = re.compile(r"^([A-Za-z][A-Za-z-]*):[ \t]*(.*)$")
_LICENSE_CLASSIFIER = "License :: "
_LONGEST_LICENSE = 100


def is_metadata(path: str, name: str) -> bool:
    """Return whether the file describes a distribution that is installed where it lies."""
    if name.endswith(".egg-info"):
        return _is_site(folder_of(path))
    if name not in _NAMES:
        return False
    folder = folder_of(path)
    site, _, own = folder.rpartition("/")
    if own.startswith("~"):  # what a broken pip upgrade left behind
        return False
    if own.endswith(".egg-info"):
        return name == "PKG-INFO" and _is_site(site)
    return own.endswith(".dist-info") and name != "PKG-INFO" and _is_place(site)


def _is_site(folder: str) -> bool:
    return folder.rpartition("/")[2] in _SITES


def _is_place(folder: str) -> bool:
    """Return whether packages are installed in ``folder`` itself, not inside one of its packages."""
    parts = folder.split("/")
    return parts[-1] in _SITES or not (set(parts) & {*_SITES, "_vendor", "testdata"})


def read(path: str, data: bytes) -> Reading:
    """Return the distribution that this file describes, or that it was asked for (``REQUESTED``)."""
    if path.endswith("/REQUESTED"):
        folder = folder_of(path)
        return Reading(asked=(Asked("pypi", folder_of(folder), (folder,)),))
    headers = list(read_headers(decode_text(data)))
    fields = dict(reversed(headers))
    name, version = fields.get("name", ""), fields.get("version", "")
    if not name or not version:
        return not_read(path, "metadata without Name and Version")
    purl = make_purl("pypi", name, version)
    component = Component(
        purl=purl,
        presence=Presence.INSTALLED,
        locations=(Location(path, READER),),
        grade=EXACT,
        licenses=_terms(headers),
    )
    place = folder_of(path) if "-info/" in path else path
    needs = tuple(dict.fromkeys(_needs(value for key, value in headers if key == "requires-dist")))
    return Reading(components=(component,), installed=(Installed("pypi", place, purl, canonicalize_name(name), needs),))


def read_headers(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name in lower case, value) up to the first blank line; folded lines are joined."""
    key, value = "", ""
    for line in text.splitlines():
        if not line.strip():
            break
        if line[0] in " \t|":
            value += "\n" + line.strip()
            continue
        if key:
            yield key, value
        found = _HEADER.match(line)
        key, value = (found[1].lower(), found[2].strip()) if found else ("", "")
    if key:
        yield key, value


def _terms(headers: list[tuple[str, str]]) -> tuple[str, ...]:
    """Return the licence as declared: the expression, else the classifiers, else a short License field."""
    for name, accept in (("license-expression", ""), ("classifier", _LICENSE_CLASSIFIER), ("license", "")):
        found = [value for key, value in headers if key == name and value.startswith(accept) and _is_term(value)]
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def _is_term(value: str) -> bool:
    # Some put the licence's whole text into the field; "OSI Approved" alone names no licence.
    usable = 0 < len(value) <= _LONGEST_LICENSE and "\n" not in value
    return usable and value not in {"UNKNOWN", "License :: OSI Approved"}


def _needs(requirements: Iterator[str]) -> Iterator[str]:
    for written in requirements:
        try:
            wish = parse_wish(written)
        except ValueError:
            continue
        # Which interpreter and platform the tree is for is not known, so a condition on those may hold; what only
        # an extra asks for is no edge. An edge is drawn only to what is installed.
        if "extra" not in wish.marker:
            yield wish.name
