"""A person's number, asked for or read from standard input: it stands in no command line."""

from __future__ import annotations

import sys

import click

from gateway.domain.people.regions import regions_of
from gateway.domain.people.typed_numbers import NumberFault, read_number
from gateway.entry.wiring.backing import Backing
from gateway.store.codes import catalog as catalog_store


def typed_number(opened: Backing) -> str:
    """E.164 digits. Raises ClickException.

    A national form is read as of the `default_region` of the links, and of the countries in which campaigns
    run. Where these differ, and so does what it means, it is refused: who is told of, or erased, would be a
    matter of luck.
    """
    if sys.stdin.isatty():
        typed: str = click.prompt("Phone number", hide_input=True)
    else:
        typed = sys.stdin.readline(256)
    regions = _regions(opened)
    readings = {read_number(typed, region) for region in regions}
    if len(readings) > 1:
        named = ", ".join(sorted(region or "none" for region in regions))
        told = f"which number that is depends on the country ({named}: links' default_region, campaigns)"
        raise click.ClickException(f"{told}; write it as E.164, such as +380…")
    (number,) = readings
    if isinstance(number, NumberFault):
        raise click.ClickException(f"the number {number}")
    return number


def _regions(opened: Backing) -> set[str]:
    """ISO 3166; an empty one for links that name none, where any does."""
    links = {link.default_region for link in opened.settings.links}
    own = set(regions_of(catalog_store.load(opened.engine, opened.vault).campaigns.values()))
    return (links | own if links - {""} else own) or {""}
