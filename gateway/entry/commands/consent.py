"""`undercap consent`: what was said about offers, why somebody was contacted, import of lists."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from gateway.domain.consent import Consent
from gateway.domain.consent_file import Fault, Line, read_lines
from gateway.entry.backing import Backing, Verifier, consent_words, open_redis
from gateway.entry.commands.opened import backing, shown
from gateway.entry.commands.typed_number import typed_number
from gateway.store import accesses, consents, schema
from gateway.store.consents import Entry
from gateway.store.presence import Presence, Standing
from gateway.usecases import import_consents, person, set_up
from gateway.usecases.consents import ConsentDesk
from gateway.usecases.import_consents import Source
from gateway.usecases.person import Held, Inquiry

MOST_FAULTS = 20
MOST_WORDING = 500
T = TypeVar("T")


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


@consent.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--firm", required=True, metavar="SLUG", help="Whose consents they are.")
@click.option("--how", required=True, help="How the persons said it, such as 'paper form'; kept as proof.")
@click.option("--wording", default="", help="What they were shown. Needed where consents are given.")
@click.option("--region", default="", help="ISO 3166, such as UA, of numbers in national form.")
def import_(file: Path, firm: str, how: str, wording: str, region: str) -> None:
    """Import consents and refusals that were given elsewhere; refusals always win.

    \b
    A CSV file in UTF-8 with these columns; said_at as 2025-03-01 or 2025-03-01T10:00+02:00:
      number,channel,state,said_at,proof
      +380671234567,all,withdrawn,2025-03-01,letter 17
      +380671234568,sms,given,2025-04-02,form 4711
    A line with a fault is named and left out, exit code 1. The refusals beside it count at once; consents
    wait until each line that may be a refusal can be read. The same file again changes nothing.
    """
    if not 0 < len(how) <= MOST_WORDING // 10 or len(wording) > MOST_WORDING:
        raise click.BadParameter(f"--how: 1 to {MOST_WORDING // 10} characters, --wording: {MOST_WORDING}")
    lines, faults = _read(file, region)
    held = 0
    if any(fault.may_refuse for fault in faults):
        refusals = [line for line in lines if line.state is Consent.WITHDRAWN]
        held, lines = len(lines) - len(refusals), refusals
    if not wording and any(line.state is Consent.GIVEN for line in lines):
        raise click.BadParameter("--wording is needed: the file has consents, not refusals alone")
    with backing() as opened:
        with opened.engine.connect() as connection:
            firm_id = set_up.firm_id(connection, firm)
        source = Source(firm_id=firm_id, how=how, wording=wording, actor=f"operator {getpass.getuser()}"[:64])
        done = asyncio.run(_with_desk(opened, lambda desk: import_consents.import_lines(lines, source, desk)))
    click.echo(
        f"recorded: {done.given} consents, {done.withdrawn} refusals; known already: {done.known}; "
        f"consents that a refusal overrules: {done.overruled}"
    )
    if faults:
        raise click.ClickException(_named(file, faults, held))


def _read(file: Path, region: str) -> tuple[list[Line], list[Fault]]:
    """The lines of a file. Raises ClickException."""
    lines: list[Line] = []
    faults: list[Fault] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as rows:
            for found in read_lines(rows, region=region, now=int(time.time() * 1000)):
                if isinstance(found, Fault):
                    faults.append(found)
                else:
                    lines.append(found)
    except UnicodeDecodeError as err:
        raise click.ClickException(f"{file.name}: is not UTF-8") from err
    return lines, faults


def _named(file: Path, faults: list[Fault], held: int) -> str:
    told = [f"line {fault.line}: {fault.told}" for fault in faults[:MOST_FAULTS]]
    more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
    head = f"{file.name}: {len(faults)} lines were left out"
    wait = [f"{held} consents wait: a line that was left out may be a refusal"] if held else []
    return "\n".join([head, *told, *more, *wait])


async def _with_desk(opened: Backing, work: Callable[[ConsentDesk], Awaitable[T]]) -> T:
    redis = await open_redis(opened)
    verifier = Verifier(opened, redis.redis)
    verifier.standing = Standing(presence=Presence.WHOLE)  # that is no news beside a command's answer
    words = consent_words(opened, redis, verifier)
    try:
        return await work(ConsentDesk(engine=opened.engine, vault=opened.vault, words=words))
    finally:
        await redis.redis.aclose()


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
