"""``deno.lock``, versions 2 to 5: packages of npm and JSR, and modules by URL.

Source: Deno documentation, "Integrity checking and lock files"; denoland/deno_lockfile. JSR has no purl type of its
own: its packages stand under npm's name for them (``@jsr/scope__name``), which is how npm clients install them.
"""

import re
from collections.abc import Iterator
from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_json, items, strings, table, text
from safeconduct.capabilities.inventory.integrity import hashes_of
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash
from safeconduct.model.purl import Purl, make_purl

READER = "deno-lock"
YIELDS = Yields(
    reader=READER,
    files=("deno.lock",),
    ecosystem="generic, npm",
    evidence="locked",
    hashes=True,
    edges=True,
    direct=True,
    note="packages of JSR under npm's name for them; a module by URL as generic",
)
NAMES = ("deno.lock",)
_SPECIFIER = re.compile(r"(?:(npm|jsr):)?((?:@[^/@]+/)?[^/@]+)(?:@(.*))?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages and modules; what the workspace or a module asks for is direct."""
    try:
        lock = decode_json(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "version" not in lock:
        return not_read(path, "a deno lock file without its version")
    body = {**table(lock.get("npm")), **table(lock.get("packages"))} if "packages" in lock else lock
    specifiers = strings(body.get("specifiers"))
    packages = [*_packages(body, "npm", specifiers), *_packages(body, "jsr", specifiers)]
    if "npm" in lock and "packages" in table(lock["npm"]):  # version 2
        packages += _packages({"npm": lock["npm"]["packages"]}, "npm", specifiers)
    modules = [_module(url, digest) for url, digest in strings(lock.get("remote")).items()]
    asked = [text(item) for item in _asked(table(lock.get("workspace")))] or list(specifiers)
    roots = [Root(_id(name, specifiers)) for name in asked]
    return locked_reading(path, READER, [*packages, *modules], roots=roots if asked else None)


def _asked(workspace: dict[str, Any]) -> Iterator[Any]:
    yield from items(workspace.get("dependencies"))
    yield from items(table(workspace.get("packageJson")).get("dependencies"))
    for member in table(workspace.get("members")).values():
        yield from _asked(table(member))


def _id(specifier: str, specifiers: dict[str, str]) -> str:
    """Return ``npm:name@version`` for a specifier; before version 4 the answer repeats the name."""
    answer = specifiers.get(specifier, "")
    if answer.startswith(("npm:", "jsr:")):
        return answer
    found = _SPECIFIER.fullmatch(specifier)
    return f"{found[1] or 'npm'}:{found[2]}@{answer}" if found and answer else specifier


def _packages(lock: dict[str, Any], kind: str, specifiers: dict[str, str]) -> Iterator[Locked]:
    entries = table(lock.get(kind))
    for key, value in entries.items():
        body = table(value)
        found = _SPECIFIER.fullmatch(key)
        if found is None or not found[3]:
            continue
        version = found[3].partition("_")[0]  # the peers that it was resolved with follow
        needs = tuple(_need(kind, need, lock, specifiers) for need in _written(body.get("dependencies")))
        yield Locked(f"{kind}:{key}", _purl(kind, found[2], version), needs, _hashes(text(body.get("integrity"))))


def _written(dependencies: Any) -> list[str]:
    # Versions 2 and 3 map a name to its key; later ones list keys, or names where there is only one version.
    return [text(item) for item in items(dependencies)] or list(strings(dependencies).values())


def _need(kind: str, need: str, lock: dict[str, Any], specifiers: dict[str, str]) -> str:
    """Return the id that ``need`` stands for: a specifier, a key, or a name of which there is only one version."""
    if need in specifiers:
        return _id(need, specifiers)
    kind, _, need = need.rpartition(":") if need.startswith(("npm:", "jsr:")) else (kind, "", need)
    entries = table(lock.get(kind))
    asked = next((name for name in specifiers if name.startswith(f"{kind}:{need}@")), "")
    if need in entries or not asked:
        key = need if need in entries else next((k for k in entries if k.rpartition("@")[0] == need), need)
        return f"{kind}:{key}"
    return _id(asked, specifiers)


def _purl(kind: str, name: str, version: str) -> str:
    return make_purl("npm", f"@jsr/{name.lstrip('@').replace('/', '__')}" if kind == "jsr" else name, version)


def _hashes(written: str) -> tuple[Hash, ...]:
    return (Hash("sha256", written),) if _SHA256.fullmatch(written) else hashes_of(written)


def _module(url: str, digest: str) -> Locked:
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2] or url
    purl = str(Purl("generic", "", name, "", (("download_url", url),)))
    return Locked(url, purl, hashes=_hashes(digest), requirement=url)
