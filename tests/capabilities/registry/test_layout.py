import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from safeconduct.capabilities.registry.attach import attach_bundle
from safeconduct.capabilities.registry.layout import REF_NAME, LayoutRepository
from safeconduct.capabilities.registry.repository import encode_document, fallback_tag
from safeconduct.foundation.errors import Refused, SafeconductError, Undecided
from safeconduct.model.digest import sha256
from safeconduct.model.image import INDEX, MANIFEST, Descriptor, Index
from safeconduct.model.limits import LIMITS
from simulators.images import put_image


def test_what_was_put_is_found_by_tag_and_by_digest(tmp_path):
    repository = LayoutRepository(tmp_path / "layout")
    image = put_image(repository, tag="1.0")
    assert repository.resolve("1.0") == image == repository.resolve(image.digest)
    assert sha256(repository.manifest(image.digest)) == image.digest
    assert repository.blob(sha256(b"layer"), 5) == b"layer"
    assert repository.tags() == ["1.0"]


def test_the_folder_is_an_image_layout_as_others_read_it(tmp_path):
    image = put_image(LayoutRepository(tmp_path), tag="1.0")
    assert json.loads((tmp_path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert (index["schemaVersion"], index["mediaType"]) == (2, INDEX)
    [entry] = index["manifests"]
    assert entry == {
        "mediaType": MANIFEST,
        "digest": image.digest,
        "size": image.size,
        "annotations": {REF_NAME: "1.0"},
    }
    assert (tmp_path / "blobs/sha256" / image.digest[7:]).is_file()


def test_a_tag_moves_and_names_one_thing_only(tmp_path):
    repository = LayoutRepository(tmp_path)
    put_image(repository, b"one", "1.0")
    second = put_image(repository, b"two", "1.0")
    assert repository.resolve("1.0") == second
    assert len(json.loads((tmp_path / "index.json").read_bytes())["manifests"]) == 1


def test_reading_an_empty_place_finds_nothing_and_makes_nothing(tmp_path):
    repository = LayoutRepository(tmp_path / "none")
    for ask in (lambda: repository.resolve("1.0"), lambda: repository.manifest(sha256(b""))):
        with pytest.raises(Undecided) as caught:
            ask()
        assert caught.value.id == "not-found"
    assert repository.tags() == repository.referrers(sha256(b"")) == []
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["blob", "manifest"])
def test_one_flipped_byte_is_refused(tmp_path, kind):
    repository = LayoutRepository(tmp_path)
    image = put_image(repository, tag="1.0")
    digest = image.digest if kind == "manifest" else sha256(b"layer")
    file = tmp_path / "blobs/sha256" / digest[7:]
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.write_bytes(data)
    with pytest.raises(Refused) as caught:
        repository.manifest(digest) if kind == "manifest" else repository.blob(digest, 100)
    assert caught.value.id == "digest-mismatch"


def test_a_damaged_blob_is_repaired_by_putting_it_again(tmp_path):
    repository = LayoutRepository(tmp_path)
    digest = repository.put_blob(b"layer").digest
    (tmp_path / "blobs/sha256" / digest[7:]).write_bytes(b"lay")
    repository.put_blob(b"layer")
    assert repository.blob(digest, 100) == b"layer"


def test_a_blob_beyond_its_cap_could_not_be_told(tmp_path):
    repository = LayoutRepository(tmp_path)
    digest = repository.put_blob(b"12345").digest
    with pytest.raises(Undecided) as caught:
        repository.blob(digest, 4)
    assert caught.value.id == "too-large"


@pytest.mark.parametrize("asked", ["../../etc/passwd", "sha256:../../x", "sha512:" + "a" * 128])
def test_nothing_but_a_digest_becomes_a_path(tmp_path, asked):
    with pytest.raises(Refused, match="bad-digest"):
        LayoutRepository(tmp_path).blob(asked, 10)


def test_referrers_are_found_by_their_subject_and_by_the_fallback_tag(tmp_path):
    repository = LayoutRepository(tmp_path)
    image = put_image(repository, tag="1.0")
    other = put_image(repository, b"other", tag="2.0")
    mine = attach_bundle(repository, image, b'{"dsseEnvelope":1}', "p/1", "2026-01-01T00:00:00Z")
    attach_bundle(repository, other, b'{"dsseEnvelope":2}', "p/1", "2026-01-01T00:00:00Z")
    assert [entry.digest for entry in repository.referrers(image.digest)] == [mine.digest]
    listed = Descriptor(MANIFEST, sha256(b"elsewhere"), 9)
    repository.put_manifest(encode_document(Index((listed,))), INDEX, fallback_tag(image.digest))
    assert {entry.digest for entry in repository.referrers(image.digest)} == {mine.digest, listed.digest}
    assert repository.tags() == ["1.0", "2.0"]


def test_a_referrer_that_cannot_be_read_is_not_passed_over(tmp_path):
    repository = LayoutRepository(tmp_path)
    image = put_image(repository, tag="1.0")
    mine = attach_bundle(repository, image, b'{"dsseEnvelope":1}', "p/1", "2026-01-01T00:00:00Z")
    file = tmp_path / "blobs/sha256" / mine.digest[7:]
    file.write_bytes(file.read_bytes().replace(b"dsse", b"dszz"))
    with pytest.raises(Refused, match="digest-mismatch"):
        LayoutRepository(tmp_path).referrers(image.digest)


def test_more_referrers_than_the_cap_could_not_be_told(tmp_path):
    repository = LayoutRepository(tmp_path)
    subject = sha256(b"subject")
    entries = tuple(Descriptor(MANIFEST, sha256(str(n).encode()), 1) for n in range(LIMITS.referrers + 1))
    repository.put_manifest(encode_document(Index(entries)), INDEX, fallback_tag(subject))
    with pytest.raises(Undecided, match="too-many-referrers"):
        repository.referrers(subject)


@pytest.mark.parametrize(
    "body",
    [
        {"layers": [], "manifests": [], "config": {"mediaType": "x", "digest": "sha256:0", "size": 0}},
        {"mediaType": MANIFEST, "manifests": []},
        {"mediaType": INDEX, "layers": [], "config": {}},
        {"schemaVersion": 1, "fsLayers": []},
        {"layers": [{"digest": 1}], "config": {}},
        [],
    ],
)
def test_a_document_with_two_readings_or_none_is_not_stored(tmp_path, body):
    with pytest.raises(Refused, match="bad-manifest"):
        LayoutRepository(tmp_path).put_manifest(json.dumps(body).encode(), MANIFEST)


def test_a_damaged_index_is_an_error_and_never_an_empty_list(tmp_path):
    put_image(LayoutRepository(tmp_path), tag="1.0")
    whole = (tmp_path / "index.json").read_bytes()
    chosen = random.Random(7)
    for _ in range(200):
        data = bytearray(whole[: chosen.randrange(len(whole))])
        if data:
            data[chosen.randrange(len(data))] = chosen.randrange(256)
        (tmp_path / "index.json").write_bytes(bytes(data))
        with pytest.raises(SafeconductError):
            LayoutRepository(tmp_path).resolve("1.0")
    (tmp_path / "index.json").write_bytes(b'{"manifests":' + b"[" * 100_000)
    with pytest.raises(Undecided, match="layout-unreadable"):
        LayoutRepository(tmp_path).tags()


_WRITER = """
import sys; from pathlib import Path
sys.path.insert(0, sys.argv[1])
from safeconduct.capabilities.registry.layout import LayoutRepository
from simulators.images import put_many
put_many(LayoutRepository(Path(sys.argv[2])), sys.argv[3], 10)
"""


def test_writers_at_the_same_time_all_succeed(tmp_path):
    tests = str(Path(__file__).parents[2])
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, tests, str(tmp_path), str(n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert LayoutRepository(tmp_path).tags() == sorted(f"w{w}-{n}" for w in range(3) for n in range(10))
