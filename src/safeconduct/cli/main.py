"""The command line's root: commands by name, each module loaded only when its command is called."""

import importlib
import sys
from typing import Any

import click

from safeconduct import __version__
from safeconduct.foundation.errors import SafeconductError

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
    "inspect": ("evidence", "Show what an image or a bundle says, unverified"),
    "sign": ("evidence", "Sign an image with a builder key"),
    "publish": ("build", "Copy a release with all its evidence"),
    "gate": ("deploy", "Try a gate on a file, as the cluster would"),
    "serve": ("serve", "Serve the admission webhook and the receivers"),
    "watch": ("deploy", "Take in what clusters run"),
    "audit": ("operate", "Judge what runs with what is known now"),
    "db": ("db", "Advisory data: update and status"),
    "ask": ("ask", "Ask the graph"),
    "graph": ("graph", "The graph itself: status, rebuild, lineage"),
    "policy": ("policy", "Show the policy in force"),
    "keys": ("keys", "Keys: create, list, export"),
    "trust": ("trust", "The trust store: init, add, revoke, show"),
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
    """Run the command line; our errors become their text and their exit code."""
    try:
        return root.main(standalone_mode=True)
    except SafeconductError as error:
        from safeconduct.cli.face import fail

        return fail(error, as_json="--json" in sys.argv)
    except BrokenPipeError:
        # The reader of our output went away; that is its right.
        sys.stderr.close()
        return sys.exit(0)
