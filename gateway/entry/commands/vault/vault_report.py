"""`undercap vault report`: who opened how many numbers for which purpose, and each access to one person's."""

from __future__ import annotations

import csv
import sys

import click

from gateway.domain.written.instants import utc
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing, beginning, end, shown
from gateway.entry.commands.tables import Column, Listing
from gateway.store.vault import access_report
from gateway.store.vault.access_report import MOST_ACCESSES, Report, Span

COLUMNS = ("kind", "from", "to", "who", "purpose", "opened", "shopper")


@click.command()
@click.option("--since", metavar="TIME", help="ISO 8601, such as 2026-05-01; without a zone it is UTC.")
@click.option("--until", metavar="TIME", help="Up to this time, itself not included; a day is in it whole.")
@click.option("--purpose", default="", help="One purpose alone, such as reply, answer or erasure.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV on standard output.")
@tables.JSON
def report(since: str | None, until: str | None, purpose: str, as_csv: bool, as_json: bool) -> None:
    """Who opened how many numbers for which purpose, and each access to one person's number.

    Counted are openings by processes. A process that is killed takes the last seconds of its count with it.
    """
    span = Span(
        since=beginning(since) if since else access_report.BEGINNING,
        until=end(until) if until else access_report.END,
        purpose=purpose,
    )
    with backing() as opened:
        found = access_report.read(opened.engine, span)
    if as_csv:
        _write(found)
    else:
        _show(found, as_json=as_json)
    if found.more:
        click.echo(f"only the newest {MOST_ACCESSES} accesses are listed: narrow the time", err=True)


def _write(found: Report) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for o in found.opened:
        writer.writerow(("count", shown(o.first_at), shown(o.last_at), o.process, o.purpose, o.opened, ""))
    for a in found.accesses:
        at = shown(a.accessed_at)
        writer.writerow(("access", at, at, a.who, a.purpose, 1, "" if a.shopper is None else a.shopper))


def _show(found: Report, *, as_json: bool) -> None:
    times = Column("from (UTC)", "first_at"), Column("to (UTC)", "last_at")
    counts = Listing("opened", "process", "purpose", tables.count("opened"), *times)
    for o in found.opened:
        first_at, last_at = utc(o.first_at), utc(o.last_at)
        counts.add(process=o.process, purpose=o.purpose, opened=o.opened, first_at=first_at, last_at=last_at)
    single = Listing("accesses", Column("at (UTC)", "at"), "who", "purpose", "shopper")
    for a in found.accesses:
        single.add(at=utc(a.accessed_at), who=a.who, purpose=a.purpose, shopper=a.shopper)
    tables.show(counts, single, as_json=as_json)
