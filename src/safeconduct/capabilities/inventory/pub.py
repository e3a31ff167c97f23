"""``pubspec.lock`` of Dart and Flutter.

Source: dart.dev, "The pubspec.lock file"; the format has no edges, but says what the project named itself.
"""

from typing import Any

from safeconduct.capabilities.inventory.documents import Damaged, decode_yaml, table, text
from safeconduct.capabilities.inventory.locked import Locked, Root, locked_reading
from safeconduct.capabilities.inventory.reading import Reading, not_read
from safeconduct.capabilities.inventory.yields import Yields
from safeconduct.model.component import Hash, Scope
from safeconduct.model.purl import Purl, make_purl

READER = "pub-lock"
YIELDS = Yields(
    reader=READER,
    files=("pubspec.lock",),
    ecosystem="pub",
    evidence="locked",
    hashes=True,
    direct=True,
    scope=True,
    note="the format has no edges",
)
NAMES = ("pubspec.lock",)
_SHA256 = 64


def read(path: str, data: bytes) -> Reading:
    """Return the locked packages; those of the SDK and folders of the project are none."""
    try:
        lock = decode_yaml(data)
    except Damaged as error:
        return not_read(path, str(error))
    if "packages" not in lock and "sdks" not in lock:
        return not_read(path, "a pubspec.lock without 'packages'")
    bodies = {name: table(body) for name, body in table(lock.get("packages")).items() if name}
    kept = {name: body for name, body in bodies.items() if text(body.get("source")) in {"hosted", "git"}}
    roots = [
        Root(name, Scope.DEV if text(body.get("dependency")) == "direct dev" else Scope.RUNTIME)
        for name, body in kept.items()
        if text(body.get("dependency")).startswith("direct")
    ]
    return locked_reading(path, READER, [_locked(name, body) for name, body in kept.items()], roots=roots)


def _locked(name: str, body: dict[str, Any]) -> Locked:
    about = table(body.get("description"))
    version, total = text(body.get("version")), text(about.get("sha256"))
    hashes = (Hash("sha256", total),) if len(total) == _SHA256 else ()
    if text(body.get("source")) != "git":
        return Locked(name, make_purl("pub", name, version), hashes=hashes)
    commit = text(about.get("resolved-ref"))
    purl = str(Purl("pub", "", name, version, (("vcs_url", f"git+{text(about.get('url'))}@{commit}"),)))
    return Locked(name, purl, pinned=bool(commit))
