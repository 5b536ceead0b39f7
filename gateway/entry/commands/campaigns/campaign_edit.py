"""`undercap campaign edit`: a campaign changed while it runs, without a restart of anything."""

from __future__ import annotations

import time
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click

from config.texts import LANGUAGES, TextError
from gateway.entry.commands.campaigns.campaign_texts import own_texts, text_limit
from gateway.entry.commands.opened import backing, beginning, publish
from gateway.entry.commands.opened import end as last
from gateway.store.codes import campaigns
from gateway.usecases.campaigns import edit as editing
from gateway.usecases.campaigns.edit import Changes
from gateway.usecases.firms.set_up import Refused


@click.command()
@click.argument("campaign_id", type=int)
@click.option(
    "--revision", required=True, type=int, help="The one that you have seen; `campaign show` tells it."
)
@click.option("--name")
@click.option("--short-number", "numbers", multiple=True, help="All that it is to have, each once.")
@click.option("--points", type=int, help="Points for each code that is claimed from now on.")
@click.option("--language", type=click.Choice(LANGUAGES))
@click.option("--timezone", help="IANA name. Dates that are not said stay the moments that they are.")
@click.option("--starts", metavar="ISO", help="A day or a time, in its time zone.")
@click.option("--ends", metavar="ISO", help="Its last day, which is in it whole, or a time.")
@click.option(
    "--texts", type=click.Path(exists=True, path_type=Path), help="All its own wording from now on, TOML."
)
@click.option("--no-texts", is_flag=True, help="No wording of its own any more.")
@click.option("--ask-consent/--ask-no-consent", default=None, help="Whether first confirmations ask for it.")
def edit(
    campaign_id: int,
    revision: int,
    name: str | None,
    numbers: tuple[str, ...],
    points: int | None,
    language: str | None,
    timezone: str | None,
    starts: str | None,
    ends: str | None,
    texts: Path | None,
    no_texts: bool,
    ask_consent: bool | None,
) -> None:
    """Change what is said, and nothing else; prints the new revision. Running processes follow at once.

    It is refused where somebody has changed the campaign since you looked at it, and for what printed codes
    do not bear: a short number for which codes were issued stays, a campaign that has credited codes cannot
    begin later, and codes live again only where the odds of a guess still hold.

    \b
    Example:
      undercap campaign show 2                       # revision 1
      undercap campaign edit 2 --revision 1 --ends 2026-09-30 --points 20
    """
    if texts and no_texts:
        raise click.UsageError("--texts or --no-texts: one of them")
    if timezone is not None and timezone not in available_timezones():
        raise click.BadParameter(f"{timezone!r} is no IANA time zone, such as Europe/Kyiv")
    with backing() as opened:
        with opened.engine.connect() as connection:
            found = campaigns.find(connection, campaign_id)
        if found is None:
            raise Refused(f"no campaign {campaign_id}: see `undercap campaign list`")
        zone = ZoneInfo(timezone or found.timezone)
        changes = Changes(
            revision=revision,
            name=name,
            short_numbers=numbers or None,
            points=points,
            language=language,
            timezone=timezone,
            starts_at=beginning(starts, zone) if starts else None,
            ends_at=last(ends, zone) if ends else None,
            texts=own_texts(texts) if texts or no_texts else None,
            asks_consent=ask_consent,
        )
        try:
            edited = editing.edit(
                opened.engine,
                campaign_id,
                changes,
                odds=opened.settings.codes.odds,
                limit=text_limit(opened.settings),
                now=int(time.time() * 1000),
            )
        except TextError as err:
            raise click.ClickException(str(err)) from err
        publish(opened, edited.firm_id)
    click.echo(edited.revision)
