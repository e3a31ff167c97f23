"""Licence texts as packagers write them, read as SPDX expressions.

Source: SPDX specification 2.3, annex D (expressions); the PyPI classifiers "License :: …". What is no known spelling
stays as found and is not known: a licence is never guessed.
"""

import re
from functools import lru_cache

import msgspec
from license_expression import Licensing, get_spdx_licensing

from safeconduct.model.component import Component, Inventory
from safeconduct.model.license import LicenseFact

_LONGEST = 4_096
_CLASSIFIER = "License :: "
_SPACES = re.compile(r"\s+")
_NONE = frozenset({"", "none", "noassertion", "unknown", "unlicensed", "see license in license", "proprietary"})
_REFERENCE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")

_SPELLINGS = {
    "mit license": "MIT",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mit license (mit)": "MIT",
    "expat": "MIT",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "the apache license, version 2.0": "Apache-2.0",
    "the apache software license, version 2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd-2": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mpl 2.0": "MPL-2.0",
    "mpl2": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mozilla public license 2.0": "MPL-2.0",
    "gplv2": "GPL-2.0-only",
    "gpl v2": "GPL-2.0-only",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gplv2+": "GPL-2.0-or-later",
    "gplv3": "GPL-3.0-only",
    "gpl v3": "GPL-3.0-only",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gplv3+": "GPL-3.0-or-later",
    "lgplv3": "LGPL-3.0-only",
    "gnu lesser general public license v2 (lgplv2)": "LGPL-2.0-only",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
    "python software foundation license": "PSF-2.0",
    "psf": "PSF-2.0",
    "psfl": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "the unlicense": "Unlicense",
    "zope public license": "ZPL-2.1",
    "zpl 2.1": "ZPL-2.1",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "eclipse public license 2.0 (epl-2.0)": "EPL-2.0",
    "zlib/libpng license": "Zlib",
}
"""Spellings that mean one licence without doubt, in lower case. "BSD" alone does not say which, so it is none."""


class Terms(msgspec.Struct, frozen=True):
    """What a text says: an expression with its SPDX ids, or the text as found without any."""

    expression: str
    keys: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the text could be read."""
        return bool(self.keys)


@lru_cache(maxsize=65_536)
def read_terms(text: str) -> Terms:
    """Return the terms that a declared text names.

    An expression comes back in its normalised spelling (ids as SPDX writes them, operators in capitals).
    """
    plain = _SPACES.sub(" ", text).strip()
    if plain.startswith(_CLASSIFIER):
        plain = plain.rpartition(" :: ")[2]
    lower = plain.lower()
    if lower in _NONE or len(plain) > _LONGEST:
        return Terms(plain[:_LONGEST], ())
    return _parse(_SPELLINGS.get(lower, plain)) or Terms(plain, ())


def license_fact(component: str, licenses: tuple[str, ...]) -> LicenseFact:
    """Return the terms of a component; several declared texts all apply, so they are joined with AND.

    Args:
        component: its key, passed through.
        licenses: as declared, in the order found.
    """
    read = [read_terms(text) for text in licenses]
    if not read or not all(terms.known for terms in read):
        return LicenseFact(component, " AND ".join(terms.expression for terms in read), (), known=False)
    joined = _conjunction(tuple(terms.expression for terms in read))
    return LicenseFact(component, joined.expression, joined.keys, known=True)


def with_expressions(inventory: Inventory) -> Inventory:
    """Return the inventory with each licence text in its SPDX spelling; what is unknown stays as found."""
    return msgspec.structs.replace(inventory, components=tuple(_spelled(c) for c in inventory.components))


def _spelled(component: Component) -> Component:
    spelled = tuple(dict.fromkeys(read_terms(text).expression for text in component.licenses))
    return component if spelled == component.licenses else msgspec.structs.replace(component, licenses=spelled)


@lru_cache(maxsize=16_384)
def _conjunction(expressions: tuple[str, ...]) -> Terms:
    unique = tuple(dict.fromkeys(expressions))
    if len(unique) == 1:
        return _parse(unique[0]) or Terms(unique[0], ())
    text = " AND ".join(f"({expression})" for expression in unique)
    return _parse(text) or Terms(text, ())


def _parse(text: str) -> Terms | None:
    licensing = _licensing()
    try:
        parsed = licensing.parse(text, validate=False, strict=True)
    except Exception:  # noqa: BLE001 - on junk the parser fails with whatever it stumbles over (IndexError, TypeError)
        return None
    if parsed is None:
        return None
    unknown = licensing.unknown_license_keys(parsed)
    if any(_REFERENCE.fullmatch(key) is None for key in unknown):
        return None
    return Terms(str(parsed), tuple(sorted(set(licensing.license_keys(parsed)))))


@lru_cache(maxsize=1)
def _licensing() -> Licensing:
    return get_spdx_licensing()
