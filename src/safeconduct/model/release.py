"""Releases: one artifact of one line, built from one commit."""

import msgspec

from safeconduct.model.digest import Digest


class Line(msgspec.Struct, frozen=True):
    """Where releases succeed each other. The natural key is all four fields."""

    repository: str
    name: str
    platform: str = ""
    branch: str = ""


class Release(msgspec.Struct, frozen=True):
    """A release as it was built.

    Attributes:
        digest: of the image index: what is signed and what is deployed by.
        manifest: of the platform manifest under it, None for plain files.
        repository: the declared ``product.repository``, never a local path.
        commit: hex id of the source commit.
        built_at: when it was built, microseconds since 1970, by the commit's time or its provenance; it orders
            the line. 0 where nothing says: then the order of arrival counts.
    """

    product: str
    version: str
    repository: str
    digest: Digest
    commit: str
    line: Line
    manifest: Digest | None = None
    built_at: int = 0
