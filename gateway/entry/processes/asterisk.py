"""`undercap asterisk`, a child of `up --demo`: an Asterisk of its own, and the prompts that callers hear."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shlex
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

import structlog

from config.settings import Settings
from gateway.entry.demo import calls
from gateway.entry.demo.numbers import SHOWN
from gateway.entry.process import process, readiness
from gateway.entry.process.ends import how_it_ended
from gateway.entry.process.process import SetupFaultError
from gateway.store.telemetry.metrics import METRICS, Meter
from ivr.asterisk import instance
from ivr.asterisk.instance import HOST, Instance

BOOTS_WITHIN_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.05
ENDS_WITHIN_S: Final = 3.0
RTP_PORTS: Final = 200  # two a call
MOST_CALLS: Final = 50
log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Keep the demo's Asterisk until SIGTERM. Exit code."""
    return process.run("asterisk", settings, _main)


async def _main(settings: Settings, stop: asyncio.Event) -> int:
    if why := calls.lacking(settings):  # a port for it was named, and there is none
        raise SetupFaultError(f"demo.sip_port: {why}")
    ours = _instance(settings)
    argv = (*shlex.split(settings.demo.asterisk), *ours.options)
    await _asked(argv, "core stop now")  # what a process of ours that was killed has left
    instance.write(ours, settings.ivr.ami.secret.get_secret_value())
    asterisk = await _started(argv, ours.folder)
    ended = asyncio.ensure_future(asterisk.wait())
    meter = Meter()
    meter.open(settings.state_dir / METRICS, "asterisk")
    measuring = asyncio.ensure_future(meter.run())
    voices: asyncio.Task[None] | None = None
    try:
        await _booted(argv, ended, ours.folder)
        readiness.ready({"Free number": f"{SHOWN}: call it on the page of the virtual phones"})
        voices = asyncio.ensure_future(_make_prompts(settings))
        asked = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not stop.is_set():
            readiness.fault(f"Asterisk: {how_it_ended(await ended)}; see {ours.folder / 'log'}")
            return process.Exit.FAILED
        return process.Exit.OK
    finally:
        measuring.cancel()
        if voices is not None:
            voices.cancel()
            await asyncio.gather(voices, return_exceptions=True)
        await _end(asterisk, ended)


def _instance(settings: Settings) -> Instance:
    first = random.randrange(10_000, 32_000 - RTP_PORTS, 2)  # noqa: S311 - not a secret
    return Instance(
        folder=calls.folder(settings),
        modules=settings.demo.asterisk_modules,
        data=settings.demo.asterisk_data,
        agi=f"{HOST}:{settings.ivr.agi_port}",
        sounds=settings.ivr.sounds_dir.absolute(),
        most_calls=min(settings.ivr.most_calls, MOST_CALLS),
        most_seconds=settings.ivr.most_call_s + 30,
        sip_port=settings.demo.sip_port,
        callee_port=settings.demo.handset_port,
        ami_port=settings.ivr.ami.port,
        rtp_ports=(first, first + RTP_PORTS),
    )


async def _started(argv: tuple[str, ...], folder: Path) -> asyncio.subprocess.Process:
    with (folder / "log" / "output").open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *argv,
            "-f",
            "-q",
            "-n",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
        )


async def _booted(argv: tuple[str, ...], ended: asyncio.Future[int], folder: Path) -> None:
    """Until it takes calls. Raises SetupFaultError."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BOOTS_WITHIN_S):
            while not ended.done():
                if await _asked(argv, "core waitfullybooted"):
                    return
                await asyncio.sleep(LOOK_AGAIN_S)
    raise SetupFaultError(f"Asterisk does not start: {_last_words(folder)}")


async def _asked(argv: tuple[str, ...], command: str) -> bool:
    """Whether the Asterisk of this folder took a command."""
    asking = await asyncio.create_subprocess_exec(
        *argv,
        "-rx",
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        return await asking.wait() == 0
    finally:
        if asking.returncode is None:
            asking.kill()


async def _make_prompts(settings: Settings) -> None:
    """What is missing or outdated, at low priority: the demo must not be slower for it."""
    if calls.absent_voices(settings):
        return  # all were there without them
    nice = shutil.which("nice")
    making = await asyncio.create_subprocess_exec(
        *((nice, "-n", "10") if nice else ()),
        *(sys.executable, "-P", "-m", "gateway.entry.cli", "prompts", "make"),
        *("--espeak", settings.demo.espeak, "--sox", settings.demo.sox),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await making.communicate()
    finally:
        if making.returncode is None:
            making.send_signal(signal.SIGINT)  # it remembers what it has made
            await making.wait()
    if making.returncode:
        log.warning("prompts were not made", why=readiness.one_line(said.decode(errors="replace")))


async def _end(asterisk: asyncio.subprocess.Process, ended: asyncio.Future[int]) -> None:
    with contextlib.suppress(ProcessLookupError):
        asterisk.terminate()
    await asyncio.wait({ended}, timeout=ENDS_WITHIN_S)
    with contextlib.suppress(ProcessLookupError):
        asterisk.kill()
    await ended


def _last_words(folder: Path) -> str:
    said = (folder / "log" / "output").read_text(encoding="utf-8", errors="replace")
    return readiness.one_line(said[-readiness.LONGEST_REASON :]) or "it says nothing"
