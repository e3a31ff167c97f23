"""Signing by certificate: bundles of other programs verified in process, cold and warm, and gitsign commits."""

import random

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import suites_signing as suites
from figures import Figure
from kept import data_folder
from measure import cpu_of_many, peak_memory
from safeconduct.capabilities.signing import certificate_log, certificates
from safeconduct.capabilities.signing.bundle import MessageSignature, read_bundle
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.capabilities.signing.verify import verify_bundle
from safeconduct.foundation.errors import Refused
from safeconduct.model.commit import CommitState

MOST = 40
ECDSA = ec.ECDSA(hashes.SHA256())


def figures() -> list[Figure]:
    data = data_folder()
    bundles = _bundles(suites.members(data, "signatures"), suites.entries(data))

    def verify_all() -> None:
        for body, trust in bundles:
            verify_bundle(body, suites.EXPECT, trust, now=suites.NOW)

    def verify_cold() -> None:
        _forget()
        verify_all()

    cold, warm = cpu_of_many(verify_cold, 3), cpu_of_many(verify_all, 5)
    count = len(bundles)
    context = f"{count} bundles of public-good sigstore, 0.2 and 0.3, when one P-256 check took {_p256():.0f} µs"
    return [
        Figure(
            "signing.keyless.cold.cpu", cold.median / count * 1e6, "µs", "<= 2000",
            f"{context}; both P-384 links of the chain each time; {cold.text()} for all",
        ),
        Figure(
            "signing.keyless.warm.cpu", warm.median / count * 1e6, "µs", "<= 500",
            f"{context}; the chain of the same certificate kept; {warm.text()} for all",
        ),
        *_gitsign(),
        Figure("signing.keyless.memory", peak_memory(), "MiB", "", "peak of the process"),
    ]  # fmt: skip


def _p256() -> float:
    """Return the microseconds of one ECDSA P-256 verification now: a bundle has four, and machines differ."""
    key = ec.generate_private_key(ec.SECP256R1())
    signature, public = key.sign(b"x", ECDSA), key.public_key()
    return cpu_of_many(lambda: public.verify(signature, b"x", ECDSA), 200).median * 1e6


def _forget() -> None:
    certificates.forget()
    certificate_log.forget()


def _bundles(files: dict[str, bytes], entries: list[dict[str, str]]) -> list[tuple[bytes, TrustStore]]:
    """Return statements' bundles that verify under the public root alone, in a fixed order of chance."""
    root = files[suites.PUBLIC_ROOT].decode()
    found = []
    for entry in entries:
        body = files[entry["name"]]
        trust = suites.trust_in([root], tuple(suites.identities_in(body)))
        try:
            bundle = read_bundle(body)
            if isinstance(bundle.content, MessageSignature) or bundle.version == "0.1":
                continue
            verify_bundle(body, suites.EXPECT, trust, now=suites.NOW)
        except Refused:
            continue
        found.append((body, trust))
    random.Random(3).shuffle(found)
    return found[:MOST]


def _gitsign() -> list[Figure]:
    data = data_folder()
    trust = suites.git_trust(data)
    lines = [x for x in suites.git_lines(data) if x["signature"] == "x509" and suites.has_log_entry(x)]

    def judge() -> None:
        _forget()
        for line in lines:
            if suites.judge_git(line, trust).state is not CommitState.VERIFIED:
                raise RuntimeError("a gitsign commit does not verify")

    spread = cpu_of_many(judge, 3)
    context = f"{len(lines)} commits and tags with log entries, cold; {spread.text()} for all"
    return [Figure("signing.gitsign.cpu", spread.median / len(lines) * 1e6, "µs", "<= 2500", context)]
