"""Documents beside an image, signed by certificate, through a signed trust snapshot."""

import base64
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from safeconduct.capabilities.signing.authorities import TrustedAuthority, TrustedIdentity
from safeconduct.capabilities.signing.dsse import Envelope, Signature, encode_pae, envelope_value
from safeconduct.capabilities.signing.key_store import FileSigner
from safeconduct.capabilities.signing.trust import (
    PAYLOAD_TYPE,
    Roots,
    Snapshot,
    TrustStore,
    encode_snapshot,
    load_trust,
    write_snapshot,
)
from safeconduct.evidence.images import judge_bundles
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import sha256
from safeconduct.model.identity import Usage
from simulators.sigstore_instance import SUBJECT, TOKENS, Instance

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REPOSITORY = "shop.example/shop/checkout"
IMAGE = sha256(b"image")
KIND = "application/vnd.in-toto+json"


def statement(predicate: str) -> bytes:
    subject = [{"name": "image", "digest": {"sha256": IMAGE[7:]}}]
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": predicate,
        "predicate": {},
    }
    return json.dumps(value).encode()


def signed(snapshot: Snapshot, root: FileSigner) -> bytes:
    message = encode_pae(PAYLOAD_TYPE, encode_snapshot(snapshot))
    return write_snapshot(snapshot, (Signature(root.sign(message), base64.b64encode(root.public.der).decode()),))


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance(NOW)


@pytest.fixture(scope="module")
def root() -> FileSigner:
    return FileSigner(ec.generate_private_key(ec.SECP256R1()))


def load(snapshot: Snapshot, root: FileSigner) -> TrustStore:
    return load_trust(signed(snapshot, root), Roots((root.public.fingerprint,)), now=NOW)


def snapshot_of(instance: Instance, *usages: Usage, document: str = "") -> Snapshot:
    identities = (TrustedIdentity(SUBJECT, TOKENS),)
    window = (NOW - timedelta(days=1), NOW + timedelta(days=1))
    authority = TrustedAuthority("forge", document or instance.root(), identities, usages, ("shop",), *window)
    return Snapshot(1, NOW, NOW + timedelta(days=9), {"shop": (REPOSITORY,)}, (), (), (authority,))


def test_an_authority_of_the_snapshot_lets_its_identities_vouch_for_their_usage_only(
    instance: Instance, root: FileSigner
) -> None:
    """A builder's identity signs provenance; its VSA is refused, as a builder's key's would be."""
    trust = load(snapshot_of(instance, Usage.BUILD), root)
    predicates = ("https://slsa.dev/provenance/v1", "https://slsa.dev/verification_summary/v1")
    bundles = [json.dumps(instance.bundle(statement(p), KIND)).encode() for p in predicates]
    evidence = judge_bundles(IMAGE, bundles, trust, repository=REPOSITORY, now=NOW)
    (claim,) = evidence.claims
    assert (claim.predicate_type, claim.verified.signer.kind, claim.verified.signer.subject) == (
        predicates[0],
        "certificate",
        SUBJECT,
    )
    assert [r.error for r in evidence.refused] == ["wrong-usage"]
    both = load(snapshot_of(instance, Usage.BUILD, Usage.GATE), root)
    assert len(judge_bundles(IMAGE, bundles, both, repository=REPOSITORY, now=NOW).claims) == 2
    other = sha256(b"another image")
    assert judge_bundles(other, bundles, both, repository=REPOSITORY, now=NOW).claims == ()


def test_a_snapshot_from_before_there_were_authorities_stays_valid(root: FileSigner) -> None:
    old = msgspec.to_builtins(Snapshot(1, NOW, NOW + timedelta(days=9), {}, ()))
    del old["authorities"]
    payload = json.dumps(old).encode()
    key = base64.b64encode(root.public.der).decode()
    envelope = envelope_value(
        Envelope(payload, PAYLOAD_TYPE, (Signature(root.sign(encode_pae(PAYLOAD_TYPE, payload)), key),))
    )
    trust = load_trust(json.dumps(envelope).encode(), Roots((root.public.fingerprint,)), now=NOW)
    assert trust.snapshot.authorities == ()


@pytest.mark.parametrize("document", ["{}", "not json", '{"mediaType":"x"}'])
def test_a_snapshot_whose_trusted_root_cannot_be_read_is_refused_whole(
    instance: Instance, root: FileSigner, document: str
) -> None:
    with pytest.raises(Refused, match="malformed"):
        load(snapshot_of(instance, Usage.BUILD, document=document), root)


def test_an_authority_for_anybody_cannot_stand_in_a_snapshot(instance: Instance, root: FileSigner) -> None:
    value = msgspec.to_builtins(snapshot_of(instance, Usage.BUILD))
    value["authorities"][0]["identities"][0]["subject"] = "*"
    with pytest.raises(msgspec.ValidationError, match="more than wildcards"):
        msgspec.convert(value, Snapshot)
