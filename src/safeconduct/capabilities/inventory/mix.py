"""``mix.lock`` of Elixir: a map of Erlang tuples, one package a line.

Source: Mix and Hex, ``Hex.Mix``/``Mix.Dep.Lock``: ``{:hex, name, version, inner checksum, managers, needs, repo, outer
checksum}`` and ``{:git, url, commit, options}``.
"""

import re

from safeconduct.capabilities.inventory.documents import decode_text
from safeconduct.capabilities.inventory.locked import Locked, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash, Unread
from safeconduct.model.purl import Purl, make_purl

READER = "mix-lock"
YIELDS = Yields(
    reader=READER,
    files=("mix.lock",),
    ecosystem="hex",
    evidence="locked",
    hashes=True,
    edges=True,
    lines=True,
    note="what is direct stands in mix.exs, which is a program and is not read",
)
NAMES = ("mix.lock",)
_HEX = re.compile(r'\s*"([\w.-]+)":\s*\{:hex,\s*:"?([\w.-]+)"?,\s*"([^"]+)",\s*"([0-9a-f]*)"(.*)')
_GIT = re.compile(r'\s*"([\w.-]+)":\s*\{:git,\s*"([^"]+)",\s*"([0-9a-f]{40})"')
_ENTRY = re.compile(r'\s*"[^"]+":\s*\{(?!:path,)')  # a folder of the project is no package
_NEED = re.compile(r"\{:\"?([\w.-]+)\"?,\s*\"[^\"]*\"")
_OUTER = re.compile(r'"([0-9a-f]{64})"\}')
_SHA256 = 64


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages with their edges."""
    text = decode_text(data)
    if text.strip() and not text.lstrip().startswith(("%{", "[")):
        return not_read(path, "not a lock file of Mix")
    packages: list[Locked] = []
    unread: list[Unread] = []
    for number, line in enumerate(text.splitlines(), 1):
        if found := _HEX.match(line):
            packages.append(_from_hex(found, number))
        elif found := _GIT.match(line):
            purl = str(Purl("hex", "", found[1], "", (("vcs_url", f"git+{found[2]}@{found[3]}"),)))
            packages.append(Locked(found[1], purl, pinned=True, line=number))
        elif _ENTRY.match(line):
            unread.append(Unread(f"{path}:{number}", "a package of a form that is not known"))
    return locked_reading(path, READER, packages, unread=unread[:10])


def _from_hex(found: re.Match[str], number: int) -> Locked:
    outer = _OUTER.search(found[5])
    total = outer[1] if outer else found[4]
    hashes = (Hash("sha256", total),) if len(total) == _SHA256 else ()
    return Locked(
        found[1], make_purl("hex", found[2].lower(), found[3]), tuple(_NEED.findall(found[5])), hashes, line=number
    )
