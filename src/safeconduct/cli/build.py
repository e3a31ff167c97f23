"""Build commands: build, sbom, publish."""

from pathlib import Path

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import command, make
from safeconduct.model.decision import Outcome
from safeconduct.phases.authority import Authority


@make()
@command(example="safeconduct build . -o build/image --builder-key builder --gate-key gate")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", default="build/image", show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
@click.option("--builder-key", default="builder", show_default=True, help="Signs what was built: a name or a URI.")
@click.option("--gate-key", default="gate", show_default=True, help="Signs the release gate's verdict.")
@click.option("--publish/--no-publish", default=True, help="Copy it to where the registries say its repository lies.")
@click.option("--record/--no-record", default=True, help="Write the release to the graph.")
def build(
    face: Face,
    authority: Authority,
    path: Path,
    output: Path,
    builder_key: str,
    gate_key: str,
    *,
    publish: bool,
    record: bool,
) -> None:
    """Make a release of the commit that is checked out at PATH.

    Gate, image from the commit's objects, SBOM, provenance and scan signed by the builder key, all read back, second
    gate, summary signed by the gate key, published with its evidence. Nothing of the project is executed.
    """
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.phases.build.release import Keys
    from safeconduct.phases.build.release import build as run_build

    keys = Keys(authority.signer(builder_key), authority.signer(gate_key))
    with RegoWorker() as engine:
        done = run_build(path, authority, engine, keys, output=output, publish=publish, record=record, tell=face.note)

    def render() -> None:
        for decision in done.decisions:
            face.decision(decision)
        if done.release:
            face.line(f"{done.release.product} {done.release.version}  {done.release.repository}@{done.release.digest}")
            face.line(f"{done.components} components, {len(done.documents)} signed documents, staged in {output}")
        if done.published and done.release:
            face.line(f"published {done.release.repository}:{done.release.version}")

    face.result("build", done, render)
    face.done(done.outcome)


@make()
@command(example="safeconduct sbom . -o shop.cdx.json")
@click.argument("target", default=".")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
def sbom(face: Face, authority: Authority, target: str, output: Path | None) -> None:
    """Write the CycloneDX SBOM of TARGET: the same input gives the same bytes."""
    from safeconduct.capabilities.licenses.expression import with_expressions
    from safeconduct.capabilities.sbom.cyclonedx import Subject, write
    from safeconduct.cli.face import environment
    from safeconduct.evidence.targets import read_target
    from safeconduct.foundation.clock import to_rfc3339

    found = with_expressions(read_target(target, authority.repository))
    # Without SOURCE_DATE_EPOCH the document is of no particular moment, so that it stays the same.
    at = int(environment().get("SOURCE_DATE_EPOCH", "0")) * 1_000_000
    data = write(found, Subject(Path(target).resolve().name or target, ""), timestamp=to_rfc3339(at))
    if output:
        output.write_bytes(data)
        told = {"file": str(output), "components": len(found.components)}
        face.result("sbom", told, lambda: face.line(f"{output}: {told['components']} components"))
    else:
        face.document(data)
    face.done(Outcome.UNDECIDED if found.unread or not found.components else Outcome.PASSED)


@make()
@command(example="safeconduct publish oci:build/image:1.0.0 shop.example/shop/checkout:1.0.0")
@click.argument("source")
@click.argument("target")
def publish(face: Face, authority: Authority, source: str, target: str) -> None:
    """Copy the release SOURCE with all its evidence to TARGET, evidence first, the tag last, and read it back."""
    from safeconduct.capabilities.registry.copy import copy_release
    from safeconduct.evidence.targets import open_target

    origin, digest = open_target(source, authority.repository)
    goal, tag = open_target(target, authority.repository, resolve=False)
    copied = copy_release(origin, goal, digest, tag)
    told = f"{target}: {copied.subject.digest}, {len(copied.referrers)} documents of evidence"
    face.result("publish", copied, lambda: face.line(told))
