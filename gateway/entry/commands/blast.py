"""`undercap blast`: offers by SMS, from the draft to the results."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from campaigns import life, told
from campaigns import preview as previewing
from campaigns.life import NewBlast
from campaigns.preflight import preflight as look_ahead
from campaigns.results import results as judge
from campaigns.results import unknown_texts
from gateway.domain.numbers import parse_msisdn
from gateway.entry.commands.blast_view import watch as follow
from gateway.entry.commands.marketing import Marketing, marketing, two_columns
from gateway.entry.commands.opened import moment
from gateway.store import blasts
from gateway.store.blasts import Blast

FIRM = click.option("--firm", required=True, metavar="SLUG")
ID = click.argument("blast_id", type=int)
_HOUR_S = 3600
_UNKNOWN_AT_ONCE = 1_000


@click.group()
def blast() -> None:
    """Blasts: offers by SMS to an audience, to those who allow it, when the law allows it.

    \b
    The usual way:
      undercap audience add --firm cola --name everybody
      undercap blast add --firm cola --name Spring --audience 1 --campaign 1 --texts spring.toml
      undercap blast preview --firm cola 1     what shoppers would read
      undercap blast test --firm cola 1        on your own phone
      undercap blast preflight --firm cola 1   who would get it, and when it would be done
      undercap blast launch --firm cola 1 --watch
    """


@blast.command()
@FIRM
@click.option("--name", required=True)
@click.option("--audience", required=True, type=int, help="See `undercap audience list`.")
@click.option(
    "--campaign", required=True, type=int, help="In whose name and zone; see `undercap campaign list`."
)
@click.option(
    "--texts",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help='TOML: uk = "… {points} … {firm} … {opt_out}", a line a language. '
    "Also {codes}, {first}, {campaign}.",
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
@click.option("--starts", metavar="ISO", help="Default: at its launch.")
@click.option("--expires", metavar="ISO", help="Default: a week after its start.")
def add(
    firm: str, texts: Path, spread_hours: float, starts: str | None, expires: str | None, **said: Any
) -> None:
    """Add a draft; prints its id. Nothing is sent before it is launched."""
    new = NewBlast(
        texts=_texts(texts),
        spread_s=round(spread_hours * _HOUR_S),
        starts_at=moment(starts) if starts else None,
        expires_at=moment(expires) if expires else None,
        **said,
    )
    with marketing(firm) as at:
        click.echo(life.create(at.desk, at.firm_id, new, at.desk.clock()).id)


@blast.command(name="list")
@FIRM
def list_(firm: str) -> None:
    """The firm's blasts, the newest first."""
    table = Table("id", "name", "state", "audience", "drawn", "launched (UTC)", "expires (UTC)")
    with marketing(firm) as at:
        for found in blasts.of_firm(at.desk.engine, at.firm_id):
            shown = told.blast(found)
            state = f"{found.state.value}: {found.why}" if found.why else found.state.value
            drawn = f"{shown['drawn']} of {shown['expected']}" if found.launched_at else "-"
            times = (shown["launched_at"] or "-", shown["expires_at"] or "-")
            table.add_row(str(found.id), found.name, state, str(found.audience_id), drawn, *times)
    Console().print(table)


@blast.command()
@FIRM
@ID
@click.option("--most", type=click.IntRange(1, previewing.MOST), default=5, show_default=True)
def preview(firm: str, blast_id: int, most: int) -> None:
    """The texts of some of its shoppers, with their segments and encoding."""
    table = Table("reference", "language", "segments", "encoding", "text")
    with _one(firm, blast_id) as (at, found):
        for seen in previewing.preview(at.desk, found, at.desk.clock(), most=most):
            table.add_row(seen.reference, seen.language, str(seen.segments), seen.encoding, seen.text)
    Console().print(table)


@blast.command()
@FIRM
@ID
@click.option("--language", type=click.Choice(["uk", "ru", "kk", "en"]))
def test(firm: str, blast_id: int, language: str | None) -> None:
    """Send its text, with made-up facts, to a number of your own, which is asked for."""
    phone: str = click.prompt("Your number, with its country code", err=True)
    number = parse_msisdn("".join(c for c in phone if c in "+0123456789"), 0, "")
    if number is None:
        raise click.ClickException("this is no phone number; write it with its country code, such as +380…")
    with _one(firm, blast_id) as (at, found):
        click.echo(f"queued as {previewing.try_out(at.desk, found, number, language)}")


@blast.command()
@FIRM
@ID
@click.option("--whole", is_flag=True, help="Look at the whole audience: half a minute a million.")
def preflight(firm: str, blast_id: int, whole: bool) -> None:
    """Who would get it and when, and what forbids it. Sends nothing. Exit code 1 if it cannot be launched.

    Of a large audience the first 20,000 are looked at, those known longest; the rest is taken to be alike.
    """
    with _one(firm, blast_id) as (at, found):
        most = None if whole else life.LOOKED_AT_LAUNCH
        shown = told.preflight(look_ahead(at.desk, found, at.desk.clock(), most=most))
    deferred = [f"{row['people']} until {row['until']}" for row in shown["deferred"]]
    Console().print(two_columns(f"preflight of blast {blast_id}", {**shown, "deferred": deferred}))
    if shown["forbids"]:
        raise click.exceptions.Exit(1)


@blast.command()
@FIRM
@ID
@click.option("--watch", is_flag=True, help="Show how it goes until it is over; Ctrl-C leaves it running.")
def launch(firm: str, blast_id: int, watch: bool) -> None:
    """Start it, now or at its --starts; refused for what the preflight forbids."""
    _turn(firm, blast_id, life.launch)
    if watch:
        _watch(firm, blast_id)


@blast.command()
@FIRM
@ID
def pause(firm: str, blast_id: int) -> None:
    """Stop it for a while: a second later nothing more of it leaves."""
    _turn(firm, blast_id, life.pause)


@blast.command()
@FIRM
@ID
def resume(firm: str, blast_id: int) -> None:
    """Go on with a paused one."""
    _turn(firm, blast_id, life.resume)


@blast.command()
@FIRM
@ID
def cancel(firm: str, blast_id: int) -> None:
    """Stop it for good: a second later nothing more of it leaves."""
    _turn(firm, blast_id, life.cancel)


@blast.command()
@FIRM
@ID
def watch(firm: str, blast_id: int) -> None:
    """Show how it goes until it is over. Ctrl-C leaves it running."""
    _watch(firm, blast_id)


@blast.command()
@FIRM
@ID
def results(firm: str, blast_id: int) -> None:
    """What became of it: texts, people, and what they did afterwards beside those who were held out."""
    with _one(firm, blast_id) as (at, found):
        shown = told.results(judge(at.desk.engine, found))
    rows = {**shown.pop("texts_by_state"), **shown}
    rows["activated"] = {
        who: f"{said['activated']} of {said['people']}" for who, said in rows["activated"].items()
    }
    Console().print(two_columns(f"blast {blast_id}: {found.state.value}", rows))


@blast.command()
@FIRM
@ID
def unknown(firm: str, blast_id: int) -> None:
    """Texts of which nobody knows whether they left; they are never sent again."""
    table = Table("reference", "text's id", "at (UTC)")
    with _one(firm, blast_id) as (at, found):
        after = ""
        while rows := unknown_texts(at.desk.engine, found, after=after, most=_UNKNOWN_AT_ONCE):
            for row in rows:
                reference = at.desk.reference(at.firm_id, row.shopper_id)
                table.add_row(reference, row.message_id, told.time(row.at))
            after = rows[-1].message_id
    Console().print(table)


@contextmanager
def _one(firm: str, blast_id: int) -> Iterator[tuple[Marketing, Blast]]:
    with marketing(firm) as at:
        yield at, life.of_firm(at.desk, at.firm_id, blast_id)


def _turn(firm: str, blast_id: int, turn: Callable[..., Blast]) -> None:
    with _one(firm, blast_id) as (at, found):
        click.echo(turn(at.desk, found, at.desk.clock()).state.value)


def _watch(firm: str, blast_id: int) -> None:
    with _one(firm, blast_id) as (at, _):
        follow(at.desk, at.firm_id, blast_id)


def _texts(file: Path) -> dict[str, str]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise click.ClickException(f"{file}: is not TOML: {err}") from err
    if not table or not all(isinstance(words, str) for words in table.values()):
        raise click.ClickException(f'{file}: a line a language is needed, such as en = "… {{opt_out}}"')
    return table
