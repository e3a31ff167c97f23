"""Signers with certificates: what a private instance makes verifies, and each way of making it wrong is refused."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from safeconduct.capabilities.signing.authorities import TrustedAuthority, TrustedIdentity
from safeconduct.capabilities.signing.trust import Revocation, Snapshot, TrustStore
from safeconduct.capabilities.signing.verify import Expectation, verify_bundle
from safeconduct.foundation.errors import Refused
from safeconduct.model.identity import Usage
from simulators.sigstore_instance import SUBJECT, TOKENS, Instance, Log, b64

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KIND = "application/vnd.in-toto+json"
EXPECT = Expectation(Usage.BUILD, "shop.example/shop/checkout", KIND)
PAYLOAD = b'{"a":1}'
SHOP = {"shop": ("shop.example/shop/*",), "other": ("other.example/*",)}


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance(NOW)


def trust_in(root: str, identities: tuple = (TrustedIdentity(SUBJECT, TOKENS),), **changes: object) -> TrustStore:
    fields: dict[str, object] = {
        "name": "forge",
        "root": root,
        "identities": identities,
        "usages": (Usage.BUILD,),
        "scopes": ("shop",),
        "not_before": NOW - timedelta(days=1),
        "not_after": NOW + timedelta(days=1),
    }
    revoked = changes.pop("revoked", ())
    authority = TrustedAuthority(**{**fields, **changes})
    return TrustStore(Snapshot(1, NOW, NOW + timedelta(days=30), SHOP, (), revoked, (authority,)))


def refused(value: dict, trust: TrustStore, error: str, now: datetime = NOW) -> None:
    with pytest.raises(Refused) as caught:
        verify_bundle(json.dumps(value).encode(), EXPECT, trust, now=now)
    assert caught.value.id == error, caught.value.render()


def test_a_private_instance_s_bundle_gives_signer_time_and_every_check(instance: Instance) -> None:
    value = instance.bundle(PAYLOAD, KIND)
    verified = verify_bundle(json.dumps(value).encode(), EXPECT, trust_in(instance.root()), now=NOW)
    assert (verified.payload, verified.signer.subject, verified.signer.issuer) == (PAYLOAD, SUBJECT, TOKENS)
    assert (verified.signed_at, verified.time_source) == (NOW - timedelta(minutes=5), "log")
    assert {"certificate-chain", "certificate-log", "identity", "signature", "transparency-log"} <= set(verified.checks)
    assert verified.skipped == ("timestamp",)


@pytest.mark.parametrize(
    ("identity", "matches"),
    [
        (TrustedIdentity(SUBJECT, TOKENS), True),
        (TrustedIdentity("https://forge.example/*/.build/release.yml@refs/heads/main", TOKENS), True),
        (TrustedIdentity("https://forge.example/shop/.build/*@refs/heads/main", TOKENS), True),
        (TrustedIdentity(SUBJECT, "https://tokens.evil.example"), False),
        (TrustedIdentity("https://forge.example/*", TOKENS), False),
        (TrustedIdentity("https://forge.example/shop/.build/release.yml", TOKENS), False),
        (TrustedIdentity("forge.example/shop/.build/release.yml@refs/heads/main", TOKENS), False),
        (TrustedIdentity("https://forge-example/shop/.build/release.yml@refs/heads/main", TOKENS), False),
        (TrustedIdentity("https://forge.example/shop/.build/release.yml@*", TOKENS), False),
    ],
)
def test_identities_are_matched_whole_and_a_wildcard_stays_in_its_part(
    instance: Instance, identity: TrustedIdentity, *, matches: bool
) -> None:
    """Attack 45: unanchored or ignored identity patterns."""
    value, trust = instance.bundle(PAYLOAD, KIND), trust_in(instance.root(), (identity,))
    if matches:
        assert verify_bundle(json.dumps(value).encode(), EXPECT, trust, now=NOW).payload == PAYLOAD
    else:
        refused(value, trust, "untrusted-identity")


@pytest.mark.parametrize("subject", ["", "*", "**", "*@*", "*/*"])
def test_an_identity_that_is_anybody_cannot_be_written(subject: str) -> None:
    with pytest.raises(ValueError, match="more than wildcards"):
        TrustedIdentity(subject, TOKENS)


def test_an_authority_without_identities_believes_nobody(instance: Instance) -> None:
    refused(instance.bundle(PAYLOAD, KIND), trust_in(instance.root(), ()), "untrusted-identity")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"usages": (Usage.GATE,)}, "wrong-usage"),
        ({"scopes": ("other",)}, "wrong-scope"),
        ({"not_after": NOW - timedelta(hours=1)}, "key-not-valid"),
    ],
)
def test_an_authority_vouches_only_for_its_usage_scope_and_time(instance: Instance, changes: dict, error: str) -> None:
    refused(instance.bundle(PAYLOAD, KIND), trust_in(instance.root(), **changes), error)


def test_a_revoked_authority_takes_its_signers_with_it(instance: Instance) -> None:
    from safeconduct.capabilities.signing.certificates import fingerprint

    revoked = (Revocation(fingerprint(instance.middle), "compromised"),)
    refused(instance.bundle(PAYLOAD, KIND), trust_in(instance.root(), revoked=revoked), "revoked-key")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "untrusted-certificate"),
        ({"purpose": None}, "untrusted-certificate"),
        ({"sign": False}, "untrusted-certificate"),
        ({"ca": True}, "untrusted-certificate"),
        ({"by": ec.generate_private_key(ec.SECP384R1())}, "untrusted-certificate"),
        ({"logged": False}, "no-certificate-log"),
        ({"certificate_log": Log()}, "no-certificate-log"),
        ({"names": [x509.UniformResourceIdentifier("https://forge.example/evil")]}, "untrusted-identity"),
        ({"names": [x509.UniformResourceIdentifier(SUBJECT), x509.DNSName("b.example")]}, "malformed-certificate"),
        ({"issued": NOW - timedelta(hours=2)}, "certificate-not-valid"),
        ({"issued": NOW}, "certificate-not-valid"),
        ({"issued": NOW - timedelta(days=2)}, "authority-not-valid"),
    ],
)
def test_attacks_10_and_11_a_certificate_that_is_not_a_signer_s_is_refused(
    instance: Instance, how: dict, error: str
) -> None:
    refused(instance.bundle(PAYLOAD, KIND, **how), trust_in(instance.root()), error)


def test_attack_11_a_root_brought_along_is_refused(instance: Instance) -> None:
    from cryptography.hazmat.primitives import serialization

    value = instance.bundle(PAYLOAD, KIND)
    leaf = value["verificationMaterial"].pop("certificate")
    top = {"rawBytes": b64(instance.top.public_bytes(serialization.Encoding.DER))}
    value["verificationMaterial"]["x509CertificateChain"] = {"certificates": [leaf, top]}
    value["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    refused(value, trust_in(instance.root()), "root-in-bundle")
    value["verificationMaterial"]["x509CertificateChain"] = {"certificates": []}
    refused(value, trust_in(instance.root()), "malformed-bundle")


def entry_of(value: dict) -> dict:
    return value["verificationMaterial"]["tlogEntries"][0]


def test_attack_1_an_entry_of_another_signature_is_refused(instance: Instance) -> None:
    """CVE-2022-36056, CVE-2026-22703: each of the two bundles is good by itself."""
    one, two = instance.bundle(PAYLOAD, KIND), instance.bundle(PAYLOAD, KIND)
    one["verificationMaterial"]["tlogEntries"], two["verificationMaterial"]["tlogEntries"] = (
        two["verificationMaterial"]["tlogEntries"],
        one["verificationMaterial"]["tlogEntries"],
    )
    trust = trust_in(instance.root())
    refused(one, trust, "wrong-log-entry")
    refused(two, trust, "wrong-log-entry")


def test_attack_2_an_integrated_time_without_the_log_s_promise_proves_nothing(instance: Instance) -> None:
    value, trust = instance.bundle(PAYLOAD, KIND), trust_in(instance.root())
    entry_of(value)["integratedTime"] = str(int(entry_of(value)["integratedTime"]) + 1)
    refused(value, trust, "bad-log-promise")
    del entry_of(value)["inclusionPromise"]
    refused(value, trust, "no-trusted-time")


def test_attack_3_of_several_times_none_may_lie_outside_the_certificate(instance: Instance) -> None:
    value, trust = instance.bundle(PAYLOAD, KIND), trust_in(instance.root())
    late = json.loads(json.dumps(entry_of(value)))
    late["integratedTime"] = str(int(NOW.timestamp()) - 30 * 60)
    late["inclusionPromise"] = {"signedEntryTimestamp": b64(instance.promise(late))}
    value["verificationMaterial"]["tlogEntries"].append(late)
    refused(value, trust, "certificate-not-valid")


def test_attack_5_a_time_to_come_is_refused_by_the_second(instance: Instance) -> None:
    value, trust = instance.bundle(PAYLOAD, KIND, at=NOW), trust_in(instance.root())
    refused(value, trust, "time-to-come", NOW - timedelta(seconds=1))
    assert verify_bundle(json.dumps(value).encode(), EXPECT, trust, now=NOW).signed_at == NOW


def test_attack_7_more_entries_than_anybody_needs_are_refused(instance: Instance) -> None:
    value = instance.bundle(PAYLOAD, KIND)
    value["verificationMaterial"]["tlogEntries"] *= 33
    refused(value, trust_in(instance.root()), "malformed-bundle")


@pytest.mark.parametrize(
    ("field", "new", "error"),
    [
        ("logIndex", "0", "bad-inclusion-proof"),
        ("logIndex", "2", "bad-inclusion-proof"),
        ("treeSize", "3", "bad-inclusion-proof"),
        ("treeSize", "1", "bad-inclusion-proof"),
        ("hashes", [], "bad-inclusion-proof"),
        ("hashes", [b64(bytes(32))], "bad-inclusion-proof"),
        ("hashes", [b64(bytes(32))] * 65, "malformed-bundle"),
        ("rootHash", b64(bytes(32)), "bad-inclusion-proof"),
        ("checkpoint", {}, "malformed-checkpoint"),
        ("checkpoint", {"envelope": "log.example - 1\n2\n\n"}, "malformed-checkpoint"),
    ],
)
def test_attack_8_an_inclusion_proof_of_something_else_is_refused(
    instance: Instance, field: str, new: object, error: str
) -> None:
    value = instance.bundle(PAYLOAD, KIND)
    entry_of(value)["inclusionProof"][field] = new
    refused(value, trust_in(instance.root()), error)


def test_attack_8_a_checkpoint_must_be_this_log_s_over_this_tree(instance: Instance) -> None:
    import base64

    value, trust = instance.bundle(PAYLOAD, KIND), trust_in(instance.root())
    proof = entry_of(value)["inclusionProof"]
    whole, root = proof["checkpoint"]["envelope"], base64.b64decode(proof["rootHash"])
    proof["checkpoint"] = {"envelope": instance.checkpoint(root, 3)}
    refused(value, trust, "bad-checkpoint")
    proof["checkpoint"] = {"envelope": instance.checkpoint(bytes(32), 2)}
    refused(value, trust, "bad-checkpoint")
    proof["checkpoint"] = {"envelope": whole.replace("log.example - 1", "log.example - 2")}
    refused(value, trust, "bad-checkpoint")
    proof["checkpoint"] = {"envelope": Instance(NOW).checkpoint(root, 2)}
    refused(value, trust, "bad-checkpoint")
    proof["checkpoint"] = {"envelope": instance.checkpoint(root, 2, origin="")}
    refused(value, trust, "malformed-checkpoint")


def test_attack_12_a_log_that_the_root_does_not_name_is_not_asked_for_its_key(instance: Instance) -> None:
    value = instance.bundle(PAYLOAD, KIND)
    refused(value, trust_in(instance.root(tlogs=[Log().described(instance.start)])), "untrusted-log")


def test_a_log_counts_only_for_its_own_time(instance: Instance) -> None:
    ended = instance.log.described(instance.start, NOW - timedelta(hours=1))
    refused(instance.bundle(PAYLOAD, KIND), trust_in(instance.root(tlogs=[ended])), "log-not-valid")


def test_what_a_root_names_is_wanted_of_every_bundle(instance: Instance) -> None:
    value = instance.bundle(PAYLOAD, KIND)
    value["verificationMaterial"]["tlogEntries"] = []
    refused(value, trust_in(instance.root()), "no-log-entry")
    refused(value, trust_in(instance.root(tlogs=[])), "no-trusted-time")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "null",
        '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{}]}',
        '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.9"}',
    ],
)
def test_a_trusted_root_that_cannot_be_wholly_read_is_refused(text: str) -> None:
    from safeconduct.capabilities.signing.trusted_root import read_trusted_root

    with pytest.raises(Refused, match="malformed-trusted-root"):
        read_trusted_root(text)


def test_a_window_without_start_is_not_read_as_for_ever(instance: Instance) -> None:
    from safeconduct.capabilities.signing.trusted_root import read_trusted_root

    log = instance.log.described(instance.start)
    del log["publicKey"]["validFor"]["start"]
    with pytest.raises(Refused, match="malformed-trusted-root"):
        read_trusted_root(instance.root(tlogs=[log]))


def test_bundles_of_version_0_1_count_only_where_the_operator_says_so(instance: Instance) -> None:
    """Attack 21: a downgrade of the format."""
    value = instance.bundle(PAYLOAD, KIND)
    value["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    refused(value, trust_in(instance.root()), "outdated-bundle")
    trust = trust_in(instance.root(), legacy=True)
    assert verify_bundle(json.dumps(value).encode(), EXPECT, trust, now=NOW).time_source == "log"


def test_hostile_bundles_are_refused_and_never_crash(instance: Instance) -> None:
    whole = json.dumps(instance.bundle(PAYLOAD, KIND)).encode()
    trust = trust_in(instance.root())
    for place in range(0, len(whole), 41):
        for data in (whole[:place], whole[:place] + b"9" + whole[place + 1 :], whole[:place] + b"]" + whole[place:]):
            try:
                verify_bundle(data, EXPECT, trust, now=NOW)
            except Refused:
                continue
            value = json.loads(data)
            assert value["dsseEnvelope"] == json.loads(whole)["dsseEnvelope"]
