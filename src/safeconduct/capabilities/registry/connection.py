"""HTTP to one registry: bounded in time, size and reach.

A name is resolved here, every address it has is checked, and the connection goes to an address that was checked, so a
name that changes between check and use leads nowhere. One deadline spans a whole request, whatever dribbles in.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import httpcore2
import msgspec

from safeconduct.capabilities.registry.repository import too_large
from safeconduct.foundation.errors import Undecided

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AddressCheck = Callable[[str, Address], bool]
"""Says whether a host name may be reached at an address that it resolved to."""

_FAILURES = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    OSError,
)


class Reply(msgspec.Struct, frozen=True):
    """A whole answer; header names are lower case, the first of each name counts."""

    status: int
    headers: dict[str, str]
    body: bytes


def only_named_addresses(configured: Collection[str]) -> AddressCheck:
    """Return a check that lets a configured host lead to this machine only when the operator wrote it so.

    Args:
        configured: hosts as the operator wrote them, without port: names, ``localhost`` or literal addresses.
    """

    def check(host: str, address: Address) -> bool:
        if address.is_link_local or address.is_unspecified or address.is_multicast:
            return host in configured and is_literal(host)
        if address.is_loopback:
            return host in configured and (host == "localhost" or is_literal(host))
        return True

    return check


def is_literal(host: str) -> bool:
    """Return whether ``host`` is an address rather than a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether ``host`` says by itself that it is this machine."""
    return host == "localhost" or (is_literal(host) and ipaddress.ip_address(host.strip("[]")).is_loopback)


class Connection:
    """Connections to a registry and the hosts it leads to. Safe to share between threads."""

    def __init__(self, check: AddressCheck, seconds: float, context: ssl.SSLContext | None = None) -> None:
        """Args: check of addresses; seconds that one request may take, all in all; TLS context of the operator."""
        self._seconds = seconds
        self._guard = _GuardedBackend(check)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, network_backend=self._guard, max_connections=16, keepalive_expiry=30
        )

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int) -> Reply:
        """Return the answer; redirects are answers too.

        Raises:
            Undecided: ``registry-unreachable``, ``too-large``, or ``address-not-allowed``.
        """
        self._guard.start(self._seconds)
        try:
            return self._send(method, url, headers, body, limit)
        except _FAILURES as error:
            raise unreachable(url, f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int) -> Reply:
        sent = {"accept-encoding": "identity", "user-agent": "safeconduct", **headers}
        if body is not None:
            sent["content-length"] = str(len(body))
        fields = [(name.encode(), value.encode()) for name, value in _with_host(url, sent).items()]
        with self._pool.stream(method, url, headers=fields, content=body) as answer:
            data = bytearray()
            for chunk in answer.iter_stream():
                data += chunk
                if len(data) > limit:
                    raise too_large(f"the answer to {method} {url[:200]}", limit)
            names: dict[str, str] = {}
            for name, value in answer.headers:
                names.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
            return Reply(answer.status, names, bytes(data))


def unreachable(url: str, why: str) -> Undecided:
    """Return the error for a registry that gave no usable answer."""
    return Undecided(
        "registry-unreachable",
        f"the registry did not answer {url[:200]}",
        why=why[:500],
        next_step="try again; if it stays so, check the registry, the network and the address in 'registries'",
    )


def _with_host(url: str, headers: dict[str, str]) -> dict[str, str]:
    return {"host": url.split("/", 3)[2], **headers}


def unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address carries, else the address itself."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else address


class _GuardedBackend(httpcore2.NetworkBackend):
    """Connects only to checked addresses, and gives every read and write what is left of the deadline."""

    def __init__(self, check: AddressCheck) -> None:
        self._check = check
        self._plain = httpcore2.SyncBackend()
        self._local = threading.local()

    def start(self, seconds: float) -> None:
        """Begin the deadline of this thread's request."""
        self._local.until = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left to this thread's request."""
        left: float = self._local.until - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the request took longer than it may, all in all")
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline of the whole request counts instead
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Return a stream to the first address of ``host`` that answers."""
        failure: Exception | None = None
        for address in self._addresses(host, port):
            try:
                made = self._plain.connect_tcp(str(address), port, self.left(), local_address, socket_options or [])
                return _BoundedStream(made, self)
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
                failure = error
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[Address]:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        for address in addresses:
            if not self._check(host, unmapped(address)):
                raise _AddressRefusedError(host, address)
        return addresses


class _AddressRefusedError(Undecided):
    def __init__(self, host: str, address: Address) -> None:
        super().__init__(
            "address-not-allowed",
            f"the registry host {host[:200]} leads to {address}, which is not to be reached",
            why="a name that points at this machine, its link or nowhere can make us ask a service nobody configured",
            next_step="if that registry is meant, write its address itself in 'registries'",
        )


class _BoundedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, guard: _GuardedBackend) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see connect_tcp
        return self._stream.read(max_bytes, self._guard.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - see connect_tcp
        self._stream.write(buffer, self._guard.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - see connect_tcp
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, self._guard.left()), self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
