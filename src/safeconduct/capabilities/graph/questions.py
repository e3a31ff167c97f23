"""The questions that the graph answers, each with its evidence, now or as of any moment.

Every question takes ``as_of`` (state and knowledge then) and ``known`` (the knowledge of another time), both in
microseconds since 1970. An answer names in its ``gaps`` what could not be told.
"""

from safeconduct.capabilities.graph.digests import everything, find_digest, path
from safeconduct.capabilities.graph.directory import Verdict, find_epoch, find_verdict
from safeconduct.capabilities.graph.lineage import lineage
from safeconduct.capabilities.graph.runs import reaches, runs, upgrades

digest = everything

__all__ = [
    "Verdict",
    "digest",
    "everything",
    "find_digest",
    "find_epoch",
    "find_verdict",
    "lineage",
    "path",
    "reaches",
    "runs",
    "upgrades",
]
