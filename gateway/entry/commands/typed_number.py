"""A person's number, asked for or read from standard input: it stands in no command line."""

from __future__ import annotations

import re
import sys

import click

from gateway.domain.numbers import parse_msisdn
from gateway.entry.backing import Backing

_BETWEEN_DIGITS = re.compile(r"[\s().\-]")
_AS_TYPED = 0  # type of number, SMPP 3.4, 5.2.5: unknown


def typed_number(opened: Backing) -> str:
    """E.164 digits. Raises ClickException.

    A national form is read as of the `default_region` of the links. Where these differ, and so does the
    number that it means, it is refused: who is told of, or erased, would be a matter of luck.
    """
    if sys.stdin.isatty():
        typed: str = click.prompt("Phone number", hide_input=True)
    else:
        typed = sys.stdin.readline(64)
    regions = [link.default_region for link in opened.settings.links]
    readings = read(_BETWEEN_DIGITS.sub("", typed), regions)
    if len(readings) > 1:
        named = ", ".join(sorted({region or "none" for region in regions}))
        told = f"which number that is depends on the link's default_region ({named})"
        raise click.ClickException(f"{told}; write it as E.164, such as +380…")
    (number,) = readings
    if number is None:
        raise click.ClickException("that is no phone number; write it as +380…")
    return number


def read(typed: str, regions: list[str]) -> set[str | None]:
    """What the digits mean in each of the regions; None: no number."""
    return {parse_msisdn(typed, _AS_TYPED, region) for region in regions or [""]}
