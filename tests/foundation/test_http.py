import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from safeconduct.foundation.errors import BadUsage, SafeconductError, Undecided
from safeconduct.foundation.http import HttpFetch


class Answers(BaseHTTPRequestHandler):
    """A small server: each path is one behaviour."""

    def do_GET(self):
        path = self.path
        if path == "/ok":
            self._answer(200, b"x" * 1000)
        elif path == "/long":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x" * 65536)
        elif path == "/here":
            self._to("/ok")
        elif path == "/loop":
            self._to("/loop")
        elif path == "/elsewhere":
            self._to("http://localhost:1/secret")
        elif path == "/file":
            self._to("file:///etc/passwd")
        elif path == "/packed":
            self._answer(200, b"x", ("Content-Encoding", "gzip"))
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x")
        else:
            self._answer(404, b"")

    def _to(self, where):
        self._answer(302, b"", ("Location", where))

    def _answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def base():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def save(url, max_bytes=10_000):
    file = io.BytesIO()
    with HttpFetch() as fetch:
        fetch.save(url, file, max_bytes=max_bytes)
    return file.getvalue()


@pytest.mark.parametrize("path", ["/ok", "/here"])
def test_what_a_server_answers_is_saved_also_behind_a_redirect_of_its_own(base, path):
    assert save(base + path) == b"x" * 1000


@pytest.mark.parametrize(
    ("path", "error_id"),
    [
        ("/missing", "fetch-failed"),
        ("/long", "fetch-too-large"),
        ("/loop", "fetch-failed"),
        ("/elsewhere", "fetch-redirected"),
        ("/file", "bad-url"),
        ("/packed", "fetch-failed"),
        ("/cut", "fetch-failed"),
    ],
)
def test_what_a_server_should_not_do_ends_in_a_clear_error(base, path, error_id):
    with pytest.raises(SafeconductError) as refused:
        save(base + path)
    assert refused.value.id == error_id


def test_a_server_that_is_not_there_is_an_error():
    with pytest.raises(Undecided) as refused:
        save("http://127.0.0.1:1/x")
    assert refused.value.id == "fetch-failed"


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "file:///etc/passwd", "http://", "https://user:pass@h/x", "x", "http://[::1"]
)
def test_a_url_that_is_not_plain_is_refused(url):
    with pytest.raises(BadUsage) as refused:
        save(url)
    assert refused.value.id == "bad-url"
    assert "user:pass" not in refused.value.why


def test_a_slow_answer_ends_at_the_deadline(base):
    with HttpFetch(deadline=0) as fetch, pytest.raises(Undecided, match="fetch-failed"):
        fetch.save(base + "/ok", io.BytesIO(), max_bytes=10_000)
