"""``safeconduct config``: each value with where it came from."""

from typing import Any

import click
import msgspec

from safeconduct.cli.face import Face
from safeconduct.cli.options import load


@click.command(epilog="Example: safeconduct config --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@click.option("--quiet", "-q", is_flag=True, help="Print results only.")
@click.option("--config", "file", type=click.Path(dir_okay=False), help="The operator's safeconduct.toml.")
def config(file: str | None, *, as_json: bool, quiet: bool) -> None:
    """Show each setting in force and where it came from."""
    face = Face(as_json=as_json, quiet=quiet)
    loaded = load(file)
    rows = [
        {"setting": name, "value": value, "from": loaded.origins.get(name, "default")}
        for name, value in _flat(msgspec.to_builtins(loaded.settings))
    ]
    face.result("config", rows, lambda: face.table(["setting", "value", "from"], [list(r.values()) for r in rows]))


def _flat(values: dict[str, Any], at: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found += _flat(value, f"{at}{name}.")
        else:
            found.append((at + name, value))
    return found
