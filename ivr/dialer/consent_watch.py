"""Looks at the gate for every call that rings: who says STOP meanwhile hears it end within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from config.outage import Outage
from gateway.domain.consent.word import Channel, Consent, read_word
from gateway.domain.offers.offer_call import Outcome
from gateway.store.consent.gate import Asked, GateAway, Stands
from ivr.ami.faults import Lost
from ivr.dialer.attempt import Phone
from ivr.dialer.call import CallTable, OfferCall

LOOK_EVERY_S: Final = 0.3
LOOK_WITHIN_S: Final = 0.4  # else the gate is away, and what cannot be asked is a no
log = structlog.get_logger()
_OF_BLAST: Final = {"paused": Outcome.BROKEN_OFF, "cancelled": Outcome.CANCELLED}


class Looks(Protocol):
    """gateway.store.consent.gate."""

    async def look(self, asked: Sequence[Asked]) -> Sequence[Stands | None]:
        """What stands now, in one round trip; None of a firm that is closed. Raises GateAway."""


class Watch:
    """Marks calls as broken and hangs them up; whoever makes them sees their end."""

    def __init__(self, table: CallTable, gate: Looks, phone: Phone) -> None:
        self._table = table
        self._gate = gate
        self._phone = phone
        self._away = Outage("gate away: calls that ring are hung up")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # whose no is not seen must not go on ringing
                log.exception("calls that ring are not watched: they are hung up")
                await self.break_off()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Once."""
        calls = self._table.unanswered()
        if not calls:
            return
        for call, why in zip(calls, await self._whys(calls), strict=True):
            call.broken = call.broken or why
        await self._hang_up([call for call in calls if call.broken and not call.taken])

    async def break_off(self) -> None:
        """No call may ring any more: this process ends."""
        calls = self._table.unanswered()
        for call in calls:
            call.broken = call.broken or Outcome.BROKEN_OFF
        await self._hang_up(calls)

    async def _whys(self, calls: Sequence[OfferCall]) -> list[Outcome | None]:
        asked = [Asked(c.due.firm_id, c.due.shopper, str(c.due.blast_id)) for c in calls]
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                stood = await self._gate.look(asked)
        except (GateAway, TimeoutError) as err:
            self._away.on(str(err) or "no answer", len(calls))
            return [Outcome.BROKEN_OFF] * len(calls)
        self._away.over()
        return [_why(stands) for stands in stood]

    async def _hang_up(self, calls: Sequence[OfferCall]) -> None:
        """Again with each look, until they are over: Asterisk may not have begun one yet."""
        try:
            await asyncio.gather(*(self._phone.hang_up(call.id) for call in calls))
        except Lost:
            return  # each has its deadline


def _why(stands: Stands | None) -> Outcome | None:
    if stands is None:
        return Outcome.BROKEN_OFF
    if read_word(stands.word)[Channel.CALL].consent is Consent.WITHDRAWN:
        return Outcome.WITHDRAWN
    return _OF_BLAST.get(stands.blast)
