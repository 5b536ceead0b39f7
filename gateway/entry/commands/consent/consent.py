"""`undercap consent`: what was said about offers, why somebody was contacted, import of lists."""

from __future__ import annotations

import click
from sqlalchemy import select

from gateway.domain.written.instants import utc
from gateway.entry.commands import tables
from gateway.entry.commands.consent.consent_import import import_
from gateway.entry.commands.opened import backing, shown
from gateway.entry.commands.tables import Column, Facts, Listing, shown_value
from gateway.entry.commands.typed_number import typed_number
from gateway.entry.wiring.backing import Backing
from gateway.store.consent import consents
from gateway.store.consent.consents import Entry
from gateway.store.sql import schema
from gateway.store.vault import access_report
from gateway.usecases.people import person
from gateway.usecases.people.person import Held, Inquiry


@click.group()
def consent() -> None:
    """Consent to offers: show it, tell why somebody was contacted, import lists."""


@consent.command()
@tables.JSON
def show(as_json: bool) -> None:
    """What we hold about a person. The number is asked for: it stands in no command line."""
    with backing() as opened:
        found = _held(opened, person.DATA)
        firms = _slugs(opened)
    holdings = found.holdings
    kept = {
        **{kind.replace(" ", "_"): len(rows) for kind, rows in holdings.listed.items()},
        "aliases": holdings.aliases,
        "wrong_codes": holdings.wrong_codes,
    }
    if not as_json:
        click.echo(
            f"known since {shown(holdings.created_at)} UTC, language {holdings.language or 'not told'}"
        )
        kinds = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in kept.items())
        click.echo(f"{kinds} of the last days")
    stands = Listing("stands", "firm", "channel", "stands", Column("since (UTC)", "said_at"))
    for (firm, channel), said in sorted(consents.standing(found.consents).items()):
        stands.add(firm=firms[firm], channel=channel, stands=said.consent, said_at=utc(said.at))
    words = Column("wording, proof", told=lambda row: "; ".join(filter(None, (row["wording"], row["proof"]))))
    what = ("firm", "channel", "state", "how", "source", "actor")
    entries = Listing("entries", Column("said (UTC)", "said_at"), *what, words)
    for entry in found.consents:
        entries.add(said_at=utc(entry.said_at), firm=firms[entry.firm_id], **_facts(entry))
    known = {"known_since": utc(holdings.created_at), "language": holdings.language}
    tables.show(stands, entries, as_json=as_json, **known, kept=kept)


@consent.command()
@tables.JSON
def why(as_json: bool) -> None:
    """Why was this person contacted? Every marketing contact, with the word that stood then."""
    with backing() as opened:
        found = _held(opened, person.WHY)
        firms = _slugs(opened)
    listing = Listing(
        "contacts",
        Column("made (UTC)", "made_at"),
        *("firm", "channel", "blast", "ended", "policy"),
        Column("consent then", told=_consent_then),
        Column("by", told=lambda row: " ".join(filter(None, (row["how"], row["source"])))),
        Column("wording, proof", "proof"),
    )
    for reached in found.reached:
        contact, entry = reached.contact, reached.consent
        listing.add(
            made_at=utc(contact.made_at),
            firm=firms[contact.firm_id],
            channel=contact.channel,
            blast=contact.blast,
            ended=contact.state,
            policy=contact.pack,
            consent=contact.consent,
            said_at=utc(contact.said_at) if contact.said_at else None,
            how=entry.how if entry else None,
            source=entry.source if entry else None,
            proof=_proof(entry) if entry else None,
        )
    tables.show(listing, as_json=as_json)


def _consent_then(row: Facts) -> str:
    stood = shown_value(row["consent"])
    return f"{stood} {shown_value(row['said_at'])}" if row["said_at"] else stood


consent.add_command(import_)


def _held(opened: Backing, purpose: str) -> Held:
    """Whoever has the number that is asked for now. Raises ClickException."""
    inquiry = Inquiry(who=access_report.this_operator(), purpose=purpose)
    found = person.held(typed_number(opened), inquiry, opened.engine, opened.vault)
    if found is None:
        raise click.ClickException("nothing is kept about this number")
    return found


def _slugs(opened: Backing) -> dict[int, str]:
    with opened.engine.connect() as connection:
        return {row.id: row.slug for row in connection.execute(select(schema.firm))}


def _facts(entry: Entry) -> dict[str, str | None]:
    what = ("channel", "state", "how", "source", "actor", "wording", "proof")
    return {name: getattr(entry, name) for name in what}


def _proof(entry: Entry) -> str:
    return "; ".join(filter(None, (entry.wording, entry.proof)))
