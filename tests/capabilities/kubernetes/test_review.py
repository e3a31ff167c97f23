import base64
import json
import random

import pytest

from safeconduct.capabilities.kubernetes.review import (
    allow,
    could_not_tell,
    deny,
    encode_answer,
    read_review,
)
from safeconduct.foundation.errors import Refused
from safeconduct.model.limits import LIMITS

UID = "0c524bcb-d431-4a4c-bd24-073c6169d384"


def review(**fields):
    request = {"uid": UID, "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE"}
    return json.dumps(
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request} | fields
    ).encode()


def test_every_recorded_review_is_read(shared_data):
    files = sorted((shared_data / "kubernetes/admission").glob("*.json"))
    assert len(files) == 18
    for file in files:
        read = read_review(file.read_bytes())
        version, number, operation, kind, _ = file.name.split("-", 4)
        assert (read.request.operation, read.request.kind.kind) == (operation, kind), (version, number)
        assert read.request.uid


@pytest.mark.parametrize("version", ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"])
def test_a_review_is_answered_in_its_own_version(version):
    read = read_review(review(apiVersion=version))
    answer = json.loads(encode_answer(read.api_version, read.request.uid, allow()))
    assert answer == {"apiVersion": version, "kind": "AdmissionReview", "response": {"uid": UID, "allowed": True}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        review(apiVersion="admission.k8s.io/v2"),
        review(kind="Pod"),
        review(request=None),
        review(request={"uid": ""}),
        review(request={"uid": 5}),
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x","object":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}}",
        b" " * (LIMITS.review + 1),
    ],
    ids=range(12),
)
def test_what_is_no_review_is_refused(body):
    with pytest.raises(Refused) as caught:
        read_review(body)
    assert caught.value.id == "bad-review"


def test_damaged_reviews_are_refused_or_read_and_never_crash(shared_data):
    whole = (shared_data / "kubernetes/admission/1.36.2-001-CREATE-Pod-main.json").read_bytes()
    chosen = random.Random(3)
    refused = set()
    for _ in range(500):
        data = bytearray(whole[: chosen.randrange(1, len(whole))] if chosen.random() < 0.3 else whole)
        for _ in range(chosen.randrange(4)):
            data[chosen.randrange(len(data))] = chosen.randrange(256)
        try:
            read_review(bytes(data))
        except Refused as error:
            refused.add(error.id)
    assert refused == {"bad-review"}


def test_a_patch_goes_out_as_base64():
    response = json.loads(encode_answer("admission.k8s.io/v1", UID, allow(patch=b"[]")))["response"]
    assert (response["patchType"], base64.b64decode(response["patch"])) == ("JSONPatch", b"[]")


def test_no_is_403_and_could_not_tell_is_503_with_retry():
    no = json.loads(encode_answer("admission.k8s.io/v1", UID, deny("unsigned")))["response"]
    assert not no["allowed"]
    assert no["status"] == {"status": "Failure", "message": "unsigned", "reason": "Forbidden", "code": 403}
    unsure = json.loads(encode_answer("admission.k8s.io/v1", UID, could_not_tell("no data")))["response"]
    assert not unsure["allowed"]
    assert unsure["status"]["code"] == 503
    assert "retry" in unsure["status"]["message"]


def test_foreign_text_in_an_answer_is_shortened_and_printable():
    answer = deny("\x1b[31m" + "x" * 10_000, warnings=("w" * 1_000,) * 100, audit={"digest": "\x00"})
    response = json.loads(encode_answer("admission.k8s.io/v1", UID, answer))["response"]
    assert "\x1b" not in response["status"]["message"]
    assert len(response["status"]["message"]) == 4_096
    assert [len(warning) for warning in response["warnings"]] == [256] * 8
    assert response["auditAnnotations"] == {"digest": "\ufffd"}
