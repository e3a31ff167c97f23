"""Certificates of signers: whose they are, and that a trusted authority issued them for signing code.

A chain is checked at the moment of issue, by ``cryptography``'s path building; that moment and those of the authorities
are then compared with the proven time of the signature, which gives the same answer for every such time at once.

Source: RFC 5280; Fulcio's OIDs (fulcio/docs/oid-info.md) and certificate specification.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.trusted_root import Authority, TrustedRoot, Window
from safeconduct.foundation.errors import Refused

_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_ISSUER_OLD = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_OTHER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
_UTF8_TAG = 0x0C
_SHORT = 0x80
DER = serialization.Encoding.DER
UNREADABLE = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    InvalidSignature,
    UnsupportedAlgorithm,
)
"""What ``cryptography`` raises on certificates and keys that somebody made wrong."""


class SignerCertificate(msgspec.Struct, frozen=True):
    """A signer's certificate, read; not yet known to be anybody's.

    Attributes:
        subject: its one alternative name: an URI, a mail address, or Fulcio's own kind.
        issuer: who vouched for that name, empty where no OID says so.
    """

    certificate: x509.Certificate
    der: bytes
    key: public_keys.PublicKey
    subject: str
    issuer: str

    @property
    def window(self) -> Window:
        """When it was valid, both ends included."""
        return Window(self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc)


class Chain(msgspec.Struct, frozen=True):
    """The path from a signer's certificate (left out) to a trusted authority: issuer first, anchor last."""

    issuers: tuple[x509.Certificate, ...]
    authority: Authority


@lru_cache(maxsize=512)
def read_certificate(der: bytes) -> SignerCertificate:
    """Return the signer's certificate in ``der``.

    Raises:
        Refused: ``malformed-certificate``, or ``unsupported-key``.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = public_keys.public_key(certificate.public_key())
        return SignerCertificate(certificate, der, key, _subject(certificate), _issuer(certificate))
    except UNREADABLE as error:
        raise Refused(
            "malformed-certificate",
            "the signer's certificate cannot be read",
            why=str(error)[:200],
            next_step="have its producer sign the document again",
        ) from error


def is_self_signed(der: bytes) -> bool:
    """Return whether a certificate is signed by its own key, as roots are; False where it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(certificate)
    except UNREADABLE:
        return False
    return True


def anchors(root: TrustedRoot) -> frozenset[bytes]:
    """Return the certificates on which the root's authorities rest, DER."""
    return frozenset(a.chain[-1].public_bytes(DER) for a in root.certificate_authorities)


def verify_chains(signer: SignerCertificate, carried: tuple[bytes, ...], root: TrustedRoot) -> tuple[Chain, ...]:
    """Return the chains from ``signer`` to the root's certificate authorities, at least one, in the root's order.

    There are several where an instance renewed what stands between, or lists one authority with several windows.

    Args:
        carried: intermediate certificates that the bundle brought along, DER; they are no anchors.

    Raises:
        Refused: ``untrusted-certificate``: no authority of the root issued it for signing code;
            ``authority-not-valid``: the one that it names could not have issued anything then.
    """
    problem = _untrusted("the trusted root names no certificate authority")
    chains = []
    for number, authority in enumerate(root.certificate_authorities):
        try:
            if _names(signer.certificate, authority.chain[0]):
                check_authority(Chain(authority.chain, authority), signer.window.start)
            found = _chain(signer.der, carried, _Anchor(authority, number))
            if isinstance(found, str):
                raise _untrusted(found)
            chains.append(Chain(found, authority))
        except Refused as error:
            problem = error if problem.id == "untrusted-certificate" else problem
    if not chains:
        raise problem
    return tuple(chains)


def choose_chain(signer: SignerCertificate, chains: tuple[Chain, ...], times: Iterable[datetime]) -> Chain:
    """Return the first chain in which everything was valid at all ``times``; no chain lends its window to another.

    Raises:
        Refused: ``certificate-not-valid`` for the signer's own, ``authority-not-valid`` for those above it.
    """
    wanted = tuple(times)
    for at in wanted:
        if not signer.window.holds(at):
            raise _not_valid("certificate-not-valid", "the signer's certificate", signer.window, at)
    problem: Refused | None = None
    for chain in chains:
        try:
            for at in wanted:
                check_authority(chain, at)
        except Refused as error:
            problem = problem or error
        else:
            return chain
    raise problem or _untrusted("there is no chain")


def check_authority(chain: Chain, at: datetime) -> None:
    """Return nothing when all certificates above the signer's, and the authority itself, were valid at ``at``.

    Raises:
        Refused: ``authority-not-valid``.
    """
    for certificate in chain.issuers:
        window = Window(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
        if not window.holds(at):
            raise _not_valid("authority-not-valid", "a certificate of the authority", window, at)
    if not chain.authority.window.holds(at):
        raise _not_valid("authority-not-valid", "the certificate authority", chain.authority.window, at)


class _Anchor:
    """An authority as a key of the cache: equal only to itself."""

    __slots__ = ("authority", "number")

    def __init__(self, authority: Authority, number: int) -> None:
        self.authority = authority
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Anchor) and self.authority.chain == other.authority.chain

    def __hash__(self) -> int:
        return hash((self.number, self.authority.chain[-1].serial_number))


@lru_cache(maxsize=512)
def _chain(der: bytes, carried: tuple[bytes, ...], anchor: _Anchor) -> tuple[x509.Certificate, ...] | str:
    """Return the issuers, or what is wrong; no time is judged here but the moment of issue."""
    leaf = x509.load_der_x509_certificate(der)
    *middle, top = anchor.authority.chain
    builder = PolicyBuilder().store(Store([top])).time(leaf.not_valid_before_utc)
    verifier = builder.extension_policies(ca_policy=_AUTHORITIES, ee_policy=_SIGNERS).build_client_verifier()
    try:
        between = [*middle, *(x509.load_der_x509_certificate(c) for c in carried)]
        return tuple(verifier.verify(leaf, between).chain[1:])
    except (VerificationError, *UNREADABLE) as error:
        return str(error)[:200]


def _names(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether a certificate names this one's key as its issuer's."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        return named == issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return False


def _untrusted(why: str) -> Refused:
    return Refused(
        "untrusted-certificate",
        "the signer's certificate was not issued by a trusted authority",
        why=why,
        next_step="sign with an identity of a trusted instance, or have the operator add it to the trust store",
    )


def _subject(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise ValueError("it names nobody: no subject alternative name") from error
    found = list(names)
    if len(found) != 1:
        raise ValueError(f"{len(found)} subject alternative names, wanted one")
    name = found[0]
    if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name | x509.DNSName):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id == _OTHER_NAME:
        return _utf8(name.value)
    raise ValueError(f"a subject alternative name of kind {type(name).__name__}")


def _issuer(certificate: x509.Certificate) -> str:
    found = {e.oid: e.value for e in certificate.extensions if isinstance(e.value, x509.UnrecognizedExtension)}
    new, old = found.get(_ISSUER), found.get(_ISSUER_OLD)
    values = {_utf8(new.value)} if new is not None else set()
    if old is not None:
        values.add(old.value.decode())
    if len(values) > 1:
        raise ValueError("it names two issuers")
    return values.pop() if values else ""


def _utf8(der: bytes) -> str:
    size = der[1] if len(der) > 1 else 0
    start = 2
    if size >= _SHORT:  # the long form: the length has bytes of its own
        start = 2 + size - _SHORT
        size = int.from_bytes(der[2:start])
    if not der or der[0] != _UTF8_TAG or len(der) != start + size:
        raise ValueError("a text that is no UTF8String")
    return der[start:].decode()


def _is_authority(_: Policy, __: x509.Certificate, value: x509.BasicConstraints) -> None:
    if not value.ca:
        raise ValueError("an issuer that is no authority")


def _may_issue(_: Policy, __: x509.Certificate, value: x509.KeyUsage) -> None:
    if not value.key_cert_sign:
        raise ValueError("an issuer whose key must not sign certificates")


def _no_authority(_: Policy, __: x509.Certificate, value: x509.BasicConstraints | None) -> None:
    if value is not None and value.ca:
        raise ValueError("the signer's certificate is an authority's")


def _may_sign(_: Policy, __: x509.Certificate, value: x509.KeyUsage) -> None:
    if not value.digital_signature or value.key_cert_sign:
        raise ValueError("a key that must not make signatures, or may issue certificates")


def _for_code(_: Policy, __: x509.Certificate, value: x509.ExtendedKeyUsage) -> None:
    if ExtendedKeyUsageOID.CODE_SIGNING not in value:
        raise ValueError("a certificate that is not for signing code")


_AUTHORITIES = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.CRITICAL, _is_authority)
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_issue)
)
_SIGNERS = (
    ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
    .require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_code)
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _no_authority)
)


def forget() -> None:
    """Forget the certificates and chains that were kept: for measuring what the first sight of one costs."""
    read_certificate.cache_clear()
    _chain.cache_clear()


@lru_cache(maxsize=512)
def key_of(certificate: x509.Certificate) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a certificate's key."""
    return certificate.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the fingerprint of a certificate's public key, as revocations name it."""
    return public_keys.fingerprint_of(key_of(certificate))


def _not_valid(error_id: str, what: str, window: Window, at: datetime) -> Refused:
    return Refused(
        error_id,
        f"{what} was valid {window.text()}, not at {at:%Y-%m-%d %H:%M:%S}",
        why="the proven time of the signature lies outside",
        next_step="have the document signed again; a certificate counts only for its own time",
    )
