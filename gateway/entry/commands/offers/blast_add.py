"""`undercap blast add`: the draft of a blast, its words and its way of calling from files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from campaigns.lifecycle import draft
from campaigns.lifecycle.draft import NewBlast
from gateway.domain.offers.cascade import LEAST_AFTER_S, MOST_AFTER_S
from gateway.domain.offers.offer_call import CallPlan
from gateway.entry.commands.offers.marketing import FIRM, marketing
from gateway.entry.commands.opened import beginning, end

HOUR_S = 3600
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@FIRM
@click.option("--name", required=True)
@click.option("--audience", type=int, help="Needed unless it follows a blast; see `undercap audience list`.")
@click.option("--follows", type=int, metavar="BLAST", help="Take those whom this blast does not reach.")
@click.option(
    "--follow-after-hours",
    type=click.FloatRange(LEAST_AFTER_S / HOUR_S, MOST_AFTER_S / HOUR_S),
    help="A text without a receipt for so long has not arrived. Default: 1.",
)
@click.option(
    "--campaign", required=True, type=int, help="In whose name and zone; see `undercap campaign list`."
)
@click.option(
    "--texts",
    required=True,
    type=FILE,
    help='TOML: uk = "… {points} … {firm} … {opt_out}", a line a language. '
    "Also {codes}, {first}, {campaign}. Of calls: what key 1 sends.",
)
@click.option(
    "--call",
    type=FILE,
    help="It calls. TOML: spoken.uk = { intro = 1, offer = 2 }, recordings by language; also "
    "calls_per_s, channels, ring_s, max_attempts, retry_busy_s, retry_no_answer_s, retry_later_s, "
    "on_machine, free_number.",
)
@click.option("--fallback", help="Language for shoppers of another. Default: the campaign's.")
@click.option("--short-number", help="Needed where the campaign uses several.")
@click.option(
    "--holdout", type=click.FloatRange(0, 0.9), default=0.0, help="Share that gets nothing, to compare."
)
@click.option("--spread-hours", type=click.FloatRange(0, 720), default=0.0, help="Spread over so long.")
@click.option(
    "--error-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    show_default=True,
    help="Share of failures at which it pauses.",
)
@click.option(
    "--starts", metavar="ISO", help="A day or a time, in the campaign's zone. Default: at its launch."
)
@click.option(
    "--expires", metavar="ISO", help="Its last day or a time, likewise. Default: a week after its start."
)
def add(
    firm: str,
    texts: Path,
    call: Path | None,
    follow_after_hours: float | None,
    spread_hours: float,
    starts: str | None,
    expires: str | None,
    **said: Any,
) -> None:
    """Add a draft; prints its id. Nothing is sent before it is launched."""
    with marketing(firm) as at:
        zone = at.zone(said["campaign"])
        new = NewBlast(
            texts=words_of(texts),
            call=None if call is None else plan_of(call),
            follow_after_s=None if follow_after_hours is None else round(follow_after_hours * HOUR_S),
            spread_s=round(spread_hours * HOUR_S),
            starts_at=beginning(starts, zone) if starts else None,
            expires_at=end(expires, zone) if expires else None,
            **said,
        )
        click.echo(draft.create(at.desk, at.firm_id, new, at.desk.clock()).id)


def words_of(file: Path) -> dict[str, str]:
    """Words by language. Raises ClickException."""
    table = _table(file)
    if not table or not all(isinstance(words, str) for words in table.values()):
        raise click.ClickException(f'{file}: a line a language is needed, such as en = "… {{opt_out}}"')
    return table


def plan_of(file: Path) -> CallPlan:
    """How it calls. Raises ClickException."""
    try:
        return CallPlan.model_validate(_table(file))
    except ValidationError as err:
        faults = err.errors(include_url=False, include_input=False)
        told = "\n".join(f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise click.ClickException(f"{file}: is not as it must be:\n{told}") from err


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise click.ClickException(f"{file}: is not TOML: {err}") from err
