"""`undercap audience`: which shoppers of a firm a blast is for."""

from __future__ import annotations

import itertools
import json
from typing import Any

import click
from pydantic import ValidationError
from sqlalchemy import bindparam, select, update

from campaigns.errors import Refused, Unknown
from campaigns.shown import uploads, views
from gateway.domain.offers.audience import Definition, prefix_of
from gateway.entry.commands import tables
from gateway.entry.commands.offers.marketing import Marketing, marketing
from gateway.entry.commands.opened import backing
from gateway.entry.commands.tables import Column, Listing
from gateway.store.offers.audiences import Audience, NameTaken, NotExcludable
from gateway.store.people.shoppers import SEAL_SHOPPER
from gateway.store.sql import database, schema

_AT_ONCE = 1_000
_MOST_NAMED = 20
FIRM = click.option("--firm", required=True, metavar="SLUG")


@click.group()
def audience() -> None:
    """Audiences: which shoppers of a firm a blast is for. Counts of people are told from ten on."""


@audience.command()
@FIRM
@click.option("--name", required=True)
@click.option("--campaign", type=int, help="Has activated a code of this campaign.")
@click.option("--within-days", type=int, help="Of that campaign, or of any: within so many days.")
@click.option("--not-within-days", type=int, help="Has activated nothing within so many days.")
@click.option("--points-least", type=int)
@click.option("--points-most", type=int)
@click.option("--region", "regions", multiple=True, help="What a number begins with: 380, 38067, 77.")
@click.option("--language", "languages", multiple=True, type=click.Choice(["uk", "ru", "kk", "en"]))
@click.option("--list", "list_file", type=click.File("r"), help="Only these: one of your references a line.")
@click.option("--exclude", type=int, multiple=True, help="Without the shoppers of this audience.")
@click.option("--share", type=float, help="A random part of them, such as 0.1.")
@click.option("--most", type=int, help="So many of them at random.")
def add(firm: str, name: str, list_file: Any, **said: Any) -> None:
    """Add an audience; prints its id and how many shoppers it has.

    \b
    Examples:
      undercap audience add --firm cola --name everybody
      undercap audience add --firm cola --name sleepers --campaign 1 --not-within-days 30 --region 380
    """
    definition = _definition({**said, "uploaded": list_file is not None})
    with marketing(firm) as at:
        try:
            made = at.desk.audiences.add(at.firm_id, name, definition, at.desk.clock())
        except NameTaken as err:
            raise Refused(f"there is an audience {name!r} already: take another name") from err
        except NotExcludable as err:
            raise Refused(f"--exclude: {err}") from err
        if list_file is not None:
            _upload(at, made, list_file)
        click.echo(f"audience {made.id}: {views.shoppers(at.desk, made)} shoppers")


@audience.command(name="list")
@FIRM
@tables.JSON
def list_(firm: str, as_json: bool) -> None:
    """The firm's audiences with their counts."""
    definition = Column("definition", told=lambda row: json.dumps(row["definition"], ensure_ascii=False))
    listing = Listing("audiences", "id", "name", "shoppers", definition)
    with marketing(firm) as at:
        for found in at.desk.audiences.all(at.firm_id):
            shown = views.audience(found)
            listing.add(**{**shown, "shoppers": views.shoppers(at.desk, found)})
    tables.show(listing, as_json=as_json)


@audience.command()
@FIRM
@click.argument("audience_id", type=int)
@click.option("--most", type=click.IntRange(1, 20), default=5, show_default=True)
@tables.JSON
def sample(firm: str, audience_id: int, most: int, as_json: bool) -> None:
    """Some shoppers of an audience at random, under your firm's own names for them."""
    listing = Listing("shoppers", "reference", "language", "region", "points")
    with marketing(firm) as at:
        for member in at.desk.audiences.some(_find(at, audience_id), at.desk.clock(), most=most, seed=""):
            listing.add(**views.member(at.desk, at.firm_id, member))
    tables.show(listing, as_json=as_json)


@audience.command()
@FIRM
@click.argument("audience_id", type=int)
@click.argument("references", type=click.File("r"))
def upload(firm: str, audience_id: int, references: Any) -> None:
    """Add REFERENCES, a file with one of your references a line, to the list of an audience."""
    with marketing(firm) as at:
        _upload(at, _find(at, audience_id), references)


@audience.command()
def prefixes() -> None:
    """Note what the number of each shopper begins with, where an older version has not; for --region."""
    s = schema.shopper
    missing = select(s.c.id, s.c.number).where(s.c.prefix.is_(None)).order_by(s.c.id).limit(_AT_ONCE)
    noted = update(s).where(s.c.id == bindparam("b_id")).values(prefix=bindparam("b_prefix"))
    count = 0
    with backing() as opened:
        while True:
            with opened.engine.connect() as connection:
                rows = connection.execute(missing).all()
            if not rows:
                break
            values = [
                {"b_id": id_, "b_prefix": prefix_of(opened.vault.open(SEAL_SHOPPER, number).decode())}
                for id_, number in rows
            ]
            with database.writing(opened.engine) as connection:
                connection.execute(noted, values)
            count += len(values)
    click.echo(f"noted for {count} shoppers")


def _find(at: Marketing, audience_id: int) -> Audience:
    found = at.desk.audiences.find(at.firm_id, audience_id)
    if found is None:
        raise Unknown(f"there is no audience {audience_id}")
    return found


def _upload(at: Marketing, found: Audience, file: Any) -> None:
    received = known = refused = 0
    lines = ((number, line.strip()) for number, line in enumerate(file, 1))
    references = ((number, line) for number, line in lines if line)
    while part := list(itertools.islice(references, _AT_ONCE)):
        taken = uploads.take(at.desk, found, [line for _, line in part])
        received, known = received + taken.received, known + taken.known
        for left_out in taken.refused[: max(0, _MOST_NAMED - refused)]:
            click.echo(f"line {part[left_out.at][0]}: {left_out.why}", err=True)
        refused += len(taken.refused)
    if refused > _MOST_NAMED:
        click.echo(f"and {refused - _MOST_NAMED:,} more lines", err=True)
    click.echo(f"{received} references, {known} of them of shoppers whom the firm knows")


def _definition(said: dict[str, Any]) -> Definition:
    """The definition of the options. Raises click.ClickException with every fault."""
    within = said["within_days"]
    campaign, resting = said["campaign"], said["not_within_days"]
    data: dict[str, Any] = {
        "activated": {"campaign": campaign, "within_days": within} if campaign else None,
        "seen": _some({"within_days": None if campaign else within, "not_within_days": resting}),
        "points": _some({"least": said["points_least"], "most": said["points_most"]}),
        "regions": said["regions"],
        "languages": said["languages"],
        "uploaded": said["uploaded"],
        "exclude": said["exclude"],
        "sample": _some({"share": said["share"], "most": said["most"]}),
    }
    try:
        return Definition.model_validate(data, strict=False)
    except ValidationError as err:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in err.errors(include_url=False)]
        raise click.ClickException("\n".join(faults)) from err


def _some(values: dict[str, Any]) -> dict[str, Any] | None:
    return values if any(value is not None for value in values.values()) else None
