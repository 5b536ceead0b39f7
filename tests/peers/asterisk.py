"""A real Asterisk for tests, of config/asterisk's own files, in a folder and on ports of its own.

    async with running(any_asterisk(), AsteriskPlace(agi_port=...)) as asterisk:    # 0.4 s
        asterisk.sip_port     # a SIPp caller's INVITE goes here; any extension of digits is a free number
        asterisk.ami_port     # AMI: user `undercap`, secret `asterisk.secret`
        await asterisk.cli("core show channels count")
        await asterisk.kill(); await asterisk.start()    # the same ports again
        with asterisk.frozen(): ...                      # SIGSTOP until the end of the block

Prompts are read from `asterisk.sounds` / language / name.wav (8 kHz, mono, 16 bit). The instance adds to the
files only ports, paths and a trunk known by the address 127.0.0.1; a test takes a defence away with `edits`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.peers import asterisk_files
from tests.peers.asterisk_files import AsteriskPlace, Ports, free_port
from tests.peers.fetch import AsteriskProgram
from tests.peers.smsc import PeerError

START_TIMEOUT_S: Final = 20.0
CLI_TIMEOUT_S: Final = 10.0
MODULE_WANTED: Final = re.compile(r"^load = (\S+\.so)$", re.MULTILINE)
MODULE_RUNS: Final = re.compile(r"^(\S+\.so) .* Running ", re.MULTILINE)
OPEN_FILES: Final = 16384


@dataclass(slots=True)
class Asterisk:
    """One Asterisk process; its ports, folder and secret stay over restarts."""

    program: AsteriskProgram
    folder: Path
    place: AsteriskPlace
    sip_port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    ami_port: int = field(default_factory=lambda: free_port(socket.SOCK_STREAM))
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    _process: asyncio.subprocess.Process | None = None

    @property
    def sounds(self) -> Path:
        """The folder of prompts that its dialplan names."""
        return self.place.sounds or self.folder / "sounds"

    @property
    def log(self) -> str:
        """All that it has logged: notices, warnings, errors, and the dialplan's steps."""
        return (self.folder / "log" / "full").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Of the running process. Raises PeerError."""
        if self._process is None:
            raise PeerError(f"{self.program.name} is not running")
        return self._process.pid

    async def start(self) -> None:
        """Start it, until it is fully booted with exactly the modules of modules.conf. Raises PeerError."""
        self._process = await asyncio.create_subprocess_exec(
            *self._argv("-f", "-q"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self.folder / "output").open("ab"),
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
            preexec_fn=_more_files,
        )
        await self._booted()
        wanted = set(
            MODULE_WANTED.findall((self.folder / "etc" / "modules.conf").read_text(encoding="utf-8"))
        )
        found = set(MODULE_RUNS.findall(await self.cli("module show")))
        if wanted != found:
            await self.kill()
            raise PeerError(
                f"{self.program.name}: modules loaded otherwise than told: {sorted(wanted ^ found)}"
            )

    async def stop(self) -> None:
        """Shut it down in order: calls are hung up, manager sessions are closed."""
        if self._process is not None:
            with contextlib.suppress(PeerError):
                await self.cli("core stop now")
            await asyncio.wait_for(self._process.wait(), START_TIMEOUT_S)
            self._process = None

    async def kill(self) -> None:
        """End it with SIGKILL, as a crash does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still in the block: its connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    async def cli(self, command: str) -> str:
        """What the command line answers. Raises PeerError where it cannot be reached."""
        asked = await asyncio.create_subprocess_exec(
            *self._argv("-r", "-x", command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            told, _ = await asyncio.wait_for(asked.communicate(), CLI_TIMEOUT_S)
        except TimeoutError as err:
            asked.kill()
            await asked.wait()
            raise PeerError(f"{self.program.name}: no answer to {command!r}") from err
        if asked.returncode != 0:
            raise PeerError(f"{self.program.name}: {command!r}: {told.decode(errors='replace').strip()}")
        return told.decode(errors="replace")

    async def channels(self) -> int:
        """How many channels there are now."""
        return int((await self.cli("core show channels count")).split()[0])

    def _argv(self, *arguments: str) -> tuple[str, ...]:
        return (*self.program.argv, "-C", str(self.folder / "etc" / "asterisk.conf"), *arguments)

    async def _booted(self) -> None:
        process = self._process
        assert process is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while process.returncode is None:
                    with contextlib.suppress(PeerError):
                        await self.cli("core waitfullybooted")
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.kill()
        said = (self.folder / "output").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise PeerError(f"{self.program.name} did not boot: {said}")


@asynccontextmanager
async def running(
    program: AsteriskProgram, place: AsteriskPlace | None = None, **manager: Any
) -> AsyncIterator[Asterisk]:
    """An Asterisk, killed at the end with all that it wrote. Raises PeerError.

    `manager`: `ami_port` and `secret`, where they have to be known before.
    """
    # Not pytest's folder: the path of a Unix socket holds 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="asterisk-"))
    asterisk = Asterisk(program, folder, place or AsteriskPlace(), **manager)
    try:
        ports = Ports(sip=asterisk.sip_port, ami=asterisk.ami_port)
        asterisk_files.write(folder, program, asterisk.place, ports, asterisk.secret)
        await asterisk.start()
        yield asterisk
    finally:
        await asterisk.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _more_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
