"""Credentials for registries: which header goes to which host, and never to another.

Source: distribution specification (token authentication); RFC 7235 section 4.1 for challenges.
"""

import base64
import re
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from safeconduct.foundation.errors import BadUsage

Credentials = Callable[[str], tuple[str, str] | None]
"""Gives user and password for exactly this host (with its port), or None for anonymous."""

_PAIR = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')


class Challenge(msgspec.Struct, frozen=True):
    """What a registry asked for: ``scheme`` is ``bearer`` or ``basic``."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


class Token(msgspec.Struct, frozen=True):
    """A token server's answer; either name is used in the wild."""

    token: str = ""
    access_token: str = ""


def anonymous(_host: str) -> None:
    """Return no credentials, for any host."""
    return


def read_docker_config(data: bytes) -> Credentials:
    """Return the credentials in a file of the form of docker's ``config.json``; each is for its own host only.

    Raises:
        BadUsage: ``bad-registry-auth``: no JSON, or an entry that is neither ``auth`` nor user name and password.
    """
    try:
        entries = msgspec.json.decode(data, type=_DockerConfig).auths
        known = {_host_of(name): _pair(entry) for name, entry in entries.items()}
    except (msgspec.DecodeError, ValueError) as error:
        raise BadUsage(
            "bad-registry-auth",
            "the file of registry credentials cannot be used",
            why=str(error),
            next_step="write it with: docker login, or podman login --authfile FILE",
        ) from error
    return known.get


class _DockerAuth(msgspec.Struct, frozen=True):
    auth: str = ""
    username: str = ""
    password: str = ""


class _DockerConfig(msgspec.Struct, frozen=True):
    auths: dict[str, _DockerAuth] = {}


def _host_of(name: str) -> str:
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _pair(entry: _DockerAuth) -> tuple[str, str]:
    if entry.username:
        return entry.username, entry.password
    user, separator, password = base64.b64decode(entry.auth, validate=True).decode().partition(":")
    if not separator:
        raise ValueError("an entry holds no user and password; credential helpers are not asked")
    return user, password


def parse_challenge(header: str) -> Challenge | None:
    """Return the first challenge of a ``WWW-Authenticate`` header that we can meet, None when there is none."""
    scheme, _, rest = header.strip()[:4096].partition(" ")
    if scheme.lower() not in {"bearer", "basic"}:
        return None
    fields = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}
    return Challenge(scheme.lower(), fields.get("realm", ""), fields.get("service", ""), fields.get("scope", ""))


def basic(user: str, password: str) -> str:
    """Return the value of a basic ``Authorization`` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def token_url(challenge: Challenge, scope: str) -> str:
    """Return where to ask for a token."""
    query = {name: value for name, value in (("service", challenge.service), ("scope", scope)) if value}
    return f"{challenge.realm}{'&' if '?' in challenge.realm else '?'}{urlencode(query)}"
