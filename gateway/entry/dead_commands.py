"""`undercap dead`: texts that could not be settled after several attempts."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.entry.commands import backing, shown
from gateway.queues.nudge import nudge
from gateway.store import keys, schema


@click.group()
def dead() -> None:
    """Work that failed for good: look at it, run it again."""


@dead.command(name="list")
def list_() -> None:
    """The dead letters of all firms, without numbers or codes."""
    table = Table("firm", "id", "accepted (UTC)", "reason")
    with backing() as opened:
        for firm_id, slug in _firms(opened):
            rows: Any = opened.redis.xrange(keys.dead(firm_id))
            for id_, fields in rows:
                was = fields[b"was"].decode()
                table.add_row(slug, id_.decode(), shown(int(was.split("-")[0])), fields[b"why"].decode())
    Console().print(table)


@dead.command()
def replay() -> None:
    """Put all dead letters back into their outboxes; say how many."""
    count = 0
    with backing() as opened:
        for firm_id, _ in _firms(opened):
            rows: Any = opened.redis.xrange(keys.dead(firm_id))
            for id_, fields in rows:
                kept = {k: v for k, v in fields.items() if k not in (b"why", b"was")}
                pipe = opened.redis.pipeline(transaction=True)
                pipe.xadd(keys.outbox(firm_id), kept)
                pipe.xdel(keys.dead(firm_id), id_)
                pipe.execute()
                count += 1
        nudge(opened.queue_redis)
    click.echo(f"{count} put back")


def _firms(opened: Any) -> list[tuple[int, str]]:
    with opened.engine.connect() as connection:
        return [(row.id, row.slug) for row in connection.execute(select(schema.firm))]
