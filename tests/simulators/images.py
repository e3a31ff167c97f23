"""Small images for tests of what lies around an image, not in it."""

from safeconduct.capabilities.registry.repository import Repository, encode_document
from safeconduct.model.image import CONFIG, INDEX, MANIFEST, Descriptor, Index, Manifest


def put_image(repository: Repository, layer: bytes = b"layer", tag: str | None = None) -> Descriptor:
    """Store an image of one layer, which is no archive; return its manifest's descriptor."""
    config, stored = repository.put_blob(b'{"os":"linux"}'), repository.put_blob(layer)
    manifest = Manifest(
        Descriptor(CONFIG, config.digest, config.size), (Descriptor("x/layer", stored.digest, stored.size),)
    )
    return repository.put_manifest(encode_document(manifest), MANIFEST, tag)


def put_index(repository: Repository, layer: bytes = b"layer", tag: str | None = None) -> Descriptor:
    """Store an index of one such image; return the index's descriptor."""
    return repository.put_manifest(encode_document(Index((put_image(repository, layer),))), INDEX, tag)


def put_many(repository: Repository, writer: str, count: int) -> None:
    """Store ``count`` images under tags of this writer."""
    for number in range(count):
        put_image(repository, f"{writer}-{number}".encode(), f"w{writer}-{number}")
