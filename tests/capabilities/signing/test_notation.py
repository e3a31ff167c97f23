"""Notation envelopes: signed here by a key of our own; nobody's root is trusted, so that none is verified."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from safeconduct.capabilities.signing.notation import check_jws
from safeconduct.foundation.errors import Refused

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SCHEME = "io.cncf.notary.signingScheme"
PLUGIN = "io.cncf.notary.verificationPlugin"


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def envelope(key, **header: object) -> dict:
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    protected = url64(json.dumps({"alg": "PS256", "crit": [SCHEME], SCHEME: "notary.x509", **header}).encode())
    payload = url64(b'{"targetArtifact":{}}')
    message = f"{protected}.{payload}".encode()
    if isinstance(key, rsa.RSAPrivateKey):
        hashed = hashes.SHA256()
        signature = key.sign(message, padding.PSS(padding.MGF1(hashed), padding.PSS.DIGEST_LENGTH), hashed)
    else:
        signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
    chain = {"x5c": [base64.b64encode(certificate).decode()]}
    return {"payload": payload, "protected": protected, "header": chain, "signature": url64(signature)}


def refused(value: dict, error: str) -> None:
    with pytest.raises(Refused) as caught:
        check_jws(value)
    assert caught.value.id == error


def test_a_good_envelope_of_an_unknown_root_is_not_verified_and_not_refused(key) -> None:
    assert check_jws(envelope(key)).id == "untrusted-certificate"


@pytest.mark.parametrize("header", [{"crit": [SCHEME, "evil"], "evil": 1}, {PLUGIN: "x"}, {"crit": [SCHEME, PLUGIN]}])
def test_attacks_37_and_38_what_is_critical_and_unknown_is_not_verified(key, header: dict) -> None:
    assert check_jws(envelope(key, **header)).id == "plugin-wanted"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "PS384", "ES256", "", None])
def test_attack_27_the_algorithm_is_the_key_s_and_not_the_header_s(key, algorithm: object) -> None:
    refused(envelope(key, alg=algorithm), "malformed-envelope")
    refused(envelope(ec.generate_private_key(ec.SECP256R1())), "malformed-envelope")
    refused(envelope(rsa.generate_private_key(65537, 1024)), "malformed-envelope")


@pytest.mark.parametrize("field", ["payload", "protected", "signature"])
def test_a_changed_envelope_is_refused(key, field: str) -> None:
    value = envelope(key)
    whole = base64.urlsafe_b64decode(value[field] + "=" * (-len(value[field]) % 4))
    with pytest.raises(Refused):
        check_jws({**value, field: url64(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])})
    for bad in (value[field] + "=", value[field] + "\n", "", None, 7):
        with pytest.raises(Refused):
            check_jws({**value, field: bad})


@pytest.mark.parametrize("chain", [[], None, ["!"], [""], ["AAAA"], ["AAAA"] * 9, {}])
def test_certificates_that_cannot_be_read_are_refused(key, chain: object) -> None:
    refused({**envelope(key), "header": {"x5c": chain}}, "malformed-envelope")
