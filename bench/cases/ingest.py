"""Ingest: releases of lines with 200 to 500 packages, one transaction each, into a graph of their own."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure
from kept import AT
from measure import peak_memory
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.foundation.store import Store
from safeconduct.intake import estate
from safeconduct.intake.estate import Document
from safeconduct.intake.releases import record_release

RELEASES = 300


def figures() -> list[Figure]:
    documents = list(estate.make_documents(RELEASES, at=AT))
    components = sum(len(document.inventory.components) for document in documents)
    read, _ = _mean(documents, _from_bytes)
    known, size = _mean(documents, _from_values)
    what = f"mean of {RELEASES} releases in {RELEASES // 20} lines, {components // RELEASES} components each"
    mark = "1.27 (measured prototype)"
    return [
        Figure("ingest.release.cpu", known * 1e3, "ms", mark, f"{what}, inventory at hand"),
        Figure("ingest.sbom.cpu", read * 1e3, "ms", "", "the same, each SBOM read from its bytes"),
        Figure(
            "ingest.size", size / RELEASES / 1e3, "kB", "", "of the graph's file a release, documents and events in it"
        ),
        Figure("ingest.memory", peak_memory(), "MiB", "", f"peak of the process, {RELEASES} releases at hand"),
    ]


def _mean(documents: list[Document], record: Callable[[Store, Document], object]) -> tuple[float, int]:
    """Return the mean CPU seconds of a release, and the bytes of the file they are in."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.db"
        with open_graph(file) as store:
            began = time.process_time()
            for document in documents:
                record(store, document)
            spent = time.process_time() - began
        return spent / len(documents), file.stat().st_size


def _from_values(store: Store, document: Document) -> None:
    record_release(
        store,
        at=document.at,
        release=document.release,
        evidence=document.evidence,
        inventory=document.inventory,
        inventory_document=document.inventory_document,
    )


def _from_bytes(store: Store, document: Document) -> None:
    record_release(store, at=document.at, release=document.release, evidence=document.evidence)
