"""A person's number, asked for or read from standard input: it stands in no command line."""

from __future__ import annotations

import sys

import click

from gateway.domain.typed_numbers import NumberFault, read_number
from gateway.entry.backing import Backing


def typed_number(opened: Backing) -> str:
    """E.164 digits. Raises ClickException.

    A national form is read as of the `default_region` of the links. Where these differ, and so does the
    number that it means, it is refused: who is told of, or erased, would be a matter of luck.
    """
    if sys.stdin.isatty():
        typed: str = click.prompt("Phone number", hide_input=True)
    else:
        typed = sys.stdin.readline(256)
    regions = [link.default_region for link in opened.settings.links]
    readings = read(typed, regions)
    if len(readings) > 1:
        named = ", ".join(sorted({region or "none" for region in regions}))
        told = f"which number that is depends on the link's default_region ({named})"
        raise click.ClickException(f"{told}; write it as E.164, such as +380…")
    (number,) = readings
    if isinstance(number, NumberFault):
        raise click.ClickException(f"the number {number}")
    return number


def read(typed: str, regions: list[str]) -> set[str | NumberFault]:
    """What was typed means in each of the regions."""
    return {read_number(typed, region) for region in regions or [""]}
