"""`undercap up`: everything on one machine. Valkey first and last, the children in order and in reverse.

A child that dies is started again; its end is told in one line. A fault that somebody has to mend is told
once and tried again slowly; the rest goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config import logging as logs
from config.section import SettingsError
from config.settings import Settings
from gateway.entry.process import readiness
from gateway.entry.process.ends import End, EndKind, Restarts
from gateway.entry.process.process import GRACE_S, Exit
from gateway.entry.supervision import up_lock
from gateway.entry.supervision.child import Child, child_of_ours
from gateway.entry.supervision.keeper import Keeper, Told
from gateway.entry.valkey import embedded
from gateway.store.files import state_dir
from gateway.store.telemetry import metrics
from gateway.store.vault import master_secret

VALKEY_STOP_S = 10.0
RELOADING = ("smpp",)  # who reads the settings again on SIGHUP
TERMINAL = "/dev/tty"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What one `up` runs."""

    settings: Settings
    children: Sequence[Child]  # in the order of their start
    prepare: Callable[[], None]  # makes the database ready; may be called again


def run(settings: Settings, *, demo: bool = False) -> int:
    """Run everything until SIGTERM or SIGINT; returns the exit code. Raises SettingsError, one line."""
    children = [child_of_ours(name) for name in names(settings)]
    prepare = functools.partial(_prepare, settings, demo=demo)
    return run_plan(Plan(settings=settings, children=children, prepare=prepare))


def names(settings: Settings) -> tuple[str, ...]:
    """The processes that `up` runs, in the order of their start; blasts stop before what they fill."""
    # The simulator first, since smpp binds to it; the worker before smpp, so that intake ends first.
    simulator = ("simulate",) if settings.simulator.enabled else ()
    # The demo's own Asterisk, for the simulator's handsets; its calls end before it does.
    asterisk = ("asterisk",) if simulator and settings.demo.sip_port else ()
    calls = ("ivr",) if settings.ivr.enabled else ()
    return (*simulator, "worker", "smpp", *asterisk, *calls, "blasts", "api")


def run_plan(plan: Plan) -> int:
    """As `run`, for any children."""
    settings = plan.settings
    os.umask(0o077)
    logs.configure(process="up", fmt=settings.log.format, level=settings.log.level)
    told = Told()
    state_dir.make(settings.state_dir)
    wait_s = settings.stop_deadline_s + 2 * GRACE_S
    with up_lock.only_one(settings.state_dir, wait_s=wait_s, tell=told.news) as heirloom:
        if settings.sql.url:  # which may know one: then none is made; see gateway.entry.wiring.backing
            master_secret.find(settings)
        else:
            master_secret.load_or_make(settings)
        metrics.clear(settings.state_dir / metrics.METRICS)  # no process of a former run lives
        return asyncio.run(_supervise(plan, heirloom, told))


async def _supervise(plan: Plan, heirloom: int, told: Told) -> int:
    start_valkey = functools.partial(_start_valkey, plan.settings, told)
    valkey = Keeper("valkey", start_valkey, told, must_start=True)
    children = [Keeper(child.name, functools.partial(child.start, heirloom), told) for child in plan.children]
    reloading = [keeper for keeper in children if keeper.name in RELOADING]
    stop = _heed_signals(reloading, told)
    starting = asyncio.ensure_future(_start(plan, valkey, children, told))
    asked = asyncio.ensure_future(stop.wait())
    meter = metrics.Meter()
    meter.open(plan.settings.state_dir / metrics.METRICS, "up")
    measuring = asyncio.ensure_future(meter.run())
    try:
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _show(plan.settings, children)
        await asked
        told.news(f"stops; at most {plan.settings.stop_deadline_s:g} s")
    finally:
        for task in (asked, starting, measuring):
            task.cancel()
        await _stop_children(children, plan.settings.stop_deadline_s, told)
        if not await valkey.ask_to_stop(VALKEY_STOP_S):
            await valkey.kill()
        await asyncio.to_thread(_fold, plan.settings)
    return Exit.OK


def _heed_signals(reloading: Sequence[Keeper], told: Told) -> asyncio.Event:
    """The event is set when all is to stop. SIGHUP reloads, unless it says that our terminal was closed."""
    stop = asyncio.Event()
    on_terminal = _has_terminal()

    def hung_up() -> None:
        if on_terminal and not _has_terminal():
            stop.set()
            return
        told.news(f"settings are read again by {', '.join(k.name for k in reloading) or 'nobody'}")
        for keeper in reloading:
            keeper.reload()

    loop = asyncio.get_running_loop()
    handlers = {signal.SIGTERM: stop.set, signal.SIGINT: stop.set, signal.SIGHUP: hung_up}
    for number, handler in handlers.items():
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, handler)
    return stop


def _has_terminal() -> bool:
    """Whether a terminal that is still there controls us."""
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


async def _start(plan: Plan, valkey: Keeper, children: Sequence[Keeper], told: Told) -> None:
    """Valkey, then the database, then the children, until each runs or has told why it cannot."""
    if not plan.settings.redis.url:
        valkey.begin()
        await valkey.settled.wait()
        if valkey.refused:
            raise SettingsError(f"valkey: {valkey.fault}")
        await valkey.first_ready.wait()
    await _prepared(plan.prepare, told)
    for keeper in children:
        keeper.begin()
    for keeper in children:
        await keeper.settled.wait()


async def _prepared(prepare: Callable[[], None], told: Told) -> None:
    """Try until the database can be made ready: it may come back, or its disk get room."""
    restarts = Restarts()
    while True:
        try:
            await asyncio.to_thread(prepare)
        except (SQLAlchemyError, RedisError, OSError) as err:
            first_line = (str(err) or type(err).__name__).splitlines()[0]
            end = End(kind=EndKind.STORAGE, reason=readiness.one_line(first_line))
        else:
            told.mended("database")
            return
        restarts, following = restarts.after("database", end, ready_s=0)
        told.end("database", end, following.words)
        await asyncio.sleep(following.delay_s)


def _prepare(settings: Settings, *, demo: bool) -> None:
    # Imported here: SQL is none of the supervisor's business before this moment.
    from gateway.store.integrity import ledger_mark  # noqa: PLC0415
    from gateway.store.sql import migrate  # noqa: PLC0415

    ledger_mark.refuse_lost(settings)
    migrate.upgrade(settings.sql_url)
    importlib.import_module("gateway.entry.wiring.backing").confirm_secrets(settings)
    kept = importlib.import_module("gateway.entry.demo.environment")
    if demo:
        importlib.import_module("gateway.entry.demo.firm").prepare(settings)
        kept.keep(settings)
    else:
        kept.forget(settings)


def _fold(settings: Settings) -> None:
    from gateway.store.sql import database  # noqa: PLC0415

    database.fold(settings.sql_url)


async def _start_valkey(settings: Settings, told: Told) -> embedded.Running:
    running = await embedded.start(embedded.place(settings), maxmemory=settings.redis.embedded_maxmemory)
    if running.process is None:
        told.news(f"goes on with the Valkey that an earlier `up` left (process {running.pid})")
    return running


async def _stop_children(children: Sequence[Keeper], deadline_s: float, told: Told) -> None:
    """In reverse order; each begins to stop at the latest when its share of the deadline has come."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + deadline_s
    late = []
    for left, keeper in zip(range(len(children), 0, -1), reversed(children), strict=True):
        if not await keeper.ask_to_stop((ends_at - loop.time()) / left):
            late.append(keeper)
    for keeper in late:
        if not await keeper.ask_to_stop(ends_at - loop.time()):
            told.trouble(f"{keeper.name} did not stop within {deadline_s:g} s; killed")
            await keeper.kill()


def _show(settings: Settings, children: Sequence[Keeper]) -> None:
    """What the operator wants to know once everything has started, or has told why it cannot.

    For a person on a terminal; where lines are JSON, as one of them.
    """
    missing = [keeper.name for keeper in children if keeper.addresses is None]
    head = f"Undercap runs, but not yet: {', '.join(missing)}." if missing else "Undercap is ready."
    addresses: dict[str, str] = {}
    for keeper in children:
        if keeper.addresses is not None:
            addresses |= keeper.addresses or _usual_addresses(settings, keeper.name)
    if settings.log.format == "json":
        structlog.get_logger().info("up", told=head, missing=missing, addresses=addresses)
        return
    stop = f"Ctrl-C, or `kill {os.getpid()}`; the state stays in {settings.state_dir.resolve()}"
    rows = [*addresses.items(), ("Stop", stop)]
    sys.stdout.write("\n".join(["", head, *(f"  {name:<15}{told}" for name, told in rows), "", ""]))
    sys.stdout.flush()


def _usual_addresses(settings: Settings, name: str) -> dict[str, str]:
    http, simulator = settings.http, settings.simulator
    known = {
        "simulate": {"Virtual phone": f"http://{simulator.host}:{simulator.http_port}/"},
        "api": {"API": http.public_url or f"http://{http.host}:{http.port}/"},
    }
    return known.get(name, {})
