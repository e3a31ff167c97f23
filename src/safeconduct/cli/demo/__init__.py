"""``safeconduct demo``: a small shop carried from commit to cluster, by the commands a user would type."""

import tempfile
from pathlib import Path

import click

from safeconduct.cli.demo.acts import run_acts
from safeconduct.cli.demo.stage import prepare


@click.command(epilog="Example: safeconduct demo --keep ./shop-demo")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="A new folder that stays for inspection."
)
@click.option("--estate", type=int, help="Ask the same questions over this many generated releases as well.")
def demo(keep: Path | None, estate: int | None) -> None:
    """Carry a small web shop from commit to cluster, in five acts and under a minute, without network.

    Every command shown works when typed by hand in the kept folder.
    """
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise click.UsageError(f"{str(keep)!r} is not empty; name a new folder")
        keep.mkdir(parents=True, exist_ok=True)
        run_acts(prepare(keep.resolve()), estate=estate)
        click.secho(f"\nEverything is in {keep}. To type the commands yourself: cd {keep} && . ./env.sh", bold=True)
        return
    with tempfile.TemporaryDirectory(prefix="safeconduct-demo-") as folder:
        run_acts(prepare(Path(folder).resolve()), estate=estate)
    click.secho("\nTo keep everything for inspection: safeconduct demo --keep ./shop-demo", bold=True)
