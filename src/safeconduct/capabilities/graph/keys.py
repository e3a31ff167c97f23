"""Natural keys of lines: canonical JSON, the same on every store; the integer is only its local stand-in."""

import hashlib
import json
from enum import StrEnum

from safeconduct.model.digest import Digest
from safeconduct.model.release import Line

_BUCKET_SHIFT = 4


class Kind(StrEnum):
    """What succeeds itself along a line."""

    ARTIFACT = "artifact"
    SOURCE = "source"
    SINGLE = "single"
    WORKLOAD = "workload"


def canonical(value: object) -> str:
    """Return ``value`` as JSON with sorted keys and no spaces, in UTF-8 as it stands."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def artifact_key(line: Line, side: Digest | None = None) -> str:
    """Return the key of an artifact's line; ``side`` names the release that a side line was opened for."""
    key = {
        "branch": line.branch,
        "kind": Kind.ARTIFACT,
        "name": line.name,
        "platform": line.platform,
        "repository": line.repository,
    }
    return canonical(key | {"side": side} if side else key)


def source_key(repository: str) -> str:
    """Return the key of a source repository's line."""
    return canonical({"kind": Kind.SOURCE, "repository": repository})


def single_key(digest: Digest) -> str:
    """Return the key of the line of one digest that has no proven predecessor."""
    return canonical({"digest": digest, "kind": Kind.SINGLE})


def workload_key(cluster: str, namespace: str, pod: str) -> str:
    """Return the key of the line that keeps violations nobody could attribute to a release."""
    return canonical({"cluster": cluster, "kind": Kind.WORKLOAD, "namespace": namespace, "pod": pod})


def kind_of(key: str) -> Kind:
    """Return the kind that a natural key carries."""
    return Kind(json.loads(key)["kind"])


def fingerprint_of(key: str) -> bytes:
    """Return the SHA-256 of a natural key, as the ``line_key`` directory holds it."""
    return hashlib.sha256(key.encode()).digest()


def bucket_of(fingerprint: bytes) -> int:
    """Return the top 12 bits: the share of the estate that a line belongs to, equal on every store."""
    return int.from_bytes(fingerprint[:2]) >> _BUCKET_SHIFT
