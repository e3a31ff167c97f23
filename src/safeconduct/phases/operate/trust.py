"""Trust snapshots, drafted and signed: each change is a new version, signed by the root key."""

import base64
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from safeconduct.capabilities.signing import ssh_keys
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
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.errors import BadUsage
from safeconduct.foundation.strict_json import parse_strict
from safeconduct.intake.operator import record_trust
from safeconduct.model.identity import Usage
from safeconduct.model.limits import LIMITS
from safeconduct.phases.authority import Authority

_LIFE = timedelta(days=365)


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
    return _sign(Snapshot(1, now, now + life, scopes, ()), root)


def add_key(data: bytes, key: NewKey, root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, with one more key.

    Raises:
        BadUsage: ``unknown-scope`` or ``key-name-taken``; Refused: the key or the snapshot cannot be used.
    """
    old = read_own(data, root, now=now)
    missing = sorted(set(key.scopes) - set(old.scopes))
    if missing or not key.scopes:
        raise BadUsage(
            "unknown-scope",
            f"the trust store has no scope {', '.join(missing) or 'given'}",
            why=f"it has: {', '.join(sorted(old.scopes)) or 'none'}",
            next_step="name one of them, or make one: safeconduct trust scope NAME PATTERN",
        )
    if any(k.name == key.name for k in old.keys):
        raise BadUsage("key-name-taken", f"a key {key.name!r} is trusted already", next_step="choose another name")
    trusted = TrustedKey(
        key.name, _public(key.public), key.usages, key.scopes, now, key.not_after, key.principals, key.demo
    )
    return _next(old, root, now, keys=(*old.keys, trusted))


def set_scope(data: bytes, name: str, patterns: tuple[str, ...], root: Signer, *, now: datetime) -> bytes:
    """Return the next version of a snapshot, with a scope made or replaced."""
    old = read_own(data, root, now=now)
    return _next(old, root, now, scopes={**old.scopes, name: patterns})


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


def read_own(data: bytes, root: Signer, *, now: datetime) -> Snapshot:
    """Return the snapshot in ``data``, which ``root`` must have signed itself."""
    return load_trust(data, Roots((root.public.fingerprint,)), now=now).snapshot


def peek(data: bytes) -> Snapshot:
    """Return what a snapshot file says, without believing it; for showing only."""
    envelope = parse_envelope(parse_strict(data, max_bytes=LIMITS.bundle))
    return msgspec.json.decode(envelope.payload, type=Snapshot)


def fingerprint_of(key: TrustedKey) -> str:
    """Return a trusted key's fingerprint in its own form."""
    if ssh_keys.is_ssh_key(key.public):
        return ssh_keys.load_line(key.public).fingerprint
    return load_base64(key.public).fingerprint


def install(authority: Authority, data: bytes) -> TrustStore:
    """Put a snapshot in force: it must satisfy the pins; then it is written where the settings say and recorded.

    Raises:
        Refused: as ``load_trust``, and for one older than what was seen.
    """
    wanted = authority.settings.trust
    now = authority.clock()
    trust = load_trust(data, Roots(wanted.root, wanted.threshold), now=to_datetime(now))
    target = Path(wanted.snapshot)
    if authority.has_graph():
        with authority.graph() as store:
            revoked = tuple(r.fingerprint for r in trust.snapshot.revoked)
            record_trust(store, at=now, version=trust.version, document=data, revoked=revoked)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".new")
    new.write_bytes(data)
    new.replace(target)
    return trust


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
