"""`undercap smpp`: the SMPP process itself, how its links stand, and a text to try one with."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import asdict

import click
from sqlalchemy import select

from config import settings as settings_module
from config.logging import mask
from gateway.domain.people.typed_numbers import NumberFault, read_number
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing
from gateway.entry.commands.tables import Column, Facts, Listing
from gateway.entry.lazy_group import imported
from gateway.entry.wiring.backing import Backing, redis_url
from gateway.store.links import reports
from gateway.store.links.reports import LinkQueue, LinkReport
from gateway.store.redis.connect import async_client
from gateway.store.sql import schema
from gateway.store.texts import messages
from gateway.store.texts.messages import Message
from gateway.store.vault import access_report
from gateway.usecases.operations import trial_text
from gateway.usecases.operations.trial_text import Trial

LOOK_AGAIN_S = 0.2
ENDED = ("delivered", "failed", "expired", "unknown")
COLOURS = {"bound": "green", "partial": "yellow", "connecting": "yellow"}


@click.group(invoke_without_command=True)
@click.pass_context
def smpp(ctx: click.Context) -> None:
    """The SMPP process: links to operators, intake of texts, sending of answers.

    Without a further word it runs until SIGTERM. A second process on the same Redis stands by.
    """
    if ctx.invoked_subcommand is None:
        sys.exit(imported("gateway.entry.processes.smpp").run(settings_module.load()))


@smpp.command()
@tables.JSON
def links(as_json: bool) -> None:
    """How each link stands. Exit code 1 if one of them is not bound."""
    with backing() as opened:
        said, waiting = asyncio.run(_asked(opened))
    if not said and not as_json:
        click.echo("No link is configured: see [[smpp.links]] in config/undercap.example.toml.")
        return
    listing = Listing("links", *_COLUMNS)
    for name, report in said.items():
        listing.add(**_facts(name, report, waiting[name]))
    tables.show(listing, as_json=as_json)
    for name, report in said.items() if not as_json else ():
        if report is None:
            continue
        for bind, host in ((one["bind"], one["host"]) for one in report.binds):
            click.echo(f"{name}: {bind} {f'at {host}' if host else 'does not stand'}")
        if report.fault:
            click.echo(f"{name}: {report.fault}")
    states = [report and report.state for report in said.values()]
    if any(state != "bound" for state in states):
        sys.exit(1)


def _facts(name: str, report: LinkReport | None, queue: LinkQueue) -> dict[str, object]:
    """As `GET /v1/links` has them; what is not known of a link that nobody holds is null."""
    told = asdict(report) if report else {**dict.fromkeys(LinkReport.__dataclass_fields__), "state": "unheld"}
    return {"name": name, **told, "queue": dict(queue.texts), "oldest_s": round(queue.oldest_s, 1)}


def _pace(link: Facts) -> str:
    if link["holder"] is None:
        return "-"
    most = f" of {link['pace']:g}" if link["pace"] else ""
    return f"{link['received_per_s']:g} / {link['submitted_per_s']:g}{most}"


_COLUMNS = (
    Column("link", "name"),
    Column("state", style=lambda link: COLOURS.get(link["state"], "red")),
    Column("held by", told=lambda link: link["holder"] or "no process"),
    Column(
        "in flight / window",
        told=lambda link: f"{link['in_flight']} / {link['window']}" if link["holder"] else "-",
    ),
    Column("in / out a second", told=_pace),
    Column(
        "waiting",
        told=lambda link: " ".join(f"{word} {n}" for word, n in link["queue"].items() if n) or "none",
    ),
    Column("oldest", told=lambda link: f"{link['oldest_s']:.0f} s" if link["oldest_s"] else "-"),
)


async def _asked(opened: Backing) -> tuple[dict[str, LinkReport | None], dict[str, LinkQueue]]:
    """Of the links of the settings, and of those that are held without standing there, as in the demo."""
    client = async_client(redis_url(opened.settings), opened.settings.redis)
    try:
        with opened.engine.connect() as connection:
            firms = list(connection.scalars(select(schema.firm.c.id)))
        held = await reports.reporting(client)
        names = list(dict.fromkeys([*(link.name for link in opened.settings.links), *held]))
        return await reports.read(client, names), await reports.queues(client, firms, names)
    finally:
        await client.aclose()


@smpp.command()
@click.option("--link", "link_name", required=True, help="Name of the link to send by.")
@click.option("--firm", required=True, help="Whose short number it is (slug).")
@click.option("--from", "short_number", required=True, help="Short number that the text comes from.")
@click.option("--to", "number", prompt="Phone number", hide_input=True, help="Asked for if left out.")
@click.option("--wait", "wait_s", default=60.0, show_default=True, help="Seconds to follow it.")
@click.argument("text")
def send(link_name: str, firm: str, short_number: str, number: str, wait_s: float, text: str) -> None:
    """Send TEXT to a phone and print its story: queued, accepted by the SMSC, delivered.

    Only a text to yourself: no consent is asked. Exit code 1 unless the SMSC has taken it.
    """
    with backing() as opened:
        trial = _trial(opened, link_name, firm, short_number, number, text)
        begun = time.monotonic()
        id_ = trial_text.send(trial, opened.engine, opened.redis, opened.vault, access_report.this_operator())
        story = _story(opened, id_)
        size = f"{story.segments} segment{'s' * (story.segments != 1)}"
        _tell(begun, f"queued on {link_name} for {mask(number)}: {size}, id {id_}")
        while story.state not in ENDED and time.monotonic() - begun < wait_s:
            time.sleep(LOOK_AGAIN_S)
            before, story = story, _story(opened, id_)
            if story.state != before.state:
                _tell(begun, _told(story))
    if story.state in ("queued", "accepted"):
        missing = "an SMSC's answer" if story.state == "queued" else "a delivery receipt"
        _tell(begun, f"still without {missing}; `undercap smpp links` tells more")
    if story.state not in ("accepted", "delivered"):
        sys.exit(1)


def _story(opened: Backing, id_: str) -> Message:
    found = messages.find(opened.engine, id_)
    if found is None:
        raise click.ClickException("the ledger has lost the text: see `undercap doctor`")
    return found


def _tell(begun: float, what: str) -> None:
    click.echo(f"{time.monotonic() - begun:7.2f} s  {what}")


def _told(story: Message) -> str:
    words = [story.state]
    if story.smsc_id:
        words.append(f"as {story.smsc_id}")
    if story.error:
        words.append(f"({story.error})")
    if story.attempts > 1:
        words.append(f"after {story.attempts} submits: possibly doubled")
    return " ".join(words)


def _trial(opened: Backing, link_name: str, firm: str, short_number: str, number: str, text: str) -> Trial:
    """Raises ClickException with what to do."""
    regions = {link.name: link.default_region for link in opened.settings.links}
    for held in asyncio.run(_asked(opened))[0]:
        regions.setdefault(held, "")
    if link_name not in regions:
        known = ", ".join(regions) or "none is configured"
        raise click.ClickException(f"no link {link_name!r}; there are: {known}")
    digits = read_number(number, regions[link_name])
    if isinstance(digits, NumberFault):
        raise click.ClickException(f"the number {digits}")
    with opened.engine.connect() as connection:
        firm_id = connection.scalar(select(schema.firm.c.id).where(schema.firm.c.slug == firm))
    if firm_id is None:
        raise click.ClickException(f"no firm {firm!r}: see `undercap firm list`")
    id_ = message_id(int(time.time() * 1000), os.urandom(RANDOM_OCTETS))
    return Trial(id_, firm_id, link_name, short_number, digits, text)
