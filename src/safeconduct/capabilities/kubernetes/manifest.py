"""Workload files as people write them, turned into the requests that an API server would send about them.

Source: YAML 1.1 as Kubernetes tools read it (sigs.k8s.io/yaml); admission.k8s.io/v1.
"""

import hashlib
import uuid
from typing import Any

import msgspec
import yaml

from safeconduct.foundation.errors import Refused
from safeconduct.model.limits import LIMITS

_DOCUMENTS = 1_000
_TEXT = frozenset({f"tag:yaml.org,2002:{name}" for name in ("timestamp", "merge", "value")})
_PLURALS = {"Endpoints": "endpoints", "NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}


def read_manifest(data: bytes, *, namespace: str = "default", dry_run: bool = True) -> tuple[bytes, ...]:
    """Return one AdmissionReview, as JSON bytes, for each object in a YAML or JSON file; lists are opened.

    Args:
        data: one or more documents.
        namespace: for objects that name none.
        dry_run: what the request says of itself: nothing is to be recorded about a trial.

    Raises:
        Refused: ``bad-manifest-file`` for what is no Kubernetes object, and for YAML with aliases, tags or keys given
            twice, which two readers could read differently.
    """
    if len(data) > LIMITS.review:
        raise _bad(f"it has {len(data)} bytes, more than the limit of {LIMITS.review}")
    try:
        documents = [_plain(document) for document in yaml.load_all(data.decode("utf-8"), Loader=_StrictLoader)]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad(" ".join(str(error).split())[:300]) from error
    objects = [below for document in documents if document is not None for below in _opened(document)]
    if not objects or len(objects) > _DOCUMENTS:
        raise _bad(f"it holds {len(objects)} objects")
    return tuple(_review(found, namespace, dry_run) for found in objects)


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without aliases, repeated keys, or times and the like, which Kubernetes reads as text."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not accepted: they can make a small file huge")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len({str(key) for key in keys}) != len(keys):
            raise yaml.YAMLError(f"a key stands twice{node.start_mark}")
        return super().construct_mapping(node, deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] not in _TEXT]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as JSON knows it: keys are text; what JSON cannot say is an error."""
    if depth > LIMITS.json_depth:
        raise ValueError(f"nested deeper than {LIMITS.json_depth}")
    if isinstance(value, dict):
        return {_key(key): _plain(below, depth + 1) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(below, depth + 1) for below in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    raise ValueError(f"a value of type {type(value).__name__} has no place in a Kubernetes object")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int):
        return str(key)
    raise ValueError(f"a key of type {type(key).__name__}")


def _opened(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise _bad("a document without a kind")
    if not isinstance(document.get("apiVersion"), str) or not isinstance(document.get("metadata") or {}, dict):
        raise _bad(f"a {document['kind'][:80]!r} without apiVersion, or whose metadata is no mapping")
    if document["kind"] == "List" and isinstance(document.get("items"), list):
        return [below for item in document["items"] for below in _opened(item)]
    return [document]


def _review(found: dict[str, Any], namespace: str, dry_run: bool) -> bytes:
    group, _, version = found["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": found["kind"]}
    resource = {"group": group, "version": version, "resource": _plural(found["kind"])}
    meta = {"namespace": namespace, **(found.get("metadata") or {})}
    body = {**found, "metadata": meta}
    digest = hashlib.sha256(msgspec.json.encode(body)).digest()
    request = {
        "uid": str(uuid.UUID(bytes=digest[:16], version=4)),
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": meta.get("name") or "",
        "namespace": meta["namespace"],
        "operation": "CREATE",
        "userInfo": {"username": "safeconduct"},
        "object": body,
        "oldObject": None,
        "dryRun": dry_run,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    return msgspec.json.encode({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, kind.lower() + ("es" if kind.endswith("s") else "s"))


def _bad(why: str) -> Refused:
    return Refused(
        "bad-manifest-file",
        "this file does not hold Kubernetes objects that can be judged",
        why=why,
        next_step="write it as kubectl accepts it, without YAML aliases or tags",
    )
