"""A repository in a registry, over the OCI distribution protocol.

Contacts the configured host, and other hosts only when the operator named them. Credentials stay with their host.

Source: OCI distribution specification 1.1.
"""

import random
import re
import ssl
import threading
import time
import weakref
from collections.abc import Collection
from urllib.parse import urljoin, urlsplit

import msgspec

from safeconduct.capabilities.registry.connection import (
    AddressCheck,
    Connection,
    Reply,
    is_loopback,
    only_named_addresses,
    unreachable,
)
from safeconduct.capabilities.registry.credentials import (
    Challenge,
    Credentials,
    Token,
    anonymous,
    basic,
    parse_challenge,
    token_url,
)
from safeconduct.capabilities.registry.repository import (
    INDEXES,
    MANIFESTS,
    check_asked,
    check_digest,
    describe,
    describe_referrer,
    encode_document,
    fallback_tag,
    is_fallback_tag,
    not_found,
    read_document,
    too_large,
    too_many_referrers,
    verify_bytes,
)
from safeconduct.foundation.errors import BadUsage, Refused, Undecided
from safeconduct.model.digest import sha256
from safeconduct.model.image import INDEX, Descriptor, Index
from safeconduct.model.limits import LIMITS

_ACCEPT = ", ".join(sorted(MANIFESTS | INDEXES))
_OCTETS = "application/octet-stream"
_SMALL = 64 * 1024
_REDIRECTS = 5
_PAGES = 64
_TAGS = 10_000
_FALLBACK_TRIES = 8
_NEXT = re.compile(r'<([^>]{1,4096})>\s*;[^,]*rel="?next"?')
_NO_REFERRERS_API = frozenset({400, 404, 405, 501})
_FALLBACK_LOCK = threading.Lock()
OK, CREATED, ACCEPTED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 201, 202, 401, 403, 404


class RegistryRepository:
    """One repository of one registry. Safe to share between threads."""

    def __init__(
        self,
        registry: str,
        path: str,
        *,
        credentials: Credentials = anonymous,
        also: Collection[str] = (),
        check: AddressCheck | None = None,
        seconds: float = 30,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Make a repository; nothing is contacted yet.

        Args:
            registry: ``https://host[:port]``; ``http://`` sends everything in the clear, which the operator chose.
            path: repository path, canonical.
            credentials: asked for the registry's own host and port only.
            also: other hosts (with port) that the operator allows for redirects and tokens.
            check: which addresses may be reached; default is by the registry's own spelling.
            seconds: the longest that one request may take, all in all.
            context: TLS settings, such as a private CA.
        """
        parts = urlsplit(registry)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadUsage(
                "bad-registry",
                f"{registry[:200]!r} is not the address of a registry",
                why="it must begin with https:// (or http://) and name a host",
                next_step="correct it in 'registries'",
            )
        self._base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._host = parts.netloc.rpartition("@")[2]
        self._path = path
        self._credentials = credentials
        self._hosts = {self._host, *also}
        self._connection = Connection(check or only_named_addresses(_names(self._hosts)), seconds, context)
        self._authorization: dict[str, str] = {}
        # Whoever forgets to close leaves no socket behind.
        self._closer = weakref.finalize(self, self._connection.close)

    @property
    def name(self) -> str:
        """Where this is, for messages."""
        return f"{self._base}/{self._path}"

    def close(self) -> None:
        """Close all connections."""
        self._closer()

    def resolve(self, asked: str) -> Descriptor:
        """Return what a tag or digest names: one request, whose body says what it is."""
        data, media_type = self._manifest(asked)
        return describe(data, media_type)

    def manifest(self, digest: str) -> bytes:
        """Return a manifest's bytes, which have this digest."""
        return self._manifest(check_digest(digest))[0]

    def blob(self, digest: str, limit: int) -> bytes:
        """Return a blob's bytes, which have this digest."""
        reply = self._get(self._url("blobs", check_digest(digest)), {}, max(limit, _SMALL))
        self._expect(reply, f"blob {digest}", OK)
        if len(reply.body) > limit:
            raise too_large(f"blob {digest}", limit)
        return verify_bytes(reply.body, digest, f"blob in {self.name}")

    def referrers(self, digest: str) -> list[Descriptor]:
        """Return what refers to ``digest``, from the referrers API, else from the fallback tag."""
        url = self._url("referrers", check_digest(digest))
        found: dict[str, Descriptor] = {}
        for page in range(_PAGES):
            reply = self._get(url, {"accept": INDEX}, LIMITS.manifest)
            if not page and reply.status in _NO_REFERRERS_API:
                return self._fallback(digest)
            self._expect(reply, f"the referrers of {digest}", OK)
            found.update({entry.digest: entry for entry in self._index(reply.body).manifests})
            following = self._next(url, reply)
            if len(found) > LIMITS.referrers:
                break
            if following is None:
                return sorted(found.values(), key=lambda entry: entry.digest)
            url = following
        raise too_many_referrers(digest, self.name)

    def tags(self) -> list[str]:
        """Return all tags, sorted."""
        url: str | None = self._url("tags", "list")
        names: set[str] = set()
        for _ in range(_PAGES):
            if url is None:
                return sorted(name for name in names if not is_fallback_tag(name))
            reply = self._get(url, {}, LIMITS.manifest)
            self._expect(reply, "the list of tags", OK)
            try:
                names.update(msgspec.json.decode(reply.body, type=_Tags).tags or ())
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                raise unreachable(url, f"its list of tags is not one: {error}") from error
            url = self._next(url, reply)
            if len(names) > _TAGS:
                break
        raise too_large(f"the list of tags of {self.name}", _TAGS)

    def put_blob(self, data: bytes) -> Descriptor:
        """Store a blob in one request, unless the registry says that it has it."""
        descriptor = describe(data, _OCTETS)
        if self._send("HEAD", self._url("blobs", descriptor.digest), {}, None, _SMALL).status == OK:
            return descriptor
        started = self._send("POST", self._url("blobs", "uploads/"), {}, b"", _SMALL)
        self._expect(started, "an upload", ACCEPTED)
        place = self._same_origin(urljoin(self._url("blobs", "uploads/"), started.headers.get("location", "")))
        place += f"{'&' if '?' in place else '?'}digest={descriptor.digest}"
        self._expect(self._send("PUT", place, {"content-type": _OCTETS}, data, _SMALL), "the blob", CREATED, ACCEPTED)
        return descriptor

    def put_manifest(self, data: bytes, media_type: str, tag: str | None = None) -> Descriptor:
        """Store a manifest; with a subject, list it under the fallback tag where the registry does not list it."""
        document = read_document(data, media_type)
        descriptor = describe(data, media_type)
        headers = {"content-type": media_type}
        reply = self._send("PUT", self._url("manifests", check_asked(tag or descriptor.digest)), headers, data, _SMALL)
        self._expect(reply, "the manifest", CREATED, ACCEPTED)
        stored = reply.headers.get("docker-content-digest", descriptor.digest)
        if stored != descriptor.digest:
            raise _mismatch(f"the manifest stored in {self.name}", descriptor.digest, stored)
        if document.subject is not None and "oci-subject" not in reply.headers:
            self._list(document.subject.digest, describe_referrer(data, document))
        return descriptor

    def _manifest(self, asked: str) -> tuple[bytes, str]:
        reply = self._get(self._url("manifests", check_asked(asked)), {"accept": _ACCEPT}, LIMITS.manifest)
        self._expect(reply, f"manifest {asked[:128]}", OK)
        if asked.startswith("sha256:"):
            verify_bytes(reply.body, asked, f"manifest in {self.name}")
        claimed = reply.headers.get("docker-content-digest")
        if claimed is not None and claimed != sha256(reply.body):
            raise _mismatch(f"manifest {asked[:128]} in {self.name}", claimed, sha256(reply.body))
        declared = reply.headers.get("content-type", "").partition(";")[0].strip()
        return reply.body, read_document(reply.body, declared).media_type

    def _fallback(self, digest: str) -> list[Descriptor]:
        reply = self._get(self._url("manifests", fallback_tag(digest)), {"accept": INDEX}, LIMITS.manifest)
        if reply.status == NOT_FOUND:
            return []
        self._expect(reply, f"the referrers of {digest}", OK)
        listed = {entry.digest: entry for entry in self._index(reply.body).manifests}
        if len(listed) > LIMITS.referrers:
            raise too_many_referrers(digest, self.name)
        return sorted(listed.values(), key=lambda entry: entry.digest)

    def _list(self, subject: str, entry: Descriptor) -> None:
        # The protocol has no compare-and-set for tags. Writers of one process take turns; against other processes the
        # list is read back until it holds our entry.
        url = self._url("manifests", fallback_tag(check_digest(subject)))
        for attempt in range(_FALLBACK_TRIES):
            with _FALLBACK_LOCK:
                known = self._fallback(subject)
                if any(listed.digest == entry.digest for listed in known):
                    return
                if len(known) >= LIMITS.referrers:
                    raise too_many_referrers(subject, self.name)
                body = encode_document(Index((*known, entry)))
                self._expect(self._send("PUT", url, {"content-type": INDEX}, body, _SMALL), "the list", CREATED)
            if attempt:
                time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 - spreads writers, guards nothing
        if all(listed.digest != entry.digest for listed in self._fallback(subject)):
            raise unreachable(url, "others kept overwriting the list of referrers")

    def _index(self, body: bytes) -> Index:
        document = read_document(body)
        if isinstance(document, Index):
            return document
        raise Refused(
            "bad-manifest",
            f"what {self.name} gives as a list of referrers is an image",
            why=f"an index was expected, got {document.media_type}",
            next_step="remove that tag and attach the evidence again",
        )

    def _next(self, url: str, reply: Reply) -> str | None:
        found = _NEXT.search(reply.headers.get("link", ""))
        return self._same_origin(urljoin(url, found[1])) if found else None

    def _url(self, kind: str, name: str) -> str:
        return f"{self._base}/v2/{self._path}/{kind}/{name}"

    def _same_origin(self, url: str) -> str:
        if _origin(url) != self._base:
            raise _not_allowed(url, "the registry sent us on to another host")
        return url

    def _get(self, url: str, headers: dict[str, str], limit: int) -> Reply:
        for _ in range(_REDIRECTS):
            reply = self._send("GET", url, headers, None, limit)
            if reply.status not in {301, 302, 303, 307, 308}:
                return reply
            url = self._onward(url, reply)
        raise unreachable(url, f"more than {_REDIRECTS} redirects")

    def _onward(self, url: str, reply: Reply) -> str:
        target = urljoin(url, reply.headers.get("location", ""))
        parts = urlsplit(target)
        if parts.netloc not in self._hosts:
            raise _not_allowed(target, "the registry redirects to a host that is not configured")
        if parts.scheme != "https" and not (_origin(target) == self._base or is_loopback(parts.hostname or "")):
            raise _not_allowed(target, "the registry redirects to a place without TLS")
        return target

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int) -> Reply:
        if _origin(url) != self._base:
            return self._connection.send(method, url, headers, body, limit)
        scope = f"repository:{self._path}:{'pull' if method in {'GET', 'HEAD'} else 'pull,push'}"
        known = self._authorization.get(scope)
        sent = {**headers, "authorization": known} if known else headers
        reply = self._connection.send(method, url, sent, body, limit)
        if reply.status == UNAUTHORIZED:
            authorization = self._authorize(reply, scope)
            if authorization:
                self._authorization[scope] = authorization
                sent = {**headers, "authorization": authorization}
                reply = self._connection.send(method, url, sent, body, limit)
        return reply

    def _authorize(self, reply: Reply, scope: str) -> str:
        challenge = parse_challenge(reply.headers.get("www-authenticate", ""))
        if challenge is None:
            return ""
        pair = self._credentials(self._host)
        if challenge.scheme == "basic":
            return basic(*pair) if pair else ""
        return self._token(challenge, scope, basic(*pair) if pair else "")

    def _token(self, challenge: Challenge, scope: str, own: str) -> str:
        parts = urlsplit(challenge.realm)
        if parts.netloc not in self._hosts:
            raise _not_allowed(challenge.realm, "the registry asks us to fetch a token from a host not configured")
        if parts.scheme != "https" and not (
            _origin(challenge.realm) == self._base or is_loopback(parts.hostname or "")
        ):
            raise _not_allowed(challenge.realm, "the registry asks us to fetch a token without TLS")
        headers = {"authorization": own} if own else {}
        reply = self._connection.send("GET", token_url(challenge, scope), headers, None, _SMALL)
        self._expect(reply, "a token", OK)
        try:
            token = msgspec.json.decode(reply.body, type=Token)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise unreachable(challenge.realm, f"its token is not one: {error}") from error
        value = token.token or token.access_token
        return f"Bearer {value}" if value.isascii() and value.isprintable() and value else ""

    def _expect(self, reply: Reply, what: str, *statuses: int) -> None:
        if reply.status in statuses:
            return
        if reply.status == NOT_FOUND:
            raise not_found(what, self.name)
        if reply.status in {UNAUTHORIZED, FORBIDDEN}:
            raise Undecided(
                "registry-denied",
                f"{self.name} does not give us {what}",
                why=f"it answered {reply.status}",
                next_step="check the credentials for this registry, and that they may read (or write) this repository",
            )
        raise unreachable(self.name, f"it answered {reply.status} for {what}: {reply.body[:200]!r}")


class _Tags(msgspec.Struct):
    tags: tuple[str, ...] | None = None


def _names(hosts: Collection[str]) -> frozenset[str]:
    return frozenset(urlsplit(f"//{host}").hostname or "" for host in hosts)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _mismatch(what: str, claimed: str, found: str) -> Refused:
    return Refused(
        "digest-mismatch",
        f"{what} is not what the registry calls it",
        why=f"it says {claimed[:100]}, the bytes are {found[:100]}",
        next_step="do not use this registry until it is known why it changes content",
    )


def _not_allowed(url: str, why: str) -> Undecided:
    return Undecided(
        "registry-not-allowed",
        f"{_origin(url)[:200]} is not a registry we may contact",
        why=why,
        next_step="if it is meant, have the operator add that host to 'registries'",
    )
