"""Plays the script of an offer call on a channel, and tells what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.domain.offers.offer_call import Outcome
from gateway.usecases.calls.free_number import Away as GatewayAway
from ivr.agi.channel import Channel
from ivr.agi.faults import AgiError, Fault, HungUp
from ivr.offer.desk import OfferDesk
from ivr.offer.detection import greeting_over, who_answered
from ivr.offer.order import OfferOrder, OfferTold
from ivr.offer.script import OfferScript
from ivr.offer.steps import Action, Answered, AwaitSilence, Do, End, Event, Listen, OfferService, Step
from ivr.talk.player import QUIET_S, Player
from ivr.talk.script import MOST_SILENCES
from ivr.talk.sounds import sounds
from ivr.talk.steps import Away, Done

PATH: Final = "/offer"
_STANDS: Final = frozenset({Outcome.ACCEPTED, Outcome.LATER, Outcome.REFUSED, Outcome.HEARD})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLine:
    """As the settings have it. `sounds_dir`: absolute, as Asterisk sees it. Times in seconds.

    `most_silences`: see ivr.offer.script.
    """

    sounds_dir: str
    key_wait_s: float
    most_call_s: float
    most_silences: int = MOST_SILENCES


class OfferTalk:
    """The script for the server's route PATH."""

    def __init__(
        self,
        line: OfferLine,
        orders: Callable[[str], OfferOrder | None],
        told: Callable[[str, OfferTold], None],
        desk: OfferDesk,
        now: Callable[[], int],
    ) -> None:
        """`orders`: gives the order of a call, by its Uniqueid, once; None for what nobody has ordered.

        `told`: told once of each call whose order was given, by that id. `now`: ms since 1970, by the
        clock of whoever keeps the records of calls.
        """
        self._line = line
        self._orders = orders
        self._told = told
        self._desk = desk
        self._now = now

    async def __call__(self, channel: Channel) -> None:
        """One call. Raises HungUp and AgiError, after it was told of."""
        order = self._orders(channel.env.get("uniqueid", ""))
        if order is None:
            await channel.hangup()
            raise AgiError(Fault.NO_ROUTE, "a call that nobody has ordered")
        call = _Call(channel, order, self._line, self._desk, answered_at=self._now())
        try:
            await call.run()
        finally:
            self._told(order.call_id, call.told())


class _Call:
    """One call on its way."""

    def __init__(
        self, channel: Channel, order: OfferOrder, line: OfferLine, desk: OfferDesk, *, answered_at: int
    ) -> None:
        self._channel = channel
        self._order = order
        self._line = line
        self._desk = desk
        self._script = OfferScript(order, line.most_silences)
        self._player = Player(
            channel, line.sounds_dir, key_wait_s=line.key_wait_s, most_call_s=line.most_call_s
        )
        self._answered_at = answered_at
        self._over = False  # by the callee, or at its proper end

    async def run(self) -> None:
        """Until the end, whoever ends it."""
        try:
            await self._check_sounds()
            await self._talk()
        except HungUp:
            self._over = True
            raise

    def told(self) -> OfferTold:
        """What came of it."""
        outcome = self._script.outcome
        return OfferTold(
            outcome=outcome if self._over or outcome in _STANDS else None,
            answered_at=self._answered_at,
            answered_by=self._script.answered_by,
            keys=self._script.pressed,
        )

    async def _check_sounds(self) -> None:
        """Nobody is called without being told by whom: Asterisk passes over a sound that is missing."""
        for sound in (self._order.intro, self._order.offer):
            file = f"{self._line.sounds_dir}/{sound}.wav"
            if await self._channel.evaluate("STAT", "e", file) != "1":
                raise AgiError(Fault.NO_SOUND, "a recording of the firm")

    async def _talk(self) -> None:
        action: Action = self._script.begin()
        while not isinstance(action, End):
            action = self._script.hear(await self._done(action))
        if action.sounds:
            await self._player.play(action.sounds)
        await self._channel.hangup()
        self._over = True

    async def _done(self, step: Step) -> Event:
        match step:
            case Listen():
                return Answered(await who_answered(self._channel))
            case AwaitSilence():
                await greeting_over(self._channel)
                return Done()
            case Do():
                moment = sounds(self._order.callee.language, ("moment",))
                return await self._player.bridge(self._serve(step.service), moment, quiet_s=QUIET_S)
            case _:
                return await self._player.ask(step)

    async def _serve(self, service: OfferService) -> Done | Away:
        try:
            if service is OfferService.REFUSE:
                await self._desk.refuse(self._order.callee)
            else:
                await self._desk.send_offer(self._order.callee)
        except GatewayAway:
            return Away()
        return Done()
