"""Other people's suites: passed, failed, absent (a case that needs what we cannot do yet, and do refuse).

    python bench/conformance.py [--json] [--failed]

Ends with 1 when a suite passes less than its floor in floors.json.
"""

import argparse
import base64
import json
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import zstandard
from cryptography.hazmat.primitives.asymmetric import ec

from figures import Figure, tell
from floors import below, with_floors
from kept import data_folder
from measure import Absent
from safeconduct.capabilities.kubernetes.review import allow, encode_answer, read_review
from safeconduct.capabilities.sbom import cyclonedx
from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.dsse import encode_pae
from safeconduct.foundation.errors import Refused, SafeconductError
from suites_signing import documents, git_cases, sigstore_cases, subject_cases

PASSED, FAILED, ABSENT = "passed", "failed", "absent"


class Result(NamedTuple):
    """One case of a suite and how it went."""

    suite: str
    case: str
    answer: str
    why: str = ""


def main(arguments: Sequence[str]) -> int:
    """Print and write the counts of each suite; return 1 when one is below its floor."""
    parser = argparse.ArgumentParser(description="Measure other people's suites: passed, failed, absent.")
    parser.add_argument("--json", action="store_true", help="print the written document instead of the table")
    parser.add_argument("--failed", action="store_true", help="name the cases that failed on standard error")
    asked = parser.parse_args(arguments)
    results, missing = [], []
    for suite in SUITES:
        try:
            results += suite()
        except Absent as absent:
            missing.append(str(absent))
    figures = with_floors([_head(results, missing), *_counts(results)])
    tell("conformance", figures, as_json=asked.json)
    for result in results if asked.failed else ():
        if result.answer == FAILED:
            print(f"{result.suite}: {result.case}: {result.why}", file=sys.stderr)
    for name in below(figures):
        print(f"below its floor: {name}", file=sys.stderr)
    return 1 if below(figures) else 0


def _head(results: Sequence[Result], missing: Sequence[str]) -> Figure:
    count = len({result.suite for result in results})
    return Figure("conformance.suites", count, "suites", "", "; ".join([f"{count} suites", *sorted(set(missing))]))


def _counts(results: Sequence[Result]) -> list[Figure]:
    figures = []
    for suite in dict.fromkeys(result.suite for result in results):
        mine = [result for result in results if result.suite == suite]
        counts = Counter(result.answer for result in mine)
        reasons = Counter(result.why for result in mine if result.answer == ABSENT)
        why = "".join(f"; absent: {text} ({number})" for text, number in reasons.most_common(2))
        for answer in (PASSED, FAILED, ABSENT):
            context = f"of {len(mine)} cases{why if answer == ABSENT else ''}"
            figures.append(Figure(f"conformance.{suite}.{answer}", counts[answer], "cases", "", context))
    return figures


def _cyclonedx() -> Iterator[Result]:
    """The CycloneDX specification's own documents; a valid one is read, an invalid one is refused."""
    expected = {e["name"]: e.get("expect") for e in _index("sbom") if e["tar"] == "sbom/conformance.tar.zst"}
    for name, data in _members("sbom/conformance.tar.zst"):
        expect = expected.get(name)
        if expect not in {"valid", "invalid"}:
            continue
        suite = f"cyclonedx.{expect}"
        if not name.endswith(".json"):
            yield Result(suite, name, ABSENT, f"{PurePosixPath(name).suffix[1:]} is not read")
            continue
        try:
            cyclonedx.read(data)
        except Refused as error:
            yield Result(suite, name, PASSED if expect == "invalid" else FAILED, error.why)
        except SafeconductError as error:
            yield Result(suite, name, ABSENT, error.id)
        else:
            yield Result(suite, name, PASSED if expect == "valid" else FAILED, "it was read")


def _admission() -> Iterator[Result]:
    """Reviews recorded from real API servers and by others: decoded and answered; what is none is refused."""
    recorded = sorted((data_folder() / "kubernetes" / "admission").glob("*-main.json"))
    recorded += sorted((data_folder() / "kubernetes" / "admission").glob("*-e*.json"))
    for file in recorded:
        yield _review("admission.recorded", file.name, file.read_bytes())
    for name, data in _members("kubernetes/admission.tar.zst"):
        yield _review("admission.others", name, data)


def _review(suite: str, name: str, data: bytes) -> Result:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    wanted = (
        isinstance(value, dict) and value.get("kind") == "AdmissionReview" and "uid" in (value.get("request") or {})
    )
    try:
        review = read_review(data)
    except Refused as error:
        return Result(suite, name, FAILED if wanted else PASSED, error.why)
    answer = json.loads(encode_answer(review.api_version, review.request.uid, allow()))
    same = (
        wanted and answer["response"]["uid"] == value["request"]["uid"] and answer["apiVersion"] == value["apiVersion"]
    )
    return Result(suite, name, PASSED if same else FAILED, "" if same else "it was taken for a review")


def _signatures() -> Iterator[Result]:
    """Sigstore's client suite, and signed documents and git objects against their committed expectations."""
    for suite in (sigstore_cases, documents, subject_cases, git_cases):
        for case in suite(data_folder()):
            yield Result(case.suite, case.case, PASSED if case.passed else FAILED, case.why)


def _dsse() -> Iterator[Result]:
    """The test vector of the DSSE specification (protocol.md): pre-authentication encoding and signature."""
    payload_type, payload = "http://example.com/HelloWorld", b"hello world"
    encoded = encode_pae(payload_type, payload)
    right = encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    yield Result("dsse", "pre-authentication encoding", PASSED if right else FAILED, repr(encoded))
    key = ec.EllipticCurvePublicNumbers(_X, _Y, ec.SECP256R1()).public_key()
    signature = base64.b64decode(_SIGNATURE)
    yield Result("dsse", "signature", *_verified(key, signature, encoded, wanted=True))
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    yield Result("dsse", "signature with a flipped bit", *_verified(key, flipped, encoded, wanted=False))


def _verified(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, *, wanted: bool) -> tuple[str, str]:
    try:
        public_keys.verify_signature(key, signature, message)
    except Refused as error:
        return FAILED if wanted else PASSED, f"{error.what}: {error.why}"
    return PASSED if wanted else FAILED, ""


_X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
_Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
_SIGNATURE = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="

SUITES: tuple[Callable[[], Iterator[Result]], ...] = (_cyclonedx, _admission, _signatures, _dsse)


def _index(folder: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((data_folder() / folder / "index.json").read_text("utf-8"))
    return entries


def _members(path: str) -> Iterator[tuple[str, bytes]]:
    with (
        (data_folder() / path).open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        tarfile.open(fileobj=plain, mode="r|") as archive,
    ):
        for member in archive:
            held = archive.extractfile(member)
            if held is not None:
                yield member.name, held.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
