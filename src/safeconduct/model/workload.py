"""Workloads: what a cluster runs, by the digest that its nodes report."""

import msgspec

from safeconduct.model.digest import Digest


class Workload(msgspec.Struct, frozen=True, order=True):
    """A place in a cluster where a container runs.

    Attributes:
        workload: ``kind/name`` of the controller that owns the Pod, or ``pod/name``.
    """

    cluster: str
    region: str
    namespace: str
    workload: str
    container: str


class Sighting(msgspec.Struct, frozen=True):
    """A container seen running or stopped, from ``status…imageID``; never from an admission.

    Attributes:
        at: microseconds since 1970.
        running: False when the container ended.
        pod: the Pod's name, for joining runtime alerts.
        container_id: full runtime id without its scheme, empty when unknown.
    """

    where: Workload
    digest: Digest
    at: int
    running: bool
    pod: str = ""
    container_id: str = ""
