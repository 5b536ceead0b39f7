"""`undercap campaign show`: all that a campaign is, and what of its codes was used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.domain.codes.catalog import standing_of
from gateway.domain.written import instants, moments
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing
from gateway.entry.commands.tables import Facts
from gateway.store.codes import campaigns, series
from gateway.store.codes.campaigns import CampaignRow
from gateway.store.codes.series import Counts
from gateway.usecases.firms.set_up import Refused


@click.command()
@click.argument("campaign_id", type=int)
@tables.JSON
def show(campaign_id: int, as_json: bool) -> None:
    """Tell all of a campaign: dates, points, short numbers, wording, codes, and its revision for `edit`."""
    now = int(time.time() * 1000)
    with backing() as opened, opened.engine.connect() as connection:
        found = campaigns.find(connection, campaign_id)
        if found is None:
            raise Refused(f"no campaign {campaign_id}: see `undercap campaign list`")
        issued = [one.codes for one in series.all_series(connection, campaign_id)]
    zone = ZoneInfo(found.timezone)
    known = facts(found, now)
    rows = {
        **{word: known[word] for word in ("firm", "name", "state")},
        "runs": dates(known),
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
    exact = {
        **known,
        "rules": [
            {"version": rule.version, "points": rule.points, "since": instants.utc(rule.created_at)}
            for rule in found.rules
        ],
        "texts": found.texts,
        "series": len(issued),
        "codes": _total(issued)._asdict(),
    }
    tables.show_facts(f"campaign {campaign_id}", rows, as_json=as_json, exact=exact)


def facts(found: CampaignRow, now: int) -> dict[str, Any]:
    """A campaign by `now` (ms since 1970); its days in its own zone, `ends_at` itself not in it any more."""
    zone = ZoneInfo(found.timezone)
    return {
        "id": found.id,
        "firm": found.firm,
        "name": found.name,
        "state": standing_of(found.state, found.starts_at, found.ends_at, now),
        "starts_at": instants.utc(found.starts_at).astimezone(zone),
        "ends_at": instants.utc(found.ends_at).astimezone(zone),
        "timezone": found.timezone,
        "language": found.language,
        "short_numbers": list(found.short_numbers),
        "points": found.points,
        "asks_consent": found.asks_consent,
        "revision": found.revision,
    }


def dates(campaign: Facts, between: str = " ") -> str:
    """From its first day to its last one, and the zone of these."""
    zone = ZoneInfo(campaign["timezone"])
    first = moments.first_told(instants.ms_of(campaign["starts_at"]), zone)
    last = moments.last_told(instants.ms_of(campaign["ends_at"]), zone)
    return between.join((first, f"to {last}", campaign["timezone"]))


def counted(codes: Sequence[Counts]) -> str:
    """All of them together, in one line."""
    issued, used, voided = _total(codes)
    return f"{issued:,} issued, {used:,} used" + (f", {voided:,} voided" if voided else "")


def _total(codes: Sequence[Counts]) -> Counts:
    return Counts(*(sum(each) for each in zip(*codes, strict=True))) if codes else Counts(0, 0, 0)
