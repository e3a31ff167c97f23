"""Fetching over HTTP: bounded in time and size, never led to another host, never with credentials.

What is fetched is foreign data that its reader judges; this client only sees to it that reading ends. Proxies and
certificate bundles are arguments: the environment is read by the command line and the server alone.
"""

import ssl
import time
from typing import BinaryIO, NoReturn, Self
from urllib.parse import urljoin, urlsplit

import httpx2

from safeconduct.foundation.errors import BadUsage, Undecided

_SECONDS = 30.0
_DEADLINE = 900.0
_REDIRECTS = 5
_PIECE = 1 << 16
_OK = 200
_DEFAULT_PORTS = {"http": 80, "https": 443}


class HttpFetch:
    """A client for public files. It implements the ``Fetch`` that feeds are read through."""

    def __init__(
        self, *, proxy: str | None = None, verify: ssl.SSLContext | bool = True, deadline: float = _DEADLINE
    ) -> None:
        # No compression: a small answer must not unfold into a large one before it is counted.
        self._client = httpx2.Client(
            headers={"Accept-Encoding": "identity", "User-Agent": "safeconduct"},
            timeout=_SECONDS,
            trust_env=False,
            proxy=proxy,
            verify=verify,
        )
        self._deadline = deadline

    def save(self, url: str, file: BinaryIO, *, max_bytes: int) -> None:
        """Write what ``url`` answers into ``file``, at most ``max_bytes``.

        Raises:
            BadUsage: ``bad-url`` for another scheme than http(s), or a URL with a user or password in it.
            Undecided: ``fetch-failed`` (no answer, an error status, too slow), ``fetch-redirected`` (to another host
                or down to plain HTTP) or ``fetch-too-large``.
        """
        _check(url)
        ends_at = time.monotonic() + self._deadline
        try:
            for _ in range(_REDIRECTS + 1):
                target = self._save_once(url, file, max_bytes, ends_at)
                if target is None:
                    return
                url = target
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            _failed(url, str(error) or type(error).__name__)
        _failed(url, f"more than {_REDIRECTS} redirects")

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _save_once(self, url: str, file: BinaryIO, max_bytes: int, ends_at: float) -> str | None:
        """Save, or return where the answer points to."""
        with self._client.stream("GET", url) as response:
            if response.is_redirect:
                return _same_host(url, urljoin(url, response.headers.get("location", "")))
            if response.status_code != _OK:
                _failed(url, f"the server answered {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                _failed(url, "the server compressed its answer although asked not to")
            left = max_bytes
            for piece in response.iter_raw(_PIECE):
                left -= len(piece)
                if left < 0:
                    _too_large(url, max_bytes)
                if time.monotonic() > ends_at:
                    _failed(url, f"not finished after {self._deadline:.0f} seconds")
                file.write(piece)
        return None


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.username is None
    except ValueError:
        sound = False
    if not sound:
        raise BadUsage(
            "bad-url",
            "only http and https URLs with a host and without user or password are fetched",
            why=f"given: {url[:200]!r}" if "@" not in url else "the URL holds an @ where a user would stand",
            next_step="write it as https://host/path",
        )


def _same_host(url: str, target: str) -> str:
    _check(target)
    before, after = urlsplit(url), urlsplit(target)
    ports = [parts.port or _DEFAULT_PORTS[parts.scheme] for parts in (before, after)]
    upgraded = (before.scheme, after.scheme) == ("http", "https")
    if before.hostname != after.hostname or not (upgraded or (before.scheme == after.scheme and ports[0] == ports[1])):
        raise Undecided(
            "fetch-redirected",
            f"{url} points to another place, which was not followed",
            why=f"it redirects to {after.scheme}://{after.netloc}",
            next_step="name that place itself, if you trust it",
        )
    return target


def _too_large(url: str, max_bytes: int) -> NoReturn:
    raise Undecided(
        "fetch-too-large",
        f"{url} answers with more than may be read",
        why=f"the limit is {max_bytes} bytes",
        next_step="check that the URL is the right one",
    )


def _failed(url: str, why: str) -> NoReturn:
    raise Undecided(
        "fetch-failed",
        f"{url} could not be fetched",
        why=why,
        next_step="check the address and the network, or fetch it elsewhere and give the file",
    )
