"""The command ``autopar``: which subcommands there are, and each one's module, imported when it is called."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "log": "List decisions of all programs.",
    "explain": "Say why a function ran as it did.",
    "report": "Make a report of decisions, as one HTML file.",
    "doctor": "Say what autopar can use on this machine, and why not the rest.",
    "calibrate": "Measure what this machine costs, and keep it.",
    "forget": "Delete what was learned.",
    "run": "Run a program, and say at its end what autopar did in it.",
    "suggest": "Say where @parallel would pay in a program, with a patch.",
}


class _Commands(click.Group):
    """Finds a command's help without importing the command."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"autopar.cli.{name}").command
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], _COMMANDS, n=1)
            meant = f" Did you mean {near[0]}?" if near else f" There are {', '.join(_COMMANDS)}."
            context.fail(f"there is no command {args[0]!r}.{meant}")
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autopar", message="%(prog)s %(version)s")
def main() -> None:
    """See what autopar decided, and why."""
