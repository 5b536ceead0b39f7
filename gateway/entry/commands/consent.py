"""`undercap consent`: what was said about offers, why somebody was contacted, import of lists."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.entry.backing import Backing
from gateway.entry.commands.consent_import import import_
from gateway.entry.commands.opened import backing, shown
from gateway.entry.commands.typed_number import typed_number
from gateway.store import accesses, consents, schema
from gateway.store.consents import Entry
from gateway.usecases import person
from gateway.usecases.person import Held, Inquiry


@click.group()
def consent() -> None:
    """Consent to offers: show it, tell why somebody was contacted, import lists."""


@consent.command()
def show() -> None:
    """What we hold about a person. The number is asked for: it stands in no command line."""
    with backing() as opened:
        found = _held(opened, person.DATA)
        firms = _slugs(opened)
    holdings = found.holdings
    click.echo(f"known since {shown(holdings.created_at)} UTC, language {holdings.language or 'not told'}")
    kinds = ", ".join(f"{len(rows)} {kind}" for kind, rows in holdings.listed.items())
    click.echo(f"{kinds}, {holdings.aliases} aliases, {holdings.wrong_codes} wrong codes of the last days")
    stands = consents.standing(found.consents)
    table = Table("firm", "channel", "stands", "since (UTC)")
    for (firm, channel), said in sorted(stands.items()):
        table.add_row(firms[firm], channel, said.consent, shown(said.at))
    Console().print(table)
    entries = Table("said (UTC)", "firm", "channel", "state", "how", "source", "actor", "wording, proof")
    for entry in found.consents:
        entries.add_row(shown(entry.said_at), firms[entry.firm_id], *_row(entry))
    Console().print(entries)


@consent.command()
def why() -> None:
    """Why was this person contacted? Every marketing contact, with the word that stood then."""
    with backing() as opened:
        found = _held(opened, person.WHY)
        firms = _slugs(opened)
    table = Table(
        "made (UTC)", "firm", "channel", "blast", "ended", "policy", "consent then", "by", "wording, proof"
    )
    for reached in found.reached:
        contact, entry = reached.contact, reached.consent
        stood = f"{contact.consent} {shown(contact.said_at)}" if contact.said_at else contact.consent
        by = f"{entry.how} {entry.source}" if entry else ""
        table.add_row(
            *(shown(contact.made_at), firms[contact.firm_id], contact.channel, contact.blast, contact.state),
            *(contact.pack, stood, by, _proof(entry) if entry else ""),
        )
    Console().print(table)


consent.add_command(import_)


def _held(opened: Backing, purpose: str) -> Held:
    """Whoever has the number that is asked for now. Raises ClickException."""
    inquiry = Inquiry(who=accesses.this_operator(), purpose=purpose)
    found = person.held(typed_number(opened), inquiry, opened.engine, opened.vault)
    if found is None:
        raise click.ClickException("nothing is kept about this number")
    return found


def _slugs(opened: Backing) -> dict[int, str]:
    with opened.engine.connect() as connection:
        return {row.id: row.slug for row in connection.execute(select(schema.firm))}


def _row(entry: Entry) -> tuple[str, ...]:
    return (entry.channel, entry.state, entry.how, entry.source, entry.actor, _proof(entry))


def _proof(entry: Entry) -> str:
    return "; ".join(filter(None, (entry.wording, entry.proof)))
