"""What a workload object would run: the Pod specification inside it, its images, and what it asks of its node.

Source: Kubernetes API, core/v1 PodSpec and the kinds that hold a PodTemplateSpec.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from safeconduct.capabilities.kubernetes.review import Request, bad_review

_TEMPLATE = "/spec/template/spec"
_GROUPS = ("apps", "extensions")
POD_SPECS: Mapping[str, str] = {
    "Pod": "/spec",
    "PodTemplate": "/template/spec",
    "ReplicationController": _TEMPLATE,
    "batch/Job": _TEMPLATE,
    "batch/CronJob": "/spec/jobTemplate/spec/template/spec",
    "EphemeralContainers": "",
    **{f"{group}/{kind}": _TEMPLATE for group in _GROUPS for kind in ("Deployment", "ReplicaSet", "DaemonSet")},
    "apps/StatefulSet": _TEMPLATE,
}
"""From ``group/Kind`` to the JSON pointer of the Pod specification in it."""

_NOT_JUDGED = frozenset({"DELETE", "CONNECT"})
_NODES = "system:nodes"
_MIRROR = "kubernetes.io/config.mirror"
_DEPTH = 64


class Concern(StrEnum):
    """What a request has to do with images."""

    NOTHING = "nothing"
    """It brings no image: another kind of object, a deletion, an exec."""
    IMAGES = "images"
    UNKNOWN = "unknown"
    """It looks like a workload of a kind that is not configured: could not tell."""


class ImageUse(msgspec.Struct, frozen=True, order=True):
    """One place where an object names an image.

    Attributes:
        pointer: JSON pointer of the text, for a patch.
        container: name of the container or volume.
        kind: ``container``, ``init``, ``ephemeral`` or ``volume``.
    """

    pointer: str
    container: str
    image: str
    kind: str


class PodFacts(msgspec.Struct, frozen=True):
    """What a Pod specification asks of its node, as far as rules are made about it.

    Attributes:
        privileged, escalating, root: names of containers, sorted; escalating = allowPrivilegeEscalation is true;
            root = runAsUser is 0, in the container or for the whole Pod.
        host_paths, host_ports, capabilities: sorted, without repeats; capabilities are those added.
        token: False only when the Pod refuses its service account's token.
    """

    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    host_process: bool = False
    privileged: tuple[str, ...] = ()
    escalating: tuple[str, ...] = ()
    root: tuple[str, ...] = ()
    host_paths: tuple[str, ...] = ()
    host_ports: tuple[int, ...] = ()
    capabilities: tuple[str, ...] = ()
    service_account: str = ""
    token: bool = True


class _Capabilities(msgspec.Struct, frozen=True):
    add: tuple[str, ...] | None = None


class _Windows(msgspec.Struct, frozen=True, rename="camel"):
    host_process: bool | None = None


class _Security(msgspec.Struct, frozen=True, rename="camel"):
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    run_as_user: int | None = None
    capabilities: _Capabilities | None = None
    windows_options: _Windows | None = None


class _Port(msgspec.Struct, frozen=True, rename="camel"):
    host_port: int | None = None


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    image: str | None = None
    security_context: _Security | None = None
    ports: tuple[_Port, ...] | None = None


class _ImageVolume(msgspec.Struct, frozen=True):
    reference: str | None = None


class _HostPath(msgspec.Struct, frozen=True):
    path: str | None = None


class _Volume(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    image: _ImageVolume | None = None
    host_path: _HostPath | None = None


class _PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    containers: tuple[_Container, ...] | None = None
    init_containers: tuple[_Container, ...] | None = None
    ephemeral_containers: tuple[_Container, ...] | None = None
    volumes: tuple[_Volume, ...] | None = None
    host_network: bool | None = None
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    security_context: _Security | None = None
    service_account_name: str | None = None
    automount_service_account_token: bool | None = None

    def groups(self) -> tuple[tuple[str, str, tuple[_Container, ...]], ...]:
        """Return field, kind and containers, in the order in which they are named."""
        return (
            ("containers", "container", self.containers or ()),
            ("initContainers", "init", self.init_containers or ()),
            ("ephemeralContainers", "ephemeral", self.ephemeral_containers or ()),
        )

    def everything(self) -> list[_Container]:
        """Return all containers."""
        return [container for _, _, containers in self.groups() for container in containers]


class _Metadata(msgspec.Struct, frozen=True):
    annotations: dict[str, str] | None = None


class _Annotated(msgspec.Struct, frozen=True):
    metadata: _Metadata | None = None


def concern(request: Request, kinds: Mapping[str, str] = POD_SPECS) -> Concern:
    """Return what ``request`` has to do with images.

    Args:
        request: the request; its old object is never looked at.
        kinds: POD_SPECS, with the operator's own kinds beside them.
    """
    if request.operation in _NOT_JUDGED or request.sub_resource == "status" or _absent(request.object):
        return Concern.NOTHING
    if str(request.kind) in kinds:
        return Concern.IMAGES
    return Concern.UNKNOWN if _looks_like_a_workload(_decode(request.object, Any)) else Concern.NOTHING


def image_uses(request: Request, kinds: Mapping[str, str] = POD_SPECS) -> tuple[ImageUse, ...]:
    """Return every image that the object of ``request`` names, in the order of its fields; empty if none concerns us.

    Raises:
        Refused: ``bad-review`` when the object is not what its kind says, or a container names no image.
    """
    if concern(request, kinds) is not Concern.IMAGES:
        return ()
    return _uses(request.object, kinds[str(request.kind)])


def old_uses(request: Request, kinds: Mapping[str, str] = POD_SPECS) -> tuple[ImageUse, ...]:
    """Return the images that the object named before this update; empty if it is new."""
    if _absent(request.old_object) or str(request.kind) not in kinds:
        return ()
    return _uses(request.old_object, kinds[str(request.kind)])


def changed_uses(old: tuple[ImageUse, ...], new: tuple[ImageUse, ...]) -> tuple[ImageUse, ...]:
    """Return those of ``new`` whose container did not have that very image before, wherever it stands in its list."""
    known = {(use.kind, use.container, use.image) for use in old}
    return tuple(use for use in new if (use.kind, use.container, use.image) not in known)


def pin_patch(request: Request, uses: tuple[ImageUse, ...], digests: Mapping[str, str]) -> bytes:
    """Return the JSON patch that adds its digest to every image of a Pod; empty when there is nothing to add.

    Controllers are left as they are: whoever applied them would see a difference for ever. So are mirror Pods, which
    run whatever is said about them. The tag stays for people to read; a node pulls by the digest.

    Args:
        request: where the uses come from.
        uses: the images to pin; those that name a digest already stay.
        digests: from image as written to its digest; an image without one stays, and is not admitted by validation.
    """
    if str(request.kind) not in {"Pod", "EphemeralContainers"} or is_mirror_pod(request):
        return b""
    steps = [
        {"op": "replace", "path": use.pointer, "value": f"{use.image}@{digests[use.image]}"}
        for use in uses
        if use.image in digests and "@" not in use.image
    ]
    return msgspec.json.encode(steps) if steps else b""


def is_mirror_pod(request: Request) -> bool:
    """Return whether the object is a static Pod's image in the API, which its node runs in any case.

    Only a node makes those; the same annotation from anybody else means nothing.
    """
    by_node = request.user_info.username.startswith("system:node:") and _NODES in (request.user_info.groups or ())
    if str(request.kind) != "Pod" or not by_node or _absent(request.object):
        return False
    found = _decode(request.object, _Annotated)
    return bool(found.metadata and found.metadata.annotations and _MIRROR in found.metadata.annotations)


def pod_facts(request: Request, kinds: Mapping[str, str] = POD_SPECS) -> PodFacts | None:
    """Return what the object of ``request`` asks of a node; None when it holds no Pod specification.

    Raises:
        Refused: ``bad-review`` as for image_uses.
    """
    if concern(request, kinds) is not Concern.IMAGES:
        return None
    return _facts(_spec(request.object, kinds[str(request.kind)]))


def _facts(spec: _PodSpec) -> PodFacts:
    every = [(container.name, container.security_context or _Security()) for container in spec.everything()]
    whole = spec.security_context or _Security()
    windows = [security.windows_options for security in (whole, *(security for _, security in every))]
    return PodFacts(
        host_network=bool(spec.host_network),
        host_pid=bool(spec.host_pid),
        host_ipc=bool(spec.host_ipc),
        host_process=any(options is not None and bool(options.host_process) for options in windows),
        privileged=_sorted(name for name, security in every if security.privileged),
        escalating=_sorted(name for name, security in every if security.allow_privilege_escalation),
        root=_sorted(name for name, security in every if _user(security, whole) == 0),
        host_paths=_sorted((volume.host_path.path or "/") for volume in spec.volumes or () if volume.host_path),
        host_ports=_sorted(
            port.host_port for container in spec.everything() for port in container.ports or () if port.host_port
        ),
        capabilities=_sorted(
            name.upper().removeprefix("CAP_")
            for _, security in every
            if security.capabilities
            for name in security.capabilities.add or ()
        ),
        service_account=spec.service_account_name or "",
        token=spec.automount_service_account_token is not False,
    )


def _user(security: _Security, whole: _Security) -> int | None:
    return security.run_as_user if security.run_as_user is not None else whole.run_as_user


def _sorted(values: Any) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


def _uses(data: msgspec.Raw, pointer: str) -> tuple[ImageUse, ...]:
    spec = _spec(data, pointer)
    found = [
        ImageUse(f"{pointer}/{field}/{place}/image", container.name, container.image or "", kind)
        for field, kind, containers in spec.groups()
        for place, container in enumerate(containers)
    ]
    found += [
        ImageUse(f"{pointer}/volumes/{place}/image/reference", volume.name, volume.image.reference or "", "volume")
        for place, volume in enumerate(spec.volumes or ())
        if volume.image is not None
    ]
    for use in found:
        if not use.image:
            raise bad_review(f"{use.kind} {use.container[:80]!r} names no image ({use.pointer})")
    return tuple(found)


def _spec(data: msgspec.Raw, pointer: str) -> _PodSpec:
    for key in pointer.split("/")[1:]:
        fields = _decode(data, dict[str, msgspec.Raw])
        data = fields.get(key.replace("~1", "/").replace("~0", "~"), msgspec.Raw(b""))
        if _absent(data):
            raise bad_review(f"the object has nothing at {pointer}")
    spec: _PodSpec = _decode(data, _PodSpec)
    return spec


def _decode(data: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise bad_review(f"its object: {error}") from error


def _absent(data: msgspec.Raw) -> bool:
    raw = bytes(data)
    return raw in {b"", b"null"}


def _looks_like_a_workload(value: Any, depth: int = 0) -> bool:
    if depth > _DEPTH:
        return True
    if isinstance(value, dict):
        listed = value.get("containers")
        if isinstance(listed, list) and any(isinstance(entry, dict) and "image" in entry for entry in listed):
            return True
        return any(_looks_like_a_workload(below, depth + 1) for below in value.values())
    return isinstance(value, list) and any(_looks_like_a_workload(below, depth + 1) for below in value)
