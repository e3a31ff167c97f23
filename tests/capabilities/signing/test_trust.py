"""The trust snapshot: pinned root, threshold, expiry, rollback."""

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from safeconduct.capabilities.signing.dsse import Signature, encode_pae
from safeconduct.capabilities.signing.key_store import FileSigner, create_key, load_signer
from safeconduct.capabilities.signing.trust import (
    PAYLOAD_TYPE,
    Roots,
    Snapshot,
    encode_snapshot,
    load_trust,
    matches_scope,
    write_snapshot,
)
from safeconduct.foundation.errors import BadUsage, Refused, Undecided

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SNAPSHOT = Snapshot(3, NOW, NOW + timedelta(days=30), {}, ())


def new_signer() -> FileSigner:
    return FileSigner(ec.generate_private_key(ec.SECP256R1()))


def signed(snapshot: Snapshot, *signers: FileSigner) -> bytes:
    message = encode_pae(PAYLOAD_TYPE, encode_snapshot(snapshot))
    return write_snapshot(
        snapshot,
        tuple(Signature(s.sign(message), base64.b64encode(s.public.der).decode()) for s in signers),
    )


def pins(*signers: FileSigner, threshold: int = 1) -> Roots:
    return Roots(tuple(s.public.fingerprint for s in signers), threshold)


def test_a_snapshot_of_the_pinned_root_is_believed() -> None:
    root = new_signer()
    assert load_trust(signed(SNAPSHOT, root), pins(root), now=NOW).version == 3


def test_a_stranger_s_snapshot_is_refused() -> None:
    with pytest.raises(Refused, match="untrusted-root"):
        load_trust(signed(SNAPSHOT, new_signer()), pins(new_signer()), now=NOW)


def test_no_pin_believes_nobody() -> None:
    root = new_signer()
    for roots in (Roots(()), Roots((), 0)):
        with pytest.raises(Refused, match="untrusted-root"):
            load_trust(signed(SNAPSHOT, root), roots, now=NOW)


def test_one_key_signing_twice_does_not_reach_a_threshold_of_two() -> None:
    first, second = new_signer(), new_signer()
    roots = pins(first, second, threshold=2)
    with pytest.raises(Refused, match="untrusted-root"):
        load_trust(signed(SNAPSHOT, first, first), roots, now=NOW)
    assert load_trust(signed(SNAPSHOT, first, second), roots, now=NOW).version == 3


def test_a_changed_snapshot_is_refused() -> None:
    root = new_signer()
    data = signed(SNAPSHOT, root)
    other = signed(msgspec.structs.replace(SNAPSHOT, version=4), new_signer())
    value, changed = msgspec.json.decode(data), msgspec.json.decode(other)
    value["payload"] = changed["payload"]
    with pytest.raises(Refused, match="untrusted-root"):
        load_trust(msgspec.json.encode(value), pins(root), now=NOW)


def test_an_old_snapshot_is_refused_once_a_newer_was_seen() -> None:
    root = new_signer()
    with pytest.raises(Refused, match="trust-rollback"):
        load_trust(signed(SNAPSHOT, root), pins(root), now=NOW, highest_seen=4)


def test_an_expired_snapshot_cannot_tell() -> None:
    root = new_signer()
    with pytest.raises(Undecided, match="trust-expired"):
        load_trust(signed(SNAPSHOT, root), pins(root), now=NOW + timedelta(days=31))


@pytest.mark.parametrize(
    ("pattern", "repository", "matches"),
    [
        ("shop.example/shop", "shop.example/shop", True),
        ("shop.example/shop", "shop.example/shop2", False),
        ("shop.example/shop/*", "shop.example/shop/checkout", True),
        ("shop.example/shop/*", "shop.example/shop", False),
        ("shop.example/shop/*", "shop.example/shop/", False),
        ("shop.example/shop/*", "shop.example/shopping/x", False),
        ("shop.example/*", "evil.example/shop.example/x", False),
        ("*", "anything", False),
        ("shop.example/*", "", False),
    ],
)
def test_scopes_match_whole_path_parts_only(pattern: str, repository: str, *, matches: bool) -> None:
    assert matches_scope(pattern, repository) is matches


def test_a_key_file_is_encrypted_private_and_never_overwritten(tmp_path) -> None:
    made = create_key(tmp_path, "builder", b"secret")
    path = tmp_path / "builder.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert load_signer(f"file:{path}", b"secret").public.fingerprint == made.public.fingerprint
    with pytest.raises(BadUsage, match="key-exists"):
        create_key(tmp_path, "builder", b"secret")
    with pytest.raises(Refused, match="wrong-passphrase"):
        load_signer(f"file:{path}", b"wrong")
    path.chmod(0o644)
    with pytest.raises(Refused, match="key-exposed"):
        load_signer(f"file:{path}", b"secret")
    with pytest.raises(Undecided, match="no-key"):
        load_signer("awskms:somewhere", b"x")
    with pytest.raises(BadUsage, match="bad-key-name"):
        create_key(tmp_path, "../evil", b"secret")
