"""Bundles: what verifies, and every way in which one must be refused."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from safeconduct.capabilities.signing.key_store import FileSigner
from safeconduct.capabilities.signing.sign import sign_payload
from safeconduct.capabilities.signing.trust import Revocation, Snapshot, TrustedKey, TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_bundle
from safeconduct.foundation.errors import Refused
from safeconduct.model.identity import Usage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TYPE = "application/vnd.in-toto+json"
EXPECT = Expectation(Usage.BUILD, "shop.example/shop/checkout", TYPE)
PAYLOAD = b'{"a":1}'


def signer_of(kind: str = "ecdsa") -> FileSigner:
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else ed25519.Ed25519PrivateKey.generate()
    return FileSigner(key)


def trust_in(signer: FileSigner, **changes: object) -> TrustStore:
    fields: dict[str, object] = {
        "name": "builder",
        "public": base64.b64encode(signer.public.der).decode(),
        "usages": (Usage.BUILD,),
        "scopes": ("shop",),
        "not_before": NOW - timedelta(days=1),
        "not_after": NOW + timedelta(days=1),
        "principals": ("builder@shop.example",),
    }
    revoked = changes.pop("revoked", ())
    key = TrustedKey(**{**fields, **changes})
    scopes = {"shop": ("shop.example/shop/*",), "other": ("other.example/*",)}
    return TrustStore(Snapshot(1, NOW, NOW + timedelta(days=30), scopes, (key,), revoked))


@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_a_bundle_of_a_trusted_key_gives_the_payload_and_the_signer(kind: str) -> None:
    signer = signer_of(kind)
    verified = verify_bundle(sign_payload(PAYLOAD, TYPE, signer), EXPECT, trust_in(signer), now=NOW)
    assert (verified.payload, verified.signer.subject) == (PAYLOAD, "builder@shop.example")
    assert "signature" in verified.checks
    assert "timestamp" in verified.skipped


def test_no_flipped_bit_of_a_bundle_verifies() -> None:
    """Every byte of the envelope's payload and signature counts."""
    signer = signer_of()
    trust = trust_in(signer)
    value = json.loads(sign_payload(PAYLOAD, TYPE, signer))
    for field in ("payload", "sig"):
        holder = value["dsseEnvelope"] if field == "payload" else value["dsseEnvelope"]["signatures"][0]
        whole = bytearray(base64.b64decode(holder[field]))
        for position in range(len(whole)):
            flipped = bytearray(whole)
            flipped[position] ^= 1
            holder[field] = base64.b64encode(flipped).decode()
            with pytest.raises(Refused):
                verify_bundle(json.dumps(value).encode(), EXPECT, trust, now=NOW)
        holder[field] = base64.b64encode(whole).decode()
    assert verify_bundle(json.dumps(value).encode(), EXPECT, trust, now=NOW).payload == PAYLOAD


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"usages": (Usage.GATE,)}, "wrong-usage"),
        ({"scopes": ("other",)}, "wrong-scope"),
        ({"scopes": ()}, "wrong-scope"),
        ({"not_after": NOW - timedelta(hours=1)}, "key-not-valid"),
        ({"not_before": NOW + timedelta(hours=1)}, "key-not-valid"),
    ],
)
def test_a_key_vouches_only_for_its_usage_scope_and_time(changes: dict[str, object], error: str) -> None:
    signer = signer_of()
    with pytest.raises(Refused, match=error):
        verify_bundle(sign_payload(PAYLOAD, TYPE, signer), EXPECT, trust_in(signer, **changes), now=NOW)


def test_a_key_that_is_not_in_the_trust_store_is_refused() -> None:
    with pytest.raises(Refused, match="untrusted-key"):
        verify_bundle(sign_payload(PAYLOAD, TYPE, signer_of()), EXPECT, trust_in(signer_of()), now=NOW)


def test_a_hint_that_names_a_trusted_key_does_not_make_it_the_signer() -> None:
    """Signed by a stranger, labelled with the trusted key's hint."""
    trusted, stranger = signer_of(), signer_of()
    value = json.loads(sign_payload(PAYLOAD, TYPE, stranger))
    value["verificationMaterial"]["publicKey"]["hint"] = trusted.public.hint
    value["dsseEnvelope"]["signatures"][0]["keyid"] = trusted.public.hint
    with pytest.raises(Refused, match="bad-signature"):
        verify_bundle(json.dumps(value).encode(), EXPECT, trust_in(trusted), now=NOW)


@pytest.mark.parametrize(
    ("since", "first_seen", "refused"),
    [
        (None, NOW - timedelta(hours=20), True),
        (NOW - timedelta(hours=10), NOW - timedelta(hours=20), False),
        (NOW - timedelta(hours=10), None, True),
    ],
)
def test_a_revocation_spares_only_what_was_recorded_before_it(
    since: datetime | None, first_seen: datetime | None, *, refused: bool
) -> None:
    signer = signer_of()
    revoked = (Revocation(signer.public.fingerprint, "compromised", since),)
    trust = trust_in(signer, revoked=revoked)
    data = sign_payload(PAYLOAD, TYPE, signer)
    if refused:
        with pytest.raises(Refused, match="revoked-key"):
            verify_bundle(data, EXPECT, trust, now=NOW, first_seen=first_seen)
    else:
        assert verify_bundle(data, EXPECT, trust, now=NOW, first_seen=first_seen).time_source == "first-seen"


def mutate(value: dict, path: list, new: object) -> bytes:
    at = value
    for step in path[:-1]:
        at = at[step]
    if new is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return json.dumps(value).encode()


SIGNATURES = ["dsseEnvelope", "signatures"]


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (["mediaType"], "application/vnd.dev.sigstore.bundle+json;version=0.1"),
        (["mediaType"], ...),
        (["messageSignature"], {}),
        (["dsseEnvelope"], ...),
        (["verificationMaterial", "certificate"], {}),
        (["verificationMaterial"], []),
        (["verificationMaterial", "publicKey", "hint"], ""),
        (["dsseEnvelope", "payloadType"], "text/plain"),
        (["dsseEnvelope", "payload"], "eyJh\nIjoxfQ=="),
        ([*SIGNATURES], []),
        ([*SIGNATURES, 0, "keyid"], "another"),
        ([*SIGNATURES, 0, "sig"], 7),
        ([*SIGNATURES, 0], "text"),
    ],
)
def test_a_bundle_of_another_shape_is_refused(path: list, new: object) -> None:
    signer = signer_of()
    value = json.loads(sign_payload(PAYLOAD, TYPE, signer))
    with pytest.raises(Refused):
        verify_bundle(mutate(value, path, new), EXPECT, trust_in(signer), now=NOW)


def test_two_signatures_and_doubled_keys_are_refused() -> None:
    signer = signer_of()
    data = sign_payload(PAYLOAD, TYPE, signer)
    value = json.loads(data)
    value["dsseEnvelope"]["signatures"] *= 2
    with pytest.raises(Refused, match="malformed-bundle"):
        verify_bundle(json.dumps(value).encode(), EXPECT, trust_in(signer), now=NOW)
    doubled = data.replace(b'{"dsseEnvelope"', b'{"mediaType":"x","dsseEnvelope"', 1)
    with pytest.raises(Refused, match="malformed-json"):
        verify_bundle(doubled, EXPECT, trust_in(signer), now=NOW)


def test_another_payload_type_is_refused_even_when_signed() -> None:
    signer = signer_of()
    with pytest.raises(Refused, match="wrong-payload-type"):
        verify_bundle(sign_payload(PAYLOAD, "text/plain", signer), EXPECT, trust_in(signer), now=NOW)


def test_hostile_bytes_are_refused_and_never_crash() -> None:
    signer = signer_of()
    whole = sign_payload(PAYLOAD, TYPE, signer)
    trust = trust_in(signer)
    for data in [whole[:n] for n in range(0, len(whole), 7)] + [b"null", b"[]", b'"x"', b"1", b"\xff\xfe"]:
        with pytest.raises(Refused):
            verify_bundle(data, EXPECT, trust, now=NOW)


def test_real_bundles_of_strangers_are_refused_without_a_crash(shared_data) -> None:
    """None of these keys is ours: each must be refused with a reason, whatever its form."""
    import tarfile

    import zstandard

    count = 0
    with (shared_data / "attestations/signatures.tar.zst").open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                held = archive.extractfile(member)
                if held is None:
                    continue
                with pytest.raises(Refused):
                    verify_bundle(held.read(), EXPECT, trust_in(signer_of()), now=NOW)
                count += 1
    assert count > 400
