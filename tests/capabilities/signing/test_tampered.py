"""Every verified bundle of other programs, with one part changed: refused, and the reason names that part."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from safeconduct.capabilities.signing.bundle import Bundle, MessageSignature, read_bundle
from safeconduct.capabilities.signing.dsse import Signature
from safeconduct.capabilities.signing.verify import Expectation, verify_read, verify_read_artifact
from safeconduct.foundation.errors import Refused
from safeconduct.model.identity import Usage

BENCH = Path(__file__).resolve().parents[3] / "bench"
replace = msgspec.structs.replace
NAMED = {
    "payload": {"bad-signature"},
    "signature": {"bad-signature"},
    "certificate": {"untrusted-certificate", "malformed-certificate"},
    "promise": {"bad-log-promise"},
    "time": {"bad-log-promise"},
    "proof": {"bad-inclusion-proof"},
    "checkpoint": {"bad-checkpoint", "malformed-checkpoint"},
    "timestamp": {"bad-timestamp"},
}


@pytest.fixture(scope="module")
def suites():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        import suites_signing

        yield suites_signing


@pytest.fixture(scope="module")
def verified(suites, shared_data) -> list:
    """Bundles that verify, each with its bytes and the trust store under which it does."""
    files = suites.members(shared_data, "signatures")
    roots = [files[name].decode() for name in suites.ROOTS]
    found = []
    for entry in suites.entries(shared_data):
        body = files[entry["name"]]
        try:
            bundle = read_bundle(body)
        except Refused:
            continue
        trust = suites.trust_in(roots, tuple(suites.identities_in(body)))
        if answer(suites, bundle, trust) == "":
            found.append((bundle, trust, tuple(suites.identities_in(body))))
    assert len(found) > 95
    return found


def answer(suites, bundle: Bundle, trust) -> str:
    """Return the id of the error, nothing where it verifies."""
    try:
        if isinstance(bundle.content, MessageSignature):
            expect = Expectation(Usage.BUILD, suites.REPOSITORY, "")
            verify_read_artifact(bundle, f"sha256:{bundle.content.digest.hex()}", expect, trust, now=suites.NOW)
        else:
            expect = Expectation(Usage.BUILD, suites.REPOSITORY, bundle.content.payload_type)
            verify_read(bundle, expect, trust, now=suites.NOW)
    except Refused as error:
        return error.id
    return ""


def flipped(data: bytes, place: int = -9) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def tampered(bundle: Bundle) -> Iterator[tuple[str, Bundle]]:
    """Yield the bundle with one part changed, and the part's name."""
    content = bundle.content
    if isinstance(content, MessageSignature):
        changed = replace(content, digest=flipped(content.digest))
        yield "payload", replace(bundle, content=changed)
        yield "signature", replace(bundle, content=replace(content, signature=flipped(content.signature)))
    else:
        yield "payload", replace(bundle, content=replace(content, payload=flipped(content.payload)))
        signature = Signature(flipped(content.signatures[0].sig), content.signatures[0].keyid)
        yield "signature", replace(bundle, content=replace(content, signatures=(signature,)))
    yield "certificate", replace(bundle, certificates=(flipped(bundle.certificates[0]), *bundle.certificates[1:]))
    if bundle.timestamps and not any(entry.promise for entry in bundle.entries):
        yield "timestamp", replace(bundle, timestamps=(flipped(bundle.timestamps[0]),))
    for part, entry in _entries(bundle):
        yield part, replace(bundle, entries=(entry,))


def _entries(bundle: Bundle) -> Iterator[tuple[str, object]]:
    if len(bundle.entries) != 1:
        return
    entry = bundle.entries[0]
    if entry.promise:
        yield "promise", replace(entry, promise=flipped(entry.promise))
        yield "time", replace(entry, integrated_time=entry.integrated_time ^ 1)
    proof = entry.proof
    if proof is not None and proof.hashes:
        yield "proof", replace(entry, proof=replace(proof, hashes=(flipped(proof.hashes[0]), *proof.hashes[1:])))
    if proof is not None and proof.checkpoint:
        place = proof.checkpoint.index("\n\n") - 9  # in the root, which the log's signature covers
        other = "B" if proof.checkpoint[place] == "A" else "A"
        text = proof.checkpoint[:place] + other + proof.checkpoint[place + 1 :]
        yield "checkpoint", replace(entry, proof=replace(proof, checkpoint=text))


def test_a_change_is_refused_and_the_reason_names_the_part(suites, verified) -> None:
    wrong, counts = [], Counter()
    for bundle, trust, _ in verified:
        for part, changed in tampered(bundle):
            counts[part] += 1
            got = answer(suites, changed, trust)
            if got not in NAMED[part]:
                wrong.append((part, got))
    assert wrong == []
    assert counts["payload"] == counts["signature"] == counts["certificate"] == len(verified)
    assert min(counts[part] for part in ("promise", "time", "proof", "checkpoint")) > 60


def test_log_entries_swapped_between_any_two_are_refused(suites, verified) -> None:
    wrong = []
    for number, (bundle, trust, _) in enumerate(verified):
        for other, _, _ in verified[number + 1 : number + 30]:
            if bundle.entries and other.entries and bundle.signature != other.signature:
                got = answer(suites, replace(bundle, entries=other.entries), trust)
                if got not in {"wrong-log-entry", "untrusted-log"}:
                    wrong.append(got)
    assert wrong == []


@pytest.mark.parametrize("field", ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"])
def test_what_is_taken_from_a_root_changes_exactly_what_rests_on_it(suites, verified, shared_data, field: str) -> None:
    """One root, each of its parts of one kind replaced by a stranger's, and all bundles asked again."""
    import json

    files = suites.members(shared_data, "signatures")
    root, stranger = (json.loads(files[suites.ROOTS[n]]) for n in (0, 2))
    without = json.dumps({**root, field: stranger[field]})
    changed = rested = 0
    for bundle, _, identities in verified:
        before = answer(suites, bundle, suites.trust_in([json.dumps(root)], identities))
        after = answer(suites, bundle, suites.trust_in([without], identities))
        if before:
            continue  # it rests on another root
        rested += 1
        changed += after != before
        if after:
            assert after in REASONS[field], after
    assert rested > 80
    assert changed == (
        sum(bool(b.timestamps) and not b.entries[0].promise for b, _, _ in rest_on(suites, verified, root))
        if field == "timestampAuthorities"
        else rested
    )


REASONS = {
    "tlogs": {"untrusted-log"},
    "certificateAuthorities": {"untrusted-certificate", "root-in-bundle"},
    "ctlogs": {"no-certificate-log"},
    "timestampAuthorities": {"untrusted-timestamp", "no-trusted-time"},
}


def rest_on(suites, verified, root) -> list:
    import json

    return [v for v in verified if not answer(suites, v[0], suites.trust_in([json.dumps(root)], v[2]))]
