"""`undercap firm`: the firms on this gateway and their API keys."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.entry.commands.opened import backing, publish, shown
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


@firm.command()
@click.argument("slug")
def keys(slug: str) -> None:
    """The API keys of a firm, without the keys themselves."""
    t = schema.api_key
    with backing() as opened, opened.engine.connect() as connection:
        owner = set_up.firm_id(connection, slug)
        table = Table("id", "made (UTC)", "revoked (UTC)")
        for row in connection.execute(select(t).where(t.c.firm_id == owner).order_by(t.c.id)):
            table.add_row(str(row.id), shown(row.created_at), shown(row.revoked_at) if row.revoked_at else "")
    Console().print(table)


@firm.command()
@click.argument("key_id", type=int)
def revoke(key_id: int) -> None:
    """Revoke an API key by its id (see `undercap firm keys`); it is refused from now on."""
    with backing() as opened:
        set_up.revoke_api_key(opened.engine, key_id)
    click.echo("revoked")
