"""How the command line speaks: results on standard output, everything else on standard error.

``--json`` prints one document with its schema's name; people get tables. Foreign text is stripped of control
characters before it reaches a terminal. Colour and progress bars appear only on a terminal, and not with NO_COLOR.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from safeconduct.foundation.errors import SafeconductError
from safeconduct.model.decision import Decision, Outcome, Reason

_COLOURS = {Outcome.PASSED: "green", Outcome.DENIED: "red", Outcome.UNDECIDED: "yellow"}
_WIDE = 100_000
_NOT_SHOWN = re.compile(r"[^ -~]")
_MOST_OF_A_RULE = 3


class Face:
    """One command's way to its user."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def result(self, schema: str, value: Any, render: Callable[[], None]) -> None:
        """Print the result: as JSON with its schema's name, or as ``render`` prints it."""
        if self.as_json:
            body = msgspec.to_builtins(value, enc_hook=str)
            document = {"schema": f"safeconduct/{schema}/v1"} | (body if isinstance(body, dict) else {"items": body})
            self._tell(lambda: click.echo(_json(document)))
        else:
            self._tell(render)

    @staticmethod
    def _tell(tell: Callable[[], None]) -> None:
        try:
            tell()
        except BrokenPipeError:
            # Whoever read the answer went away before its end: nobody was told, and it must not look like a no.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(int(Outcome.UNDECIDED))

    def document(self, data: bytes) -> None:
        """Print a JSON document: its very bytes, but on a terminal with all that it would obey escaped."""
        click.echo(_shown(data.decode()) if sys.stdout.isatty() else data)

    def line(self, text: str = "", *, colour: str | None = None, bold: bool = False) -> None:
        """Print one line of the result."""
        click.secho(clean(text), fg=colour, bold=bold)

    def note(self, text: str) -> None:
        """Tell the user something that is no result; nothing with --quiet."""
        if not self.quiet:
            click.secho(clean(text), err=True, dim=True)

    def table(self, columns: Iterable[str], rows: Iterable[Iterable[Any]], *, title: str = "") -> None:
        """Print a table; nothing where there are no rows."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        listed = [[Text(clean(str(cell))) for cell in row] for row in rows]
        if not listed:
            return
        table = Table(
            *columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold"
        )
        for row in listed:
            table.add_row(*row)
        on_terminal = sys.stdout.isatty()
        console = Console(width=None if on_terminal else _WIDE, no_color=True if "NO_COLOR" in os.environ else None)
        # Its own way with a reader that went away is exit status 1, which here would be a no.
        console.on_broken_pipe = _raise_broken_pipe  # type: ignore[method-assign]
        console.print(table)

    def decision(self, decision: Decision) -> None:
        """Print a decision: the answer, then each reason with its remedy."""
        self.line(f"{decision.gate}: {decision.outcome.word}", colour=_COLOURS[decision.outcome], bold=True)
        groups: dict[tuple[str, Outcome], list[Reason]] = {}
        for reason in decision.reasons:
            groups.setdefault((reason.rule, reason.outcome), []).append(reason)
        for (rule, outcome), reasons in groups.items():
            self._reasons(rule, outcome, reasons)
        for reason in decision.exempted:
            self.line(f"  --  {reason.rule}: {reason.message} (exempted by {reason.exempted_by})", colour="cyan")

    def _reasons(self, rule: str, outcome: Outcome, reasons: list[Reason]) -> None:
        mark = "no" if outcome is Outcome.DENIED else "? "
        same_remedy = len({reason.remedy for reason in reasons}) == 1
        for reason in reasons[:_MOST_OF_A_RULE]:
            self.line(f"  {mark}  {rule}: {reason.message}", colour=_COLOURS[outcome])
            if not same_remedy:
                self.line(f"      next: {reason.remedy}")
        left = len(reasons) - _MOST_OF_A_RULE
        if left > 0:
            self.line(f"  {mark}  {rule}: … and {left} more (--json shows all)", colour=_COLOURS[outcome])
        if same_remedy:
            self.line(f"      next: {reasons[0].remedy}")

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int], None]]:
        """Give a function that shows how far a long work is; silent off a terminal."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield lambda _: None
            return

        def show(done: int) -> None:
            click.echo(f"\r{label}: {done:,}", nl=False, err=True)

        yield show
        click.echo("\r\033[K", nl=False, err=True)

    def done(self, outcome: Outcome) -> None:
        """End the command with the answer as its exit code."""
        sys.exit(int(outcome))


def _raise_broken_pipe() -> None:
    raise BrokenPipeError


def clean(text: str) -> str:
    """Return ``text`` without control characters, which a terminal would obey; tabs become spaces."""
    text = text.expandtabs(4)
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _json(document: dict[str, Any]) -> str:
    return _shown(json.dumps(document, indent=1, ensure_ascii=False))


def _shown(text: str) -> str:
    """Return a JSON text in which everything that a terminal would obey is escaped; it means the same."""
    lines = text.split("\n")
    return "\n".join(line if line.isprintable() else _NOT_SHOWN.sub(_escaped, line) for line in lines)


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def environment() -> Mapping[str, str]:
    """Return the process's environment; the only place below which it is passed on as an argument."""
    return os.environ


def fail(error: SafeconductError, *, as_json: bool) -> None:
    """Print an error and end with its exit code."""
    if as_json:
        body = {
            "schema": "safeconduct/error/v1",
            "id": error.id,
            "what": error.what,
            "why": error.why,
            "next": error.next,
        }
        click.echo(_json(body))
    else:
        click.echo(clean(error.render()), err=True)
    sys.exit(int(error.exit_code))


def ask_passphrase() -> bytes | None:
    """Return what a person types as the keys' passphrase, None where nobody is at a terminal."""
    if not sys.stdin.isatty():
        return None
    text: str = click.prompt("Passphrase of the keys", hide_input=True, err=True)
    return text.encode()


def data_folder(given: Mapping[str, str]) -> Path:
    """Return the user's data folder: ``SAFECONDUCT_DATA``, else where the platform keeps such data."""
    if given.get("SAFECONDUCT_DATA"):
        return Path(given["SAFECONDUCT_DATA"])
    base = given.get("XDG_DATA_HOME") or str(Path(given.get("HOME", "~")).expanduser() / ".local" / "share")
    return Path(base) / "safeconduct"
