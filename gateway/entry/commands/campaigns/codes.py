"""`undercap codes`: codes for the printer, what a code is, and voiding a leaked batch."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select

from gateway.domain.reading.reading import read_text
from gateway.domain.written import instants
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing, publish, shown
from gateway.entry.commands.tables import Column, Listing
from gateway.store.codes import campaigns, series
from gateway.store.codes import catalog as catalog_store
from gateway.store.redis import keys
from gateway.store.sql import schema
from gateway.usecases.codes import issue_codes
from gateway.usecases.codes.issue_codes import IssuedSeries
from gateway.usecases.firms.set_up import Refused

_STEP = 10_000


@click.group()
def codes() -> None:
    """Make codes for the printer, list them, check one, void a batch."""


@codes.command()
@click.option("--campaign", "campaign_id", required=True, type=int)
@click.option("--count", required=True, type=int)
@click.option("--alphabet", type=click.Choice(["digits", "letters"]), default="digits", show_default=True)
@click.option("--length", type=int, help="Default: the shortest that keeps the odds of a guess.")
@click.option("--batch-size", type=int, help="Split into print batches of N codes, each voidable apart.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="CSV file, made with mode 0600; default: the screen."
)
def generate(
    campaign_id: int, count: int, alphabet: str, length: int | None, batch_size: int | None, out: Path | None
) -> None:
    """Make a series of codes and write them as CSV (serial, code). The codes are stored nowhere else.

    \b
    Example:
      undercap codes generate --campaign 1 --count 1000000 --out caps.csv
    """
    with backing() as opened, _opened(out) as file:
        made = issue_codes.issue(
            opened.engine,
            opened.vault,
            campaign=campaign_id,
            count=count,
            alphabet=alphabet,
            odds=opened.settings.codes.odds,
            length=length,
            batch_size=batch_size,
        )
        _rows(made, file)
        click.echo(f"series {made.series_id}, {_told(made)}, length {made.space.length}", err=True)
        publish(opened, made.firm_id)


@codes.command()
@click.argument("series_id", type=int)
@click.option(
    "--out", type=click.Path(path_type=Path), help="CSV file, made with mode 0600; default: the screen."
)
def again(series_id: int, out: Path | None) -> None:
    """Write the codes of a series once more: the key makes them again, so files need not be kept."""
    with backing() as opened, _opened(out) as file:
        _rows(issue_codes.again(opened.engine, opened.vault, series_id), file)


@codes.command()
@click.argument("code")
@click.option("--short-number", required=True, metavar="NUMBER")
@tables.JSON
def check(code: str, short_number: str, as_json: bool) -> None:
    """Tell what CODE is at a short number: campaign, series, batch, claimed or not."""
    with backing() as opened:
        catalog = catalog_store.load(opened.engine, opened.vault)
        short = catalog.short_numbers.get(short_number)
        if short is None:
            raise click.ClickException(f"no campaign uses the short number {short_number}")
        found = [short.resolve(c) for c in read_text(code, short.forms).candidates]
        issued = next((f for f in found if f is not None), None)
        if issued is None:
            raise click.ClickException("this code was never issued at this short number")
        chunk, offset = divmod(issued.serial, keys.CHUNK_BITS)
        bit = opened.redis.getbit(keys.bits(issued.firm_id, issued.space_id, chunk), offset)
        campaign = catalog.campaigns[issued.campaign_id]
        with opened.engine.connect() as connection:
            t = schema.activation
            row = connection.execute(
                select(t.c.claimed_at, t.c.points, t.c.channel).where(
                    t.c.space_id == issued.space_id, t.c.serial == issued.serial
                )
            ).first()
            voided = connection.scalar(
                select(schema.print_batch.c.voided_at).where(schema.print_batch.c.id == issued.batch_id)
            )
    stands = (
        f"{shown(row.claimed_at)} UTC by {row.channel}, {row.points} points"
        if row is not None
        else ("claimed, not settled yet" if bit else f"voided {shown(voided)}" if voided else "not used")
    )
    rows = {
        "firm": catalog.firms[issued.firm_id],
        "campaign": f"{campaign.id} {campaign.name} ({campaign.state})",
        "series": f"{issued.series_id}, print batch {issued.batch_id}, serial {issued.serial}",
        "used": stands,
    }
    exact = {
        "firm": rows["firm"],
        "campaign": campaign.id,
        "series": issued.series_id,
        "batch": issued.batch_id,
        "serial": issued.serial,
        "claimed": bool(bit),
        "voided_at": instants.utc(voided) if voided else None,
        "activation": row
        and {"at": instants.utc(row.claimed_at), "channel": row.channel, "points": row.points},
    }
    tables.show_facts("", rows, as_json=as_json, exact=exact)


@codes.command(name="series")
@click.option("--campaign", "campaign_id", type=int, help="Of this campaign alone.")
@tables.JSON
def list_series(campaign_id: int | None, as_json: bool) -> None:
    """List code series: how many codes were issued, used and voided."""
    form = Column("codes of", told=lambda row: f"{row['length']} {row['alphabet']}")
    made = Column("made", told=lambda row: f"{row['created_at']:%Y-%m-%d}")
    counts = map(tables.count, ("issued", "used", "voided", "batches"))
    listing = Listing("series", Column("series", "id"), "campaign", form, *counts, made)
    with backing() as opened, opened.engine.connect() as connection:
        if campaign_id is not None and campaigns.find(connection, campaign_id) is None:
            raise Refused(f"no campaign {campaign_id}: see `undercap campaign list`")
        for found in series.all_series(connection, campaign_id):
            listing.add(
                id=found.id,
                campaign=found.campaign_id,
                length=found.length,
                alphabet=found.alphabet,
                **found.codes._asdict(),
                batches=found.batches,
                created_at=instants.utc(found.created_at),
            )
    tables.show(listing, as_json=as_json)


@codes.command(name="batches")
@click.argument("series_id", type=int)
@tables.JSON
def list_batches(series_id: int, as_json: bool) -> None:
    """List the print batches of a series: issued, used, voided; `codes void` takes a batch of them."""
    serials = Column("serials", told=lambda row: f"{row['first_serial']} to {row['last_serial']}")
    counts = map(tables.count, ("issued", "used", "voided"))
    at = tables.moment("voided at (UTC)", "voided_at")
    listing = Listing("batches", Column("batch", "id"), serials, *counts, at)
    with backing() as opened, opened.engine.connect() as connection:
        found = series.batches(connection, series_id)
    if not found:
        raise click.ClickException(f"no code series {series_id}: see `undercap codes series`")
    for batch in found:
        listing.add(
            id=batch.id,
            first_serial=batch.first_serial,
            last_serial=batch.first_serial + batch.codes.issued - 1,
            **batch.codes._asdict(),
            voided_at=instants.utc(batch.voided_at) if batch.voided_at else None,
        )
    tables.show(listing, as_json=as_json)


@codes.command()
@click.argument("batch_id", type=int)
@click.confirmation_option(prompt="Its unused codes will be worth nothing. Go on?")
def void(batch_id: int) -> None:
    """Void a leaked print batch: its unused codes are no codes any more."""
    with backing() as opened:
        publish(opened, issue_codes.void_batch(opened.engine, batch_id))
    click.echo("voided")


def _told(made: IssuedSeries) -> str:
    first, last = made.batches[0][0], made.batches[-1][0]
    return f"print batch {first}" if first == last else f"print batches {first} to {last}"


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    """The file for the codes, made before any are: it is private, new, and gone again if there are none."""
    if out is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as err:
        told = f"{out} exists already: codes are as good as money, take another name"
        raise click.ClickException(told) from err
    except OSError as err:
        raise click.ClickException(f"{out} cannot be made: {err.strerror}") from err
    with os.fdopen(descriptor, "w", newline="", encoding="ascii") as file:
        try:
            yield file
        except BaseException:
            if file.tell() == 0:
                out.unlink()
            raise


def _rows(made: IssuedSeries, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("serial", "code"))
    with Progress(console=Console(stderr=True), disable=made.size < _STEP) as progress:
        task = progress.add_task("codes", total=made.size)
        block: list[tuple[int, str]] = []
        for row in made.codes():
            block.append(row)
            if len(block) == _STEP:
                writer.writerows(block)
                progress.update(task, advance=_STEP)
                block.clear()
        writer.writerows(block)
        progress.update(task, completed=made.size)
