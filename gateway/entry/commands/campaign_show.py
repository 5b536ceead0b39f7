"""`undercap campaign show`: all that a campaign is, and what of its codes was used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from gateway.domain import moments
from gateway.domain.catalog import standing_of
from gateway.entry.commands.marketing import two_columns
from gateway.entry.commands.opened import backing
from gateway.store.codes import campaigns, series
from gateway.store.codes.campaigns import CampaignRow
from gateway.store.codes.series import Counts
from gateway.usecases.set_up import Refused


@click.command()
@click.argument("campaign_id", type=int)
def show(campaign_id: int) -> None:
    """Tell all of a campaign: dates, points, short numbers, wording, codes, and its revision for `edit`."""
    now = int(time.time() * 1000)
    with backing() as opened, opened.engine.connect() as connection:
        found = campaigns.find(connection, campaign_id)
        if found is None:
            raise Refused(f"no campaign {campaign_id}: see `undercap campaign list`")
        issued = [one.codes for one in series.all_series(connection, campaign_id)]
    zone = ZoneInfo(found.timezone)
    rows = {
        "firm": found.firm,
        "name": found.name,
        "state": standing(found, now),
        "runs": dates(found),
        "language": found.language,
        "short numbers": ", ".join(found.short_numbers),
        "points": f"{found.points:,} a code",
        "points before": [
            f"{rule.points:,} from {moments.first_told(rule.created_at, zone)}" for rule in found.rules[:-1]
        ],
        "asks for consent": "yes" if found.asks_consent else "no",
        "own wording": [
            f"{language}: {', '.join(sorted(own)) or '-'}" for language, own in sorted(found.texts.items())
        ],
        "code series": len(issued),
        "codes": counted(issued),
        "revision": found.revision,
    }
    Console().print(two_columns(f"campaign {campaign_id}", rows))


def standing(found: CampaignRow, now: int) -> str:
    """Its state, or what its dates make of it by `now` (ms since 1970)."""
    return standing_of(found.state, found.starts_at, found.ends_at, now)


def dates(found: CampaignRow, between: str = " ") -> str:
    """From its first day to its last one, and the zone of these."""
    zone = ZoneInfo(found.timezone)
    first, last = moments.first_told(found.starts_at, zone), moments.last_told(found.ends_at, zone)
    return between.join((first, f"to {last}", found.timezone))


def counted(codes: Sequence[Counts]) -> str:
    """All of them together, in one line."""
    issued, used, voided = (sum(each) for each in zip(*codes, strict=True)) if codes else (0, 0, 0)
    return f"{issued:,} issued, {used:,} used" + (f", {voided:,} voided" if voided else "")
