"""Known attacks on envelopes, keys and artifacts, each refused for its own reason; attacks.json lists all of them.

Those on certificates, logs and times are in test_certificates.py, those on git objects in tests/evidence.
"""

import ast
import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from safeconduct.capabilities.signing import public_keys, ssh_keys
from safeconduct.capabilities.signing.documents import Question, judge_document
from safeconduct.capabilities.signing.dsse import encode_pae
from safeconduct.capabilities.signing.key_store import FileSigner
from safeconduct.capabilities.signing.sign import sign_payload
from safeconduct.capabilities.signing.trust import Revocation, Snapshot, TrustedKey, TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_artifact, verify_bundle
from safeconduct.evidence.images import judge_bundles
from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import sha256
from safeconduct.model.identity import Usage

TESTS = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KIND = "application/vnd.in-toto+json"
REPOSITORY = "shop.example/shop/checkout"
EXPECT = Expectation(Usage.BUILD, REPOSITORY, KIND)
IMAGE = sha256(b"image")


def statement(**changes: object) -> bytes:
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "image", "digest": {"sha256": IMAGE[7:]}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    return json.dumps({**value, **changes}).encode()


@pytest.fixture
def signer() -> FileSigner:
    return FileSigner(ec.generate_private_key(ec.SECP256R1()))


def trust_in(*signers: FileSigner, revoked: tuple = (), **changes: object) -> TrustStore:
    fields = {"usages": (Usage.BUILD,), "scopes": ("shop",), "not_before": NOW, "not_after": NOW, **changes}
    keys = tuple(
        TrustedKey(f"builder {n}", base64.b64encode(s.public.der).decode(), **fields) for n, s in enumerate(signers)
    )
    return TrustStore(Snapshot(1, NOW, NOW + timedelta(days=1), {"shop": (REPOSITORY,)}, keys, revoked))


def bundle_of(signer: FileSigner, payload: bytes = b"{}") -> dict:
    return json.loads(sign_payload(payload, KIND, signer))


def refused(data: bytes | dict, trust: TrustStore, error: str) -> None:
    with pytest.raises(Refused) as caught:
        verify_bundle(data if isinstance(data, bytes) else json.dumps(data).encode(), EXPECT, trust, now=NOW)
    assert caught.value.id == error, caught.value.render()


def test_attack_9_a_managed_key_counts_only_inside_its_window(signer: FileSigner) -> None:
    value = bundle_of(signer)
    early, late = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
    refused(value, trust_in(signer, not_before=early, not_after=early), "key-not-valid")
    refused(value, trust_in(signer, not_before=late, not_after=late), "key-not-valid")
    verify_bundle(json.dumps(value).encode(), EXPECT, trust_in(signer), now=NOW)


@pytest.mark.parametrize("count", [0, 2])
def test_attack_14_a_bundle_with_no_or_two_signatures_is_refused(signer: FileSigner, count: int) -> None:
    value = bundle_of(signer)
    value["dsseEnvelope"]["signatures"] *= count
    refused(value, trust_in(signer), "malformed-bundle" if count else "malformed-envelope")


def test_attack_15_a_swapped_payload_type_is_refused(signer: FileSigner) -> None:
    value = bundle_of(signer)
    value["dsseEnvelope"]["payloadType"] = "application/vnd.in-toto+xml"
    refused(value, trust_in(signer), "bad-signature")
    refused(sign_payload(b"{}", "text/plain", signer), trust_in(signer), "wrong-payload-type")


def test_attack_16_an_unknown_hint_does_not_fall_back_to_trying_all_keys(signer: FileSigner) -> None:
    value = bundle_of(signer)
    value["dsseEnvelope"]["signatures"][0]["keyid"] = "another"
    refused(value, trust_in(signer), "malformed-bundle")
    value["verificationMaterial"]["publicKey"]["hint"] = "another"
    refused(value, trust_in(signer), "untrusted-key")
    del value["verificationMaterial"]["publicKey"]["hint"]
    refused(value, trust_in(signer), "malformed-bundle")


@pytest.mark.parametrize("key", ["payload", "sig", "hint", "mediaType", "dsseEnvelope"])
def test_attack_17_a_key_that_stands_twice_is_refused_wherever_it_stands(signer: FileSigner, key: str) -> None:
    data = sign_payload(b"{}", KIND, signer)
    mark = f'"{key}":'.encode()
    refused(data.replace(mark, mark + b"0," + mark, 1), trust_in(signer), "malformed-json")
    refused(data.replace(mark, mark.upper() + b"0," + mark, 1), trust_in(signer), "malformed-json")


@pytest.mark.parametrize("change", ["e30=\n", "e3 0=", "e30", "e30==", "e-0+", "e30=e30=", "", None, 7])
def test_attack_18_base64_that_readers_take_differently_is_refused(signer: FileSigner, change: object) -> None:
    """A line break, a blank, wrong padding, two alphabets, text behind the end."""
    value = bundle_of(signer)
    value["dsseEnvelope"]["payload"] = change
    with pytest.raises(Refused):
        verify_bundle(json.dumps(value).encode(), EXPECT, trust_in(signer), now=NOW)


@pytest.mark.parametrize("tail", [b"{}", b"x", b"\0", b",", b"\n{}"])
def test_attack_19_bytes_behind_the_document_are_refused(signer: FileSigner, tail: bytes) -> None:
    refused(sign_payload(b"{}", KIND, signer) + tail, trust_in(signer), "malformed-json")


@pytest.mark.parametrize("material", [{}, {"publicKey": {"hint": "a"}, "certificate": {"rawBytes": ""}}])
def test_attack_20_both_or_neither_content_or_material_is_refused(signer: FileSigner, material: dict) -> None:
    value = bundle_of(signer)
    refused({**value, "verificationMaterial": material}, trust_in(signer), "malformed-bundle")
    refused({**value, "messageSignature": {}}, trust_in(signer), "malformed-bundle")
    del value["dsseEnvelope"]
    refused(value, trust_in(signer), "malformed-bundle")


@pytest.mark.parametrize("kind", ["application/vnd.dev.sigstore.bundle.v0.4+json", "application/json", "", None, 3, []])
def test_attack_21_an_unknown_media_type_is_refused(signer: FileSigner, kind: object) -> None:
    refused({**bundle_of(signer), "mediaType": kind}, trust_in(signer), "unsupported-bundle")
    old = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    refused({**bundle_of(signer), "mediaType": old}, trust_in(signer), "outdated-bundle")


@pytest.mark.parametrize("payload", [b"", b"not json", b"[]", statement(predicateType=None), statement(subject=[])])
def test_attack_22_a_signed_payload_that_cannot_be_read_is_refused_not_passed(
    signer: FileSigner, payload: bytes
) -> None:
    data = sign_payload(payload, KIND, signer)
    evidence = judge_bundles(IMAGE, [data], trust_in(signer), repository=REPOSITORY, now=NOW)
    assert (len(evidence.claims), len(evidence.refused)) == (0, 1)


@pytest.mark.parametrize(
    "subject",
    [
        [{"name": "image", "digest": {"sha256": "0" * 64}}],
        [{"name": "image", "digest": {"sha1": IMAGE[7:47], "md5": IMAGE[7:39]}}],
        [{"name": IMAGE, "digest": {"sha512": IMAGE[7:]}}],
        [{"name": IMAGE, "digest": {"sha256": "0" * 64}}, {"name": "image", "digest": {"sha256": "1" * 64}}],
        [{"name": "image", "digest": {"sha256": IMAGE[7:].upper()}}],
        [{"name": "image", "digest": {}}],
        [{"name": "image"}],
        [{"name": "image", "digest": {"sha256": IMAGE[7:]}}] * 1025,
    ],
)
def test_attacks_23_and_24_a_good_statement_of_another_digest_is_refused(signer: FileSigner, subject: list) -> None:
    """Another digest, a weak one alone, the right one under another name of digest, a name that only says so."""
    data = sign_payload(statement(subject=subject), KIND, signer)
    evidence = judge_bundles(IMAGE, [data], trust_in(signer), repository=REPOSITORY, now=NOW)
    assert (len(evidence.claims), len(evidence.refused)) == (0, 1)


def test_attack_26_ecdsa_values_of_wrong_length_or_form_are_refused(signer: FileSigner) -> None:
    value, trust = bundle_of(signer), trust_in(signer)
    good = base64.b64decode(value["dsseEnvelope"]["signatures"][0]["sig"])
    for bad in (
        b"",
        bytes(64),
        good[:-1],
        good + b"\0",
        b"\x30\x81" + good[1:],
        bytes(63),
        bytes(65),
        b"\x30\x06\2\1\0\2\1\0",
    ):
        value["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bad).decode()
        refused(value, trust, "bad-signature")


def test_attack_27_short_rsa_weak_hashes_and_other_curves_are_refused() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP224R1())):
        with pytest.raises(Refused, match="unsupported-key"):
            public_keys.public_key(key.public_key())
    key = rsa.generate_private_key(65537, 2048)
    message = encode_pae(KIND, b"{}")
    for weak in (hashes.SHA1(), hashes.SHA224()):
        with pytest.raises(Refused, match="bad-signature"):
            public_keys.verify_signature(key.public_key(), key.sign(message, padding.PKCS1v15(), weak), message)


def test_attack_34_evidence_is_judged_whole_and_in_any_order(signer: FileSigner) -> None:
    good = [sign_payload(statement(predicate={"n": n}), KIND, signer) for n in range(3)]
    stranger = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    bad = [sign_payload(statement(), KIND, stranger), b"", b"{"]
    one = judge_bundles(IMAGE, [*good, *bad], trust_in(signer), repository=REPOSITORY, now=NOW)
    two = judge_bundles(
        IMAGE, [*reversed(bad), *reversed(good), *good], trust_in(signer), repository=REPOSITORY, now=NOW
    )
    assert one == two
    assert (len(one.claims), len(one.refused)) == (3, 3)


def test_attack_60_nothing_that_evidence_names_is_fetched(signer: FileSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("verification opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    value = bundle_of(signer)
    for hint in ("https://169.254.169.254/key", "awskms:///alias/x", "file:///etc/passwd"):
        value["verificationMaterial"]["publicKey"]["hint"] = hint
        value["dsseEnvelope"]["signatures"][0].pop("keyid", None)
        refused(value, trust_in(signer), "untrusted-key")


def test_a_signature_over_an_artifact_counts_for_that_artifact_only(signer: FileSigner) -> None:
    artifact = b"the artifact"
    value = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": signer.public.hint}},
        "messageSignature": {"signature": base64.b64encode(signer.sign(artifact)).decode()},
    }
    data, trust = json.dumps(value).encode(), trust_in(signer)
    digest = "sha256:" + hashlib.sha256(artifact).hexdigest()
    assert verify_artifact(data, artifact, EXPECT, trust, now=NOW).payload == digest.encode()
    assert verify_artifact(data, digest, EXPECT, trust, now=NOW).payload == digest.encode()
    with pytest.raises(Refused, match="bad-signature"):
        verify_artifact(data, b"another", EXPECT, trust, now=NOW)
    refused(data, trust, "unsupported-bundle")
    with pytest.raises(Refused, match="unsupported-bundle"):
        verify_artifact(sign_payload(b"{}", KIND, signer), artifact, EXPECT, trust, now=NOW)


def test_a_revoked_key_is_refused_whatever_the_form(signer: FileSigner) -> None:
    trust = trust_in(signer, revoked=(Revocation(signer.public.fingerprint, "stolen"),))
    refused(bundle_of(signer), trust, "revoked-key")
    question = Question(Usage.BUILD, REPOSITORY, NOW)
    (judged,) = judge_document(sign_payload(b"{}", KIND, signer), question, trust)
    assert (judged.verdict, judged.reason) == ("refused", "revoked-key")


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{", b"[]", b"null", b"1", b'{"payloadType":1}', b'{"attestations":{}}']
)
def test_any_bytes_at_all_get_an_answer_and_never_a_yes(signer: FileSigner, data: bytes) -> None:
    for judged in judge_document(data, Question(Usage.BUILD, REPOSITORY, NOW), trust_in(signer)):
        assert judged.verdict in {"refused", "could not tell"}


def test_attack_53_ssh_signatures_of_other_kinds_are_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    blob = base64.b64decode(
        key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).split()[1]
    )

    def armored(*parts: bytes, tail: bytes = b"") -> str:
        body = b"SSHSIG\0\0\0\1" + b"".join(len(p).to_bytes(4, "big") + p for p in parts) + tail
        return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(body).decode()}\n-----END SSH SIGNATURE-----"

    dss = len(b"ssh-dss").to_bytes(4, "big") + b"ssh-dss"
    for text in (
        armored(blob, b"git", b"", b"md5", b"x"),
        armored(blob, b"git", b"x", b"sha512", b"x"),
        armored(dss, b"git", b"", b"sha512", b"x"),
        armored(blob, b"git", b"", b"sha512", b"x", tail=b"more"),
        armored(blob, b"git", b"", b"sha512"),
        "",
    ):
        with pytest.raises(Refused, match="malformed-signature"):
            ssh_keys.parse_signature(text)


def test_all_60_attacks_are_listed_with_their_tests_or_why_they_do_not_apply_yet() -> None:
    listed = json.loads((TESTS / "cases" / "signing" / "attacks.json").read_text("utf-8"))
    assert list(listed) == [str(n) for n in range(1, 61)]
    names = {
        f"{path.relative_to(TESTS)}::{node.name}"
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    for number, attack in listed.items():
        assert bool(attack.get("tests")) != bool(attack.get("not_yet")), number
        assert [name for name in attack.get("tests", []) if name not in names] == [], number
