"""`undercap campaign`: promotions of a firm."""

from __future__ import annotations

import time
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click

from config.texts import TextError
from gateway.entry.commands import tables
from gateway.entry.commands.campaigns.campaign_edit import edit
from gateway.entry.commands.campaigns.campaign_show import dates, facts, show
from gateway.entry.commands.campaigns.campaign_texts import own_texts, text_limit
from gateway.entry.commands.opened import backing, beginning, publish
from gateway.entry.commands.opened import end as last
from gateway.entry.commands.tables import Column, Listing
from gateway.store.codes import campaigns
from gateway.usecases.firms import set_up
from gateway.usecases.firms.set_up import NewCampaign

YEAR_MS = 365 * 86_400_000


@click.group()
def campaign() -> None:
    """Campaigns: dates, short numbers, points."""


campaign.add_command(show)
campaign.add_command(edit)


@campaign.command()
@click.option("--firm", required=True, metavar="SLUG")
@click.option("--name", required=True)
@click.option("--short-number", "numbers", required=True, multiple=True, help="May be given several times.")
@click.option("--points", required=True, type=int, help="Points for each code.")
@click.option("--language", type=click.Choice(["uk", "ru", "kk", "en"]), default="uk", show_default=True)
@click.option("--timezone", default="Europe/Kyiv", show_default=True, help="IANA name, for all its dates.")
@click.option("--starts", metavar="ISO", help="A day or a time, in its time zone. Default: now.")
@click.option("--ends", metavar="ISO", help="Its last day, which is in it whole, or a time. Default: a year.")
@click.option(
    "--texts", type=click.Path(exists=True, path_type=Path), help="Own wording, TOML: [uk] key = text."
)
@click.option("--ask-consent", is_flag=True, help="A first confirmation asks once for consent to offers.")
def add(
    firm: str,
    name: str,
    numbers: tuple[str, ...],
    points: int,
    language: str,
    timezone: str,
    starts: str | None,
    ends: str | None,
    texts: Path | None,
    ask_consent: bool,
) -> None:
    """Add a campaign; prints its id.

    \b
    Example:
      undercap campaign add --firm cola --name "Summer caps" --short-number 4040 --points 10 \
          --starts 2026-05-01 --ends 2026-08-31
    """
    if timezone not in available_timezones():
        raise click.BadParameter(f"{timezone!r} is no IANA time zone, such as Europe/Kyiv")
    zone = ZoneInfo(timezone)
    begin = beginning(starts, zone) if starts else int(time.time() * 1000)
    new = NewCampaign(
        firm=firm,
        name=name,
        short_numbers=numbers,
        points=points,
        language=language,
        timezone=timezone,
        starts_at=begin,
        ends_at=last(ends, zone) if ends else begin + YEAR_MS,
        texts=own_texts(texts),
        asks_consent=ask_consent,
    )
    with backing() as opened:
        try:
            made = set_up.add_campaign(opened.engine, new, text_limit(opened.settings))
        except TextError as err:
            raise click.ClickException(str(err)) from err
        with opened.engine.connect() as connection:
            owner = set_up.firm_id(connection, firm)
        publish(opened, owner)
    click.echo(made)


@campaign.command(name="list")
@tables.JSON
def list_(as_json: bool) -> None:
    """All campaigns: when they run, what a code is worth, and where it is texted to."""
    runs = Column("runs", told=lambda row: dates(row, "\n"))
    points = tables.count("points")
    numbers = Column("short numbers", told=lambda row: ", ".join(row["short_numbers"]))
    listing = Listing("campaigns", "id", "firm", "name", "state", runs, points, numbers)
    now = int(time.time() * 1000)
    with backing() as opened, opened.engine.connect() as connection:
        for found in campaigns.all_campaigns(connection):
            listing.add(**facts(found, now))
    tables.show(listing, as_json=as_json)


@campaign.command()
@click.argument("campaign_id", type=int)
def pause(campaign_id: int) -> None:
    """Stop taking codes for a while; the shopper is told so."""
    _change(campaign_id, "pause")


@campaign.command()
@click.argument("campaign_id", type=int)
def resume(campaign_id: int) -> None:
    """Take codes again."""
    _change(campaign_id, "resume")


@campaign.command()
@click.argument("campaign_id", type=int)
def end(campaign_id: int) -> None:
    """End for good."""
    _change(campaign_id, "end")


@campaign.command()
@click.argument("campaign_id", type=int)
@click.argument("number", type=int)
def points(campaign_id: int, number: int) -> None:
    """Change the points of a code, for claims from now on."""
    with backing() as opened:
        publish(opened, set_up.change_points(opened.engine, campaign_id, number))
    click.echo("done")


def _change(campaign_id: int, word: str) -> None:
    with backing() as opened:
        publish(opened, set_up.change_state(opened.engine, campaign_id, word))
    click.echo("done")
