"""`undercap blast edit`: a blast changed before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from campaigns.lifecycle import editing, lifecycle
from gateway.domain.offers.cascade import LEAST_AFTER_S, MOST_AFTER_S
from gateway.entry.commands.offers.blast_add import FILE, HOUR_S, plan_of, words_of
from gateway.entry.commands.offers.marketing import FIRM, marketing
from gateway.entry.commands.opened import beginning, end


@click.command()
@FIRM
@click.argument("blast_id", type=int)
@click.option("--revision", required=True, type=int, help="The one that you saw; `blast show` tells it.")
@click.option("--name")
@click.option("--audience", type=int, help="Another one; see `undercap audience list`.")
@click.option("--campaign", type=int, help="In whose name and zone.")
@click.option("--texts", type=FILE, help="All its words from now on, TOML: a line a language.")
@click.option("--call", type=FILE, help="How it calls from now on, TOML; of a blast that calls.")
@click.option("--fallback", help="Language for shoppers of another.")
@click.option("--short-number", help="One that the campaign uses.")
@click.option("--holdout", type=click.FloatRange(0, 0.9), help="Share that gets nothing, to compare.")
@click.option("--spread-hours", type=click.FloatRange(0, 720), help="Spread over so long.")
@click.option("--follow-after-hours", type=click.FloatRange(LEAST_AFTER_S / HOUR_S, MOST_AFTER_S / HOUR_S))
@click.option("--error-share", type=click.FloatRange(0, 1, min_open=True))
@click.option("--starts", metavar="ISO", help="A day or a time, in the campaign's zone.")
@click.option("--at-launch", is_flag=True, help="It starts when it is launched.")
@click.option("--expires", metavar="ISO", help="Its last day or a time, likewise.")
def edit(
    firm: str,
    blast_id: int,
    revision: int,
    texts: Path | None,
    call: Path | None,
    follow_after_hours: float | None,
    spread_hours: float | None,
    starts: str | None,
    at_launch: bool,
    expires: str | None,
    **said: Any,
) -> None:
    """Change what is said, and nothing else, before it begins; prints the new revision.

    Refused where somebody has changed it since you looked at it. A scheduled one stays so where its preflight
    still lets it go.

    \b
    Example:
      undercap blast show --firm cola 1                       # revision 1
      undercap blast edit --firm cola 1 --revision 1 --texts spring.toml --expires 2027-03-31
    """
    if starts and at_launch:
        raise click.UsageError("--starts or --at-launch: one of them")
    with marketing(firm) as at:
        blast = lifecycle.of_firm(at.desk, at.firm_id, blast_id)
        zone = at.zone(said["campaign"] or blast.campaign_id)
        hours = {"follow_after_s": follow_after_hours, "spread_s": spread_hours}
        wanted = {
            **said,
            "texts": words_of(texts) if texts else None,
            "call": plan_of(call) if call else None,
            **{name: None if value is None else round(value * HOUR_S) for name, value in hours.items()},
            "starts_at": beginning(starts, zone) if starts else None,
            "expires_at": end(expires, zone) if expires else None,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        if at_launch:
            changes["starts_at"] = None
        if not changes:
            raise click.UsageError("nothing is to be otherwise: say what")
        click.echo(editing.edit(at.desk, blast, changes, seen=revision, now=at.desk.clock()).revision)
