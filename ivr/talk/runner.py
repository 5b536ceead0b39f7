"""Plays the script of the free number on a channel: what it wants is done, what comes of it is told to it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from ivr.agi.channel import Channel
from ivr.agi.faults import AgiError, Fault, HungUp
from ivr.talk.caller import Caller, caller
from ivr.talk.desk import Desk
from ivr.talk.player import QUIET_S, Player
from ivr.talk.record import CallRecord
from ivr.talk.script import MOST_SILENCES, Script
from ivr.talk.service import Asker, serve
from ivr.talk.sounds import sounds
from ivr.talk.steps import Action, Ask, CallEnd, Do, End, Event, Service

DONE: Final = "UNDERCAP_DONE"  # 1: a proper end; the dialplan apologises otherwise
LANGUAGE: Final = "UNDERCAP_LANGUAGE"  # of that apology


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The free numbers, as the settings have them.

    `short_numbers`: by free number. `sounds_dir`: absolute, as Asterisk sees it. `region`, `countries`: see
    ivr.talk.caller. `most_silences`: see ivr.talk.script. Times in seconds.
    """

    short_numbers: Mapping[str, str]
    sounds_dir: str
    key_wait_s: float
    most_call_s: float
    region: str = ""
    countries: frozenset[str] = frozenset()
    most_silences: int = MOST_SILENCES


class FreeNumberTalk:
    """The script for the server's route /free."""

    def __init__(
        self,
        line: Line,
        desk: Desk,
        record: Callable[[CallRecord], None],
        note: Callable[[CallRecord], None] = lambda _: None,
    ) -> None:
        """`record`: told of each call at its end. `note`: of each as it stands, whenever that changes."""
        self._line = line
        self._desk = desk
        self._record = record
        self._note = note

    async def __call__(self, channel: Channel) -> None:
        """One call. Raises HungUp and AgiError, after it was recorded."""
        call = _Call(channel, self._line, self._desk, self._note)
        try:
            await call.run()
        finally:
            self._record(call.record())


class _Call:
    """One call on its way."""

    def __init__(self, channel: Channel, line: Line, desk: Desk, note: Callable[[CallRecord], None]) -> None:
        env = channel.env
        self._note = note
        self._channel = channel
        self._line = line
        self._desk = desk
        self._free_number = env.get("extension", "")
        self._short_number = line.short_numbers.get(self._free_number, "")
        self._caller: Caller = caller(
            env.get("callerid", ""), env.get("callingpres", ""), line.region, line.countries
        )
        self._script = Script(self._caller, self._short_number, line.most_silences)
        self._language = ""  # as the dialplan knows it
        self._wishes = 0
        self._services: dict[Service, None] = {}
        self._end = CallEnd.LOST
        self._fault: Fault | None = None
        self._started_at = _now_ms()
        self._id = message_id(self._started_at, os.urandom(RANDOM_OCTETS))
        self._answered_at: int | None = None
        self._player = Player(
            channel, line.sounds_dir, key_wait_s=line.key_wait_s, most_call_s=line.most_call_s
        )

    async def run(self) -> None:
        """Until the end, whoever ends it."""
        self._note(self.record())
        try:
            if not self._short_number:
                raise AgiError(Fault.NO_ROUTE, "a free number that the settings do not have")
            self._end = await self._talk()
        except HungUp:
            self._end = CallEnd.HUNG_UP
            raise
        except AgiError as err:
            self._end, self._fault = CallEnd.FAULT, err.fault
            raise
        except asyncio.CancelledError:
            self._end = CallEnd.STOPPED
            raise
        except Exception:
            self._end, self._fault = CallEnd.FAULT, Fault.OURS
            raise

    def record(self) -> CallRecord:
        """What is kept of it."""
        return CallRecord(
            id=self._id,
            free_number=self._free_number if self._short_number else "",
            sight=self._caller.sight,
            language=self._script.language,
            started_at=self._started_at,
            answered_at=self._answered_at,
            ended_at=_now_ms(),
            keys="".join(sorted(self._script.pressed)),
            services=tuple(self._services),
            end=self._end,
            fault=self._fault,
        )

    async def _talk(self) -> CallEnd:
        action: Action = self._script.begin()
        while not isinstance(action, End):
            event = await (self._do(action) if isinstance(action, Do) else self._ask(action))
            action = self._script.hear(event)
        await self._ready_to_speak()
        await self._player.play(action.sounds)
        await self._channel.set(DONE, "1")
        await self._channel.hangup()
        return action.end

    async def _ask(self, ask: Ask) -> Event:
        await self._ready_to_speak()
        return await self._player.ask(ask)

    async def _do(self, do: Do) -> Event:
        """Have it done; a caller who would wait in silence is asked for a moment."""
        if do.service is not Service.LOOK_UP:  # which is done while the caller hears it ring
            await self._ready_to_speak()  # who hangs up before the answer has had nothing done
        self._services[do.service] = None
        self._note(self.record())
        work = serve(do, self._asker(), self._desk)
        moment = sounds(self._script.language, ("moment",))
        return await self._player.bridge(work, moment, quiet_s=QUIET_S if self._answered_at else None)

    def _asker(self) -> Asker:
        self._wishes += 1
        return Asker(
            number=self._caller.number,
            short_number=self._short_number,
            wish=f"{self._id}.{self._wishes}",
        )

    async def _ready_to_speak(self) -> None:
        """Answered, and the dialplan knows in which language to apologise."""
        if self._language != self._script.language:
            self._language = self._script.language
            await self._channel.set(LANGUAGE, self._language)
        if self._answered_at is None:
            await self._channel.answer()
            self._answered_at = _now_ms()
            self._note(self.record())


def _now_ms() -> int:
    return int(time.time() * 1000)
