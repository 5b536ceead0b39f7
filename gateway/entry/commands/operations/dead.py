"""`undercap dead`: texts, outcomes and receipts that could not be written after several attempts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import click
from sqlalchemy import select

from gateway.domain.written import instants
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing, shown
from gateway.entry.commands.tables import Column, Listing
from gateway.entry.wiring.backing import Backing
from gateway.queues.nudge import nudge
from gateway.store.integrity.dead_letters import DeadLetter, DeadLetters, LaidAside, links_with_receipts_aside
from gateway.store.redis import keys
from gateway.store.sql import schema
from gateway.store.texts.outbox import Unreadable, parse
from gateway.store.texts.receipts import unpacked
from gateway.store.texts.sendqueue import parse_results

TEXT, OUTCOME, RECEIPT = "text", "outcome", "receipt"


class Place(NamedTuple):
    """Where something was laid aside. `of`: the firm's slug, or the link's name."""

    kind: str
    of: str
    letters: LaidAside
    firm_id: int = 0


@click.group()
def dead() -> None:
    """Work that failed for good: look at it, run it again."""


@dead.command(name="list")
@tables.JSON
def list_(as_json: bool) -> None:
    """All that was laid aside, without numbers or codes."""
    came, owner = Column("came (UTC)", "came_at"), Column("firm or link", "of")
    listing = Listing("laid_aside", "kind", owner, "id", came, "reason")
    with backing() as opened:
        for place in _places(opened):
            for letter in place.letters.all():
                came_at = instants.utc(letter.accepted_at)
                listing.add(kind=place.kind, of=place.of, id=letter.id, came_at=came_at, reason=letter.why)
    tables.show(listing, as_json=as_json)


@dead.command()
@click.argument("id_", metavar="ID")
def show(id_: str) -> None:
    """Why one was laid aside, and what it is about, without numbers or codes."""
    with backing() as opened:
        found = [
            (place, letter) for place in _places(opened) for letter in place.letters.all() if letter.id == id_
        ]
    if not found:
        raise click.ClickException(f"nothing was laid aside as {id_}: see `undercap dead list`")
    for place, letter in found:
        click.echo(f"{place.kind} of {place.of}: {letter.why}")
        click.echo(f"  came {shown(letter.accepted_at)}, laid aside {shown(letter.laid_aside_at)} (UTC)")
        for line in _about(place, letter):
            click.echo(f"  {line}")


@dead.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--kind", type=click.Choice([TEXT, OUTCOME, RECEIPT]), help="Only these; usually all.")
def replay(ids: tuple[str, ...], kind: str | None) -> None:
    """Put all that was laid aside, or some of it, back to where it failed; say how many."""
    count = 0
    with backing() as opened:
        for place in _places(opened):
            if kind in (None, place.kind):
                count += place.letters.replay(ids or None)
        nudge(opened.queue_redis)
    click.echo(f"{count} put back")


def _places(opened: Backing) -> Iterator[Place]:
    with opened.engine.connect() as connection:
        firms = [(row.id, row.slug) for row in connection.execute(select(schema.firm))]
    for firm_id, slug in firms:
        yield Place(TEXT, slug, DeadLetters(opened.redis, firm_id), firm_id)
    for firm_id, slug in firms:
        yield Place(OUTCOME, slug, LaidAside(opened.redis, keys.results_spool(firm_id)), firm_id)
    for link in links_with_receipts_aside(opened.redis):
        yield Place(RECEIPT, link, LaidAside(opened.redis, keys.receipts_spool(link)))


def _about(place: Place, letter: DeadLetter) -> Iterator[str]:
    """What can be told of it."""
    try:
        if place.kind == TEXT:
            text = parse(place.firm_id, letter.id.encode(), dict(letter.fields))
            campaigns = sorted({campaign for _, _, campaign in text.codes})
            yield f"message {text.message_id}, {text.channel} to {text.short_number}, link {text.link}"
            yield f"codes: {len(text.codes)}, of campaigns {', '.join(map(str, campaigns)) or 'none'}"
            yield f"asked for: {', '.join(text.services) or 'nothing'}"
            return
        if place.kind == OUTCOME:
            for result in parse_results(letter.fields[b"j"]):
                told = f"{result.state} {result.error or ''}".strip()
                yield f"message {result.message_id!a} on {result.link!a}: {told!a}"
                yield f"the SMSC's id: {result.smsc_id!a}"
            return
        for receipt in unpacked(letter.fields[b"r"]):
            yield f"the SMSC's id {receipt.smsc_id!a}: {receipt.state!a} {receipt.error or ''!a}"
    except (Unreadable, ValueError, KeyError):
        yield "it cannot be read: of another version, or damaged"
