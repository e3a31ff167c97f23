"""Wording that every face shares."""


def counted(count: int, noun: str) -> str:
    """Return ``1 release``, ``2 releases``: a regular English noun with how many there are."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
