"""The trust store: which keys are believed, for what, where, and until when.

A snapshot is one JSON document in a DSSE envelope, signed by root keys whose fingerprints the operator pinned.
It is versioned and expires; a version lower than the highest seen is refused (rollback), and so is an expired one
(freeze). Everything here is pure: bytes, pins and the time are arguments.

Source: the rules of TUF's root role, kept to one file.
"""

import json
from datetime import datetime
from functools import cached_property

import msgspec

from safeconduct.capabilities.signing import openpgp, public_keys, ssh_keys
from safeconduct.capabilities.signing.authorities import TrustedAuthority
from safeconduct.capabilities.signing.dsse import Envelope, Signature, encode_pae, envelope_value, parse_envelope
from safeconduct.foundation.errors import Refused, SafeconductError, Undecided
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.model.identity import Usage
from safeconduct.model.limits import LIMITS

PAYLOAD_TYPE = "application/vnd.safeconduct.trust.v1+json"


class TrustedKey(msgspec.Struct, frozen=True):
    """A key with what it may vouch for.

    Attributes:
        public: base64 DER SubjectPublicKeyInfo, an OpenSSH public key line, or an armored OpenPGP certificate.
        usages: of commit, build, gate.
        scopes: names from the snapshot's ``scopes``; none means nowhere.
        not_before, not_after: inclusive window.
        principals: whom the key stands for; the first is shown.
        demo: made by a demonstration; a server refuses to start with it unless told so.
    """

    name: str
    public: str
    usages: tuple[Usage, ...]
    scopes: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    principals: tuple[str, ...] = ()
    demo: bool = False


class Revocation(msgspec.Struct, frozen=True):
    """A key that is believed no longer.

    Attributes:
        since: None refuses everything it ever signed; a time refuses what is not proven older.
    """

    fingerprint: str
    reason: str
    since: datetime | None = None


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """The signed document.

    Attributes:
        scopes: name to repository patterns, each exact or ending in ``/*``.
        authorities: whose certificates are believed; snapshots from before there were any stay valid.
    """

    version: int
    created: datetime
    expires: datetime
    scopes: dict[str, tuple[str, ...]]
    keys: tuple[TrustedKey, ...]
    revoked: tuple[Revocation, ...] = ()
    authorities: tuple[TrustedAuthority, ...] = ()


class Roots(msgspec.Struct, frozen=True):
    """The operator's pins: fingerprints of root keys, and how many of them must have signed."""

    fingerprints: tuple[str, ...]
    threshold: int = 1


class TrustStore:
    """A verified snapshot, indexed by key; ``document`` is the signed file, for keeping."""

    def __init__(self, snapshot: Snapshot, document: bytes = b"") -> None:
        self.snapshot = snapshot
        self.document = document
        self.version = snapshot.version

    @cached_property
    def by_hint(self) -> dict[str, tuple[TrustedKey, public_keys.PublicKey]]:
        """Managed keys by the hints that bundles carry: cosign's spelling and npm's."""
        found = {}
        for key in self.snapshot.keys:
            if not ssh_keys.is_ssh_key(key.public) and not openpgp.is_openpgp_key(key.public):
                loaded = public_keys.load_base64(key.public)
                found[loaded.hint] = found["SHA256:" + loaded.hint.rstrip("=")] = (key, loaded)
        return found

    @cached_property
    def by_ssh_fingerprint(self) -> dict[str, TrustedKey]:
        """SSH keys by ``SHA256:…``."""
        return {
            ssh_keys.load_line(key.public).fingerprint: key
            for key in self.snapshot.keys
            if ssh_keys.is_ssh_key(key.public)
        }

    @cached_property
    def by_openpgp_fingerprint(self) -> dict[str, TrustedKey]:
        """OpenPGP keys by ``openpgp:…``.

        Raises:
            Refused: ``unsupported-key``; Undecided: ``pgp-missing``.
        """
        return {
            openpgp.fingerprint_of(key.public): key for key in self.snapshot.keys if openpgp.is_openpgp_key(key.public)
        }

    def authorities_for(self, repository: str) -> tuple[TrustedAuthority, ...]:
        """Return the authorities in whose scopes ``repository`` lies."""
        return tuple(a for a in self.snapshot.authorities if self.covers(a, repository))

    def covers(self, key: TrustedKey | TrustedAuthority, repository: str) -> bool:
        """Return whether ``repository`` lies in one of the key's or authority's scopes."""
        patterns = (p for scope in key.scopes for p in self.snapshot.scopes.get(scope, ()))
        return any(matches_scope(pattern, repository) for pattern in patterns)

    def revocation(self, fingerprint: str) -> Revocation | None:
        """Return the key's revocation, if it has one."""
        return next((r for r in self.snapshot.revoked if r.fingerprint == fingerprint), None)

    def check_key(
        self, key: TrustedKey | TrustedAuthority, fingerprint: str, *, usage: Usage, repository: str, at: datetime
    ) -> None:
        """Return nothing when the key, or the authority's certificate, may vouch in this way, here, at this time.

        Raises:
            Refused: ``wrong-usage``, ``wrong-scope``, ``revoked-key`` or ``key-not-valid``.
        """
        who = f"{'key' if isinstance(key, TrustedKey) else 'authority'} {key.name!r}"
        if usage not in key.usages:
            raise _refused("wrong-usage", f"{who} is trusted for {', '.join(key.usages)}, not for {usage}")
        if not self.covers(key, repository):
            raise _refused("wrong-scope", f"{who} is not trusted for {repository or 'an unnamed repository'}")
        revocation = self.revocation(fingerprint)
        if revocation and (revocation.since is None or at >= revocation.since):
            raise _refused("revoked-key", f"{who} was revoked: {revocation.reason}")
        if not key.not_before <= at <= key.not_after:
            window = f"{key.not_before:%Y-%m-%d %H:%M} to {key.not_after:%Y-%m-%d %H:%M} UTC"
            raise _refused("key-not-valid", f"{who} is valid {window}, not at {at:%Y-%m-%d %H:%M}")


def matches_scope(pattern: str, repository: str) -> bool:
    """Return whether a repository is the pattern, or below it where the pattern ends in ``/*``."""
    if not repository:
        return False
    if pattern.endswith("/*"):
        return repository.startswith(pattern[:-1]) and len(repository) > len(pattern) - 1
    return pattern == repository


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return the bytes that root keys sign."""
    return json.dumps(msgspec.to_builtins(snapshot), sort_keys=True, separators=(",", ":")).encode()


def write_snapshot(snapshot: Snapshot, signatures: tuple[Signature, ...]) -> bytes:
    """Return a signed snapshot file."""
    envelope = Envelope(encode_snapshot(snapshot), PAYLOAD_TYPE, signatures)
    return json.dumps(envelope_value(envelope), indent=1, sort_keys=True).encode() + b"\n"


def load_trust(data: bytes, roots: Roots, *, now: datetime, highest_seen: int = 0) -> TrustStore:
    """Return the trust store in a snapshot file.

    Steps: (1) strict JSON, (2) envelope and its type, (3) a threshold of distinct pinned root keys signed the bytes,
    (4) those bytes are a snapshot, (5) not expired, (6) not older than the highest version seen.

    Args:
        roots: the operator's pins; an empty set refuses everything.
        highest_seen: the highest version ever accepted under these pins.

    Raises:
        Refused: ``untrusted-root``, ``malformed-trust``, ``trust-rollback``.
        Undecided: ``trust-expired``: nothing may rest on it, nothing is proven false.
    """
    envelope = parse_envelope(parse_strict(data, max_bytes=LIMITS.bundle))  # (1) (2)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise _untrusted(f"its type is {envelope.payload_type[:80]!r}")
    _check_roots(envelope, roots)  # (3)
    snapshot = _decode(envelope.payload)  # (4)
    if now > snapshot.expires:  # (5)
        raise Undecided(
            "trust-expired",
            f"trust snapshot {snapshot.version} expired on {snapshot.expires:%Y-%m-%d %H:%M} UTC",
            why="an old snapshot may hide a revocation",
            next_step="safeconduct trust sign a newer one, or fetch the newest from the operator",
        )
    if snapshot.version < highest_seen:  # (6)
        raise Refused(
            "trust-rollback",
            f"trust snapshot {snapshot.version} is older than {highest_seen}, which was seen here before",
            why="someone may be hiding a revocation behind an old snapshot",
            next_step="fetch the newest snapshot from the operator",
        )
    return TrustStore(snapshot, data)


def _check_roots(envelope: Envelope, roots: Roots) -> None:
    message = encode_pae(envelope.payload_type, envelope.payload)
    good: set[str] = set()
    for signature in envelope.signatures:
        try:
            key = public_keys.load_base64(signature.keyid)
            if key.fingerprint in roots.fingerprints:
                public_keys.verify_signature(key.key, signature.sig, message)
                good.add(key.fingerprint)
        except SafeconductError:
            continue
    if roots.threshold < 1 or len(good) < roots.threshold:
        raise _untrusted(f"{len(good)} pinned root keys signed it, {max(roots.threshold, 1)} must have")


def _decode(payload: bytes) -> Snapshot:
    parse_strict(payload, max_bytes=LIMITS.bundle)
    try:
        snapshot = msgspec.json.decode(payload, type=Snapshot)
        TrustStore(snapshot).by_hint  # noqa: B018 - a key that cannot be read makes the whole snapshot unusable
        TrustStore(snapshot).by_ssh_fingerprint  # noqa: B018 - the same
        for authority in snapshot.authorities:
            authority.trusted_root  # noqa: B018 - the same
    except msgspec.DecodeError as error:
        raise Refused(
            "malformed-trust",
            "a trust snapshot is not well formed",
            why=str(error),
            next_step="have the operator write it again with: safeconduct trust sign",
        ) from error
    return snapshot


def _untrusted(why: str) -> Refused:
    return Refused(
        "untrusted-root",
        "the trust snapshot is not signed by the pinned root",
        why=why,
        next_step="compare the setting trust.root with the operator's fingerprint; do not use this snapshot",
    )


def _refused(error_id: str, what: str) -> Refused:
    return Refused(
        error_id,
        what,
        why="the trust store binds each key to usages, scopes and a time",
        next_step="sign with a key that is trusted for this, or have the operator change it: safeconduct trust add",
    )
