"""How every process of ours starts, waits for its end and says why it ended.

A process is one coroutine `main(settings, stop)`: it works until the event `stop` is set, hands back what
is in flight and returns. SIGTERM and SIGINT set the event; what has not returned after
`settings.stop_deadline_s` seconds is ended by force.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import faulthandler
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from enum import IntEnum
from typing import Any

import structlog

from config import logging as logs
from config.section import SettingsError
from config.settings import Settings
from gateway.entry.process import lifeline, readiness
from gateway.store.files.full_disk import is_full

Main = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, int | None]]
GRACE_S = 2.0  # between the deadline, at which the coroutine is cancelled, and the end by force


class Exit(IntEnum):
    """Exit codes of the processes and the CLI."""

    OK = 0
    FAILED = 1
    DISK = 74  # EX_IOERR: the disk is full; started again it goes on once there is room
    LATE = 75  # EX_TEMPFAIL of sysexits.h: the stop deadline passed
    CONFIG = 78  # EX_CONFIG: starting again helps only after somebody has mended the set-up


class SetupFaultError(SettingsError):
    """Something outside this process must be mended first; the message says what, in one line."""


def ends_with(err: BaseException) -> tuple[Exit, str]:
    """What a process that cannot go on ends with, and its words for an operator."""
    if not is_full(err):
        return Exit.CONFIG, str(err)
    told = (str(err) or type(err).__name__).splitlines()[0]
    return Exit.DISK, f"disk full: free space, and start it again ({told})"


@contextlib.contextmanager
def listening(setting: str, host: str, port: int) -> Iterator[None]:
    """Around the start of a listener: a port that cannot be had becomes one line naming the setting.

    `setting`: where the port stands, such as `http.port`. Raises SetupFaultError.
    """
    variable = "UNDERCAP_" + setting.upper().replace(".", "__")
    try:
        yield
    except OSError as err:
        reasons = {
            errno.EADDRINUSE: "is in use: stop what uses it",
            errno.EACCES: "is not allowed to this user: take one above 1023",
            errno.EADDRNOTAVAIL: "cannot be had, since this machine has no such address: mend the host",
        }
        if err.errno not in reasons:
            raise
        raise SetupFaultError(
            f"port {port} on {host} {reasons[err.errno]}, or change {setting} (or {variable})"
        ) from err


def begin(name: str, settings: Settings) -> None:
    """What each process of ours does first: private files, faults and lines on standard error, a lifeline."""
    os.umask(0o077)  # all that we write is private: databases, sockets, secrets
    faulthandler.enable()
    logs.configure(process=name, fmt=settings.log.format, level=settings.log.level)
    if settings.clock_offset_s:
        structlog.get_logger().warning(
            "NOT FOR REAL PEOPLE: the clock that decides over marketing is moved",
            clock_offset_s=settings.clock_offset_s,
            mend="set clock_offset_s = 0",
        )
    lifeline.tie_to_supervisor(force_after_s=settings.stop_deadline_s + GRACE_S)


def end_by_force(name: str, settings: Settings) -> None:
    """Once a stop was asked for: whatever still hangs after the deadline and its grace is ended."""
    after_s = settings.stop_deadline_s + GRACE_S
    threading.Thread(target=_end_by_force, args=(name, after_s), daemon=True).start()


def run(name: str, settings: Settings, main: Main) -> int:
    """Run `main` as the process `name`; returns the exit code.

    A SettingsError out of `main` is told in its own words (exit 78), anything else with its traceback.
    """
    begin(name, settings)
    log = structlog.get_logger()
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            return int(runner.run(_until_stopped(name, settings, main)))
    except SettingsError as err:
        return _ended_by(name, err)
    except Exception as err:
        if is_full(err):
            return _ended_by(name, err)
        log.exception("ended by an error that nobody expected")
        readiness.fault(f"{type(err).__name__}: {err}")
        return Exit.FAILED
    finally:
        if not readiness.supervised():  # `up` does it once, when all have ended
            from gateway.store.sql import database  # noqa: PLC0415 - the command's help needs none of it

            database.fold(settings.sql_url)


def _ended_by(name: str, err: Exception) -> Exit:
    code, told = ends_with(err)
    if not readiness.fault(told):
        sys.stderr.write(f"undercap {name}: {told}\n")
    return code


async def _until_stopped(name: str, settings: Settings, main: Main) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    deadline_s = settings.stop_deadline_s
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _asked_to_stop, name, stop, settings)
    work = asyncio.ensure_future(main(settings, stop))
    asked = asyncio.ensure_future(stop.wait())
    await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not work.done():
        await asyncio.wait({work}, timeout=deadline_s)
    if work.done():
        return work.result() or Exit.OK
    structlog.get_logger().error("did not stop in time; cancelled", deadline_s=deadline_s)
    work.cancel()
    await asyncio.wait({work}, timeout=GRACE_S / 2)
    return Exit.LATE


def _asked_to_stop(name: str, stop: asyncio.Event, settings: Settings) -> None:
    if not stop.is_set():
        stop.set()
        end_by_force(name, settings)


def _end_by_force(name: str, after_s: float) -> None:
    """A thread, since the loop itself may be what hangs."""
    time.sleep(after_s)
    sys.stderr.write(f"undercap {name}: did not stop within {after_s:g} s; ended by force\n")
    sys.stderr.flush()
    os._exit(Exit.LATE)


def collect_less() -> None:
    """Once all is built: what stands now stays, and the garbage collector need not walk it again and again.

    Thousands of short-lived records a second would otherwise start it hundreds of times: a tenth of the CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 - optional: Windows has none
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
