"""SBOM: 5,000 components written as CycloneDX and read back."""

from cases.inventory import PACKAGES, lock_of
from figures import Figure
from measure import cpu_of, peak_memory
from safeconduct.capabilities.inventory.tree import MemoryTree
from safeconduct.capabilities.inventory.walk import read_tree
from safeconduct.capabilities.sbom import cyclonedx


def figures() -> list[Figure]:
    inventory = read_tree(MemoryTree({"package-lock.json": lock_of(PACKAGES)}))
    subject = cyclonedx.Subject("bench", "1.0.0")

    def write() -> bytes:
        return cyclonedx.write(inventory, subject, timestamp="2026-01-01T00:00:00Z")

    data = write()
    if len(cyclonedx.read(data).components) != PACKAGES:
        raise RuntimeError("the document does not hold what was written")
    writing, reading = cpu_of(write), cpu_of(lambda: cyclonedx.read(data))
    size = f"{PACKAGES:,} components, {len(inventory.edges):,} edges, {len(data) / 1e6:.1f} MB"
    aim = "<= 100 (trivy 450, syft 530 for both ways)"
    return [
        Figure("sbom.write.cpu", writing.median * 1e3, "ms", aim, f"{size}; {writing.text()}"),
        Figure("sbom.read.cpu", reading.median * 1e3, "ms", aim, f"the same; {reading.text()}"),
        Figure("sbom.memory", peak_memory(), "MiB", "", "peak of the process; syft 126, trivy 165"),
    ]
