"""`undercap dead`: texts that could not be settled after several attempts."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.entry.backing import Backing
from gateway.entry.commands.opened import backing, shown
from gateway.queues.nudge import nudge
from gateway.store import schema
from gateway.store.dead_letters import DeadLetters


@click.group()
def dead() -> None:
    """Work that failed for good: look at it, run it again."""


@dead.command(name="list")
def list_() -> None:
    """The dead letters of all firms, without numbers or codes."""
    table = Table("firm", "id", "accepted (UTC)", "reason")
    with backing() as opened:
        for firm_id, slug in _firms(opened):
            for letter in DeadLetters(opened.redis, firm_id).all():
                table.add_row(slug, letter.id, shown(letter.accepted_at), letter.why)
    Console().print(table)


@dead.command()
def replay() -> None:
    """Put all dead letters back into their outboxes; say how many."""
    count = 0
    with backing() as opened:
        for firm_id, _ in _firms(opened):
            count += DeadLetters(opened.redis, firm_id).replay()
        nudge(opened.queue_redis)
    click.echo(f"{count} put back")


def _firms(opened: Backing) -> list[tuple[int, str]]:
    with opened.engine.connect() as connection:
        return [(row.id, row.slug) for row in connection.execute(select(schema.firm))]
