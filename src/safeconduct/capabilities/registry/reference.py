"""Image references: one canonical form for every spelling, so that two readers mean one image.

Source: distribution/reference grammar and Docker's normalization of short names. Stricter than both where they leave
two meanings: a digest other than sha256, a trailing dot and a single-label upper-case host are refused.
"""

import re
from typing import NoReturn

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest, is_digest

_MAX_NAME = 255
_MAX_TEXT = 512
_MAX_PORT = 65_535
_DEFAULT_HOST = "docker.io"
_DEFAULT_TAG = "latest"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{{0,4}})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_BARE_ID = re.compile(r"[0-9a-f]{64}")


class Reference(msgspec.Struct, frozen=True, order=True):
    """One image, canonically spelled.

    Attributes:
        host: lower case, with its port if one was written.
        path: without leading slash; ``library/`` is written out.
        tag: ``latest`` when neither tag nor digest was written; empty when only a digest was.
        digest: None when only a tag is known. Where it is set, the tag says nothing.
    """

    host: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    @property
    def name(self) -> str:
        """Host and path: the repository."""
        return f"{self.host}/{self.path}"

    @property
    def asked(self) -> str:
        """What a registry is asked for: the digest where there is one, else the tag."""
        return self.digest or self.tag

    def at(self, digest: Digest) -> "Reference":
        """Return the same repository at ``digest``, without a tag."""
        return Reference(self.host, self.path, "", digest)

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


def parse_reference(text: str) -> Reference:
    """Return the image that ``text`` names.

    ``nginx`` is ``docker.io/library/nginx:latest``; a digest wins over a tag beside it, which is kept for display.

    Raises:
        Refused: ``bad-reference`` when the text has no single meaning.
    """
    if not text or len(text) > _MAX_TEXT or not text.isascii():
        _refuse(text, "empty, longer than 512 characters, or not plain ASCII")
    rest, digest = _split_digest(text)
    rest, tag = _split_tag(text, rest)
    host, path = _split_host(text, rest)
    if not _PATH.fullmatch(path):
        _refuse(text, f"{path[:80]!r} is not a repository path (lower-case words joined by '.', '_', '-' and '/')")
    if len(host) + 1 + len(path) > _MAX_NAME:
        _refuse(text, f"the repository name is longer than {_MAX_NAME} characters")
    if not tag and digest is None:
        tag = _DEFAULT_TAG
    return Reference(host, path, tag, digest)


def covers(pattern: str, reference: Reference) -> bool:
    """Return whether ``reference`` lies in ``pattern``; host and path are matched apart, label by label.

    ``ghcr.io/acme`` covers every repository below it and one so named; ``*.acme.example/team/*`` any sub-domain, and
    any repository below ``team``. A ``*`` stands only as the first host label or the last path component.
    """
    host, _, path = pattern.partition("/")
    return _host_covered(host.lower(), reference.host) and _path_covered(path, reference.path)


def _host_covered(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern == host


def _path_covered(pattern: str, path: str) -> bool:
    wanted = [part for part in pattern.split("/") if part]
    had = path.split("/")
    if wanted and wanted[-1] == "*":
        return had[: len(wanted) - 1] == wanted[:-1] and len(had) >= len(wanted)
    return had[: len(wanted)] == wanted


def _split_digest(text: str) -> tuple[str, Digest | None]:
    rest, at, digest = text.partition("@")
    if not at:
        return rest, None
    if not is_digest(digest):
        _refuse(text, f"{digest[:80]!r} is not sha256: and 64 lower-case hex digits; no other algorithm is accepted")
    return rest, Digest(digest)


def _split_tag(text: str, rest: str) -> tuple[str, str]:
    slash, colon = rest.rfind("/"), rest.rfind(":")
    if colon <= slash:
        return rest, ""
    tag = rest[colon + 1 :]
    if not _TAG.fullmatch(tag):
        _refuse(text, f"{tag[:80]!r} is not a tag")
    return rest[:colon], tag


def _split_host(text: str, rest: str) -> tuple[str, str]:
    first, slash, path = rest.partition("/")
    if not slash or not _is_host(first):
        if _BARE_ID.fullmatch(rest):
            _refuse(text, "64 hex digits alone could be a local image id or a repository name")
        return _DEFAULT_HOST, rest if slash else f"library/{rest}"
    host = first.lower()
    if not _HOST.fullmatch(host) or not _port_of(host) <= _MAX_PORT or _loses_its_host(host):
        _refuse(text, f"{first[:80]!r} is not a registry host")
    if host in {"index.docker.io", _DEFAULT_HOST}:
        return _DEFAULT_HOST, path if "/" in path else f"library/{path}"
    return host, path


def _is_host(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _loses_its_host(host: str) -> bool:
    # "FOO/app" names host FOO to Docker, but its canonical "foo/app" would name Docker Hub.
    return not ("." in host or ":" in host or host == "localhost")


def _port_of(host: str) -> int:
    port = host.rpartition(":")[2]
    return int(port) if port.isdigit() and not host.endswith("]") else 0


def _refuse(text: str, why: str) -> NoReturn:
    raise Refused(
        "bad-reference",
        f"{text[:120]!r} is not an image reference",
        why=why,
        next_step="write it as host/path:tag or host/path@sha256:<64 hex digits>",
    )
