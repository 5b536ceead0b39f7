"""A click group whose commands are imported when they are called, not when help is asked for.

The pattern of click's documentation ("Lazily Loading Subcommands"), with the short help texts at hand so that
`--help` imports nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

# name -> (where it stands as "module:attribute", one line of help)
Table = Mapping[str, tuple[str, str]]


class LazyGroup(click.Group):
    """A group with further commands that stand in other modules."""

    def __init__(self, *args: Any, lazy: Table | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Own commands in the order of their definition, then the lazy ones."""
        return [*(name for name in self.commands if name not in self._lazy), *self._lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now if need be; ClickException if its module cannot be had."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module_name, _, attribute = self._lazy[cmd_name][0].partition(":")
        command = getattr(imported(module_name), attribute, None)
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{module_name} has no command `{attribute}`")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, but without importing the lazy ones."""
        rows = [
            (name, self._lazy[name][1] if name in self._lazy else self.commands[name].get_short_help_str(80))
            for name in self.list_commands(ctx)
            if name in self._lazy or not self.commands[name].hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def imported(module_name: str) -> Any:
    """The module; ClickException with the reason if it, or something that it needs, is not there."""
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as err:
        if err.name == module_name:
            reason = f"this installation has no {module_name}"
        else:
            reason = f"{module_name} needs {err.name}, which is not installed: install undercap again"
        raise click.ClickException(reason) from err
