"""Bodies of events: JSON, deflated with a dictionary of the words that they share, so that one is about its digests.

A body in the store is a zlib stream, whose own check finds damage. Its dictionary is named in it (RFC 1950, FDICT): a
better one may come later, beside the old.
"""

import zlib
from typing import Any, TypeVar

import msgspec

from safeconduct.foundation.errors import Undecided

# What stands last costs least to refer to: the commonest event ends it. Never change it: what was written needs it.
_WORDS = (
    b'{"violation":{"rule":"","priority":"Warning","at":17,"source":"falco","cluster":"","namespace":"","pod":"",'
    b'"container":"","container_id":"","image":"","digest":"sha256:","message":""},"document":"sha256:"}'
    b'{"kind":"verdict","scope":"deploy:","outcome":0,"digest":"sha256:","policy":"sha256:","trust_version":1,'
    b'"epoch":1,"valid_until":17,"decision":"sha256:","estate":1}'
    b'{"kind":"admission","scope":"deploy","outcome":0,"digest":"sha256:","decision":"sha256:","where":{"cluster":"",'
    b'"region":"","namespace":"","workload":"pod/","container":""},"estate":1}'
    b'{"repository":"git+https://","commits":[{"id":"","author":" <@>","subject":"","committed_at":17,'
    b'"state":"verified","signer":{"kind":"ssh","subject":"","fingerprint":"SHA256:","issuer":""},"problem":""}],'
    b'"documents":["sha256:"],"trust_version":1,"estate":1}'
    b'{"sightings":[{"where":{"cluster":"","region":"","namespace":"","workload":"deployment/","container":""},'
    b'"digest":"sha256:","at":17,"running":true,"pod":"","container_id":""},{"running":false}],"estate":1}'
    b'"https://spdx.dev/Document","https://openvex.dev/ns/v0.2.0","https://in-toto.io/attestation/vulns/v0.2",'
    b'"https://slsa.dev/verification_summary/v1","gate",1,1,17,"first-seen","timestamp"'
    b'{"digest":"sha256:","line":{"repository":"","name":"","platform":"linux/amd64","branch":"main"},"product":"",'
    b'"version":"1.0.0","commit":"","manifest":"sha256:","built_at":17,"testimony":{"signers":[{"kind":"key",'
    b'"subject":"builder","fingerprint":"sha256:","issuer":""}],"claims":[["sha256:",'
    b'"https://sigstore.dev/cosign/sign/v1","build",0,1,0,"none"],["sha256:","https://slsa.dev/provenance/v1",'
    b'"build",0,1,0,"none"],["sha256:","https://cyclonedx.org/bom","build",0,1,0,"none"]]},"estate":1}'
)
_LEVEL = 6
_MOST = 256 * 1024 * 1024
Kind = TypeVar("Kind")


def encode_body(body: Any) -> bytes:
    """Return an event's body as the store keeps it."""
    packer = zlib.compressobj(_LEVEL, zdict=_WORDS)
    return packer.compress(msgspec.json.encode(body)) + packer.flush()


def decode_body(data: bytes, kind: type[Kind]) -> Kind:
    """Return the body that ``encode_body`` was given.

    Raises:
        Undecided: ``event-damaged``.
    """
    unpacker = zlib.decompressobj(zdict=_WORDS)
    try:
        text = unpacker.decompress(data, _MOST)
        if not unpacker.eof:
            raise _damaged("it ends too early, or unpacks to more than can be")
        return msgspec.json.decode(text, type=kind)
    except (zlib.error, msgspec.DecodeError) as error:
        raise _damaged(str(error)) from error


def _damaged(why: str) -> Undecided:
    return Undecided(
        "event-damaged",
        "an event of the graph cannot be read",
        why=why,
        next_step="restore the store from a backup: what the event said stands nowhere else",
    )
