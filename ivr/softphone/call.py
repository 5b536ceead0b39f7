"""One call from dialling to its end, over sockets of its own on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ivr.softphone.dialogue import AWAY, Dialogue, Stage
from ivr.softphone.messages import MOST_OCTETS, Ends
from ivr.softphone.sound import Sound

TICK_S: Final = 0.1
MOST_S: Final = 900.0  # of a call; Asterisk ends it sooner
GONE_S: Final = 1.0  # since Asterisk's side of the sound was closed: its BYE should have come by now


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Where calls go: the Asterisk at `host` that lets in what comes from there. `number`: whom they call."""

    host: str
    port: int
    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ear:
    """Who makes the call. `stage`: told of each, with a word for a person; `sound`: A-law, 8,000 a second."""

    stage: Callable[[Stage, str], None]
    sound: Callable[[bytes], None]


class Call:
    """Run it once."""

    def __init__(self, line: Line, caller: str, ear: Ear) -> None:
        """Opens its sockets. `caller`: E.164 without the plus. Raises OSError."""
        self._line = line
        self._ear = ear
        self._sound = Sound(line.host)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((line.host, line.port))  # so that nobody else is heard
        host, port = self._socket.getsockname()
        ends = Ends(
            caller=caller,
            called=line.number,
            here=(host, port),
            there=(line.host, line.port),
            call_id=secrets.token_hex(16),
            tag=secrets.token_hex(8),
            branch=secrets.token_hex(8),
        )
        self._dialogue = Dialogue(ends, self._sound.port)
        self._told: Stage | None = None
        self._flowing: asyncio.Task[None] | None = None
        self._silent_since: float | None = None

    async def run(self) -> None:
        """Dial, and go on until it is over: hung up by either side, refused, or lost. Never raises."""
        loop, why = asyncio.get_running_loop(), ""
        try:
            async with asyncio.timeout(MOST_S):
                self._do(self._dialogue.begin(loop.time()))
                while self._dialogue.stage is not Stage.OVER:
                    datagram = await self._datagram()
                    if datagram is not None:
                        self._do(self._dialogue.hear(datagram, loop.time()))
                    self._do(self._dialogue.tick(loop.time()))
                    self._keep_sound(loop.time())
            why = self._dialogue.why
        except ConnectionError:  # the kernel knows that nobody listens there
            why = AWAY
        except TimeoutError:
            self._do(self._dialogue.hang_up(loop.time()))
        finally:
            if self._flowing is not None:
                self._flowing.cancel()
                await asyncio.gather(self._flowing, return_exceptions=True)
            self._sound.close()
            self._socket.close()
            self._tell(Stage.OVER, why)

    def press(self, key: str) -> None:
        """Nothing happens unless somebody listens, and it is a key."""
        self._do(self._dialogue.press(key, asyncio.get_running_loop().time()))

    def hang_up(self) -> None:
        """`run` ends soon."""
        self._do(self._dialogue.hang_up(asyncio.get_running_loop().time()))

    async def _datagram(self) -> bytes | None:
        """What comes within a tick."""
        try:
            async with asyncio.timeout(TICK_S):
                return await asyncio.get_running_loop().sock_recv(self._socket, MOST_OCTETS + 1)
        except TimeoutError:
            return None

    def _do(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            with contextlib.suppress(OSError):  # sent again in time, or given up
                self._socket.send(datagram)
        if self._dialogue.stage is not Stage.OVER:  # `run` tells of the end
            self._tell(self._dialogue.stage, "")

    def _tell(self, stage: Stage, why: str) -> None:
        if stage is not self._told:
            self._told = stage
            self._ear.stage(stage, why)

    def _keep_sound(self, now: float) -> None:
        """Where the sound flows to, and whether it still does."""
        port = self._dialogue.sound_port
        if port is not None and self._flowing is None:
            self._flowing = asyncio.ensure_future(self._sound.flow((self._line.host, port), self._ear.sound))
        if self._flowing is not None and self._flowing.done():
            self._silent_since = self._silent_since or now
            if now - self._silent_since > GONE_S:
                raise ConnectionResetError(AWAY)
