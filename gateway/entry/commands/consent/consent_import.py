"""`undercap consent import`: lists of consents and refusals that were given elsewhere."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

import click

from gateway.domain.consent.consent_file import Fault, Line, Reading, read_lines
from gateway.domain.consent.word import Consent
from gateway.domain.people.regions import regions_of
from gateway.domain.written import sheets
from gateway.entry.commands.opened import backing
from gateway.entry.wiring.backing import Backing, Verifier, consent_words, open_redis
from gateway.store.codes import catalog as catalog_store
from gateway.store.integrity import redis_state
from gateway.store.integrity.redis_state import Presence, Standing
from gateway.usecases.consent import import_consents
from gateway.usecases.consent.consents import ConsentDesk
from gateway.usecases.consent.import_consents import Imported, Source
from gateway.usecases.firms import set_up

MOST_FAULTS = 20
MOST_WORDING = 500
MOST_BYTES = 100_000_000
T = TypeVar("T")


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--firm", required=True, metavar="SLUG", help="Whose consents they are.")
@click.option("--how", required=True, help="How the persons said it, such as 'paper form'; kept as proof.")
@click.option("--wording", default="", help="What they were shown. Needed where consents are given.")
@click.option(
    "--region",
    default="",
    help="ISO 3166, such as UA, of numbers in national form. Default: where the firm's campaigns run.",
)
@click.option("--timezone", default="UTC", show_default=True, help="Of days, and of times without a zone.")
@click.option("--dry-run", is_flag=True, help="Tell what would be recorded and change nothing.")
def import_(
    file: Path, firm: str, how: str, wording: str, region: str, timezone: str, *, dry_run: bool
) -> None:
    """Import consents and refusals that were given elsewhere; refusals always win.

    \b
    A CSV file with these columns, in any order; others are not read:
      number,channel,state,said_at,proof
      +380671234567,all,withdrawn,2025-03-01,letter 17
      +380671234568,sms,given,02.04.2025 10:30,form 4711
    As spreadsheets save it: UTF-8, UTF-16 or windows-1251; commas, semicolons or tabs. said_at is ISO 8601 or
    day first with dots. Of a day without a time a consent holds from the beginning, a refusal until the end.
    Words in any case, also: смс; дзвінок, звонок, қоңырау; усі, все, барлығы; надано, згода, дано, согласие,
    берілді, келісім; відкликано, відмова, отозвано, отказ, қайтарылды, бас тарту.

    A line with a fault is named and left out, exit code 1. The refusals beside it count at once; consents
    wait until each line that may be a refusal can be read. The same file again, with the same options,
    changes nothing.
    """
    if not 0 < len(how) <= MOST_WORDING // 10 or len(wording) > MOST_WORDING:
        raise click.BadParameter(f"--how: 1 to {MOST_WORDING // 10} characters, --wording: {MOST_WORDING}")
    if timezone not in available_timezones():
        raise click.BadParameter(f"--timezone: {timezone!r} is no IANA time zone, such as Europe/Kyiv")
    work = import_consents.foretell if dry_run else import_consents.import_lines
    with backing() as opened:
        with opened.engine.connect() as connection:
            firm_id = set_up.firm_id(connection, firm)
        region = region or _only_region(opened, firm_id)
        reading = Reading(region=region, zone=ZoneInfo(timezone), now=int(time.time() * 1000))
        lines, faults = _read(file, reading)
        held = 0
        if any(fault.may_refuse for fault in faults):
            refusals = [line for line in lines if line.state is Consent.WITHDRAWN]
            held, lines = len(lines) - len(refusals), refusals
        if not wording and any(line.state is Consent.GIVEN for line in lines):
            raise click.BadParameter("--wording is needed: the file has consents, not refusals alone")
        if dry_run:
            _check(opened, firm_id)
        source = Source(firm_id=firm_id, how=how, wording=wording, actor=f"operator {getpass.getuser()}"[:64])
        done = asyncio.run(_with_desk(opened, lambda desk: work(lines, source, desk)))
    click.echo(_told(done, dry_run=dry_run))
    if faults:
        raise click.ClickException(_named(file, faults, held))


def _only_region(opened: Backing, firm_id: int) -> str:
    """The country in which all campaigns of the firm run; empty where these are several, or not known."""
    campaigns = catalog_store.load(opened.engine, opened.vault).campaigns.values()
    found = regions_of(campaign for campaign in campaigns if campaign.firm_id == firm_id)
    return found[0] if len(found) == 1 else ""


def _check(opened: Backing, firm_id: int) -> None:
    """Of a Redis that may have lost refusals nothing can be foretold. Raises ClickException."""
    standing = redis_state.look(opened.engine, opened.redis, opened.deployment)
    if not standing.decides or firm_id in standing.firms:
        raise click.ClickException(f"Redis is {standing.presence}: run `undercap rebuild` first")


def _read(file: Path, reading: Reading) -> tuple[list[Line], list[Fault]]:
    """The lines of a file; tells an encoding that was guessed. Raises ClickException."""
    if file.stat().st_size > MOST_BYTES:
        raise click.ClickException(f"{file.name}: more than {MOST_BYTES // 1_000_000} MB: import it in parts")
    sheet = sheets.opened(file.read_bytes())
    if not sheet.encoding.startswith("utf-8"):
        click.echo(f"{file.name}: read as {sheet.encoding}")
    lines: list[Line] = []
    faults: list[Fault] = []
    for found in read_lines(sheet, reading):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            lines.append(found)
    return lines, faults


def _told(done: Imported, *, dry_run: bool) -> str:
    head = "a dry run, nothing is changed; would be recorded" if dry_run else "recorded"
    return (
        f"{head}: {done.given} consents, {done.withdrawn} refusals; known already: {done.known}; "
        f"consents that a refusal overrules: {done.overruled}"
    )


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
