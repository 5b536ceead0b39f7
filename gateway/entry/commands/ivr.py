"""`undercap ivr`: the IVR process itself, and its calls at a glance."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import click

from config import settings as settings_module
from gateway.domain.written import instants
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing, beginning
from gateway.entry.lazy_group import imported
from gateway.entry.wiring.backing import Backing, redis_url
from gateway.store.calls import records, reports
from gateway.store.calls.records import CallFigures
from gateway.store.calls.reports import CallReport
from gateway.store.redis.connect import async_client


@click.group(invoke_without_command=True)
@click.pass_context
def ivr(ctx: click.Context) -> None:
    """The IVR process: calls to the free numbers, handed over by Asterisk (FastAGI).

    Without a further word it runs until SIGTERM.
    """
    if ctx.invoked_subcommand is None:
        sys.exit(imported("gateway.entry.processes.ivr").run(settings_module.load()))


@ivr.command(name="calls")
@click.option(
    "--since",
    help="A moment, such as 2026-05-01 or 2026-05-01T09:00+03:00; without a zone UTC. Default: today's.",
)
@tables.JSON
def calls_(since: str | None, as_json: bool) -> None:
    """Calls now and today: how many were answered, what was pressed, how they ended, what broke."""
    began = beginning(since) if since else _midnight()
    with backing() as opened:
        now = asyncio.run(_now(opened))
        found = records.figures(opened.engine, began)
    if as_json:
        running = [asdict(report) for report in now]
        figures = {**asdict(found), "answer_rate": found.answer_rate}
        tables.show_json({"now": running, "since": instants.utc(began), **figures})
        return
    tables.console().print(tables.two_columns("calls", dict(_rows(now, found))))
    if not now:
        click.echo("No IVR process runs: set ivr.enabled, or start `undercap ivr`.")


def _rows(now: list[CallReport], found: CallFigures) -> Iterator[tuple[str, object]]:
    for report in now:
        yield f"now, {report.process}", f"{report.calls} of {report.most}"
        if report.offers is not None:
            yield "of blasts, with those that ring", report.offers
        if report.fault:
            yield "in the way", report.fault
    rate = found.answer_rate
    yield "since then", found.calls
    yield "answered", f"{found.answered}" + ("" if rate is None else f" ({rate:.1%})")
    mean = found.seconds / found.answered if found.answered else 0
    yield "seconds talked", f"{found.seconds:.0f}, {mean:.0f} a call"
    yield "keys pressed", found.keys
    yield "callers", found.callers
    yield "ended by", found.outcomes
    yield "broken by", found.faults


def _midnight() -> int:
    """Where this machine's day began, ms since 1970."""
    now = datetime.now().astimezone()
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


async def _now(opened: Backing) -> list[CallReport]:
    client = async_client(redis_url(opened.settings), opened.settings.redis)
    try:
        return await reports.read(client)
    finally:
        await client.aclose()
