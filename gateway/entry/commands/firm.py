"""`undercap firm`: the firms on this gateway and their API keys."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from gateway.domain.written.instants import utc
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing, publish
from gateway.entry.commands.tables import Column, Listing
from gateway.store.firms import tills
from gateway.store.sql import schema
from gateway.usecases.firms import set_up


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
@tables.JSON
def list_(as_json: bool) -> None:
    """All firms."""
    found = Listing("firms", "id", "slug", "name")
    with backing() as opened, opened.engine.connect() as connection:
        for row in connection.execute(select(schema.firm).order_by(schema.firm.c.id)):
            found.add(id=row.id, slug=row.slug, name=row.name)
    tables.show(found, as_json=as_json)


@firm.command()
@click.argument("slug")
@click.option("--name", help="Which page or till it is for, such as 'Kyiv 7, till 2'.")
def key(slug: str, name: str | None) -> None:
    """Make an API key for a firm's own page, or for one till; it is shown this once."""
    with backing() as opened:
        click.echo(set_up.new_api_key(opened.engine, opened.vault, slug, name))


@firm.command()
@click.argument("slug")
@tables.JSON
def keys(slug: str, as_json: bool) -> None:
    """The API keys of a firm, without the keys themselves."""
    t = schema.api_key
    found = Listing(
        "keys", "id", "name", Column("made (UTC)", "made_at"), Column("revoked (UTC)", "revoked_at")
    )
    with backing() as opened, opened.engine.connect() as connection:
        owner = set_up.firm_id(connection, slug)
        for row in connection.execute(select(t).where(t.c.firm_id == owner).order_by(t.c.id)):
            revoked = utc(row.revoked_at) if row.revoked_at else None
            found.add(id=row.id, name=row.name, made_at=utc(row.created_at), revoked_at=revoked)
    tables.show(found, as_json=as_json)


@firm.command(name="tills")
@click.argument("slug", required=False)
@tables.JSON
def tills_(slug: str | None, as_json: bool) -> None:
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
    found = Listing(
        "tills",
        *("key", "firm", "name"),
        Column("last used (UTC)", "used_at"),
        Column("misses/h", "misses_of_hour"),
        Column("misses/day", "misses_of_day"),
        Column("stopped since (UTC)", "stopped_at"),
    )
    for row in rows:
        found.add(key=row.id, firm=row.slug, name=row.name, **_told(stands.get(row.id)))
    tables.show(found, as_json=as_json)


def _told(till: tills.Standing | None) -> dict[str, Any]:
    if till is None:
        return {"used_at": None, "misses_of_hour": 0, "misses_of_day": 0, "stopped_at": None}
    return {
        "used_at": utc(till.last * 1000),
        "misses_of_hour": till.misses_hour,
        "misses_of_day": till.misses_day,
        "stopped_at": utc(till.stopped_since * 1000) if till.stopped_since else None,
    }


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
