"""The command line's root: commands by name, each module loaded only when its command is called."""

import errno
import importlib
import io
import os
import sys
from typing import Any

import click

from safeconduct import __version__
from safeconduct.foundation.errors import BadUsage, SafeconductError, Undecided
from safeconduct.model.decision import Outcome

_USERS = frozenset(
    {
        errno.ENOENT,
        errno.EACCES,
        errno.EPERM,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENOTDIR,
        errno.ENAMETOOLONG,
        errno.EROFS,
    }
)
"""System errors that another name or permission mends."""
COMMANDS = {
    "init": ("develop", "Write a safeconduct.toml for this project"),
    "check": ("develop", "Judge a tree and its commits: may this be committed?"),
    "inventory": ("develop", "List what is inside a tree or an image"),
    "scan": ("develop", "Look up vulnerabilities and their fixes"),
    "explain": ("develop", "Show why an advisory matches a component"),
    "source": ("source", "Verify the commits of a repository"),
    "build": ("build", "Gate, assemble, attest, gate, publish a release"),
    "sbom": ("build", "Write the SBOM of a tree or an image"),
    "verify": ("evidence", "Verify everything that vouches for an image"),
    "inspect": ("evidence", "Show what lies beside an image, unverified"),
    "sign": ("evidence", "Sign an image with a builder key"),
    "publish": ("build", "Copy a release with all its evidence"),
    "gate": ("deploy", "Try a gate on a file, as the cluster would"),
    "serve": ("serve", "Serve the admission webhook and the receivers"),
    "watch": ("deploy", "Take in what clusters run"),
    "audit": ("operate", "Judge what runs with what is known now"),
    "db": ("db", "Advisory data: update and status"),
    "ask": ("ask", "Ask the graph"),
    "graph": ("graph", "The graph itself: rebuild it, draw a lineage"),
    "policy": ("policy", "Policy: show, test, export"),
    "keys": ("keys", "Keys: create, list, export"),
    "trust": ("trust", "The trust store: init, add, scope, revoke, sign, install, show"),
    "config": ("config", "Show each setting and where it came from"),
    "demo": ("demo", "Carry a small shop from commit to cluster"),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, in the order of a release's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command, loading its module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"safeconduct.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the list of commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: safeconduct check .   Exit codes: 0 passed, 1 denied or findings, 2 usage, 3 could not tell.",
)
@click.version_option(__version__, prog_name="safeconduct", message="%(prog)s %(version)s")
def root() -> None:
    """Carry software safely from commit to cluster.

    Safeconduct knows what every release is made of, who vouches for it, what is wrong with it and where it runs, and
    lets nothing pass that it cannot vouch for.
    """


def run() -> Any:
    """Run the command line; every error becomes its text and its exit code, and none of ours looks like a no."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that is no text in the terminal's encoding is shown escaped; it must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        # click takes colour away off a terminal by itself; NO_COLOR is ours to honour (no-color.org).
        return sys.exit(root.main(standalone_mode=False, color=False if os.environ.get("NO_COLOR") else None))
    except click.Abort:
        return sys.exit(int(Outcome.UNDECIDED))
    except click.ClickException as error:
        return _misused(error)
    except SafeconductError as error:
        return _fail(error)
    except OSError as error:
        return _fail(_unusable(error))
    except UnicodeError as error:
        return _fail(
            BadUsage(
                "not-utf8", "an argument or a file is not UTF-8 text", why=str(error), next_step="write it in UTF-8"
            )
        )
    except Exception as error:  # noqa: BLE001 - whatever escapes is an error of ours: could not tell, not denied
        return _fail(_ours(error))


def _fail(error: SafeconductError) -> None:
    from safeconduct.cli.face import fail

    fail(error, as_json="--json" in sys.argv)


def _misused(error: click.ClickException) -> None:
    """Show click's own words, without what a terminal would obey in a name that was typed or globbed."""
    from safeconduct.cli.face import clean

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        sys.exit(error.exit_code)
    said = BadUsage("usage", clean(error.format_message()), why="it is not what this command takes")
    at = getattr(error, "ctx", None)
    said.next = f"{at.command_path if at else 'safeconduct'} --help"
    if "--json" in sys.argv:
        _fail(said)
    click.UsageError(said.what, at).show()
    sys.exit(said.exit_code)


def _unusable(error: OSError) -> SafeconductError:
    kind = BadUsage if error.errno in _USERS else Undecided
    return kind(
        "file-unusable",
        f"{error.filename!r} cannot be read or written" if error.filename else "a file cannot be read or written",
        why=error.strerror or str(error),
        next_step="check its name, its permissions and the space on its disk",
    )


def _ours(error: Exception) -> SafeconductError:
    import traceback

    at = traceback.extract_tb(error.__traceback__)[-1]
    return Undecided(
        "internal",
        f"an error of ours: {type(error).__name__}: {error}",
        why=f"in {at.filename}, line {at.lineno}; nothing was decided",
        next_step="please report it with this text and what you typed",
    )
