"""Trust snapshots over their life: renewed after they expired, never replaced by an older one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from safeconduct.capabilities.signing.key_store import create_key
from safeconduct.foundation.errors import BadUsage, Refused, Undecided
from safeconduct.foundation.settings import Settings, TrustSettings
from safeconduct.phases.authority import Authority
from safeconduct.phases.operate import trust as drafts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path):
    return create_key(tmp_path / "keys", "root", b"secret")


def authority_at(folder: Path, pin: str, at: datetime, snapshot: str = "trust.json") -> Authority:
    trust = TrustSettings(str(folder / snapshot) if snapshot else "", (pin,))
    settings = Settings(store=str(folder / "graph.db"), trust=trust)
    return Authority(settings, {}, lambda: int(at.timestamp() * 1_000_000), folder / "data")


def test_an_expired_snapshot_is_renewed_by_its_own_root_and_by_nobody_else(tmp_path: Path, root) -> None:
    first = drafts.start(root, {"shop": ("r.example/shop",)}, now=NOW)
    later = NOW + timedelta(days=400)
    authority = authority_at(tmp_path, root.public.fingerprint, later)
    with pytest.raises(Undecided, match="trust-expired"):
        drafts.install(authority, first)
    stranger = create_key(tmp_path / "keys", "stranger", b"secret")
    with pytest.raises(Refused, match="untrusted-root"):
        drafts.renew(first, stranger, now=later)
    renewed = drafts.install(authority, drafts.renew(first, root, now=later))
    assert (renewed.version, renewed.snapshot.expires > later) == (2, True)


def test_an_older_snapshot_is_not_installed_over_a_newer_one(tmp_path: Path, root) -> None:
    first = drafts.start(root, {"shop": ("r.example/shop",)}, now=NOW)
    second = drafts.renew(first, root, now=NOW)
    authority = authority_at(tmp_path, root.public.fingerprint, NOW)
    drafts.install(authority, second)
    with pytest.raises(Refused, match="trust-rollback"):
        drafts.install(authority, first)
    assert (tmp_path / "trust.json").read_bytes() == second
    assert authority.required_trust().version == 2


def test_installing_needs_a_place_to_install_to(tmp_path: Path, root) -> None:
    snapshot = drafts.start(root, {}, now=NOW)
    with pytest.raises(BadUsage, match="no-trust-setting"):
        drafts.install(authority_at(tmp_path, root.public.fingerprint, NOW, snapshot=""), snapshot)


@pytest.mark.parametrize("pattern", ["", "*", "/*", "a b", "a//b", "r.example/*/x", "r.example/[ab]", "r.example/x*"])
def test_a_scope_that_could_match_more_than_it_seems_is_refused(tmp_path: Path, root, pattern: str) -> None:
    with pytest.raises(BadUsage, match="bad-scope"):
        drafts.start(root, {"shop": (pattern,)}, now=NOW)


@pytest.mark.parametrize("pattern", ["r.example/shop", "r.example/shop/*", "localhost:5000/a", "shop", "r.example/*"])
def test_a_scope_is_a_repository_or_all_below_one(root, pattern: str) -> None:
    assert drafts.peek(drafts.start(root, {"s": (pattern,)}, now=NOW)).scopes == {"s": (pattern,)}


STRANGE = {"payload": "e30=", "payloadType": "x", "signatures": [{"sig": "AA=="}]}


@pytest.mark.parametrize("data", [b"", b"{}", b"null", msgspec.json.encode(STRANGE)])
def test_a_file_that_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        drafts.peek(data)
