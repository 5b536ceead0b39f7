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
from rich.table import Column, Table
from sqlalchemy import select

from gateway.domain import instants
from gateway.domain.reading import read_text
from gateway.entry.commands.opened import backing, publish, shown
from gateway.store import catalog as catalog_store
from gateway.store import keys, schema
from gateway.store.codes import campaigns, series
from gateway.usecases import issue_codes
from gateway.usecases.issue_codes import IssuedSeries
from gateway.usecases.set_up import Refused

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
def check(code: str, short_number: str) -> None:
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
    console = Console()
    console.print(f"firm      {catalog.firms[issued.firm_id]}")
    console.print(f"campaign  {campaign.id} {campaign.name} ({campaign.state})")
    console.print(f"series    {issued.series_id}, print batch {issued.batch_id}, serial {issued.serial}")
    if row is not None:
        console.print(f"used      {shown(row.claimed_at)} UTC by {row.channel}, {row.points} points")
    else:
        console.print(
            "claimed, not settled yet" if bit else f"voided {shown(voided)}" if voided else "not used"
        )


@codes.command(name="series")
@click.option("--campaign", "campaign_id", type=int, help="Of this campaign alone.")
def list_series(campaign_id: int | None) -> None:
    """List code series: how many codes were issued, used and voided."""
    made = Column("made", no_wrap=True)
    table = Table("series", "campaign", "codes of", "issued", "used", "voided", "batches", made)
    with backing() as opened, opened.engine.connect() as connection:
        if campaign_id is not None and campaigns.find(connection, campaign_id) is None:
            raise Refused(f"no campaign {campaign_id}: see `undercap campaign list`")
        for found in series.all_series(connection, campaign_id):
            form = f"{found.length} {found.alphabet}"
            counts = (f"{n:,}" for n in found.codes)
            day = f"{instants.utc(found.created_at):%Y-%m-%d}"
            table.add_row(str(found.id), str(found.campaign_id), form, *counts, f"{found.batches:,}", day)
    Console().print(table)


@codes.command(name="batches")
@click.argument("series_id", type=int)
def list_batches(series_id: int) -> None:
    """List the print batches of a series: issued, used, voided; `codes void` takes a batch of them."""
    table = Table("batch", "serials", "issued", "used", "voided", "voided at (UTC)")
    with backing() as opened, opened.engine.connect() as connection:
        found = series.batches(connection, series_id)
    if not found:
        raise click.ClickException(f"no code series {series_id}: see `undercap codes series`")
    for batch in found:
        serials = f"{batch.first_serial} to {batch.first_serial + batch.codes.issued - 1}"
        at = shown(batch.voided_at) if batch.voided_at else "-"
        table.add_row(str(batch.id), serials, *(f"{n:,}" for n in batch.codes), at)
    Console().print(table)


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
