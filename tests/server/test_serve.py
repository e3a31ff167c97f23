import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from datetime import timedelta

import httpx2
import pytest
from cryptography import x509
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.errors import BadUsage, Undecided
from safeconduct.server.certificates import make_server_certificate
from safeconduct.server.serve import Tls, serve, serving

NAMES = ["localhost", "127.0.0.1"]


def hello(_):
    time.sleep(0.3)
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


@pytest.fixture
def now():
    return to_datetime(time.time_ns() // 1_000)


def served_serial(url, ca):
    context = ssl.create_default_context(cafile=ca)
    host, port = url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port)), 5) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        certificate = tls.getpeercert(True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate).serial_number


def test_the_made_certificate_names_what_was_asked_and_its_key_is_private(tmp_path, now):
    made = make_server_certificate(tmp_path / "tls", [*NAMES, "safeconduct.shop.svc"], now, days=30)
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "safeconduct.shop.svc"]
    assert certificate.not_valid_after_utc - now <= timedelta(days=30)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.key.parent.stat().st_mode) == 0o700
    assert {file.name for file in (tmp_path / "tls").iterdir()} == {"server.pem", "server.key", "ca.pem"}


def test_a_client_that_trusts_another_authority_does_not_connect(tmp_path, now):
    mine = make_server_certificate(tmp_path / "mine", NAMES, now)
    other = make_server_certificate(tmp_path / "other", NAMES, now)
    with serving(APP, Tls(mine.certificate, mine.key)) as url:
        good = ssl.create_default_context(cafile=mine.ca)
        assert httpx2.get(url, verify=good).text == "hello"
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url, verify=ssl.create_default_context(cafile=other.ca))


def test_a_renewed_certificate_is_served_without_a_restart(tmp_path, now):
    made = make_server_certificate(tmp_path, NAMES, now)
    with serving(APP, Tls(made.certificate, made.key)) as url:
        first = served_serial(url, made.ca)
        make_server_certificate(tmp_path, NAMES, now)
        deadline = time.monotonic() + 8
        serial = first
        while serial == first and time.monotonic() < deadline:
            time.sleep(0.2)
            try:
                serial = served_serial(url, made.ca)
            except ssl.SSLCertVerificationError:
                continue
        assert serial != first


def test_a_renewed_certificate_that_is_broken_leaves_the_old_one_in_place(tmp_path, now):
    made = make_server_certificate(tmp_path, NAMES, now)
    with serving(APP, Tls(made.certificate, made.key)) as url:
        first = served_serial(url, made.ca)
        other = make_server_certificate(tmp_path / "other", NAMES, now)
        for broken in (b"nonsense", other.certificate.read_bytes()):
            made.certificate.write_bytes(broken)
            time.sleep(1.5)
            assert served_serial(url, made.ca) == first


def test_only_holders_of_a_client_certificate_get_in_where_one_is_asked_for(tmp_path, now):
    made = make_server_certificate(tmp_path / "server", NAMES, now)
    clients = make_server_certificate(tmp_path / "clients", ["robot"], now)
    with serving(APP, Tls(made.certificate, made.key, client_ca=clients.ca)) as url:
        context = ssl.create_default_context(cafile=made.ca)
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, verify=context)


def test_what_is_under_way_is_finished_before_the_server_stops(tmp_path):
    replies = []
    with serving(APP, None) as url:
        thread = threading.Thread(target=lambda: replies.append(httpx2.get(url).text))
        thread.start()
        time.sleep(0.1)
    thread.join(5)
    assert replies == ["hello"]


def test_nothing_is_served_in_the_clear_to_other_machines():
    with pytest.raises(BadUsage, match="no-tls"):
        serve(APP, "0.0.0.0", 0, None, lambda _: None)


def test_a_certificate_that_is_none_is_a_usage_error(tmp_path):
    (tmp_path / "x").write_text("nonsense")
    with pytest.raises(BadUsage, match="bad-certificate"), serving(APP, Tls(tmp_path / "x", tmp_path / "x")):
        pass


def test_a_port_that_is_taken_is_could_not_serve(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Undecided, match="cannot-serve"):
            serve(APP, "127.0.0.1", taken.getsockname()[1], None, lambda _: None)


def test_a_server_in_a_process_of_its_own_stops_at_sigterm(tmp_path):
    code = (
        "from starlette.applications import Starlette\n"
        "from safeconduct.server.serve import serve\n"
        "serve(Starlette(), '127.0.0.1', 0, None, lambda url: print(url, flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        os.kill(process.pid, signal.SIGTERM)
        process.wait(20)
    assert process.returncode in {0, -signal.SIGTERM}
