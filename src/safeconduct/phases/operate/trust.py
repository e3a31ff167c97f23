"""Trust snapshots, drafted and signed: each change is a new version, signed by the root key."""

import base64
import re
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from safeconduct.capabilities.signing import ssh_keys
from safeconduct.capabilities.signing.authorities import TrustedAuthority, TrustedIdentity
from safeconduct.capabilities.signing.dsse import Signature, encode_pae, parse_envelope
from safeconduct.capabilities.signing.key_store import Signer
from safeconduct.capabilities.signing.public_keys import load_base64, load_pem
from safeconduct.capabilities.signing.trust import (
    PAYLOAD_TYPE,
    Revocation,
    Roots,
    Snapshot,
    TrustedKey,
    TrustStore,
    encode_snapshot,
    load_trust,
    write_snapshot,
)
from safeconduct.foundation.errors import BadUsage, Refused
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.intake.operator import record_trust
from safeconduct.model.identity import Usage
from safeconduct.model.limits import LIMITS
from safeconduct.phases.authority import Authority

_LIFE = timedelta(days=365)
_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*(/\*)?")


class NewKey(msgspec.Struct, frozen=True):
    """A key to be trusted. ``public`` is a PEM file's text or an OpenSSH public key line."""

    name: str
    public: str
    usages: tuple[Usage, ...]
    scopes: tuple[str, ...]
    principals: tuple[str, ...]
    not_after: datetime
    demo: bool = False


def start(root: Signer, scopes: dict[str, tuple[str, ...]], *, now: datetime, life: timedelta = _LIFE) -> bytes:
    """Return a first snapshot that trusts nobody yet, signed by ``root``."""
    for patterns in scopes.values():
        check_patterns(patterns)
    return _sign(Snapshot(1, now, now + life, scopes, ()), root)


def add_key(data: bytes, key: NewKey, root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, with one more key.

    Raises:
        BadUsage: ``unknown-scope`` or ``key-name-taken``; Refused: the key or the snapshot cannot be used.
    """
    old = read_own(data, root, now=now)
    _check_scopes(old, key.scopes)
    if any(k.name == key.name for k in old.keys):
        raise BadUsage("key-name-taken", f"a key {key.name!r} is trusted already", next_step="choose another name")
    trusted = TrustedKey(
        key.name, _public(key.public), key.usages, key.scopes, now, key.not_after, key.principals, key.demo
    )
    return _next(old, root, now, keys=(*old.keys, trusted))


class NewAuthority(msgspec.Struct, frozen=True):
    """A sigstore instance to be trusted. ``root`` is its trusted root document's text.

    Attributes:
        identities: (subject, issuer) of those whom we believe; a subject may hold ``*`` within one part.
    """

    name: str
    root: str
    identities: tuple[tuple[str, str], ...]
    usages: tuple[Usage, ...]
    scopes: tuple[str, ...]
    not_after: datetime


def add_authority(data: bytes, new: NewAuthority, root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, which believes certificates of one more authority.

    Raises:
        BadUsage: ``unknown-scope``, ``key-name-taken`` or ``bad-identity``; Refused: ``malformed-trusted-root``.
    """
    old = read_own(data, root, now=now)
    _check_scopes(old, new.scopes)
    if any(known.name == new.name for known in old.authorities):
        raise BadUsage("key-name-taken", f"{new.name!r} is trusted already", next_step="choose another name")
    try:
        identities = tuple(TrustedIdentity(subject, issuer) for subject, issuer in new.identities)
    except ValueError as error:
        raise BadUsage(
            "bad-identity",
            "an identity would be anybody",
            why=str(error),
            next_step="name the whole subject of the certificate, with * inside a part at most",
        ) from error
    added = TrustedAuthority(new.name, new.root, identities, new.usages, new.scopes, now, new.not_after)
    added.trusted_root  # noqa: B018 - refused here, not when somebody relies on it
    return _next(old, root, now, authorities=(*old.authorities, added))


def set_scope(data: bytes, name: str, patterns: tuple[str, ...], root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, with a scope made or replaced."""
    old = read_own(data, root, now=now)
    return _next(old, root, now, scopes={**old.scopes, name: check_patterns(patterns)})


def check_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return a scope's patterns if each is a repository, or ends in ``/*``.

    Raises:
        BadUsage: ``bad-scope``: a pattern that could never match, or would match more than it seems to.
    """
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise BadUsage(
                "bad-scope",
                f"{pattern!r} is no pattern of repositories",
                why="a pattern is host/path as it stands, or host/path/* for all below it",
                next_step="write it as registry.example/team/app or registry.example/team/*",
            )
    return patterns


def revoke_key(data: bytes, name: str, reason: str, since: datetime | None, root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, in which a key is believed no longer.

    Raises:
        BadUsage: ``no-such-key``.
    """
    old = read_own(data, root, now=now)
    fingerprint = next((fingerprint_of(k) for k in old.keys if k.name == name), None)
    if fingerprint is None:
        raise BadUsage("no-such-key", f"no key {name!r} is trusted", next_step="safeconduct trust show")
    return _next(old, root, now, revoked=(*old.revoked, Revocation(fingerprint, reason, since)))


def renew(data: bytes, root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, saying the same and valid for a year from now."""
    return _next(read_own(data, root, now=now), root, now)


def read_own(data: bytes, root: Signer, *, now: datetime) -> Snapshot:
    """Return the snapshot in ``data``, which ``root`` must have signed itself; its expiry is no hindrance to it."""
    unexpired = min(now, peek(data).expires)
    return load_trust(data, Roots((root.public.fingerprint,)), now=unexpired).snapshot


def peek(data: bytes) -> Snapshot:
    """Return what a snapshot file says, without believing it; for showing only.

    Raises:
        Refused: ``malformed-trust`` for a file that is none.
    """
    envelope = parse_envelope(parse_strict(data, max_bytes=LIMITS.bundle))
    try:
        return msgspec.json.decode(envelope.payload, type=Snapshot)
    except msgspec.DecodeError as error:
        raise Refused(
            "malformed-trust",
            "this is no trust snapshot",
            why=str(error),
            next_step="name a file that safeconduct trust init made",
        ) from error


def fingerprint_of(key: TrustedKey) -> str:
    """Return a trusted key's fingerprint in its own form."""
    if ssh_keys.is_ssh_key(key.public):
        return ssh_keys.load_line(key.public).fingerprint
    return load_base64(key.public).fingerprint


def install(authority: Authority, data: bytes) -> TrustStore:
    """Put a snapshot in force: it must satisfy the pins and be no older than any seen; then it is kept and recorded.

    Raises:
        BadUsage: ``no-trust-setting``; Refused: as ``load_trust``; nothing was changed then.
    """
    wanted = authority.settings.trust
    if not wanted.snapshot:
        raise BadUsage(
            "no-trust-setting",
            "the settings do not say where the trust snapshot is kept",
            why="trust.snapshot is not set",
            next_step="set trust.snapshot to a file and trust.root to the root's fingerprint",
        )
    trust = authority.load_snapshot(data)
    if authority.has_graph():
        with authority.graph() as store:
            revoked = trust.snapshot.revoked
            record_trust(store, at=authority.clock(), version=trust.version, document=data, revoked=revoked)
    target = Path(wanted.snapshot)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".new")
    new.write_bytes(data)
    new.replace(target)
    return trust


def _check_scopes(old: Snapshot, scopes: tuple[str, ...]) -> None:
    missing = sorted(set(scopes) - set(old.scopes))
    if missing or not scopes:
        raise BadUsage(
            "unknown-scope",
            f"the trust store has no scope {', '.join(missing) or 'given'}",
            why=f"it has: {', '.join(sorted(old.scopes)) or 'none'}",
            next_step="name one of them, or make one: safeconduct trust scope FILE NAME PATTERN --root KEY",
        )


def _next(old: Snapshot, root: Signer, now: datetime, **changes: object) -> bytes:
    fields = {"version": old.version + 1, "created": now, "expires": max(old.expires, now + _LIFE), **changes}
    return _sign(msgspec.structs.replace(old, **fields), root)


def _sign(snapshot: Snapshot, root: Signer) -> bytes:
    message = encode_pae(PAYLOAD_TYPE, encode_snapshot(snapshot))
    keyid = base64.b64encode(root.public.der).decode()
    return write_snapshot(snapshot, (Signature(root.sign(message), keyid),))


def _public(text: str) -> str:
    if ssh_keys.is_ssh_key(text):
        ssh_keys.load_line(text)
        return text.strip()
    return base64.b64encode(load_pem(text.encode()).der).decode()
