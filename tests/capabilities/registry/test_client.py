"""The distribution client against a registry that can lie; what a real one does is in test_docker_registry."""

import ipaddress
import threading
import time

import pytest

from safeconduct.capabilities.registry.attach import attach_bundle
from safeconduct.capabilities.registry.client import RegistryRepository
from safeconduct.capabilities.registry.connection import only_named_addresses, unmapped
from safeconduct.capabilities.registry.repository import fallback_tag
from safeconduct.foundation.errors import BadUsage, Refused, SafeconductError, Undecided
from safeconduct.model.digest import sha256
from safeconduct.model.limits import LIMITS
from simulators.images import put_image
from simulators.registry import RegistrySimulator, digest_of

WHEN = "2026-01-01T00:00:00Z"


@pytest.fixture
def registry():
    with RegistrySimulator() as simulator:
        yield simulator


@pytest.fixture
def repository(registry):
    repository = RegistryRepository(registry.url, "team/app", seconds=5)
    yield repository
    repository.close()


def error_of(act):
    with pytest.raises(SafeconductError) as caught:
        act()
    return caught.value.id


def test_a_tag_is_looked_up_exactly_once(registry, repository):
    image = put_image(repository, tag="1.0")
    registry.requests.clear()
    assert repository.resolve("1.0") == image
    assert registry.paths() == ["/v2/team/app/manifests/1.0"]


def test_a_tag_that_flips_between_two_looks_gives_what_the_first_look_saw(registry, repository):
    first, second = put_image(repository, b"1", "1.0"), put_image(repository, b"2", "1.0")
    registry.flip_tags = [first.digest, second.digest]
    resolved = repository.resolve("1.0")
    assert resolved == first
    assert sha256(repository.manifest(resolved.digest)) == first.digest


@pytest.mark.parametrize("kind", ["manifest", "blob"])
def test_other_bytes_than_asked_for_are_refused(registry, repository, kind):
    image = put_image(repository)
    digest = image.digest if kind == "manifest" else sha256(b"layer")
    registry.replace[digest] = b'{"layers":[],"config":{}}'
    assert error_of(lambda: repository.manifest(digest) if kind == "manifest" else repository.blob(digest, 99)) == (
        "digest-mismatch"
    )


def test_a_digest_header_that_lies_is_refused(registry, repository):
    put_image(repository, tag="1.0")
    registry.claim_digest = "sha256:" + "0" * 64
    assert error_of(lambda: repository.resolve("1.0")) == "digest-mismatch"


def test_a_manifest_served_as_something_else_is_refused(registry, repository):
    image = put_image(repository, tag="1.0")
    data, _ = registry.manifests[image.digest]
    registry.manifests[image.digest] = (data, "application/vnd.oci.image.index.v1+json")
    assert error_of(lambda: repository.resolve("1.0")) == "bad-manifest"


def test_referrers_come_from_the_api_page_by_page(registry, repository):
    image = put_image(repository, tag="1.0")
    made = [attach_bundle(repository, image, f'{{"dsseEnvelope":{n}}}'.encode(), "p/1", WHEN) for n in range(5)]
    registry.page_size = 2
    assert [entry.digest for entry in repository.referrers(image.digest)] == sorted(entry.digest for entry in made)
    assert fallback_tag(image.digest) not in registry.tag_digests


def test_without_the_api_the_fallback_tag_is_kept_and_read(registry, repository):
    registry.referrers_api = False
    image = put_image(repository, tag="1.0")
    made = [attach_bundle(repository, image, f'{{"dsseEnvelope":{n}}}'.encode(), "p/1", WHEN) for n in range(3)]
    attach_bundle(repository, image, b'{"dsseEnvelope":0}', "p/1", WHEN)
    assert [entry.digest for entry in repository.referrers(image.digest)] == sorted(entry.digest for entry in made)
    assert fallback_tag(image.digest) in registry.tag_digests
    assert repository.tags() == ["1.0"]


def test_writers_of_one_fallback_tag_in_one_process_all_succeed(registry, repository):
    registry.referrers_api = False
    image = put_image(repository, tag="1.0")
    threads = [
        threading.Thread(
            target=attach_bundle, args=(repository, image, f'{{"dsseEnvelope":{n}}}'.encode(), "p/1", WHEN)
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(repository.referrers(image.digest)) == 8


@pytest.mark.parametrize("page_size", [100, 1, 0])
def test_endless_referrers_could_not_be_told(registry, repository, page_size):
    registry.endless_referrers = True
    registry.page_size = page_size
    assert error_of(lambda: repository.referrers(sha256(b"x"))) == "too-many-referrers"
    assert len(registry.requests) <= (3 if page_size == 100 else 64)


def test_a_blob_larger_than_its_cap_is_not_read_to_its_end(registry, repository):
    registry.blobs[digest_of(b"1" * 100_000)] = b"1" * 100_000
    assert error_of(lambda: repository.blob(digest_of(b"1" * 100_000), 1_000)) == "too-large"


def test_an_answer_larger_than_its_cap_is_not_read_to_its_end(registry, repository):
    registry.tag_digests["x" * (LIMITS.manifest + 1)] = ""
    assert error_of(repository.tags) == "too-large"


def test_a_deadline_that_has_passed_is_could_not_tell(registry):
    late = RegistryRepository(registry.url, "team/app", seconds=0)
    assert error_of(lambda: late.resolve("1.0")) == "registry-unreachable"


@pytest.mark.parametrize("switch", ["stall_seconds", "drip_seconds"])
def test_a_registry_that_stalls_or_drips_ends_at_the_deadline(registry, repository, switch):
    put_image(repository, tag="1.0")
    setattr(registry, switch, 2.0 if switch == "stall_seconds" else 0.1)
    hasty = RegistryRepository(registry.url, "team/app", seconds=0.5)
    started = time.monotonic()
    assert error_of(lambda: hasty.resolve("1.0")) == "registry-unreachable"
    assert time.monotonic() - started < 1.5
    hasty.close()


def test_nobody_there_is_could_not_tell(registry):
    repository = RegistryRepository("http://127.0.0.1:1", "team/app", seconds=2)
    with pytest.raises(Undecided, match="registry-unreachable"):
        repository.resolve("1.0")


@pytest.mark.parametrize(
    ("status", "expected"), [(404, "not-found"), (403, "registry-denied"), (500, None), (429, None)]
)
def test_an_error_of_the_registry_is_never_an_empty_answer(registry, repository, status, expected):
    registry.status = status
    wanted = expected or "registry-unreachable"
    assert error_of(lambda: repository.resolve("1.0")) == wanted
    assert error_of(lambda: repository.blob(sha256(b""), 10)) == wanted
    if status != 404:
        assert error_of(lambda: repository.referrers(sha256(b""))) == wanted
        assert error_of(repository.tags) == wanted


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_credentials_open_a_registry_that_wants_them(registry, scheme):
    registry.user, registry.scheme = ("ada", "pass word"), scheme
    asked = []

    def credentials(host):
        asked.append(host)
        return ("ada", "pass word")

    repository = RegistryRepository(registry.url, "team/app", credentials=credentials)
    put_image(repository, tag="1.0")
    assert repository.tags() == ["1.0"]
    assert set(asked) == {registry.host}
    stranger = RegistryRepository(registry.url, "team/app")
    assert error_of(lambda: stranger.resolve("1.0")) == "registry-denied"
    repository.close()
    stranger.close()


def test_a_redirect_is_followed_only_to_configured_hosts_and_without_credentials(registry):
    registry.user, registry.scheme = ("ada", "pw"), "basic"
    with RegistrySimulator() as other:
        mine = RegistryRepository(registry.url, "team/app", credentials=lambda _: ("ada", "pw"), also=[other.host])
        digest = mine.put_blob(b"data").digest
        other.blobs[digest] = b"data"
        registry.redirect_blobs_to = other.url
        assert mine.blob(digest, 10) == b"data"
        [(_, _, headers)] = other.requests
        assert "authorization" not in headers
        strict = RegistryRepository(registry.url, "team/app", credentials=lambda _: ("ada", "pw"))
        assert error_of(lambda: strict.blob(digest, 10)) == "registry-not-allowed"
        assert len(other.requests) == 1
        mine.close()
        strict.close()


def test_endless_redirects_end(registry, repository):
    digest = repository.put_blob(b"data").digest
    registry.redirect_blobs_to = registry.url
    assert error_of(lambda: repository.blob(digest, 10)) == "registry-unreachable"


def test_credentials_never_go_to_a_token_server_that_is_not_configured(registry):
    registry.user = ("ada", "pw")
    with RegistrySimulator() as thief:
        registry.realm = f"{thief.url}/token"
        repository = RegistryRepository(registry.url, "team/app", credentials=lambda _: ("ada", "pw"))
        assert error_of(lambda: repository.resolve("1.0")) == "registry-not-allowed"
        assert thief.requests == []
        repository.close()


def test_an_upload_never_leads_to_another_host(registry, repository):
    with RegistrySimulator() as thief:
        registry.upload_location = f"{thief.url}/v2/team/app/blobs/uploads/1"
        assert error_of(lambda: repository.put_blob(b"secret")) == "registry-not-allowed"
        assert thief.requests == []


def test_a_name_that_resolves_to_this_machine_is_not_reached(registry, monkeypatch):
    """Resolution is simulated: a name whose address changes between check and use leads to no other address."""
    port = int(registry.host.rpartition(":")[2])
    answers = [[(2, 1, 6, "", ("127.0.0.1", port))]]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers[0])
    repository = RegistryRepository(f"http://rebound.example:{port}", "team/app")
    assert error_of(lambda: repository.resolve("1.0")) == "address-not-allowed"
    assert registry.requests == []


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        ("reg.example", "93.184.216.34", True),
        ("reg.example", "10.0.0.5", True),
        ("reg.example", "127.0.0.1", False),
        ("reg.example", "169.254.169.254", False),
        ("reg.example", "::1", False),
        ("reg.example", "::ffff:127.0.0.1", False),
        ("reg.example", "0.0.0.0", False),
        ("169.254.169.254", "169.254.169.254", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("localhost", "::1", True),
    ],
)
def test_only_an_address_that_the_operator_wrote_leads_to_this_machine(host, address, expected):
    check = only_named_addresses({"reg.example", "127.0.0.1", "localhost"})
    assert check(host, unmapped(ipaddress.ip_address(address))) is expected


@pytest.mark.parametrize("address", ["ftp://reg.example", "reg.example", "https://", ""])
def test_an_address_that_is_none_is_a_usage_error(address):
    with pytest.raises(BadUsage, match="bad-registry"):
        RegistryRepository(address, "team/app")


@pytest.mark.parametrize("asked", ["../../_catalog", "a b", "1.0?x=y", "sha256:zz", ""])
def test_nothing_but_a_tag_or_digest_becomes_part_of_a_url(registry, repository, asked):
    with pytest.raises(Refused, match="bad-reference"):
        repository.resolve(asked)
    assert registry.requests == []
