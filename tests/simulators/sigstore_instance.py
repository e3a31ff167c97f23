"""A sigstore instance of our own: certificate authority, certificate log, transparency log and, by openssl, a clock.

It makes real bundles with real signatures; what it makes wrong on request is what an attacker could make.
"""

import base64
import hashlib
import json
import struct
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safeconduct.capabilities.signing.dsse import encode_pae

PRECERTIFICATES = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
DER = serialization.Encoding.DER
ECDSA = ec.ECDSA(hashes.SHA256())
SUBJECT = "https://forge.example/shop/.build/release.yml@refs/heads/main"
TOKENS = "https://tokens.forge.example"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class Log:
    """A log's key; ``id`` is the digest of it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(spki(self.key.public_key())).digest()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ECDSA)

    def described(self, start: datetime, end: datetime | None = None) -> dict[str, Any]:
        window = {"start": start.isoformat(), **({"end": end.isoformat()} if end else {})}
        key = {
            "rawBytes": b64(spki(self.key.public_key())),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": window,
        }
        return {
            "baseUrl": "https://log.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": key,
            "logId": {"keyId": b64(self.id)},
        }


class Instance:
    """Authority and logs, valid from a day before ``now`` for ten days."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.start, self.end = now - timedelta(days=1), now + timedelta(days=9)
        self.top_key = ec.generate_private_key(ec.SECP384R1())
        self.middle_key = ec.generate_private_key(ec.SECP384R1())
        self.top = self._authority("top", self.top_key, None, self.start, self.end)
        self.middle = self._authority("middle", self.middle_key, self.top, self.start, self.end)
        self.log, self.certificate_log = Log(), Log()

    def root(self, **changes: Any) -> str:
        """Return the trusted root document; ``changes`` replace its fields."""
        chain = [{"rawBytes": b64(c.public_bytes(DER))} for c in (self.middle, self.top)]
        authority = {
            "uri": "https://ca.example",
            "certChain": {"certificates": chain},
            "validFor": {"start": self.start.isoformat()},
        }
        value = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.described(self.start)],
            "certificateAuthorities": [authority],
            "ctlogs": [self.certificate_log.described(self.start)],
            "timestampAuthorities": [],
        }
        return json.dumps({**value, **changes})

    def certificate(self, key: ec.EllipticCurvePublicKey, at: datetime, **how: Any) -> x509.Certificate:
        """Return a signer's certificate, valid from ``at`` for ten minutes, shown to the certificate log."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(how.get("issuer", self.middle).subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(at)
            .not_valid_after(at + timedelta(minutes=10))
            .add_extension(_key_usage(sign=how.get("sign", True)), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(how.get("issuer", self.middle).public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName(how.get("names", [x509.UniformResourceIdentifier(SUBJECT)])), critical=True
            )
            .add_extension(
                x509.UnrecognizedExtension(ISSUER, b"\x0c" + bytes([len(TOKENS)]) + TOKENS.encode()), critical=False
            )
        )
        if how.get("purpose", ExtendedKeyUsageOID.CODE_SIGNING):
            purposes = x509.ExtendedKeyUsage([how.get("purpose", ExtendedKeyUsageOID.CODE_SIGNING)])
            builder = builder.add_extension(purposes, critical=False)
        if how.get("ca"):
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        by = how.get("by", self.middle_key)
        if not how.get("logged", True):
            return builder.sign(by, hashes.SHA384())
        body = builder.sign(by, hashes.SHA384()).tbs_certificate_bytes
        stamp = self._stamp(
            body,
            spki(how.get("issuer", self.middle).public_key()),
            at,
            how.get("certificate_log", self.certificate_log),
        )
        return builder.add_extension(x509.UnrecognizedExtension(PRECERTIFICATES, stamp), critical=False).sign(
            by, hashes.SHA384()
        )

    def bundle(self, payload: bytes, kind: str, **how: Any) -> dict[str, Any]:
        """Return a bundle as a value: signed and logged at ``at``."""
        at = how.pop("at", self.now - timedelta(minutes=5))
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.certificate(key.public_key(), how.pop("issued", at), **how)
        signature = key.sign(encode_pae(kind, payload), ECDSA)
        entry = self.entry(payload, signature, certificate, int(at.timestamp()))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(certificate.public_bytes(DER))},
                "tlogEntries": [entry],
            },
            "dsseEnvelope": {"payload": b64(payload), "payloadType": kind, "signatures": [{"sig": b64(signature)}]},
        }

    def entry(self, payload: bytes, signature: bytes, certificate: x509.Certificate, at: int) -> dict[str, Any]:
        """Return the log's entry about a signed statement, number 1 in a tree of 2."""
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        spec = {
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
        }
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()
        other = hashlib.sha256(b"\0other").digest()
        root = hashlib.sha256(b"\1" + other + hashlib.sha256(b"\0" + body).digest()).digest()
        value = {
            "logIndex": "1",
            "logId": {"keyId": b64(self.log.id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": ""},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": b64(root),
                "treeSize": "2",
                "hashes": [b64(other)],
                "checkpoint": {"envelope": self.checkpoint(root, 2)},
            },
            "canonicalizedBody": b64(body),
        }
        value["inclusionPromise"] = {"signedEntryTimestamp": b64(self.promise(value))}
        return value

    def promise(self, entry: dict[str, Any]) -> bytes:
        """Return the log's signature over an entry and its time."""
        said = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": self.log.id.hex(),
            "logIndex": int(entry["logIndex"]),
        }
        return self.log.sign(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())

    def checkpoint(self, root: bytes, size: int, origin: str = "log.example - 1") -> str:
        """Return a signed tree head."""
        note = f"{origin}\n{size}\n{b64(root)}\n"
        return f"{note}\n\N{EM DASH} log.example {b64(self.log.id[:4] + self.log.sign(note.encode()))}\n"

    def _stamp(self, body: bytes, issuer: bytes, at: datetime, log: Log) -> bytes:
        milliseconds = int(at.timestamp() * 1000)
        signed = b"\0\0" + struct.pack(">QH", milliseconds, 1) + hashlib.sha256(issuer).digest()
        signature = log.sign(signed + len(body).to_bytes(3, "big") + body + b"\0\0")
        stamp = (
            b"\0"
            + log.id
            + struct.pack(">QH", milliseconds, 0)
            + b"\4\3"
            + struct.pack(">H", len(signature))
            + signature
        )
        listed = struct.pack(">H", len(stamp)) + stamp
        listed = struct.pack(">H", len(listed)) + listed
        return b"\x04" + (bytes([len(listed)]) if len(listed) < 128 else b"\x81" + bytes([len(listed)])) + listed

    def _authority(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: x509.Certificate | None,
        start: datetime,
        end: datetime,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(sign=False, issue=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(self.top_key, hashes.SHA384())
        )


def _key_usage(*, sign: bool, issue: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=not sign and not issue,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issue,
        crl_sign=issue,
        encipher_only=False,
        decipher_only=False,
    )
