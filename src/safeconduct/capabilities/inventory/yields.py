"""What a reader yields: one row beside each reader, held to a real file by a test, printed in the documentation."""

import msgspec


class Yields(msgspec.Struct, frozen=True, kw_only=True):
    """One reader's row. True means: where the file says it, the reader gives it.

    Attributes:
        reader: the name that stands in locations.
        files: names or path endings, for people.
        ecosystem: purl types, comma-separated.
        evidence: ``installed``, ``locked`` or ``declared``.
        direct: tells direct from transitive, from this file alone or with the manifest beside it.
        scope: tells development, build, optional or peer needs from runtime ones.
        lines: locations carry a line number.
        note: what one should know, a clause without full stop.
    """

    reader: str
    files: tuple[str, ...]
    ecosystem: str
    evidence: str
    licenses: bool = False
    hashes: bool = False
    edges: bool = False
    direct: bool = False
    scope: bool = False
    lines: bool = False
    note: str = ""
