"""Serving an application over TLS until told to stop."""

import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn
from starlette.types import ASGIApp

from safeconduct.foundation.errors import BadUsage, Undecided

_LOG = logging.getLogger("safeconduct.server")
_GRACE_SECONDS = 15
_RELOAD_SECONDS = 1
_START_SECONDS = 15


class Tls(msgspec.Struct, frozen=True):
    """Files of a server's TLS.

    Attributes:
        client_ca: when set, only clients with a certificate of this CA get in at all.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


def serve(app: ASGIApp, host: str, port: int, tls: Tls | None, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; what is under way then is finished first.

    A certificate that is replaced on disk is used from the next connection on.

    Args:
        app: what to serve.
        host: address to listen on; other than loopback only with TLS.
        port: 0 for any free one.
        tls: None serves in the clear, on loopback only.
        announce: called once with the URL when connections are accepted.

    Raises:
        BadUsage: ``no-tls``. Undecided: ``cannot-serve``.
    """
    _Server(_config(app, host, port, tls), tls, announce).run_or_raise()


@contextmanager
def serving(app: ASGIApp, tls: Tls | None, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread while the block runs; give the URL."""
    urls: list[str] = []
    up = threading.Event()

    def announce(url: str) -> None:
        urls.append(url)
        up.set()

    server = _Server(_config(app, host, port, tls), tls, announce)

    def run() -> None:
        try:
            server.run_or_raise()
        except Undecided:
            _LOG.exception("the server did not start")
        finally:
            up.set()

    thread = threading.Thread(target=run, name="serving", daemon=True)
    thread.start()
    try:
        if not up.wait(_START_SECONDS) or not urls:
            raise _cannot_serve(host, port)
        yield urls[0]
    finally:
        server.should_exit = True
        thread.join(_GRACE_SECONDS + _START_SECONDS)


def _config(app: ASGIApp, host: str, port: int, tls: Tls | None) -> uvicorn.Config:
    if tls is None and not _is_loopback(host):
        raise BadUsage(
            "no-tls",
            f"{host} can be reached from other machines, so it is served with TLS only",
            why="reviews, events and tokens would travel in the clear",
            next_step="give a certificate and key, or listen on 127.0.0.1",
        )
    context = None if tls is None else _context(tls)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=75,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise BadUsage(
            "bad-certificate",
            f"the server's certificate {tls.certificate} or key cannot be used",
            why=str(error),
            next_step="give a PEM certificate chain and its unencrypted key",
        ) from error
    return context


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is up and takes up a renewed certificate."""

    def __init__(self, config: uvicorn.Config, tls: Tls | None, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._tls = tls
        self._announce = announce
        self._stamp = _stamp(tls)

    def run_or_raise(self) -> None:
        """Run to the end."""
        try:
            self.run()
        except SystemExit as error:
            raise _cannot_serve(self.config.host, self.config.port) from error

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce."""
        await super().startup(sockets)
        if self.started:
            self._announce(self._url())

    async def on_tick(self, counter: int) -> bool:
        """Look for a renewed certificate once a second."""
        if self._tls is not None and counter % (10 * _RELOAD_SECONDS) == 0:
            self._reload(self._tls)
        return await super().on_tick(counter)

    def _url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        named = f"[{host}]" if ":" in host else host
        return f"{'http' if self._tls is None else 'https'}://{named}:{port}"

    def _reload(self, tls: Tls) -> None:
        stamp = _stamp(tls)
        if stamp == self._stamp or self.config.ssl is None:
            return
        try:
            _context(tls)
            self.config.ssl.load_cert_chain(tls.certificate, tls.key)
        except (BadUsage, OSError, ssl.SSLError):
            _LOG.warning("a renewed certificate cannot be used yet; the old one is served on")
            return
        self._stamp = stamp


def _stamp(tls: Tls | None) -> tuple[tuple[int, int, int], ...]:
    if tls is None:
        return ()
    try:
        states = [path.stat() for path in (tls.certificate, tls.key)]
    except OSError:
        return ()
    return tuple((state.st_ino, state.st_mtime_ns, state.st_size) for state in states)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cannot_serve(host: str, port: int) -> Undecided:
    return Undecided(
        "cannot-serve",
        f"nothing can be served at {host}:{port}",
        why="the address is not ours, or another program listens there",
        next_step="choose another port, or 0 for any free one",
    )
