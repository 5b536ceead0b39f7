"""The script of offer calls on a channel, over AGI: only orders are talked, and each is told of once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.domain.offers.offer_call import OnMachine, Outcome
from ivr.agi.faults import Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.offer.order import AnsweredBy, OfferOrder, OfferTold
from ivr.offer.runner import PATH, OfferLine, OfferTalk
from tests.integration.ivr.agi_peer import HANG_UP, AgiPeer, on_call
from tests.integration.ivr.offers_desk import CALLEE, FakeOfferDesk, order

WITHIN_S = 10.0
ENV = {"network_script": "offer", "uniqueid": "o1", "callerid": "380670000099", "extension": "s"}
HUMAN, SILENCE, LONG = ("HUMAN", "HUMAN-1-1"), ("MACHINE", "INITIALSILENCE-2000-2000"), ("MACHINE", "LONG")


def callee(*keys: str, machine: tuple[str, str] | None = ("", ""), missing: str = "") -> AgiPeer:
    """Who presses these keys."""
    return AgiPeer(env=ENV, keys=list(keys), machine=machine, missing=missing)


ANSWERED_AT = 1_795_609_676_895  # by the clock that the talk was given


@dataclass
class Talk:
    """A server with the talk on it, and one order."""

    order: OfferOrder = field(default_factory=order)
    desk: FakeOfferDesk = field(default_factory=FakeOfferDesk)
    most_call_s: float = 60.0
    port: int = 0
    told: asyncio.Queue[tuple[str, OfferTold]] = field(default_factory=asyncio.Queue)
    faults: list[Fault] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[AgiServer]:
        line = OfferLine(sounds_dir="/sounds", key_wait_s=1.0, most_call_s=self.most_call_s)
        orders = {self.order.call_id: self.order}
        talk = OfferTalk(
            line,
            lambda call_id: orders.pop(call_id, None),
            lambda call_id, told: self.told.put_nowait((call_id, told)),
            self.desk,
            lambda: ANSWERED_AT,
        )
        server = AgiServer({PATH: talk}, AgiLimits(most_calls=10, call_s=60), self.faults.append)
        self.port = await server.start("127.0.0.1", 0)
        try:
            yield server
        finally:
            await server.stop(0)

    async def hears(self, peer: AgiPeer) -> OfferTold:
        """One call from beginning to end."""
        async with self.serving(), asyncio.timeout(WITHIN_S):
            await peer.call(self.port)
            call_id, told = await self.told.get()
        assert (call_id, self.told.empty()) == (self.order.call_id, True)
        return told


async def test_a_whole_call() -> None:
    talk, peer = Talk(), callee("", "", "1", "9")
    told = await talk.hears(peer)
    assert peer.heard == [
        *("offers/intro", "uk/offer_refuse", "offers/offer", "uk/offer_keys"),
        *("uk/offer_sent", "uk/offer_goodbye", "uk/no_more_offers", "uk/offer_goodbye"),
    ]
    assert talk.desk.done == [("send_offer", CALLEE), ("refuse", CALLEE)]
    assert (told.outcome, told.keys) == (Outcome.REFUSED, "19")
    assert told.answered_by is AnsweredBy.UNSURE
    assert told.answered_at == ANSWERED_AT
    assert peer.commands[-1] == "HANGUP"
    assert CALLEE.number not in repr(talk.order)


async def test_nothing_waits_for_a_key_before_the_offer_was_heard() -> None:
    peer = callee()
    await Talk().hears(peer)
    waits = [line.rstrip('"').rpartition(",")[2] for line in peer.commands if line.startswith("EXEC Read")]
    assert waits == ["0.05", "0.05", "1", "1"]


@pytest.mark.parametrize("call_id", ["", "o2", "O1", "1"])
async def test_a_call_that_nobody_has_ordered_hears_nothing(call_id: str) -> None:
    talk, peer = Talk(), AgiPeer(env={**ENV, "uniqueid": call_id}, keys=["9"])
    async with talk.serving(), asyncio.timeout(WITHIN_S):
        await peer.call(talk.port)
    assert (peer.commands, peer.heard) == (["HANGUP"], [])
    assert (talk.told.empty(), talk.faults, talk.desk.done) == (True, [Fault.NO_ROUTE], [])


async def test_an_order_is_talked_once() -> None:
    talk, again = Talk(), callee("9")
    async with talk.serving(), asyncio.timeout(WITHIN_S):
        await callee("2").call(talk.port)
        await again.call(talk.port)
        _, told = await talk.told.get()
    assert (told.outcome, again.heard, talk.told.empty()) == (Outcome.LATER, [], True)


@pytest.mark.parametrize("missing", ["offers/intro", "offers/offer"])
async def test_nobody_is_spoken_to_where_a_recording_is_missing(missing: str) -> None:
    talk, peer = Talk(), callee(missing=missing)
    told = await talk.hears(peer)
    assert (peer.heard, told.outcome, talk.faults) == ([], None, [Fault.NO_SOUND])


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ((HANG_UP,), Outcome.HUNG_UP),
        (("", HANG_UP), Outcome.HUNG_UP),
        (("", "", HANG_UP), Outcome.HEARD),
        (("1", HANG_UP), Outcome.ACCEPTED),
        (("2", HANG_UP), Outcome.LATER),
        (("5", HANG_UP), Outcome.HUNG_UP),
    ],
)
async def test_a_hang_up_at_each_step(keys: tuple[str, ...], outcome: Outcome) -> None:
    talk = Talk()
    told = await talk.hears(callee(*keys))
    assert (told.outcome, talk.faults) == (outcome, [])


# Machines


@pytest.mark.parametrize(
    ("machine", "by", "outcome"),
    [
        (HUMAN, AnsweredBy.HUMAN, Outcome.HEARD),
        (("NOTSURE", "TOOLONG-5000"), AnsweredBy.UNSURE, Outcome.HEARD),
        (SILENCE, AnsweredBy.UNSURE, Outcome.HEARD),
        (None, AnsweredBy.UNSURE, Outcome.HEARD),
        (LONG, AnsweredBy.MACHINE, Outcome.MACHINE),
        (("MACHINE", "MAXWORDS-4-3"), AnsweredBy.MACHINE, Outcome.MACHINE),
    ],
)
async def test_who_is_a_machine(machine: tuple[str, str] | None, by: AnsweredBy, outcome: Outcome) -> None:
    peer = callee(machine=machine)
    told = await Talk(order(on_machine=OnMachine.HANG_UP)).hears(peer)
    assert (told.answered_by, told.outcome) == (by, outcome)
    assert ("offers/intro" in peer.heard) == (by is not AnsweredBy.MACHINE)


async def test_a_message_begins_when_the_greeting_is_over() -> None:
    peer = callee(machine=LONG)
    told = await Talk(order(on_machine=OnMachine.LEAVE_MESSAGE)).hears(peer)
    silence = next(at for at, line in enumerate(peer.commands) if line.startswith("EXEC WaitForSilence"))
    assert not any("offers/" in line for line in peer.commands[2:silence] if "STAT" not in line)
    assert peer.heard[:3] == ["offers/intro", "offers/offer", "uk/offer_call_free"]
    assert told.outcome is Outcome.MESSAGE_LEFT


async def test_a_message_that_breaks_off_was_not_left() -> None:
    told = await Talk(order(on_machine=OnMachine.LEAVE_MESSAGE)).hears(callee(HANG_UP, machine=LONG))
    assert told.outcome is Outcome.MACHINE


async def test_a_hang_up_while_we_listen() -> None:
    talk = Talk(order(on_machine=OnMachine.HANG_UP))
    hangs_up = asyncio.Event()
    peer = callee()
    peer.on_command = lambda line: hangs_up.set() if line.startswith("EXEC AMD") else None
    async with talk.serving(), asyncio.timeout(WITHIN_S):
        async with on_call(peer, talk.port):
            await hangs_up.wait()
        _, told = await talk.told.get()
    assert told.outcome is Outcome.HUNG_UP


# What keys ask for


@pytest.mark.parametrize(
    ("key", "service", "sentence", "outcome"),
    [
        ("1", "send_offer", "uk/offer_sent_later", Outcome.ACCEPTED),
        ("9", "refuse", "uk/offer_refused_later", Outcome.REFUSED),
    ],
)
async def test_what_is_done_later_is_said_kindly(
    key: str, service: str, sentence: str, outcome: Outcome
) -> None:
    peer = callee(key)
    told = await Talk(desk=FakeOfferDesk(away={service})).hears(peer)
    assert sentence in peer.heard
    assert told.outcome is outcome


async def test_a_no_is_confirmed_only_when_it_is_in_force() -> None:
    slow, waits = asyncio.Event(), asyncio.Event()
    talk, peer = Talk(desk=FakeOfferDesk(waits={"refuse": slow})), callee("9")
    peer.on_command = lambda line: waits.set() if "/moment" in line else None
    async with talk.serving(), asyncio.timeout(WITHIN_S), on_call(peer, talk.port):
        await waits.wait()
        assert "uk/no_more_offers" not in peer.heard
        slow.set()
        _, told = await talk.told.get()
    assert "uk/no_more_offers" in peer.heard
    assert told.outcome is Outcome.REFUSED


async def test_a_hang_up_right_after_the_key_does_not_undo_it() -> None:
    slow, waits = asyncio.Event(), asyncio.Event()
    talk, peer = Talk(desk=FakeOfferDesk(waits={"refuse": slow})), callee("9")
    peer.on_command = lambda line: waits.set() if "/moment" in line else None
    async with talk.serving(), asyncio.timeout(WITHIN_S):
        async with on_call(peer, talk.port):
            await waits.wait()
        slow.set()
        _, told = await talk.told.get()
    assert talk.desk.done == [("refuse", CALLEE)]
    assert told.outcome is Outcome.REFUSED


@pytest.mark.parametrize(("key", "outcome"), [("9", Outcome.REFUSED), ("", None)])
async def test_an_error_of_ours_leaves_what_was_said(key: str, outcome: Outcome | None) -> None:
    talk = Talk(desk=FakeOfferDesk(breaks={"refuse"}))
    peer = callee(key) if key else callee("5", missing="uk/offer_goodbye")
    peer.keys += ["5", "5"]
    told = await talk.hears(peer)
    assert told.outcome is outcome
    assert talk.faults == [Fault.OURS if key else Fault.NO_SOUND]


async def test_when_we_stop_the_call_is_told_of_as_undecided() -> None:
    talk = Talk()
    async with talk.serving() as server, asyncio.timeout(WITHIN_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", talk.port)
        writer.write("".join(f"agi_{name}: {value}\n" for name, value in ENV.items()).encode() + b"\n")
        await reader.readline()  # a first command, which is never answered
        await server.stop(0)
        _, told = await talk.told.get()
        writer.close()
    assert told.outcome is None


async def test_a_no_in_the_last_moment_of_a_call_counts() -> None:
    talk, peer = Talk(most_call_s=0.0), callee("9")
    told = await talk.hears(peer)
    assert (told.outcome, talk.desk.done) == (Outcome.REFUSED, [("refuse", CALLEE)])
