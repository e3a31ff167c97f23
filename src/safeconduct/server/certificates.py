"""Certificates that a server makes for itself: a CA that lives for one signature, and a certificate for its names.

The CA's private key is thrown away as soon as it has signed, so nobody can sign anything else with it. Renewing makes
a new pair, and the webhook configuration gets the new ``caBundle``.
"""

import base64
import ipaddress
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CLOCK_SKEW = timedelta(minutes=5)


class ServerCertificate(msgspec.Struct, frozen=True):
    """Where the files are, and what a webhook configuration needs.

    Attributes:
        key: readable by its owner only.
        ca_bundle: base64 of the CA's PEM, as ``clientConfig.caBundle`` wants it.
    """

    certificate: Path
    key: Path
    ca: Path
    ca_bundle: str


def make_server_certificate(folder: Path, names: Sequence[str], now: datetime, days: int = 90) -> ServerCertificate:
    """Write a CA certificate, a server certificate and its key into ``folder``; return where they are.

    Args:
        folder: made when missing, for its owner only.
        names: DNS names and addresses, such as ``localhost``, ``127.0.0.1`` or ``safeconduct.shop.svc``.
        now: when they begin to count, less five minutes for clocks that are behind.
        days: how long they count.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("safeconduct webhook CA")
    ca = _builder(ca_name, ca_name, ca_key.public_key(), now, days)
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(sign=False), critical=True)
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    authority = ca.sign(ca_key, hashes.SHA256())
    leaf = _builder(_name(names[0]), ca_name, key.public_key(), now, days)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(_usage(sign=True), critical=True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    signed = leaf.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())
    return _write(folder, authority, signed, key)


def needs_renewal(certificate: Path, now: datetime) -> bool:
    """Return whether less than a third of a certificate's time is left, or it cannot be read."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return True
    return found.not_valid_after_utc - now < (found.not_valid_after_utc - found.not_valid_before_utc) / 3


def _write(
    folder: Path, authority: x509.Certificate, signed: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ServerCertificate:
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made = ServerCertificate(
        folder / "server.pem",
        folder / "server.key",
        folder / "ca.pem",
        base64.b64encode(authority.public_bytes(pem)).decode(),
    )
    _write_private(made.key, private)
    _write_private(made.certificate, signed.public_bytes(pem))
    _write_private(made.ca, authority.public_bytes(pem))
    return made


def _write_private(path: Path, data: bytes) -> None:
    # Made anew with its final mode, then moved: no moment in which others may read it or it is half there.
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    fresh.replace(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - _CLOCK_SKEW).not_valid_after(now + timedelta(days=days))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        key_cert_sign=not sign,
        crl_sign=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
