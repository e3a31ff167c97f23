"""``Cargo.lock``, versions 1 to 4.

Source: The Cargo Book, "Cargo.toml vs Cargo.lock"; cargo ``core::resolver::encode``. Packages without a source are the
project's own; what they need is direct. Which needs are for development only stands in Cargo.toml.
"""

from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_toml, items, strings, table, text
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash
from safeconduct.model.purl import Purl, make_purl

READER = "cargo-lock"
YIELDS = Yields(
    reader=READER,
    files=("Cargo.lock",),
    ecosystem="cargo",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
)
NAMES = ("Cargo.lock",)
_REGISTRY = ("registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/")


def read(path: str, data: bytes) -> Reading:
    """Return the locked crates with their edges; the project's own are none."""
    try:
        lock = decode_toml(data)
    except Damaged as error:
        return not_read(path, str(error))
    bodies = [table(item) for item in items(lock.get("package"))]
    if not bodies and not {"version", "root", "package"} & set(lock):
        return not_read(path, "a Cargo.lock without 'version' and 'package'")
    bodies = [body for body in bodies if text(body.get("name")) and text(body.get("version"))]
    if root := table(lock.get("root")):  # before 2018 the project stood apart
        bodies.append(root)
    ids = _ids(bodies)
    own = [body for body in bodies if not text(body.get("source"))]
    sums = {key: value for key, value in strings(lock.get("metadata")).items() if key.startswith("checksum ")}
    packages = [_locked(body, ids, sums) for body in bodies if text(body.get("source"))]
    roots = [Root(need) for body in own for need in _needs(body, ids)]
    return locked_reading(path, READER, packages, roots=roots if own else None)


def _ids(bodies: list[dict[str, Any]]) -> dict[str, str]:
    """Return every way in which a need may name a package, the shortest only while it is unique."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for body in bodies:
        name, version, source = (text(body.get(key)) for key in ("name", "version", "source"))
        for word in (name, f"{name} {version}", f"{name} {version} ({source})"):
            twice |= {word} & set(found)
            found[word] = _id(body)
    return {word: id_ for word, id_ in found.items() if word not in twice}


def _id(body: dict[str, Any]) -> str:
    return f"{text(body.get('name'))} {text(body.get('version'))} ({text(body.get('source'))})"


def _needs(body: dict[str, Any], ids: dict[str, str]) -> Iterator[str]:
    return (ids[need] for need in map(text, items(body.get("dependencies"))) if need in ids)


def _locked(body: dict[str, Any], ids: dict[str, str], sums: dict[str, str]) -> Locked:
    name, version, source = (text(body.get(key)) for key in ("name", "version", "source"))
    total = text(body.get("checksum")) or sums.get(f"checksum {_id(body)}", "")
    git = source.startswith("git+")
    purl = make_purl("cargo", name, version)
    if git:
        purl = str(Purl("cargo", "", name, version, (("vcs_url", source),)))
    elif not source.startswith(_REGISTRY):
        purl = str(Purl("cargo", "", name, version, (("repository_url", source.partition("+")[2] or source),)))
    hashes = (Hash("sha256", total),) if len(total) == 64 else ()  # noqa: PLR2004 - hex digits of SHA-256
    return Locked(_id(body), purl, tuple(_needs(body, ids)), hashes, pinned=git and "#" in source)
