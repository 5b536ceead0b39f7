"""One process of ours under the supervisor: how it is started, heard and ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

from gateway.entry.process import readiness
from gateway.entry.process.ends import End, EndKind, how_it_ended
from gateway.entry.process.process import Exit

LAST_WORDS_WITHIN_S = 0.5  # after its end; a grandchild may hold the pipe open for longer


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """What is started under a name."""

    name: str
    argv: tuple[str, ...]

    async def start(self, heirloom: int) -> RunningChild:
        """Start it. `heirloom`: a locked descriptor that it inherits, so that its life can be seen."""
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=asyncio.subprocess.PIPE,  # the lifeline: never written to
                pass_fds=(writing, heirloom),
                env=os.environ | {readiness.VARIABLE: str(writing)},
                start_new_session=True,  # a Ctrl-C in the terminal is ours alone: we stop them in order
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        running = RunningChild(process=process)
        running.listen(reading)
        return running


def child_of_ours(name: str) -> Child:
    """The child that runs `undercap NAME` with this interpreter; -P: the working directory holds no code."""
    return Child(name=name, argv=(sys.executable, "-P", "-m", "gateway.entry.cli", name))


@dataclass(kw_only=True, slots=True)
class RunningChild:
    """A child that was started, and what it has said."""

    process: asyncio.subprocess.Process
    _fault: str = ""
    _addresses: dict[str, str] = field(default_factory=dict)
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: asyncio.Task[None] | None = None

    def listen(self, descriptor: int) -> None:
        """Hear what it says over this pipe until it ends."""
        self._listening = asyncio.create_task(self._hear(descriptor))

    async def ready(self) -> dict[str, str]:
        """Wait until it says that it is ready; the addresses that it serves, by name."""
        await self._ready.wait()
        return self._addresses

    async def ended(self) -> End:
        """Wait until it ends, and say why."""
        code = await self.process.wait()
        if self._listening is not None:
            await asyncio.wait({self._listening}, timeout=LAST_WORDS_WITHIN_S)
        if code == Exit.CONFIG:
            return End(kind=EndKind.SET_UP, reason=self._fault or how_it_ended(code))
        if code == Exit.DISK:
            return End(kind=EndKind.STORAGE, reason=self._fault or how_it_ended(code))
        said = f": {self._fault}" if self._fault else ""
        return End(kind=EndKind.CRASH, reason=how_it_ended(code) + said)

    def terminate(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def reload(self) -> None:
        """Ask it to read its settings again; only one that is ready hears it."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _hear(self, descriptor: int) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
        )
        with contextlib.closing(transport):
            async for line in reader:
                self._heard(json.loads(line))

    def _heard(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._addresses = dict(message["ready"])
            self._ready.set()
        if "fault" in message:
            self._fault = str(message["fault"])
