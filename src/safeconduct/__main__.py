"""Entry point: answers ``--version`` at once, hands everything else to the command line."""

import sys


def main() -> None:
    """Run the command line on ``sys.argv``."""
    if sys.argv[1:] == ["--version"]:
        # Before click and everything else is imported: scripts ask for the version often.
        from safeconduct import __version__

        sys.stdout.write(f"safeconduct {__version__}\n")
        return
    from safeconduct.cli.main import run

    run()


if __name__ == "__main__":
    main()
