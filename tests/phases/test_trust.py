"""Trust snapshots over their life: renewed after they expired, never replaced by an older one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from safeconduct.capabilities.signing.key_store import create_key
from safeconduct.foundation.errors import BadUsage, Refused, Undecided
from safeconduct.foundation.settings import Settings, TrustSettings
from safeconduct.model.identity import Usage
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


def authority_of(shared_data: Path, **changes: object) -> drafts.NewAuthority:
    import tarfile

    import zstandard

    with (shared_data / "attestations" / "sigstore-conformance.tar.zst").open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if member.name.endswith("trusted_root.json") and "_fail" not in member.name:
                    document = archive.extractfile(member).read().decode()
                    break
    identity = ("https://ci.example/shop/.github/workflows/release.yml@refs/heads/main", "https://issuer.example")
    given = {"name": "ci", "root": document, "identities": (identity,), "usages": (Usage.BUILD,), "scopes": ("shop",)}
    return drafts.NewAuthority(**{**given, "not_after": NOW + timedelta(days=1), **changes})


def test_an_authority_is_trusted_for_named_identities_only(tmp_path: Path, root, shared_data: Path) -> None:
    first = drafts.start(root, {"shop": ("r.example/shop",)}, now=NOW)
    added = drafts.add_authority(first, authority_of(shared_data), root, now=NOW)
    (authority,) = drafts.install(authority_at(tmp_path, root.public.fingerprint, NOW), added).snapshot.authorities
    known = ("https://ci.example/shop/.github/workflows/release.yml@refs/heads/main", "https://issuer.example")
    assert authority.knows(*known)
    assert not authority.knows(known[0], "https://evil.example")
    assert not authority.knows(known[0] + "x", known[1])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scopes": ("other",)}, "unknown-scope"),
        ({"scopes": ()}, "unknown-scope"),
        ({"identities": (("*", "https://issuer.example"),)}, "bad-identity"),
        ({"root": "{}"}, "malformed-trusted-root"),
        ({"root": "no json"}, "malformed"),
    ],
)
def test_an_authority_that_would_vouch_for_anybody_or_anything_is_refused(
    root, shared_data: Path, changes: dict[str, object], error: str
) -> None:
    first = drafts.start(root, {"shop": ("r.example/shop",)}, now=NOW)
    with pytest.raises((BadUsage, Refused), match=error):
        drafts.add_authority(first, authority_of(shared_data, **changes), root, now=NOW)
