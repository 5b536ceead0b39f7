"""The reference of the command line: each command's own help, as it prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gateway.entry.cli import cli

_WIDTH = 100
_INTRODUCTION = (
    "What each command's `--help` prints, of this very version. Exit codes: 0 done, 1 not done, 2 a command "
    "that was mistyped, 78 a fault in the settings."
)


def page() -> str:
    """The page, in Markdown."""
    parts = [
        "# The command line",
        _INTRODUCTION,
    ]
    root = click.Context(cli, info_name="undercap", terminal_width=_WIDTH)
    for context in _commands(root):
        depth = context.command_path.count(" ")
        parts.append(f"{'#' * min(2 + (depth > 1), 3)} {context.command_path}")
        parts.append(f"```text\n{context.command.get_help(context)}\n```")
    return "\n\n".join(parts) + "\n"


def _commands(context: click.Context) -> Iterator[click.Context]:
    """A command and all below it, but for those that are hidden."""
    yield context
    command = context.command
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None and not below.hidden:
            yield from _commands(click.Context(below, info_name=name, parent=context, terminal_width=_WIDTH))
