import json

import pytest

from safeconduct.capabilities.registry.attach import attach_bundle, find_bundles
from safeconduct.capabilities.registry.layout import LayoutRepository
from safeconduct.capabilities.registry.repository import encode_document, fallback_tag
from safeconduct.model.digest import sha256
from safeconduct.model.image import BUNDLE, INDEX, MANIFEST, Descriptor, Index, Manifest
from safeconduct.model.limits import Limits
from simulators.images import put_image

WHEN = "2026-01-01T00:00:00Z"


@pytest.fixture
def repository(tmp_path):
    return LayoutRepository(tmp_path)


def test_the_manifest_of_a_bundle_is_byte_for_byte_cosigns_form(repository):
    image = put_image(repository)
    made = attach_bundle(repository, image, b'{"dsseEnvelope":{}}', "https://slsa.dev/provenance/v1", WHEN)
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert json.loads(repository.manifest(made.digest)) == {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "artifactType": BUNDLE,
            "digest": empty,
            "size": 2,
        },
        "layers": [{"mediaType": BUNDLE, "digest": sha256(b'{"dsseEnvelope":{}}'), "size": 19}],
        "subject": {"mediaType": MANIFEST, "digest": image.digest, "size": image.size},
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
            "org.opencontainers.image.created": WHEN,
        },
    }


def test_attaching_twice_attaches_once(repository):
    image = put_image(repository)
    first = attach_bundle(repository, image, b'{"dsseEnvelope":{}}', "p/1", WHEN)
    assert attach_bundle(repository, image, b'{"dsseEnvelope":{}}', "p/1", WHEN) == first
    assert len(find_bundles(repository, image.digest).documents) == 1


def test_a_referrer_listed_for_another_subject_is_left_out(repository):
    image, other = put_image(repository), put_image(repository, b"other")
    foreign = attach_bundle(repository, other, b'{"dsseEnvelope":{}}', "p/1", WHEN)
    listed = Descriptor(MANIFEST, foreign.digest, foreign.size, BUNDLE)
    repository.put_manifest(encode_document(Index((listed,))), INDEX, fallback_tag(image.digest))
    assert len(repository.referrers(image.digest)) == 1
    assert find_bundles(repository, image.digest).documents == ()


def test_a_missing_or_changed_bundle_makes_the_answer_incomplete(repository, tmp_path):
    image = put_image(repository)
    attach_bundle(repository, image, b'{"dsseEnvelope":1}', "p/1", WHEN)
    attach_bundle(repository, image, b'{"dsseEnvelope":2}', "p/1", WHEN)
    place = tmp_path / "blobs/sha256" / sha256(b'{"dsseEnvelope":2}')[7:]
    place.write_bytes(b'{"dsseEnvelope":3}')
    found = find_bundles(repository, image.digest)
    assert [data for _, data in found.documents] == [b'{"dsseEnvelope":1}']
    assert not found.complete
    assert found.problem.startswith("digest-mismatch: ")
    place.unlink()
    assert find_bundles(repository, image.digest).problem.startswith("not-found: ")


@pytest.mark.parametrize("limits", [Limits(bundle=10), Limits(sbom=30)])
def test_bundles_beyond_the_caps_make_the_answer_incomplete(repository, limits):
    image = put_image(repository)
    for number in range(3):
        attach_bundle(repository, image, f'{{"dsseEnvelope":{number}}}'.encode(), "p/1", WHEN)
    found = find_bundles(repository, image.digest, limits)
    assert not found.complete
    assert "too-large" in found.problem


def test_a_referrer_with_two_bundles_makes_the_answer_incomplete(repository):
    image = put_image(repository)
    stored = [repository.put_blob(data) for data in (b"{}", b'{"dsseEnvelope":1}', b'{"dsseEnvelope":2}')]
    manifest = Manifest(
        Descriptor("application/vnd.oci.empty.v1+json", stored[0].digest, 2),
        tuple(Descriptor(BUNDLE, layer.digest, layer.size) for layer in stored[1:]),
        artifact_type=BUNDLE,
        subject=image,
    )
    repository.put_manifest(encode_document(manifest), MANIFEST)
    found = find_bundles(repository, image.digest)
    assert (found.documents, found.complete) == ((), False)


def test_other_artifacts_beside_an_image_are_not_bundles(repository):
    image = put_image(repository)
    stored = repository.put_blob(b"{}")
    manifest = Manifest(
        Descriptor("application/vnd.oci.empty.v1+json", stored.digest, 2), (), artifact_type="x/y", subject=image
    )
    repository.put_manifest(encode_document(manifest), MANIFEST)
    assert [entry.artifact_type for entry in repository.referrers(image.digest)] == ["x/y"]
    found = find_bundles(repository, image.digest)
    assert (found.documents, found.complete) == ((), True)
