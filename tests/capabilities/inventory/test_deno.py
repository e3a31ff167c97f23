"""deno.lock."""

from pathlib import Path

from safeconduct.capabilities.inventory import deno

SAMPLE = (Path(__file__).resolve().parents[2] / "cases/inventory/testdata/deno-lock/deno.lock").read_bytes()
THREE = b"""{"version": "3", "packages": {"specifiers": {"npm:a@^1": "npm:a@1.0.0"},
"npm": {"a@1.0.0": {"integrity": "", "dependencies": {"b": "b@2.0.0"}}, "b@2.0.0": {"integrity": ""}}}}"""


def test_packages_of_npm_and_jsr_and_modules_by_address() -> None:
    reading = deno.read("deno.lock", SAMPLE)
    assert [(c.purl, c.direct, c.grade) for c in reading.components] == [
        ("pkg:npm/chalk@5.3.0", True, 3),
        ("pkg:npm/ansi@1.0.0", False, 3),
        ("pkg:npm/%40jsr/std__path@1.0.8", True, 3),
        ("pkg:generic/mod.ts?download_url=https://deno.example/x%400.1/mod.ts", False, 3),
    ]
    assert set(reading.edges) == {
        ("pkg:npm/chalk@5.3.0", "pkg:npm/ansi@1.0.0"),
        ("pkg:npm/%40jsr/std__path@1.0.8", "pkg:npm/ansi@1.0.0"),
    }


def test_version_3_names_its_answers_in_full() -> None:
    reading = deno.read("deno.lock", THREE)
    assert [(c.purl, c.direct) for c in reading.components] == [("pkg:npm/a@1.0.0", True), ("pkg:npm/b@2.0.0", False)]
    assert reading.edges == (("pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0"),)
