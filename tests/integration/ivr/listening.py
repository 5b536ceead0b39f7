"""The talk on a real Asterisk, with ears: callers of SIPp, and what the script has just begun to say."""

from __future__ import annotations

import array
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from gateway.domain.answers.outcome import Outcome
from ivr.agi.channel import Channel
from ivr.agi.faults import Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.talk.desk import Desk
from ivr.talk.record import CallRecord
from ivr.talk.runner import FreeNumberTalk, Line
from tests.conftest import sipp_program
from tests.integration.ivr.callers_desk import FakeDesk
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import likeness, samples
from tests.peers.media import Media
from tests.peers.sipp import Caller, Dial, calling

WITHIN_S = 30.0
FREE_NUMBER = "0800123456"
ALIKE = 0.9
RATE = 8000
LATE = RATE // 4  # samples by which a sound may come later than reckoned: packets, pauses between files


class Ears(Protocol):
    """A caller or a callee of tests.peers."""

    media: Media

    @property
    def heard(self) -> array.array[int]:
        """Samples."""

    async def press(self, keys: str) -> None:
        """Keys."""


E = TypeVar("E", bound=Ears)


@dataclass
class Telephone(Generic[E]):
    """One caller or callee, and the lists of sounds that the script wants heard, as they begin."""

    caller: E | None = None  # until it has dialled
    begun: asyncio.Queue[tuple[list[str], int]] = field(default_factory=asyncio.Queue)
    expected: list[tuple[str, int]] = field(default_factory=list)  # files, and the samples heard before

    @property
    def line(self) -> E:
        """The caller, who has dialled."""
        assert self.caller is not None
        return self.caller

    @property
    def position(self) -> int:
        """Where in what is heard the next sound will stand."""
        return self.caller.media.position if self.caller else 0

    async def told(self, *names: str) -> tuple[list[str], int]:
        """Until a list of sounds has begun that holds all these; with the samples heard before them."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                files, before = await self.begun.get()
                if all(any(file.endswith(f"/{name}") for file in files) for name in names):
                    return files, before

    async def hears(self, *names: str) -> list[str]:
        """As `told`, until all up to the last of `names` was played; the names of that. See `was_right`."""
        files, before = await self.told(*names)
        last = max(at for at, file in enumerate(files) if any(file.endswith(f"/{name}") for name in names))
        at = before
        for file in files[: last + 1]:
            self.expected.append((file, at))
            at += len(samples(Path(f"{file}.wav")))
        await self.has_heard(at + LATE)
        return [file.rpartition("/")[2] for file in files[: last + 1]]

    def was_right(self) -> None:
        """Whether each sound of `hears` was like its file. After the call: it takes time."""
        for file, at in self.expected:
            prompt = samples(Path(f"{file}.wav"))
            part = self.line.heard[max(at - LATE, 0) : at + len(prompt) + 3 * LATE]
            assert file.endswith("/pause") or likeness(part, prompt) >= ALIKE, f"{file} is not what was heard"

    async def has_heard(self, count: int) -> None:
        """Until so many samples came."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.line.heard) < count:  # noqa: ASYNC110 - a socket's samples have no event of their own
                await asyncio.sleep(0.05)

    async def key(self, keys: str, *then: str) -> None:
        """Press, and wait until this is told."""
        await self.line.press(keys)
        await self.told(*then)


class Watched(Channel):
    """A channel that tells what is about to be played."""

    def __init__(self, channel: Channel, telephone: Telephone[Any]) -> None:
        super().__init__(channel._peer, channel.env, channel._limits)
        self._telephone = telephone

    async def play(self, files: Sequence[str]) -> None:
        self._begin(files)
        await super().play(files)

    async def read_keys(self, files: Sequence[str], most: int, wait_s: float) -> str:
        self._begin(files)
        return await super().read_keys(files, most, wait_s)

    def _begin(self, files: Sequence[str]) -> None:
        self._telephone.begun.put_nowait((list(files), self._telephone.position))


@dataclass
class Exchange:
    """An Asterisk, our server, and the desk behind it."""

    asterisk: Asterisk
    desk: FakeDesk
    faults: list[Fault]
    records: asyncio.Queue[CallRecord]
    telephones: dict[str, Telephone[Caller]]
    server: AgiServer

    @asynccontextmanager
    async def call(self, dial: Dial, *, seen_as: str | None = None) -> AsyncIterator[Telephone[Caller]]:
        """`seen_as`: the caller as AGI tells him, where that is not the number in From."""
        telephone = self.telephones[seen_as or dial.number] = Telephone[Caller]()
        dial = replace(dial, called=FREE_NUMBER)
        async with calling(sipp_program(), self.asterisk.sip_port, dial) as telephone.caller:
            yield telephone

    async def record(self) -> CallRecord:
        """Of the next call that ends."""
        return await asyncio.wait_for(self.records.get(), WITHIN_S)


@asynccontextmanager
async def exchange(
    program: AsteriskProgram,
    sounds: Path,
    *,
    desk: FakeDesk | None = None,
    behind: Desk | None = None,
    most_calls: int = 50,
) -> AsyncIterator[Exchange]:
    """Everything runs in the block. `behind`: a real desk in place of the fake one."""
    desk = desk or FakeDesk(outcome=Outcome.ACTIVATED)
    records: asyncio.Queue[CallRecord] = asyncio.Queue()
    telephones: dict[str, Telephone[Caller]] = {}
    line = Line(
        short_numbers={FREE_NUMBER: "4040"},
        sounds_dir=str(sounds),
        key_wait_s=0.5,
        most_call_s=120.0,
        region="UA",
        countries=frozenset({"UA", "KZ"}),
    )
    talk = FreeNumberTalk(line, behind or desk, records.put_nowait)

    async def watched(channel: Channel) -> None:
        await talk(Watched(channel, telephones[channel.env["callerid"]]))

    faults: list[Fault] = []
    server = AgiServer({"/free": watched}, AgiLimits(most_calls=most_calls, call_s=150.0), faults.append)
    port = await server.start("127.0.0.1", 0)
    place = AsteriskPlace(agi_port=port, sounds=sounds)
    try:
        async with running(program, place) as asterisk:
            yield Exchange(asterisk, desk, faults, records, telephones, server)
    finally:
        await server.stop(0)
