"""A registry that can lie: a real HTTP server on loopback with the referrers API, and a switch for each attack."""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
_ROUTE = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs|referrers|tags)/(?P<rest>.+)")


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class RegistrySimulator:
    """Use as a context manager. Public attributes are the switches; ``requests`` is what was asked, in order."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.tag_digests: dict[str, str] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.referrers_api = True
        self.page_size = 1000
        self.endless_referrers = False
        self.hide_referrers = False
        self.flip_tags: list[str] = []
        self.replace: dict[str, bytes] = {}
        self.claim_digest: str | None = None
        self.stall_seconds = 0.0
        self.drip_seconds = 0.0
        self.redirect_blobs_to: str | None = None
        self.upload_location: str | None = None
        self.user: tuple[str, str] | None = None
        self.scheme = "bearer"
        self.realm: str | None = None
        self.status: int | None = None
        simulator = self

        class Handler(_Handler):
            registry = simulator

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def paths(self, method: str = "GET") -> list[str]:
        return [path for verb, path, _ in self.requests if verb == method]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up on a liar is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    registry: RegistrySimulator
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        pass

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_HEAD(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def do_PUT(self) -> None:
        self._serve(self._put)

    def _serve(self, answer: Callable[[str], None]) -> None:
        state = self.registry
        state.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with suppress(BrokenPipeError, ConnectionResetError):
            if state.stall_seconds:
                time.sleep(state.stall_seconds)
            if self.path.startswith("/token"):
                self._token()
            elif state.status is not None:
                self._send(state.status, b"{}")
            elif self._admitted():
                answer(self.path)

    def _send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self._write(body)

    def _write(self, body: bytes) -> None:
        if not self.registry.drip_seconds:
            self.wfile.write(body)
            return
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()
            time.sleep(self.registry.drip_seconds)

    def _admitted(self) -> bool:
        state = self.registry
        if state.user is None:
            return True
        given = self.headers.get("authorization", "")
        wanted = _basic(state.user) if state.scheme == "basic" else "Bearer secret-token"
        if given == wanted:
            return True
        realm = state.realm or f"{state.url}/token"
        challenge = 'Basic realm="simulator"' if state.scheme == "basic" else f'Bearer realm="{realm}",service="sim"'
        self._send(401, b"{}", www_authenticate=challenge)
        return False

    def _token(self) -> None:
        user = self.registry.user
        good = user is not None and self.headers.get("authorization") == _basic(user)
        self._send(200 if good else 401, b'{"token":"secret-token"}' if good else b"{}")

    def _get(self, path: str) -> None:
        state = self.registry
        route = _ROUTE.fullmatch(urlsplit(path).path)
        if path == "/v2/":
            self._send(200, b"{}")
        elif route is None:
            self._send(404, b"{}")
        elif route["kind"] == "manifests":
            self._manifest(route["rest"])
        elif route["kind"] == "blobs":
            self._blob(path, route["rest"])
        elif route["kind"] == "referrers" and state.referrers_api:
            self._referrers(path, route["rest"])
        elif route["kind"] == "tags":
            self._send(200, json.dumps({"name": route["name"], "tags": sorted(state.tag_digests) or None}).encode())
        else:
            self._send(404, b"{}")

    def _manifest(self, asked: str) -> None:
        state = self.registry
        digest = asked
        if not asked.startswith("sha256:"):
            digest = state.flip_tags.pop(0) if state.flip_tags else state.tag_digests.get(asked, "")
        if digest not in state.manifests:
            self._send(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            return
        data, kind = state.manifests[digest]
        self._send(200, state.replace.get(digest, data), kind, docker_content_digest=state.claim_digest or digest)

    def _blob(self, path: str, digest: str) -> None:
        state = self.registry
        if digest not in state.blobs:
            self._send(404, b"{}")
        elif state.redirect_blobs_to:
            self._send(307, b"", location=state.redirect_blobs_to + path)
        else:
            self._send(200, state.replace.get(digest, state.blobs[digest]), "application/octet-stream")

    def _referrers(self, path: str, subject: str) -> None:
        state = self.registry
        start = int(parse_qs(urlsplit(path).query).get("from", ["0"])[0])
        if state.endless_referrers:
            found = [_descriptor(str(start + n).encode(), INDEX) for n in range(state.page_size)]
            more = True
        else:
            every = [d for d in map(_referrer, state.manifests.values()) if d.pop("subject", None) == subject]
            found, more = every[start : start + state.page_size], len(every) > start + state.page_size
        found = [] if state.hide_referrers else found
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": found}).encode()
        link = {"link": f'<{urlsplit(path).path}?from={start + state.page_size}>; rel="next"'} if more else {}
        self._send(200, body, INDEX, **link)

    def _post(self, path: str) -> None:
        self._send(202, b"", location=self.registry.upload_location or f"{path}upload-1?state=x")

    def _put(self, path: str) -> None:
        state = self.registry
        parts = urlsplit(path)
        if "/uploads/" in parts.path:
            digest = parse_qs(parts.query)["digest"][0]
            good = digest == digest_of(self.body)
            if good:
                state.blobs[digest] = self.body
            self._send(201 if good else 400, b"")
            return
        digest, name = digest_of(self.body), parts.path.rpartition("/")[2]
        state.manifests[digest] = (self.body, self.headers["content-type"])
        if not name.startswith("sha256:"):
            state.tag_digests[name] = digest
        subject = json.loads(self.body).get("subject")
        extra = {"oci_subject": subject["digest"]} if subject and state.referrers_api else {}
        self._send(201, b"", docker_content_digest=digest, **extra)


def _basic(user: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(user).encode()).decode()


def _descriptor(data: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}


def _referrer(stored: tuple[bytes, str]) -> dict[str, Any]:
    document = json.loads(stored[0])
    entry = _descriptor(*stored) | {"subject": (document.get("subject") or {}).get("digest")}
    for name in ("artifactType", "annotations"):
        if name in document:
            entry[name] = document[name]
    return entry
