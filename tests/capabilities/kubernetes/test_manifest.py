import json
import tarfile

import pytest
import zstandard

from safeconduct.capabilities.kubernetes.manifest import read_manifest
from safeconduct.capabilities.kubernetes.review import read_review
from safeconduct.capabilities.kubernetes.workload import image_uses
from safeconduct.foundation.errors import Refused

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, creationTimestamp: 2026-01-01T00:00:00Z, annotations: {1: "yes"}}
spec:
  containers:
  - name: web
    image: reg.local/team/app:1.0
    args: [on, 0x10, ~]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: prod}
spec: {template: {spec: {containers: [{name: shop, image: "reg.local/shop:2"}]}}}
"""


def test_each_object_of_a_file_becomes_a_review_as_a_server_sends_it():
    first, second = (read_review(data).request for data in read_manifest(POD.encode()))
    assert [use.image for use in (*image_uses(first), *image_uses(second))] == [
        "reg.local/team/app:1.0",
        "reg.local/shop:2",
    ]
    assert (first.operation, first.namespace, first.name, first.dry_run) == ("CREATE", "default", "web", True)
    assert (str(second.kind), second.resource.resource, second.namespace) == ("apps/Deployment", "deployments", "prod")
    assert first.uid != second.uid
    assert read_manifest(POD.encode()) == read_manifest(POD.encode())


def test_yaml_is_read_as_kubernetes_reads_it():
    body = json.loads(read_manifest(POD.encode())[0])["request"]["object"]
    assert body["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert body["metadata"]["annotations"] == {"1": "yes"}
    assert body["spec"]["containers"][0]["args"] == [True, 16, None]


def test_a_list_is_opened():
    body = {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}] * 3}
    assert len(read_manifest(json.dumps(body).encode())) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n---\n",
        "just text",
        "kind: Pod",
        "apiVersion: v1\nkind: Pod\nmetadata: 5",
        "apiVersion: v1\nkind: Pod\nkind: Secret",
        "apiVersion: v1\nkind: Pod\nspec: {1: a, '1': b}",
        "apiVersion: v1\nkind: Pod\nspec: {a: &x [1], b: *x}",
        "apiVersion: v1\nkind: Pod\nspec: !!python/object/apply:os.system [id]",
        "apiVersion: v1\nkind: Pod\nspec: !!binary aGk=",
        "apiVersion: v1\nkind: Pod\nspec: .nan",
        "apiVersion: v1\nkind: Pod\nspec: {? [a] : b}",
        "apiVersion: v1\nkind: Pod\nspec: " + "[" * 100 + "]" * 100,
        "[" * 20_000,
        "apiVersion: v1\nkind: Pod\nspec: \x00",
    ],
    ids=range(15),
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(text):
    with pytest.raises(Refused) as caught:
        read_manifest(text.encode())
    assert caught.value.id == "bad-manifest-file"


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(Refused, match="bad-manifest-file"):
        read_manifest(b"\xff\xfe\x00")


def test_real_workload_files_of_others_become_reviews(shared_data):
    read = images = 0
    refused: list[str] = []
    with (shared_data / "kubernetes/workloads.tar.zst").open("rb") as packed:
        stream = zstandard.ZstdDecompressor().stream_reader(packed)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if not member.name.endswith((".yaml", ".yml")):
                    continue
                file = archive.extractfile(member)
                assert file is not None
                try:
                    reviews = [read_review(data).request for data in read_manifest(file.read())]
                    images += sum(len(image_uses(asked)) for asked in reviews)
                    read += 1
                except Refused as error:
                    refused.append(error.id)
    assert read > 400
    assert images > 300
    assert len(refused) < 0.1 * read
    assert set(refused) == {"bad-manifest-file", "bad-review"}
