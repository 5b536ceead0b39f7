"""Asterisk's side of FastAGI on a real socket: keys come from a list, and playing takes no time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

ENVIRONMENT: Final = {
    "network": "yes",
    "network_script": "free",
    "callerid": "380670000007",
    "callingpres": "0",
    "extension": "0800123456",
}
HANG_UP: Final = "hang up"  # among the keys: the caller does
_SET = re.compile(r'SET VARIABLE (\w+) "(.*)"')
_STAT = re.compile(r'GET VARIABLE "STAT\(e,(.*)\.wav\)"')
_READ = re.compile(r'EXEC Read "(\w+),([^,]*),(\d+),,1,([\d.]+)"')


@dataclass(kw_only=True)
class AgiPeer:
    """One call. `keys`: what each Read hears; then silence. `missing`: a sound that is not there.

    `machine`: AMDSTATUS and AMDCAUSE, as app_amd sets them; None: it is not loaded. `on_command`: told of
    each command before it is answered.
    """

    keys: list[str] = field(default_factory=list)
    missing: str = ""
    machine: tuple[str, str] | None = ("", "")
    env: Mapping[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)  # sounds that were played, without their directory
    commands: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    on_command: Callable[[str], None] = lambda _: None
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, port: int) -> None:
        """Until the server closes the connection, or the caller hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        told = {**ENVIRONMENT, **self.env}
        writer.write("".join(f"agi_{name}: {value}\n" for name, value in told.items()).encode() + b"\n")
        try:
            while line := (await reader.readline()).decode().rstrip("\n"):
                self.commands.append(line)
                self.on_command(line)
                answer = self._answer(line)
                if answer is None:
                    break
                writer.write(answer.encode() + b"\n")
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.closed.set()

    def _answer(self, line: str) -> str | None:
        if found := _SET.fullmatch(line):
            self.variables[found[1]] = found[2]
            return "200 result=1"
        if found := _READ.fullmatch(line):
            self._play(found[2])
            keys = self.keys.pop(0) if self.keys else ""
            if keys == HANG_UP:
                return None
            self.variables[found[1]] = keys
            return "200 result=0"
        if line.startswith("EXEC Playback"):
            failed = self._play(line.split('"')[1])
            self.variables["PLAYBACKSTATUS"] = "FAILED" if failed else "SUCCESS"
            return "200 result=0"
        if line.startswith("GET VARIABLE"):
            return f"200 result=1 ({self._value(line)})"
        no_application = line.startswith("EXEC AMD") and self.machine is None
        return "200 result=-2" if no_application else f"200 result={int(line == 'HANGUP')}"

    def _value(self, line: str) -> str:
        if found := _STAT.fullmatch(line):
            return str(int(_name(found[1]) != self.missing))
        detected = dict(zip(("AMDSTATUS", "AMDCAUSE"), self.machine or ("", ""), strict=True))
        return {**detected, **self.variables}.get(line.split('"')[1], "")

    def _play(self, files: str) -> bool:
        names = [_name(file) for file in files.split("&")]
        self.heard += [name for name in names if name != self.missing]
        return self.missing in names


def _name(file: str) -> str:
    """A sound without the directory of sounds."""
    return "/".join(file.split("/")[-2:])


@asynccontextmanager
async def on_call(peer: AgiPeer, port: int) -> AsyncIterator[None]:
    """The call goes on beside the block."""
    call = asyncio.ensure_future(peer.call(port))
    try:
        yield
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
