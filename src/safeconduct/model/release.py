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
    """

    product: str
    version: str
    repository: str
    digest: Digest
    commit: str
    line: Line
    manifest: Digest | None = None
