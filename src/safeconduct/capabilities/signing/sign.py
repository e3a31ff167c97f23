"""Signing: a payload and a signer to a bundle."""

from safeconduct.capabilities.signing.bundle import write_bundle
from safeconduct.capabilities.signing.dsse import Envelope, Signature, encode_pae
from safeconduct.capabilities.signing.key_store import Signer


def sign_payload(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    """Return a sigstore bundle v0.3 over ``payload``."""
    signature = signer.sign(encode_pae(payload_type, payload))
    hint = signer.public.hint
    return write_bundle(Envelope(payload, payload_type, (Signature(signature, hint),)), hint)
