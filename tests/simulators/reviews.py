"""Admission reviews of our own, for what no API server was recorded sending."""

import json


def pod_review(image: str, **request: object) -> bytes:
    """Return a review of a new Pod with one container."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}
    pod["spec"] = {"containers": [{"name": "c", "image": image}]}
    asked = {"uid": "6e1c", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "name": "p", "namespace": "default"}
    asked |= {"resource": {"group": "", "version": "v1", "resource": "pods"}, "operation": "CREATE"}
    asked |= {"userInfo": {"username": "u"}, "object": pod, "dryRun": False} | request
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": asked}).encode()
