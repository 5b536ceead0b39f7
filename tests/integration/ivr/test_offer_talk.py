"""Offer calls on a real Asterisk: what callees of all kinds hear and key, and what is told of them."""

from __future__ import annotations

import array
import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gateway.domain.offers.offer_call import OnMachine, Outcome
from ivr.agi.channel import Channel
from ivr.agi.faults import Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.ami.call_result import CallResult
from ivr.ami.manager import Manager
from ivr.ami.originate import Originate
from ivr.offer.order import AnsweredBy, OfferOrder, OfferTold
from ivr.offer.runner import PATH, OfferLine, OfferTalk
from tests.conftest import sipp_program
from tests.integration.ivr.ami import managing, settings_of, up
from tests.integration.ivr.listening import RATE, Telephone, Watched
from tests.integration.ivr.offers_desk import CALLEE, FakeOfferDesk, order
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace
from tests.peers.fetch import AsteriskProgram
from tests.peers.hearing import samples, write_prompt
from tests.peers.talking import Callee, talking

SPOKEN_TO_WITHIN_S = 4.0  # of the answer, whoever it is and whatever his line sends

NAME = "TESTED"  # a variable of the call
WITHIN_S = 40.0


@dataclass
class Dialled:
    """A call to one callee: the telephone, the order, and what was told of it."""

    order: OfferOrder
    phone: Telephone[Callee] = field(default_factory=Telephone)
    told: asyncio.Queue[OfferTold] = field(default_factory=asyncio.Queue)

    async def end(self) -> OfferTold:
        """Until the call is over on both sides."""
        await self.phone.line.ended()
        return await asyncio.wait_for(self.told.get(), WITHIN_S)


@dataclass
class Exchange:
    """An Asterisk, a manager that makes calls over it, and our server with the talk."""

    asterisk: Asterisk
    manager: Manager
    desk: FakeOfferDesk
    faults: list[Fault]
    calls: dict[str, Dialled]  # by a name, then by Asterisk's id

    @asynccontextmanager
    async def call(self, on_machine: OnMachine = OnMachine.IGNORE) -> AsyncIterator[Dialled]:
        """Call a telephone of its own."""
        dialled = Dialled(order(on_machine=on_machine))
        self.calls[name := f"{len(self.calls)}"] = dialled
        async with talking(sipp_program()) as callee:
            dialled.phone.caller = callee
            wanted = Originate(
                channel=f"PJSIP/{TRUNK}/sip:{CALLEE.number}@127.0.0.1:{callee.port}",
                context="undercap-offer",
                variables={NAME: name},
            )
            made = asyncio.create_task(self.manager.originate(wanted))
            try:
                yield dialled
                assert (await asyncio.wait_for(made, WITHIN_S)).result is CallResult.ANSWERED
            finally:
                made.cancel()


@pytest.fixture(scope="session")
def offer_sounds(brisk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prompts, and two recordings of a firm."""
    folder = tmp_path_factory.mktemp("offers")
    shutil.copytree(brisk / "uk", folder / "uk")
    write_prompt(folder / "offers" / "intro.wav", (500, 1700, 800, 1300, 650, 2100))
    write_prompt(folder / "offers" / "offer.wav", (900, 450, 1500, 700, 1900, 1100))
    return folder


@asynccontextmanager
async def exchange(program: AsteriskProgram, sounds: Path) -> AsyncIterator[Exchange]:
    """Everything runs in the block."""
    line = OfferLine(sounds_dir=str(sounds), key_wait_s=0.5, most_call_s=60.0)
    desk, calls, faults = FakeOfferDesk(), dict[str, Dialled](), list[Fault]()
    talk = OfferTalk(
        line,
        lambda call_id: replace(calls[call_id].order, call_id=call_id),
        lambda call_id, told: calls[call_id].told.put_nowait(told),
        desk,
        lambda: 0,
    )

    async def watched(channel: Channel) -> None:
        dialled = calls[channel.env["uniqueid"]] = calls[await channel.get(NAME)]
        await talk(Watched(channel, dialled.phone))

    server = AgiServer({PATH: watched}, AgiLimits(most_calls=50, call_s=90.0), faults.append)
    port = await server.start("127.0.0.1", 0)
    try:
        async with (
            running(program, AsteriskPlace(agi_port=port, sounds=sounds)) as asterisk,
            managing(settings_of(asterisk)) as manager,
        ):
            await up(manager)
            yield Exchange(asterisk, manager, desk, faults, calls)
    finally:
        await server.stop(0)


async def test_callees_of_all_kinds(asterisk_program: AsteriskProgram, offer_sounds: Path) -> None:
    async with exchange(asterisk_program, offer_sounds) as line:
        await asyncio.gather(
            _hears_all_of_it(line),
            _presses_keys(line),
            _refuses_at_once(line),
            _hangs_up_early(line),
            _refuses_and_hangs_up(line),
        )
        assert await line.asterisk.channels() == 0
    assert line.faults == []
    assert sorted(service for service, _ in line.desk.done) == ["refuse", "refuse", "send_offer"]


async def _hears_all_of_it(line: Exchange) -> None:
    async with line.call() as call:
        await call.phone.line.answered()
        await call.phone.hears("offers/intro", "uk/offer_refuse")
        await call.phone.hears("offers/offer")
        await call.phone.hears("uk/offer_keys")
        await call.phone.told("uk/not_heard")
        await call.phone.told("uk/offer_goodbye")
        told = await call.end()
    call.phone.was_right()
    assert (told.outcome, told.answered_by, told.keys) == (Outcome.HEARD, AnsweredBy.UNSURE, "")


async def _presses_keys(line: Exchange) -> None:
    """Each sound is broken off by the next key."""
    async with line.call() as call:
        await call.phone.line.answered()
        await call.phone.told("offers/intro")
        await call.phone.key("2", "uk/offer_later")
        await call.phone.key("*", "offers/intro")
        await call.phone.told("offers/offer")
        await call.phone.key("5", "uk/wrong_key", "offers/offer")
        await call.phone.told("uk/offer_keys")
        await call.phone.key("1", "uk/offer_sent", "uk/offer_goodbye")
        told = await call.end()
    assert (told.outcome, told.keys) == (Outcome.ACCEPTED, "2*51")


async def _refuses_at_once(line: Exchange) -> None:
    async with line.call() as call:
        await call.phone.line.answered()
        await call.phone.told("offers/intro")
        await call.phone.key("9", "uk/no_more_offers")
        told = await call.end()
    assert (told.outcome, told.keys) == (Outcome.REFUSED, "9")


async def _hangs_up_early(line: Exchange) -> None:
    async with line.call() as call:
        await call.phone.line.answered()
        await call.phone.told("offers/intro")
        await call.phone.line.hang_up()
        told = await call.end()
    assert told.outcome is Outcome.HUNG_UP


async def _refuses_and_hangs_up(line: Exchange) -> None:
    """At once: whoever presses 9 does not wait for thanks."""
    async with line.call() as call:
        await call.phone.line.answered()
        await call.phone.told("offers/intro")
        await call.phone.line.press("9")
        await call.phone.line.hang_up()
        told = await call.end()
    assert told.outcome is Outcome.REFUSED


async def test_machines_and_people_are_told_apart(
    asterisk_program: AsteriskProgram, offer_sounds: Path, spoken: Path
) -> None:
    hello = samples(spoken / "uk" / "n1.wav")
    greeting = samples(spoken / "uk" / "menu.wav")[: 4 * RATE]
    async with exchange(asterisk_program, offer_sounds) as line:
        await asyncio.gather(
            _is(line, OnMachine.HANG_UP, hello, AnsweredBy.HUMAN, Outcome.HEARD),
            _is(line, OnMachine.HANG_UP, array.array("h"), AnsweredBy.UNSURE, Outcome.HEARD),
            _is(line, OnMachine.HANG_UP, None, AnsweredBy.UNSURE, Outcome.HEARD),
            _is(line, OnMachine.HANG_UP, greeting, AnsweredBy.MACHINE, Outcome.MACHINE),
            _is(line, OnMachine.IGNORE, greeting, AnsweredBy.UNSURE, Outcome.HEARD),
            _gets_a_message(line, greeting),
        )
    assert line.faults == []


async def _is(
    line: Exchange,
    on_machine: OnMachine,
    says: array.array[int] | None,
    by: AnsweredBy,
    outcome: Outcome,
) -> None:
    """`says`: None: not even silence, as where sound is held back until there is some."""
    async with line.call(on_machine) as call:
        callee = call.phone.line
        callee.media.speak(says or array.array("h"))
        await callee.answered(mute=says is None)
        if outcome is not Outcome.MACHINE:
            async with asyncio.timeout(SPOKEN_TO_WITHIN_S):
                while not callee.heard:  # noqa: ASYNC110 - what another program sends
                    await asyncio.sleep(0.02)
        told = await call.end()
        begun = [files for files, _ in _all(call.phone)]
    assert (told.answered_by, told.outcome) == (by, outcome)
    assert bool(begun) == (outcome is not Outcome.MACHINE)


def _all(phone: Telephone[Callee]) -> list[tuple[list[str], int]]:
    return [phone.begun.get_nowait() for _ in range(phone.begun.qsize())]


async def _gets_a_message(line: Exchange, greeting: array.array[int]) -> None:
    async with line.call(OnMachine.LEAVE_MESSAGE) as call:
        call.phone.line.media.speak(greeting)
        await call.phone.line.answered()
        await call.phone.hears("offers/intro", "offers/offer", "uk/offer_call_free")
        told = await call.end()
    call.phone.was_right()
    assert (told.answered_by, told.outcome) == (AnsweredBy.MACHINE, Outcome.MESSAGE_LEFT)
    assert told.keys == ""


async def test_without_our_process_a_callee_hears_nothing(
    asterisk_program: AsteriskProgram, offer_sounds: Path
) -> None:
    """No apology: it would speak to somebody who has not called."""
    async with exchange(asterisk_program, offer_sounds) as line:
        await line.asterisk.cli("dialplan set global UNDERCAP_AGI 127.0.0.1:1")
        async with line.call() as call:
            await call.phone.line.answered()
            await call.phone.line.ended()
        assert (len(call.phone.line.heard), call.told.empty()) == (0, True)
