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


class CompleteList(msgspec.Struct, frozen=True):
    """The claim that a list names all that a cluster ran at a time: what it does not name has ended.

    Attributes:
        at: when it was taken, microseconds since 1970; what became known later has not ended by it.
        namespaces: those that it is complete for; none: the whole cluster.
        untold: ``namespace/pod`` that it names without saying all of what runs there: nothing ends in those.
    """

    cluster: str
    at: int
    namespaces: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
