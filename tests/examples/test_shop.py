"""The example shop works, its lock files agree, and its faults are exactly those that are meant."""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SHOP = EXAMPLES / "shop"
FAULTS = EXAMPLES / "shop-faults"
STREAMS = json.loads((EXAMPLES / "events" / "clusters.json").read_text("utf-8"))


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def npm_packages() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = load(SHOP / "storefront" / "package-lock.json")["packages"]
    return {path.rsplit("node_modules/", 1)[1]: entry for path, entry in packages.items() if path}


def uv_packages() -> dict[str, dict[str, Any]]:
    packages = tomllib.loads((SHOP / "checkout" / "uv.lock").read_text("utf-8"))["package"]
    return {entry["name"]: entry for entry in packages if "virtual" not in entry["source"]}


def pins(requirements: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", requirements.read_text("utf-8"), re.MULTILINE))


def changed_lines(good: Path, faulty: Path) -> tuple[list[str], list[str]]:
    lines = list(difflib.ndiff(good.read_text("utf-8").splitlines(), faulty.read_text("utf-8").splitlines()))
    return [x[2:].strip() for x in lines if x[0] == "-"], [x[2:].strip() for x in lines if x[0] == "+"]


def test_the_service_passes_its_own_tests() -> None:
    """Those of its web face skip themselves where its dependencies are not installed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=SHOP / "checkout",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_the_front_end_passes_its_own_tests() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    major = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0]
    if int(major) < 20:
        pytest.skip(f"node {major} is older than the 20 that the front end asks for")
    command = [node, "--test", "test/shelf.test.js", "test/server.test.js"]
    done = subprocess.run(command, cwd=SHOP / "storefront", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_npm_lock_names_the_public_registry_and_a_hash_for_every_package() -> None:
    packages = npm_packages()
    assert len(packages) > 30
    for name, entry in packages.items():
        assert entry["resolved"].startswith(f"https://registry.npmjs.org/{name}/-/"), name
        assert entry["integrity"].startswith("sha512-"), name


def test_the_python_lock_names_the_public_registry_only() -> None:
    text = (SHOP / "checkout" / "uv.lock").read_text("utf-8")
    hosts = {urlsplit(url).hostname for url in re.findall(r'"(https?://[^"]+)"', text)}
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_requirements_are_the_runtime_part_of_the_lock() -> None:
    locked = {name: entry["version"] for name, entry in uv_packages().items()}
    pinned = pins(SHOP / "checkout" / "requirements.txt")
    assert pinned.items() <= locked.items()
    assert locked.keys() - pinned.keys() == {"colorama", "iniconfig", "packaging", "pluggy", "pygments", "pytest"}


def test_every_requirement_is_pinned_and_hashed() -> None:
    text = (SHOP / "checkout" / "requirements.txt").read_text("utf-8")
    logical = [x for x in text.replace("\\\n", " ").splitlines() if x.strip() and not x.lstrip().startswith("#")]
    assert logical
    assert all("==" in line and "--hash=sha256:" in line for line in logical)


@pytest.mark.parametrize("folder", ["feed", "feed-later"])
def test_the_feed_speaks_for_every_locked_package_and_no_other(folder: str) -> None:
    names = {f"pkg:npm/{name}" for name in npm_packages()} | {f"pkg:pypi/{name}" for name in uv_packages()}
    assert set(load(EXAMPLES / folder / "feed.json")["covers"]) == names


@pytest.mark.parametrize("folder", ["feed", "feed-later"])
def test_advisories_are_named_after_their_file_and_affect_covered_packages(folder: str) -> None:
    covers = set(load(EXAMPLES / folder / "feed.json")["covers"])
    files = [path for path in (EXAMPLES / folder).glob("*.json") if path.name != "feed.json"]
    assert files
    for path in files:
        advisory = load(path)
        assert advisory["id"] == path.stem
        assert {affected["package"]["purl"] for affected in advisory["affected"]} <= covers


def test_the_invented_advisory_says_that_it_is_invented_and_hits_a_locked_transitive_package() -> None:
    advisory = load(EXAMPLES / "feed-later" / "SHOP-2026-0001.json")
    assert advisory["summary"].startswith("DEMO INVENTION")
    assert advisory["database_specific"] == {"invented": True}
    assert not advisory["aliases"]
    assert npm_packages()["object-inspect"]["version"] == "1.13.4"
    direct = load(SHOP / "storefront" / "package.json")["dependencies"]
    assert "object-inspect" not in direct


def test_the_unpinned_requirement_is_the_only_fault_of_its_file() -> None:
    path = Path("checkout") / "requirements.txt"
    good, faulty = changed_lines(SHOP / path, FAULTS / path)
    assert faulty == ["requests>=2.32"]
    assert good[0].startswith("requests==")
    assert all(line.startswith("--hash=sha256:") for line in good[1:])


def test_the_vulnerable_package_is_the_only_fault_of_its_file() -> None:
    path = Path("storefront") / "package-lock.json"
    good, faulty = changed_lines(SHOP / path, FAULTS / path)
    assert [line.split(":")[0] for line in good] == ['"version"', '"resolved"', '"integrity"']
    assert [line.split(":")[0] for line in faulty] == ['"version"', '"resolved"', '"integrity"']
    assert faulty[0] == '"version": "1.2.5",'
    assert good[0] == '"version": "1.2.6",'


def test_the_faults_lie_over_files_of_the_shop() -> None:
    over = {path.relative_to(FAULTS) for path in FAULTS.rglob("*") if path.is_file()} - {Path("README.md")}
    assert over == {Path("checkout/requirements.txt"), Path("storefront/package-lock.json")}
    assert all((SHOP / path).is_file() for path in over)


def test_image_pod_and_build_table_speak_of_one_product() -> None:
    settings = tomllib.loads((SHOP / "safeconduct.toml").read_text("utf-8"))
    product, build = settings["product"], settings["build"]
    image = f"{product['repository']}:{product['version']}"
    assert f"image: {image}" in (SHOP / "k8s" / "pod.yaml").read_text("utf-8")
    dockerfile = (SHOP / "Dockerfile").read_text("utf-8")
    for copy in build["copies"]:
        assert (SHOP / copy["from"]).is_dir()
        assert f"COPY {copy['from']} {copy['to']}" in dockerfile
    assert f"ENTRYPOINT {json.dumps(build['config']['entrypoint'])}" in dockerfile


@pytest.mark.parametrize("stream", STREAMS, ids=[entry["cluster"] for entry in STREAMS])
def test_each_watch_stream_is_pods_of_the_release_that_start_and_run(stream: dict[str, str]) -> None:
    lines = (EXAMPLES / "events" / stream["stream"]).read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert {event["type"] for event in events} == {"ADDED", "MODIFIED", "BOOKMARK"}
    running = [event["object"] for event in events if event["type"] == "MODIFIED"]
    for pod in running:
        status = pod["status"]["containerStatuses"][0]
        assert status["imageID"] == "shop.example/shop/checkout@@DIGEST@"
        assert re.fullmatch(r"containerd://[0-9a-f]{64}", status["containerID"])


def test_the_alert_names_a_container_that_a_stream_reported() -> None:
    fields = load(EXAMPLES / "events" / "falco.json")["output_fields"]
    lines = (EXAMPLES / "events" / "prod-eu-1.pods.ndjson").read_text("utf-8").splitlines()
    pods = [json.loads(line)["object"] for line in lines]
    ids = {
        status.get("containerID", ""): (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in pods
        for status in pod["status"].get("containerStatuses", [])
    }
    assert ids["containerd://" + fields["container.full_id"]] == (fields["k8s.ns.name"], fields["k8s.pod.name"])
    assert fields["container.full_id"].startswith(fields["container.id"])
