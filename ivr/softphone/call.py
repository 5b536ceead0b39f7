"""One call from its beginning to its end: its SIP goes over a wire, its sound over a socket of its own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ivr.softphone.dialogue import Dialogue
from ivr.softphone.leg import AWAY, Leg, Stage
from ivr.softphone.messages import Ends
from ivr.softphone.sound import Sound
from ivr.softphone.wires import OwnWire, Wire

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
    """Who is in the call. `stage`: told of each, with a word for a person; `sound`: A-law, 8,000 a second."""

    stage: Callable[[Stage, str], None]
    sound: Callable[[bytes], None]


class Call:
    """Run it once."""

    def __init__(self, leg: Leg, wire: Wire, sound: Sound, ear: Ear, *, host: str) -> None:
        """`host`: of the other side. Wire and sound are closed at its end."""
        self._leg = leg
        self._wire = wire
        self._sound = sound
        self._ear = ear
        self._host = host
        self._told: Stage | None = None
        self._flowing: asyncio.Task[None] | None = None
        self._silent_since: float | None = None

    async def run(self) -> None:
        """Begin it, and go on until it is over: hung up by either side, refused, or lost. Never raises."""
        loop, why = asyncio.get_running_loop(), ""
        try:
            async with asyncio.timeout(MOST_S):
                self._do(self._leg.begin(loop.time()))
                while self._leg.stage is not Stage.OVER:
                    datagram = await self._datagram()
                    if datagram is not None:
                        self._do(self._leg.hear(datagram, loop.time()))
                    self._do(self._leg.tick(loop.time()))
                    self._keep_sound(loop.time())
            why = self._leg.why
        except ConnectionError:  # the kernel knows that nobody listens there
            why = AWAY
        except TimeoutError:
            self._do(self._leg.hang_up(loop.time()))
        finally:
            if self._flowing is not None:
                self._flowing.cancel()
                await asyncio.gather(self._flowing, return_exceptions=True)
            self._sound.close()
            self._wire.close()
            self._tell(Stage.OVER, why)

    def do(self, deed: Callable[[float], list[bytes]]) -> None:
        """One of the leg, now."""
        self._do(deed(asyncio.get_running_loop().time()))

    def press(self, key: str) -> None:
        """Nothing happens unless somebody listens, and it is a key."""
        self._do(self._leg.press(key, asyncio.get_running_loop().time()))

    def hang_up(self) -> None:
        """`run` ends soon."""
        self._do(self._leg.hang_up(asyncio.get_running_loop().time()))

    async def _datagram(self) -> bytes | None:
        """What comes within a tick."""
        try:
            async with asyncio.timeout(TICK_S):
                return await self._wire.receive()
        except TimeoutError:
            return None

    def _do(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            with contextlib.suppress(OSError):  # sent again in time, or given up
                self._wire.send(datagram)
        if self._leg.stage is not Stage.OVER:  # `run` tells of the end
            self._tell(self._leg.stage, "")

    def _tell(self, stage: Stage, why: str) -> None:
        if stage is not self._told:
            self._told = stage
            self._ear.stage(stage, why)

    def _keep_sound(self, now: float) -> None:
        """Where the sound flows to, and whether it still does."""
        port = self._leg.sound_port
        if port is not None and self._flowing is None:
            self._flowing = asyncio.ensure_future(self._sound.flow((self._host, port), self._ear.sound))
        if self._flowing is not None and self._flowing.done():
            self._silent_since = self._silent_since or now
            if now - self._silent_since > GONE_S:
                raise ConnectionResetError(AWAY)


def dial(line: Line, caller: str, ear: Ear) -> Call:
    """A call of a handset to the line; nothing runs yet. `caller`: E.164 without the plus. Raises OSError."""
    sound = Sound(line.host)
    wire = OwnWire((line.host, line.port))  # so that nobody else is heard
    ends = Ends(
        caller=caller,
        called=line.number,
        here=wire.here,
        there=(line.host, line.port),
        call_id=secrets.token_hex(16),
        tag=secrets.token_hex(8),
        branch=secrets.token_hex(8),
    )
    return Call(Dialogue(ends, sound.port), wire, sound, ear, host=line.host)
