"""`undercap firm`: the firms on this gateway and their API keys."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.entry.commands import backing, publish
from gateway.store import schema
from gateway.usecases import set_up


@click.group()
def firm() -> None:
    """Firms (tenants) and the keys of their own pages."""


@firm.command()
@click.argument("slug")
@click.option("--name", required=True, help="As shoppers and marketers read it.")
def add(slug: str, name: str) -> None:
    """Add a firm. SLUG is its short name for commands."""
    with backing() as opened:
        made = set_up.add_firm(opened.engine, slug, name)
        publish(opened, made)
    click.echo(made)


@firm.command(name="list")
def list_() -> None:
    """All firms."""
    with backing() as opened, opened.engine.connect() as connection:
        table = Table("id", "slug", "name")
        for row in connection.execute(select(schema.firm).order_by(schema.firm.c.id)):
            table.add_row(str(row.id), row.slug, row.name)
    Console().print(table)


@firm.command()
@click.argument("slug")
def key(slug: str) -> None:
    """Make an API key for a firm's own pages; it is shown this once."""
    with backing() as opened:
        click.echo(set_up.new_api_key(opened.engine, opened.vault, slug))
