"""The dialer on a real Asterisk with SIPp callees: what becomes of each person whom a blast calls."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from redis import Redis

from config import policies
from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import Outcome
from gateway.entry.wiring.dialer import OfferCalls
from gateway.store.redis import keys
from ivr.agi.channel import Channel
from ivr.dialer import recovery
from ivr.offer.order import OfferOrder
from tests.databases import Databases
from tests.integration.campaigns.market import Market
from tests.integration.conftest import shared_server
from tests.integration.house import House, Server
from tests.integration.ivr.ami import channels
from tests.integration.ivr.offer_scene import Scene, brisk_packs
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace, free_port
from tests.peers.call_records import CallRecord, most_at_once, most_begun, read
from tests.peers.fetch import AsteriskProgram

__all__ = ["shared_server"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES: Final = {
    "answers": ("200 OK", ("ended", "heard", 1, 1)),
    "486": ("486 Busy Here", ("waiting", "busy", 1, 1)),
    "603": ("603 Decline", ("ended", "rejected", 1, 1)),
    "480": ("480 Temporarily Unavailable", ("waiting", "no_answer", 1, 1)),
    "503": ("503 Service Unavailable", ("waiting", "congestion", 0, 1)),
    "404": ("404 Not Found", ("ended", "bad_number", 1, 1)),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(asterisk_program: AsteriskProgram) -> AsyncIterator[Asterisk]:
    """One whose offer calls come to us, with a trunk to a callee."""
    place = AsteriskPlace(
        agi_port=free_port(socket.SOCK_STREAM), callee_port=free_port(socket.SOCK_DGRAM), call_records=True
    )
    async with running(asterisk_program, place) as asterisk:
        yield asterisk


@pytest_asyncio.fixture(loop_scope="module")
async def scene(
    shared_server: Server,
    database: Databases,
    asterisk: Asterisk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:
    """A firm, its campaign and nobody yet."""
    packs = brisk_packs()
    monkeypatch.setattr(policies, "load", lambda: packs)
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        client.script_flush()
    house = House(server_url=shared_server.url, state=tmp_path, sql_url=database.url(tmp_path))
    yield Scene(Market(house), asterisk, tmp_path)
    await house.close()


@pytest.mark.parametrize(("status", "becomes"), CASES.values(), ids=list(CASES))
async def test_what_the_callee_answers(scene: Scene, status: str, becomes: tuple[object, ...]) -> None:
    blast = scene.blast(scene.market.shoppers(1))
    async with scene.calling(status):
        await scene.until(lambda: scene.calls(blast)[0][1] is not None)
    assert scene.calls(blast) == [becomes]
    assert scene.outcomes() == [becomes[1]]
    assert scene.live() == 0


REFUSALS: Final = {
    "401": "401 Unauthorized",
    "402": "402 Payment Required",
    "403": "403 Forbidden",
    "407": "407 Proxy Authentication Required",
    "488": "488 Not Acceptable Here",
}


@pytest.mark.parametrize("status", REFUSALS.values(), ids=list(REFUSALS))
async def test_a_trunk_that_refuses_us_is_nobodys_attempt_and_pauses_the_blast(
    scene: Scene, status: str
) -> None:
    blast = scene.blast(scene.market.shoppers(30), channels=2)
    async with scene.calling(status, first=""):
        await scene.until(lambda: scene.of(blast).state is State.PAUSED)
        await scene.until(lambda: "calling" not in {row[0] for row in scene.calls(blast)})
        assert scene.redis.get(keys.blast(scene.market.firm, str(blast))) == b"paused"
    assert scene.of(blast).why == f"trunk refuses: {status[:3]}"
    tried = [row for row in scene.calls(blast) if row[3]]
    told = [row[:3] for row in tried if row[1] != "broken_off"]  # as those may be that leave in this moment
    assert {*told} == {("waiting", "trunk", 0)}
    assert sum(row[2] for row in tried) == 0
    assert len(told) >= 5
    assert len(tried) <= 10


async def test_after_a_refusal_by_the_trunk_everybody_is_called(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(12), channels=2)
    async with scene.calling("403 Forbidden", first=""):
        await scene.until(lambda: scene.of(blast).state is State.PAUSED)
    scene.due_now()
    scene.turn(blast, State.RUNNING)
    async with scene.calling("200 OK"):
        assert {row[:3] for row in await scene.ended(blast)} == {("ended", "heard", 1)}


async def test_callees_who_decline_at_once_pause_nothing(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(8))
    async with scene.calling("603 Decline", first=""):
        assert {*await scene.ended(blast)} == {("ended", "rejected", 1, 1)}
    assert scene.of(blast).state is State.RUNNING


async def test_a_trunk_that_is_silent_is_no_attempt(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(2))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", scene.asterisk.place.callee_port))
        async with scene.dialing():
            await scene.until(lambda: {row[0] for row in scene.calls(blast) if row[1]} == {"waiting"})
    assert {*scene.calls(blast)} == {("waiting", "congestion", 0, 1)}


async def test_the_talk_is_talked_and_told(scene: Scene, brisk: Path) -> None:
    shutil.copytree(brisk, scene.asterisk.sounds, dirs_exist_ok=True)
    (number,) = scene.market.shoppers(1)
    blast = scene.blast([number], on_machine="ignore")
    async with scene.calling("200 OK", talk=True):
        calls = await scene.ended(blast)
    assert calls == [("ended", "heard", 1, 1)]
    columns = ("answered_by", "keys", "language", "outcome")
    assert scene.market.house.rows("offer_call_record", *columns) == [("unsure", "", "uk", "heard")]
    (contact,) = scene.market.house.rows("contact", "blast", "channel", "state", "consent", "pack")
    assert contact == (str(blast), "call", "heard", "given", "ua")


async def test_nobody_answers_in_the_time_for_it(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(1), max_attempts=1)
    async with scene.calling("180 Ringing"):
        assert await scene.ended(blast) == [("ended", "no_answer", 1, 1)]


async def test_who_was_busy_is_called_again_in_time(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(1), max_attempts=2, retry_busy_s=600)
    async with scene.calling("486 Busy Here"):
        await scene.until(lambda: scene.calls(blast)[0][2] == 1)
        ((due_at,),) = scene.market.house.rows("offer_call", "due_at")
        assert abs(due_at - scene.now() - 600_000) < 10_000
        scene.due_now()
        assert await scene.ended(blast) == [("ended", "busy", 2, 2)]


async def test_a_stop_hangs_up_what_rings(scene: Scene) -> None:
    one, other = scene.market.shoppers(2)
    blast = scene.blast([one, other], ring_s=30)
    async with scene.calling("180 Ringing"):
        await channels(scene.asterisk, lambda count: count == 2)
        verdict = await scene.market.house.text("STOP", one)
        acknowledged = time.monotonic()
        assert verdict.kind == "A"
        await channels(scene.asterisk, lambda count: count == 1)
        took_s = time.monotonic() - acknowledged
        await scene.until(lambda: scene.calls(blast)[0][0] == "ended")
        assert scene.calls(blast) == [("ended", "withdrawn", 1, 1), ("calling", None, 0, 1)]
    assert took_s < 1.0
    # The process has ended: what rang waits as if it had not been called.
    assert scene.calls(blast)[1] == ("waiting", "broken_off", 0, 1)
    assert scene.live() == 0


async def test_who_may_have_been_rung_when_asterisk_was_restarted_is_called_no_more(scene: Scene) -> None:
    before = scene.asterisk.log.count("is ringing")  # of the tests before this one
    blast = scene.blast(scene.market.shoppers(2), ring_s=30)
    async with scene.calling("180 Ringing"):
        await scene.until(lambda: scene.asterisk.log.count("is ringing") == before + 2)
        await scene.asterisk.stop()
        assert await scene.ended(blast) == [("ended", "unknown", 1, 1)] * 2
        assert scene.live() == 0
        await scene.asterisk.start()
        other = scene.blast(scene.market.shoppers(1, first=3), ring_s=30)
        await scene.until(lambda: scene.calls(other)[0][0] == "calling")


@pytest.mark.parametrize(
    ("state", "becomes"),
    [(State.PAUSED, ("waiting", "broken_off", 0, 1)), (State.CANCELLED, ("ended", "cancelled", 1, 1))],
)
async def test_a_blast_that_is_stopped_rings_no_more(
    scene: Scene, state: State, becomes: tuple[object, ...]
) -> None:
    numbers = scene.market.shoppers(3)
    blast = scene.blast(numbers, ring_s=30, channels=2)
    async with scene.calling("180 Ringing"):
        await channels(scene.asterisk, lambda count: count == 2)
        scene.turn(blast, state)
        await channels(scene.asterisk, lambda count: count == 0)
        await scene.until(lambda: "calling" not in {row[0] for row in scene.calls(blast)})
    *rang, third = scene.calls(blast)
    assert rang == [becomes, becomes]
    assert third[2:] == (0, 0)  # a round that was begun before may have asked the gate, and filed its no


async def test_without_redis_what_rings_is_hung_up_and_nothing_is_begun(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(2), ring_s=30, channels=1)
    async with scene.calling("180 Ringing"):
        await channels(scene.asterisk, lambda count: count == 1)
        scene.redis.client_pause(1500)
        await channels(scene.asterisk, lambda count: count == 0)
        assert scene.calls(blast)[1] == ("waiting", None, 0, 0)


async def test_what_the_gate_says_is_filed(scene: Scene) -> None:
    market = scene.market
    denied, night, called_, erased = market.shoppers(4)
    market.say(denied, "out:2")
    blast = scene.blast([denied, night, called_, erased])
    scene.move(night, "12025550123")  # where it is night
    scene.erase(erased)
    async with scene.calling("200 OK"):
        await scene.until(lambda: scene.calls(blast)[2][0] == "ended")
    rows = market.house.rows("offer_call", "state", "outcome", "reason", "calls")
    assert rows == [
        ("ended", "denied", "withdrawn", 0),
        ("waiting", None, "hours", 0),
        ("ended", "heard", None, 1),
        ("ended", "denied", "erased", 0),
    ]
    assert len(scene.outcomes()) == len(market.house.rows("contact", "id")) == 1


async def test_a_blast_that_redis_has_not_heard_of_waits(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(1))
    scene.redis.delete(keys.blast(scene.market.firm, str(blast)))
    async with scene.calling("200 OK"):
        await scene.until(lambda: bool(scene.redis.exists(keys.call_pace(str(blast)))))
        assert scene.calls(blast) == [("waiting", None, 0, 0)]
        scene.redis.set(keys.blast(scene.market.firm, str(blast)), "running")
        assert await scene.ended(blast) == [("ended", "heard", 1, 1)]


async def test_a_person_has_one_live_call_whatever_the_blast(scene: Scene) -> None:
    one, other = scene.market.shoppers(2)
    first = scene.blast([one], ring_s=30)
    async with scene.calling("180 Ringing"):
        await channels(scene.asterisk, lambda count: count == 1)
        second = scene.blast([one, other], ring_s=30)
        await scene.until(
            lambda: scene.calls(second)[1][0] == "calling"
        )  # whose turn was not before the other's
        assert scene.calls(first) == [("calling", None, 0, 1)]
        assert scene.calls(second)[0] == ("waiting", None, 0, 0)


async def test_dialers_pass_no_rate_together(scene: Scene) -> None:
    """By Asterisk's own records of when each call began."""
    blast = scene.blast(scene.market.shoppers(24), calls_per_s=10.0)
    records = await both_call(scene, blast)
    assert 7 <= most_begun(records, 0.95) <= 10  # a busy Asterisk may begin one a little later than asked
    assert len({dialer for (dialer,) in scene.market.house.rows("offer_call_record", "dialer")}) == 2


async def test_dialers_pass_no_cap_together(scene: Scene) -> None:
    """By Asterisk's own records of when each call began and ended: of a blast, and of the operator."""
    numbers = scene.market.shoppers(20)
    blasts = [scene.blast(numbers[:14], channels=2), scene.blast(numbers[14:])]
    records = await both_call(scene, *blasts, offer_channels=5)
    assert most_at_once(records) == 5
    assert most_at_once(records[-6:]) <= 2  # of the first blast alone, which is over last


async def both_call(scene: Scene, *blasts: int, **changes: Any) -> list[CallRecord]:
    """Two dialers make all calls of the blasts, which are answered and last half a second."""
    scene.says = half_a_second
    before, wanted = len(read(scene.asterisk.folder)), sum(len(scene.calls(blast)) for blast in blasts)
    second = {**changes, "agi_port": free_port(socket.SOCK_STREAM)}
    async with scene.calling("200 OK", **changes), scene.dialing(**second):
        for blast in blasts:
            assert {*await scene.ended(blast)} == {("ended", "heard", 1, 1)}
    await scene.until(lambda: len(read(scene.asterisk.folder)) == before + wanted)
    return read(scene.asterisk.folder)[before:]


async def test_what_a_killed_dialer_has_begun_is_unknown_and_never_called_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "SILENT_S", 0.0)
    monkeypatch.setattr(recovery, "EVERY_S", 0.1)
    numbers = scene.market.shoppers(2)
    blast = scene.blast(numbers, ring_s=30, channels=1)
    async with scene.calling("180 Ringing") as offers:
        await channels(scene.asterisk, lambda count: count == 1)
        killed(offers)
        assert scene.calls(blast) == [("calling", None, 0, 1), ("waiting", None, 0, 0)]
        assert scene.live() == 1  # it may live still
    async with scene.calling("200 OK"):
        await scene.until(lambda: scene.calls(blast)[0][0] == "ended")
        await channels(scene.asterisk, lambda count: count == 0)  # nobody would see a STOP of theirs
    assert scene.calls(blast) == [("ended", "unknown", 1, 1), ("waiting", None, 0, 0)]
    assert scene.market.house.rows("contact", "state") == [("unknown",)]


def killed(offers: OfferCalls) -> None:
    """It does nothing more; what is in memory is lost."""
    for course in offers.dialer._courses:
        course.cancel()
    offers.table._calls.clear()


async def half_a_second(channel: Channel, order: OfferOrder) -> Outcome | None:
    """A talk so long."""
    del channel, order
    await asyncio.sleep(0.5)
    return Outcome.HEARD
