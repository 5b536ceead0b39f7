"""`undercap ivr`: the IVR process itself."""

from __future__ import annotations

import sys

import click

from config import settings as settings_module
from gateway.entry.lazy_group import imported


@click.group(invoke_without_command=True)
@click.pass_context
def ivr(ctx: click.Context) -> None:
    """The IVR process: calls to the free numbers, handed over by Asterisk (FastAGI).

    Without a further word it runs until SIGTERM.
    """
    if ctx.invoked_subcommand is None:
        sys.exit(imported("gateway.entry.ivr_process").run(settings_module.load()))
