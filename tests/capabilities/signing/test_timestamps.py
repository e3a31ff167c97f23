"""RFC 3161 timestamps, made by real authorities: sigstore's and GitHub's in bundles of other programs."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from safeconduct.capabilities.signing.bundle import Bundle, read_bundle
from safeconduct.capabilities.signing.timestamps import verify_timestamp
from safeconduct.capabilities.signing.trusted_root import Authority, Window, read_trusted_root
from safeconduct.foundation.errors import Refused

BENCH = Path(__file__).resolve().parents[3] / "bench"
replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def case(shared_data) -> tuple[Bundle, Authority]:
    """A bundle with a timestamp, and the authority that made it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        import suites_signing

        files = suites_signing.members(shared_data, "sigstore-conformance")
    folder = next(name.removesuffix("bundle.sigstore.json") for name in files if "rekor2-happy-path/bundle" in name)
    bundle = read_bundle(files[folder + "bundle.sigstore.json"])
    return bundle, read_trusted_root(files[folder + "trusted_root.json"].decode()).timestamp_authorities[0]


def refused(token: bytes, signed: bytes, authorities: tuple, error: str) -> None:
    with pytest.raises(Refused) as caught:
        verify_timestamp(token, signed, authorities)
    assert caught.value.id == error


def test_a_timestamp_gives_the_time_of_its_own_authority(case) -> None:
    bundle, authority = case
    at = verify_timestamp(bundle.timestamps[0], bundle.signature, (authority,))
    assert f"{at:%Y-%m-%dT%H:%M:%S}" == "2025-06-12T12:02:20"


def test_attack_4_an_authority_counts_only_inside_its_own_window(case) -> None:
    """The right authority is out of its window; another one is inside and does not lend its own."""
    bundle, authority = case
    at = verify_timestamp(bundle.timestamps[0], bundle.signature, (authority,))
    edge = replace(authority, window=Window(at, at))
    assert verify_timestamp(bundle.timestamps[0], bundle.signature, (edge,)) == at
    ended = replace(authority, window=Window(at - timedelta(days=9), at - timedelta(seconds=1)))
    other = Authority(authority.chain[::-1], authority.window, "another")
    refused(bundle.timestamps[0], bundle.signature, (ended, other), "bad-timestamp")


def test_attack_44_a_token_is_the_named_authority_s_over_these_bytes(case) -> None:
    bundle, authority = case
    token = bundle.timestamps[0]
    refused(token, bundle.signature + b"x", (authority,), "bad-timestamp")
    refused(token, bundle.signature, (), "untrusted-timestamp")
    refused(token, bundle.signature, (Authority(authority.chain[1:], authority.window, ""),), "untrusted-timestamp")
    refused(token + b"x", bundle.signature, (authority,), "bad-timestamp")
    refused(b"", bundle.signature, (authority,), "bad-timestamp")
    refused(bytes(70_000), bundle.signature, (authority,), "bad-timestamp")


def test_no_changed_bit_of_a_token_is_believed_for_another_time(case) -> None:
    bundle, authority = case
    at = verify_timestamp(bundle.timestamps[0], bundle.signature, (authority,))
    for place in range(0, len(bundle.timestamps[0]), 7):
        token = bytearray(bundle.timestamps[0])
        token[place] ^= 2
        try:
            assert verify_timestamp(bytes(token), bundle.signature, (authority,)) == at
        except Refused:
            continue
