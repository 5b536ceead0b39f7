"""`undercap blast`: offers by SMS and by call, from the draft to the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from campaigns.lifecycle import editing, lifecycle
from campaigns.preflight import preview as previewing
from campaigns.preflight.preflight import preflight as look_ahead
from campaigns.shown import views
from campaigns.shown.results import results as judge
from campaigns.shown.unknown import after_of
from campaigns.shown.unknown import unknown as list_unknown
from gateway.domain.people.regions import read_in, regions_of
from gateway.domain.people.typed_numbers import NumberFault
from gateway.entry.commands import tables
from gateway.entry.commands.offers.blast_add import add
from gateway.entry.commands.offers.blast_edit import edit
from gateway.entry.commands.offers.blast_view import watch as follow
from gateway.entry.commands.offers.marketing import FIRM, Marketing, marketing, result_rows
from gateway.entry.commands.tables import Column, Facts, Listing
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast

ID = click.argument("blast_id", type=int)
_UNKNOWN_AT_ONCE = 1_000


@click.group()
def blast() -> None:
    """Blasts: offers by SMS or by call to an audience, to those who allow it, when the law allows it.

    \b
    The usual way:
      undercap audience add --firm cola --name everybody
      undercap blast add --firm cola --name Spring --audience 1 --campaign 1 --texts spring.toml
      undercap blast preview --firm cola 1     what shoppers would read
      undercap blast test --firm cola 1        on your own phone
      undercap blast preflight --firm cola 1   who would get it, and when it would be done
      undercap blast launch --firm cola 1 --watch

    By call, with `--call` at `add`; see `undercap recording`. With `--follows`, whom another blast has not
    reached is tried by the other channel.
    """


blast.add_command(add)
blast.add_command(edit)


@blast.command()
@FIRM
@ID
@tables.JSON
def show(firm: str, blast_id: int, as_json: bool) -> None:
    """Tell all of a blast: its words and times, how far it is, and the revision for `edit`."""
    with _one(firm, blast_id) as (_, found):
        tables.show_facts(f"blast {blast_id}", views.blast(found), as_json=as_json)


@blast.command()
@FIRM
@ID
@click.option("--name", help="Default: the old one, with the word that it is a copy.")
def copy(firm: str, blast_id: int, name: str | None) -> None:
    """Make a draft like it, without its times; prints its id."""
    with _one(firm, blast_id) as (at, found):
        click.echo(editing.copy(at.desk, found, at.desk.clock(), name=name).id)


@blast.command()
@FIRM
@ID
@click.confirmation_option(prompt="It will be gone for good. Go on?")
def delete(firm: str, blast_id: int) -> None:
    """Delete a blast that never began. One that was launched stays: whom it has reached is on record."""
    with _one(firm, blast_id) as (at, found):
        editing.delete(at.desk, found, at.desk.clock())
    click.echo("deleted")


@blast.command(name="list")
@FIRM
@tables.JSON
def list_(firm: str, as_json: bool) -> None:
    """The firm's blasts, the newest first."""
    listing = Listing(
        "blasts",
        *("id", "name", "channel"),
        *(Column("state", told=_state), Column("whom", told=_whom), Column("drawn", told=_drawn)),
        *(tables.moment("launched (UTC)", "launched_at"), tables.moment("expires (UTC)", "expires_at")),
    )
    with marketing(firm) as at:
        for found in blasts.of_firm(at.desk.engine, at.firm_id):
            listing.add(**views.blast(found))
    tables.show(listing, as_json=as_json)


def _state(blast: Facts) -> str:
    return f"{blast['state']}: {blast['why']}" if blast["why"] else str(blast["state"])


def _whom(blast: Facts) -> str:
    return f"after blast {blast['follows']}" if blast["follows"] else f"audience {blast['audience']}"


def _drawn(blast: Facts) -> str:
    of = f" of {blast['expected']}" if blast["expected"] else ""
    return f"{blast['drawn']}{of}" if blast["launched_at"] else "-"


@blast.command()
@FIRM
@ID
@click.option("--most", type=click.IntRange(1, previewing.MOST), default=5, show_default=True)
@tables.JSON
def preview(firm: str, blast_id: int, most: int, as_json: bool) -> None:
    """The texts of some of its shoppers, with their segments and encoding; of calls, what key 1 sends."""
    listing = Listing("texts", "reference", "language", "segments", "encoding", "text")
    with _one(firm, blast_id) as (at, found):
        for seen in previewing.preview(at.desk, found, at.desk.clock(), most=most):
            listing.add(
                reference=seen.reference,
                language=seen.language,
                segments=seen.segments,
                encoding=seen.encoding,
                text=seen.text,
            )
    tables.show(listing, as_json=as_json)


@blast.command()
@FIRM
@ID
@click.option("--language", type=click.Choice(["uk", "ru", "kk", "en"]))
def test(firm: str, blast_id: int, language: str | None) -> None:
    """Send its text, with made-up facts, to a number of your own, which is asked for."""
    phone: str = click.prompt("Your number, with its country code", err=True)
    with _one(firm, blast_id) as (at, found):
        number = read_in(phone, regions_of([at.desk.catalog().campaigns[found.campaign_id]]))
        if isinstance(number, NumberFault):
            raise click.ClickException(f"the number {number}")
        click.echo(f"queued as {previewing.try_out(at.desk, found, number, language)}")


@blast.command()
@FIRM
@ID
@click.option("--whole", is_flag=True, help="Look at the whole audience: half a minute a million.")
@tables.JSON
def preflight(firm: str, blast_id: int, whole: bool, as_json: bool) -> None:
    """Who would get it and when, and what forbids it. Sends nothing. Exit code 1 if it cannot be launched.

    Of a large audience the first 20,000 are looked at, those known longest; the rest is taken to be alike.
    """
    with _one(firm, blast_id) as (at, found):
        most = None if whole else lifecycle.LOOKED_AT_LAUNCH
        shown = views.preflight(look_ahead(at.desk, found, at.desk.clock(), most=most))
    deferred = [f"{row['people']} until {row['until']}" for row in shown["deferred"]]
    calls = {f"calls: {word}": value for word, value in shown.get("calls", {}).items()}
    rows = {word: value for word, value in shown.items() if word != "calls"}
    title = f"preflight of blast {blast_id}"
    tables.show_facts(title, {**rows, **calls, "deferred": deferred}, as_json=as_json, exact=shown)
    if shown["forbids"]:
        raise click.exceptions.Exit(1)


@blast.command()
@FIRM
@ID
@click.option("--watch", is_flag=True, help="Show how it goes until it is over; Ctrl-C leaves it running.")
def launch(firm: str, blast_id: int, watch: bool) -> None:
    """Start it, now or at its --starts; refused for what the preflight forbids."""
    _turn(firm, blast_id, lifecycle.launch)
    if watch:
        _watch(firm, blast_id)


@blast.command()
@FIRM
@ID
def pause(firm: str, blast_id: int) -> None:
    """Stop it for a while: a second later nothing more of it leaves."""
    _turn(firm, blast_id, lifecycle.pause)


@blast.command()
@FIRM
@ID
def resume(firm: str, blast_id: int) -> None:
    """Go on with a paused one."""
    _turn(firm, blast_id, lifecycle.resume)


@blast.command()
@FIRM
@ID
def cancel(firm: str, blast_id: int) -> None:
    """Stop it for good: a second later nothing more of it leaves."""
    _turn(firm, blast_id, lifecycle.cancel)


@blast.command()
@FIRM
@ID
def watch(firm: str, blast_id: int) -> None:
    """Show how it goes until it is over. Ctrl-C leaves it running."""
    _watch(firm, blast_id)


@blast.command()
@FIRM
@ID
@tables.JSON
def results(firm: str, blast_id: int, as_json: bool) -> None:
    """What became of it: texts, calls, people, and what they did beside those who were held out."""
    with _one(firm, blast_id) as (at, found):
        shown = views.results(judge(at.desk.engine, found), found.id, at.desk.veil(at.firm_id))
    rows = result_rows(shown)
    rows["activated"] = {
        who: f"{said['activated']} of {said['people']}" for who, said in rows["activated"].items()
    }
    exact = {"id": blast_id, "state": found.state.value, **shown}
    tables.show_facts(f"blast {blast_id}: {found.state.value}", rows, as_json=as_json, exact=exact)


@blast.command()
@FIRM
@ID
@tables.JSON
def unknown(firm: str, blast_id: int, as_json: bool) -> None:
    """Texts or calls of which nobody knows whether they left; they are never sent or made again."""
    listing = Listing(
        "unknown", "reference", tables.moment("at (UTC)", "at"), Column("id of a text", "message")
    )
    with _one(firm, blast_id) as (at, found):
        after = ""
        while rows := next(iter(list_unknown(at.desk, found, after=after, most=_UNKNOWN_AT_ONCE).values())):
            for row in rows:
                listing.add(**{"message": None, **row})
            after = after_of(rows[-1])
    tables.show(listing, as_json=as_json)


@contextmanager
def _one(firm: str, blast_id: int) -> Iterator[tuple[Marketing, Blast]]:
    with marketing(firm) as at:
        yield at, lifecycle.of_firm(at.desk, at.firm_id, blast_id)


def _turn(firm: str, blast_id: int, turn: Callable[..., Blast]) -> None:
    with _one(firm, blast_id) as (at, found):
        click.echo(turn(at.desk, found, at.desk.clock()).state.value)


def _watch(firm: str, blast_id: int) -> None:
    with _one(firm, blast_id) as (at, _):
        follow(at.desk, at.firm_id, blast_id)
