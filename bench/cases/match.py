"""Matching: 5,000 real package versions against real advisories."""

from figures import Figure
from kept import advisories_of, read_packed
from measure import cpu_of, peak_memory
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.scan import scan
from safeconduct.model.component import Component, Inventory, Presence

ECOSYSTEMS = ("PyPI", "Go", "crates.io", "Maven", "npm")


def figures() -> list[Figure]:
    purls = {c["purl"] for c in read_packed("labels/three-matchers-5000.cdx.json.zst")["components"]}
    inventory = Inventory(tuple(Component(purl, Presence.CLAIMED, ()) for purl in sorted(purls)))
    with open_graph(advisories_of(*ECOSYSTEMS)) as store:
        source = StoredAdvisories(store)
        found = scan(inventory, source)
        warm = cpu_of(lambda: scan(inventory, source))
        cold = cpu_of(lambda: scan(inventory, StoredAdvisories(store)))
    size = f"{len(purls):,} components, {len(found.findings):,} findings, {len(found.gaps):,} gaps"
    return [
        Figure(
            "match.warm.cpu", warm.median * 1e3, "ms", "<= 50 (trivy 660 without its start)", f"{size}; {warm.text()}"
        ),
        Figure("match.cold.cpu", cold.median * 1e3, "ms", "", f"no record read before; {cold.text()}"),
        Figure("match.memory", peak_memory(), "MiB", "", "peak of the process; trivy 212, grype 203"),
    ]
