"""Options that commands share, and the authority that they open."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from safeconduct.cli.face import Face, ask_passphrase, data_folder, environment
from safeconduct.foundation.clock import system_clock
from safeconduct.foundation.settings import FILE_NAME, Loaded, load_settings
from safeconduct.phases.authority import Authority

_OPERATOR_FILE = Path("/etc/safeconduct") / FILE_NAME


def command(*, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a command ``face`` and ``authority`` and the options behind them.

    Args:
        example: one command line, shown at the end of ``--help``.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
        @click.option("--quiet", "-q", is_flag=True, help="Print results only.")
        @click.option("--config", type=click.Path(dir_okay=False), help="The operator's safeconduct.toml.")
        @click.option("--store", type=click.Path(dir_okay=False), help="File of the graph.")
        @wraps(function)
        def run(as_json: bool, quiet: bool, config: str | None, store: str | None, **more: Any) -> None:
            loaded = load(config, {"store": str(Path(store).resolve()) if store else None})
            given = environment()
            authority = Authority(loaded.settings, given, system_clock, data_folder(given), ask_passphrase)
            function(face=Face(as_json=as_json, quiet=quiet), authority=authority, **more)

        run.__epilog__ = f"Example: {example}"  # type: ignore[attr-defined]
        return run

    return decorate


def load(config: str | None, flags: dict[str, Any] | None = None) -> Loaded:
    """Return the settings in force, from all layers."""
    given = environment()
    named = config or given.get("SAFECONDUCT_CONFIG")
    if named and not Path(named).is_file():
        raise click.UsageError(f"there is no settings file {named!r}")
    home = Path(given.get("XDG_CONFIG_HOME") or Path(given.get("HOME", "~")).expanduser() / ".config")
    files = (_OPERATOR_FILE, home / "safeconduct" / FILE_NAME, *([Path(named)] if named else []))
    return load_settings(files, given, flags or {}, data_folder(given) / "graph.db")


def add(
    group: click.Group, name: str | None = None, **attributes: Any
) -> Callable[[Callable[..., None]], click.Command]:
    """Return a decorator that adds a function made by ``command`` to a group, with its example as epilog."""

    def decorate(function: Callable[..., None]) -> click.Command:
        made = make(name, **attributes)(function)
        group.add_command(made)
        return made

    return decorate


def make(name: str | None = None, **attributes: Any) -> Callable[[Callable[..., None]], click.Command]:
    """Return a decorator that makes a command of a function made by ``command``."""

    def decorate(function: Callable[..., None]) -> click.Command:
        epilog = getattr(function, "__epilog__", None)
        return click.command(name, cls=click.Command, epilog=epilog, **attributes)(function)

    return decorate
