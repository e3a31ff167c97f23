"""``safeconduct demo``: a small shop carried from commit to cluster, by the commands a user would type."""

import tempfile
from pathlib import Path

import click

from safeconduct.cli.demo.acts import Told, run_acts
from safeconduct.cli.demo.stage import prepare
from safeconduct.cli.face import Face


@click.command(epilog="Example: safeconduct demo --keep ./shop-demo")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="A new folder that stays for inspection."
)
@click.option("--estate", type=int, help="Ask the same questions over this many generated releases as well.")
@click.option("--json", "as_json", is_flag=True, help="Print only what it closes with, as one JSON document.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what it closes with.")
def demo(keep: Path | None, estate: int | None, *, as_json: bool, quiet: bool) -> None:
    """Carry a small web shop from commit to cluster, in five acts and under a minute, without network.

    Every command shown works when typed by hand in the kept folder.
    """
    face = Face(as_json=as_json, quiet=quiet)
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise click.UsageError(f"{str(keep)!r} is not empty; name a new folder")
        keep.mkdir(parents=True, exist_ok=True)
        told = _play(face, keep, estate)
        hint = f"Everything is in {keep}. To type the commands yourself: cd {keep} && . ./env.sh"
    else:
        with tempfile.TemporaryDirectory(prefix="safeconduct-demo-") as folder:
            told = _play(face, Path(folder), estate)
        hint = "To keep everything for inspection: safeconduct demo --keep ./shop-demo"
    last = f"{told.advisory}: {told.package} is fixed in {told.fixed}" if quiet else f"\n{hint}"
    face.result("demo", told, lambda: face.line(last, bold=True))


def _play(face: Face, folder: Path, estate: int | None) -> Told:
    return run_acts(prepare(folder.resolve(), silent=face.as_json or face.quiet), estate=estate)
