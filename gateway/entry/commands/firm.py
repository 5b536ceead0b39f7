"""`undercap firm`: the firms on this gateway and their API keys."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.entry.commands.opened import backing, publish, shown
from gateway.store import schema, tills
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
@click.option("--name", help="Which page or till it is for, such as 'Kyiv 7, till 2'.")
def key(slug: str, name: str | None) -> None:
    """Make an API key for a firm's own page, or for one till; it is shown this once."""
    with backing() as opened:
        click.echo(set_up.new_api_key(opened.engine, opened.vault, slug, name))


@firm.command()
@click.argument("slug")
def keys(slug: str) -> None:
    """The API keys of a firm, without the keys themselves."""
    t = schema.api_key
    with backing() as opened, opened.engine.connect() as connection:
        owner = set_up.firm_id(connection, slug)
        table = Table("id", "name", "made (UTC)", "revoked (UTC)")
        for row in connection.execute(select(t).where(t.c.firm_id == owner).order_by(t.c.id)):
            revoked = shown(row.revoked_at) if row.revoked_at else ""
            table.add_row(str(row.id), row.name or "", shown(row.created_at), revoked)
    Console().print(table)


@firm.command(name="tills")
@click.argument("slug", required=False)
def tills_(slug: str | None) -> None:
    """What each key that stands has asked of aliases, of one firm or of all.

    A till that asks for too many aliases that nobody has is stopped until its hour or day is over,
    or until `undercap firm lift`.
    """
    t, f = schema.api_key, schema.firm
    query = select(t.c.id, t.c.name, f.c.slug).join(f, f.c.id == t.c.firm_id).where(t.c.revoked_at.is_(None))
    with backing() as opened, opened.engine.connect() as connection:
        if slug is not None:
            query = query.where(t.c.firm_id == set_up.firm_id(connection, slug))
        rows = connection.execute(query.order_by(t.c.id)).all()
        stands = tills.read(opened.redis, [row.id for row in rows], opened.settings.aliases)
    table = Table("key", "firm", "name", "last used (UTC)", "misses/h", "misses/day", "stopped since (UTC)")
    for row in rows:
        table.add_row(str(row.id), row.slug, row.name or "", *_told(stands.get(row.id)))
    Console().print(table)


def _told(till: tills.Standing | None) -> tuple[str, str, str, str]:
    if till is None:
        return "never", "0", "0", ""
    since = shown(till.stopped_since * 1000) if till.stopped_since else ""
    return shown(till.last * 1000), str(till.misses_hour), str(till.misses_day), since


@firm.command()
@click.argument("key_id", type=int)
def lift(key_id: int) -> None:
    """Let a till that was stopped go on (see `undercap firm tills`): its misses of today are forgotten."""
    with backing() as opened:
        with opened.engine.connect() as connection:
            set_up.standing_key(connection, key_id)
        tills.lift(opened.redis, key_id, opened.settings.aliases)
    click.echo("lifted")


@firm.command()
@click.argument("key_id", type=int)
def revoke(key_id: int) -> None:
    """Revoke an API key by its id (see `undercap firm keys`); it is refused from now on."""
    with backing() as opened:
        set_up.revoke_api_key(opened.engine, key_id)
    click.echo("revoked")
