"""Keeps one process running: starts it, tells why it ended, starts it again after a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog

from config.section import SettingsError
from gateway.entry.process.ends import End, EndKind, Restarts
from gateway.entry.valkey.embedded import ValkeyEndedError
from gateway.store.files.full_disk import is_full

STEADY_S = 5.0  # ready for so long: told as mended
TRIES = 3  # starts that fail before the others no longer wait for it
KILLED_WITHIN_S = 5.0


class Runs(Protocol):
    """A started process."""

    async def ready(self) -> Mapping[str, str]:
        """Return, with the addresses it serves, when it is ready."""

    async def ended(self) -> End:
        """Return when it has ended."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""

    def reload(self) -> None:
        """Ask it, once it is ready, to read its settings again."""


class Told:
    """What the operator was told. A fault that hits several processes at once is told once."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self._standing: dict[str, str] = {}  # process -> fault

    def end(self, name: str, end: End, words: str) -> None:
        """`words` about the end of `name`; empty: nothing new."""
        known = end.kind is not EndKind.CRASH and end.reason in self._standing.values()
        if words and not known:
            self.trouble(words)
        if end.kind is not EndKind.CRASH:
            self._standing[name] = end.reason

    def mended(self, name: str) -> None:
        """`name` does what it should."""
        self._standing.pop(name, None)

    def trouble(self, words: str) -> None:
        """One line that asks for somebody's eye."""
        self._log.warning(words)

    def news(self, words: str) -> None:
        """One line that does not."""
        self._log.info(words)


class Keeper:
    """One process that is to run until `ask_to_stop`."""

    def __init__(
        self, name: str, start: Callable[[], Awaitable[Runs]], told: Told, *, must_start: bool = False
    ) -> None:
        """`start` starts the process once. `must_start`: give up if the set-up forbids the first start."""
        self.name = name
        self.addresses: Mapping[str, str] | None = None  # None: not ready
        self.fault = ""  # why it is not ready
        self.refused = False  # given up
        self.settled = asyncio.Event()  # ready, or known not to become ready soon
        self.first_ready = asyncio.Event()
        self._start = start
        self._told = told
        self._must_start = must_start
        self._running: Runs | None = None
        self._stopping = asyncio.Event()
        self._reload = False  # asked for, and not passed on yet
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start, and keep at it."""
        self._task = asyncio.create_task(self._keep())

    async def ask_to_stop(self, wait_s: float) -> bool:
        """Ask it to end; True if it has within `wait_s` seconds."""
        self._stopping.set()
        if self._task is None:
            return True
        if self._running is None:  # between two runs, or about to be
            self._task.cancel()
        else:
            self._running.terminate()
        await asyncio.wait({self._task}, timeout=max(wait_s, 0))
        return self._task.done()

    def reload(self) -> None:
        """Have it read its settings again; one that is just starting does so once it is ready."""
        self._reload = self.addresses is None
        if self._running is not None and not self._reload:
            self._running.reload()

    async def kill(self) -> None:
        """End it by force."""
        if self._task is not None and self._running is not None:
            self._running.kill()
            await asyncio.wait({self._task}, timeout=KILLED_WITHIN_S)

    async def _keep(self) -> None:
        restarts = Restarts()
        while True:
            end, ready_s = await self._one_run(ended_before=restarts.last is not None)
            if self._stopping.is_set():
                return
            self.addresses, self.fault = None, end.reason
            if self._must_start and end.kind is EndKind.SET_UP and not self.first_ready.is_set():
                self.refused = True
                self.settled.set()
                return
            restarts, following = restarts.after(self.name, end, ready_s=ready_s)
            self._told.end(self.name, end, following.words)
            if end.kind is not EndKind.CRASH or restarts.failures >= TRIES:
                self.settled.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), following.delay_s)
                return

    async def _one_run(self, *, ended_before: bool) -> tuple[End, float]:
        """Start once and wait for the end; with it the seconds for which it was ready."""
        try:
            self._running = await self._start()
        except ValkeyEndedError as err:
            return err.end, 0.0
        except SettingsError as err:
            return End(kind=EndKind.SET_UP, reason=str(err)), 0.0
        except OSError as err:  # no memory for a process, no descriptor left, no room
            if is_full(err):
                return End(kind=EndKind.STORAGE, reason=f"disk full: {err.filename or err.strerror}"), 0.0
            return End(kind=EndKind.CRASH, reason=f"cannot be started: {err.strerror}"), 0.0
        ended = asyncio.ensure_future(self._running.ended())
        ready = asyncio.ensure_future(self._running.ready())
        try:
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                return await ended, 0.0
            ready_at = asyncio.get_running_loop().time()
            self.addresses, self.fault = ready.result(), ""
            self.first_ready.set()
            self.settled.set()
            if self._reload:
                self.reload()
            await asyncio.wait({ended}, timeout=STEADY_S if ended_before else 0)
            if ended_before and not ended.done() and not self._stopping.is_set():
                self._told.mended(self.name)
                self._told.news(f"{self.name} runs again")
            return await ended, asyncio.get_running_loop().time() - ready_at
        finally:
            ready.cancel()
            ended.cancel()
            self._running = None
