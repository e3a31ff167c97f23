"""Violations: what a runtime detector saw a workload do."""

import msgspec

from safeconduct.model.digest import Digest


class Violation(msgspec.Struct, frozen=True):
    """One runtime alert, as far as it names where it happened.

    Attributes:
        at: microseconds since 1970.
        priority: the detector's word, lower case.
        digest, container_id, pod, namespace: empty or None where the alert does not say.
    """

    rule: str
    priority: str
    at: int
    detector: str
    output: str
    cluster: str = ""
    namespace: str = ""
    pod: str = ""
    container: str = ""
    container_id: str = ""
    image: str = ""
    digest: Digest | None = None
