"""What could not be told is asked again; what was denied is asked again soon; what the graph keeps serves on."""

import shutil

from simulators.forgery import KINDS, attach, evidence_of, published, replace_evidence
from simulators.world import World


def forget(world: World) -> None:
    """Let the operator begin with a graph that knows advisories only, as another cluster's would."""
    world.set(store="fresh.db")
    world.run("db", "update", "operator/feed")


def test_evidence_published_after_a_could_not_tell_is_found_by_the_next_request(world: World) -> None:
    sbom = evidence_of(world)[KINDS["sbom"]]
    digest = published(world).resolve("1.0").digest
    forget(world)
    replace_evidence(world, {KINDS["sbom"]: lambda _: None})
    image = world_image(world)
    world.gate(image, "--record", exits=3)
    world.gate(image, "--record", exits=3)
    attach(world, digest, [sbom])
    world.gate(image, "--record")


def test_once_admitted_a_release_stays_admitted_with_its_registry_gone(world: World) -> None:
    forget(world)
    image = f"{world_image(world)}@{published(world).resolve('1.0').digest}"
    world.gate(image, "--record")
    shutil.rmtree(published(world).path)
    world.gate(image, "--record")
    world.gate(world_image(world), exits=3)


def world_image(world: World) -> str:
    """The image's name as this world calls it."""
    settings = (world.app / "safeconduct.toml").read_text()
    repository = next(line.split('"')[1] for line in settings.splitlines() if line.startswith("repository"))
    return f"{repository}:1.0"
