"""Against the real registry of Debian, which has no referrers API: the fallback tag carries the evidence."""

import uuid

import pytest

from safeconduct.capabilities.registry.attach import attach_bundle, find_bundles
from safeconduct.capabilities.registry.client import RegistryRepository
from safeconduct.capabilities.registry.copy import copy_release
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.registry.repository import fallback_tag
from safeconduct.foundation.errors import SafeconductError, Undecided
from safeconduct.model.digest import sha256
from safeconduct.model.image import BUNDLE, MANIFEST
from simulators.images import put_image, put_index
from simulators.registry import RegistrySimulator

WHEN = "2026-01-01T00:00:00Z"


@pytest.fixture
def repository(docker_registry):
    repository = RegistryRepository(docker_registry.url, f"team/{uuid.uuid4().hex}")
    yield repository
    repository.close()


def test_what_was_pushed_is_pulled_by_tag_and_by_digest(repository):
    image = put_index(repository, tag="1.0")
    assert repository.resolve("1.0") == image == repository.resolve(image.digest)
    assert repository.blob(sha256(b"layer"), 10) == b"layer"
    assert repository.tags() == ["1.0"]
    assert repository.put_blob(b"layer").digest == sha256(b"layer")


def test_what_is_not_there_is_could_not_tell(repository):
    for ask in (
        lambda: repository.resolve("1.0"),
        lambda: repository.manifest(sha256(b"x")),
        lambda: repository.blob(sha256(b"x"), 10),
    ):
        with pytest.raises(Undecided, match="not-found"):
            ask()
    assert repository.referrers(sha256(b"x")) == []


def test_bundles_are_attached_and_found_as_cosign_does(repository):
    image = put_index(repository, tag="1.0")
    bundles = [f'{{"dsseEnvelope":{n}}}'.encode() for n in range(3)]
    for bundle in bundles:
        attach_bundle(repository, image, bundle, "https://slsa.dev/provenance/v1", WHEN)
    found = find_bundles(repository, image.digest)
    assert (found.complete, found.problem) == (True, "")
    assert sorted(data for _, data in found.documents) == bundles
    [entry, *_] = repository.referrers(image.digest)
    assert (entry.media_type, entry.artifact_type) == (MANIFEST, BUNDLE)
    assert entry.annotations == {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
        "org.opencontainers.image.created": WHEN,
    }
    assert repository.resolve(fallback_tag(image.digest)).size > 0


@pytest.mark.parametrize("target", ["layout", "docker", "simulator"])
def test_a_release_is_carried_whole_to_every_kind_of_target(docker_registry, tmp_path, target):
    source = LayoutRepository(tmp_path / "source")
    image = put_index(source)
    attach_bundle(source, image, b'{"dsseEnvelope":1}', "p/1", WHEN)
    with RegistrySimulator() as simulator:
        places = {
            "layout": LayoutRepository(tmp_path / "target"),
            "docker": RegistryRepository(docker_registry.url, f"copied/{uuid.uuid4().hex}"),
            "simulator": RegistryRepository(simulator.url, "copied"),
        }
        copied = copy_release(source, places[target], image.digest, "1.0")
        assert (copied.subject.digest, copied.manifests, copied.blobs) == (image.digest, 3, 4)
        assert places[target].resolve("1.0").digest == image.digest
        assert [data for _, data in find_bundles(places[target], image.digest).documents] == [b'{"dsseEnvelope":1}']
        if target == "simulator":
            puts = [path.rpartition("/")[2] for path in simulator.paths("PUT") if "/manifests/" in path]
            assert puts == [*copied.referrers, *puts[1:-2], image.digest, "1.0"]
        for place in places.values():
            if isinstance(place, RegistryRepository):
                place.close()


def test_a_byte_changed_in_the_registrys_own_storage_is_refused_at_read_back(docker_registry, repository, tmp_path):
    source = LayoutRepository(tmp_path / "source")
    image = put_index(source, b"a layer of its own")
    copy_release(source, repository, image.digest, "1.0")
    file = docker_registry.blob_file(sha256(b"a layer of its own"))
    file.write_bytes(b"a lazer of its own")
    with pytest.raises(SafeconductError) as caught:
        copy_release(source, repository, image.digest, "1.0")
    assert caught.value.id in {"digest-mismatch", "registry-unreachable"}


def test_a_target_that_hides_evidence_or_moves_the_tag_is_not_a_copy(tmp_path):
    source = LayoutRepository(tmp_path / "source")
    image = put_index(source)
    attach_bundle(source, image, b'{"dsseEnvelope":1}', "p/1", WHEN)
    with RegistrySimulator() as simulator:
        target = RegistryRepository(simulator.url, "copied")
        other = put_image(target, b"other")
        simulator.flip_tags = [other.digest]
        with pytest.raises(Undecided, match="copy-incomplete"):
            copy_release(source, target, image.digest, "1.0")
        simulator.flip_tags = []
        simulator.hide_referrers = True
        with pytest.raises(Undecided, match="copy-incomplete"):
            copy_release(source, target, image.digest, "1.0")
        simulator.hide_referrers = False
        assert copy_release(source, target, image.digest, "1.0").subject.digest == image.digest
        target.close()


def test_nothing_is_tagged_when_the_source_is_damaged(repository, tmp_path):
    source = LayoutRepository(tmp_path / "source")
    image = put_image(source, b"layer to damage")
    (tmp_path / "source/blobs/sha256" / sha256(b"layer to damage")[7:]).write_bytes(b"layer to damagE")
    with pytest.raises(SafeconductError, match="digest-mismatch"):
        copy_release(source, repository, image.digest, "1.0")
    with pytest.raises(Undecided, match="not-found"):
        repository.resolve("1.0")
