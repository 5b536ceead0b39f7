"""What firms share of a link goes by priority over all firms, then in turn; who is in trouble loses its own
share.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from config import policies
from gateway.domain.sms.priority import Priority
from gateway.store.consent.gate import Asked
from gateway.store.integrity import redis_state
from gateway.store.links.pace import AccountPace
from gateway.store.redis import keys
from gateway.store.redis.functions import StoreUnavailable
from gateway.usecases.consent.gate import Gate
from smpp.protocol import statuses
from tests.integration.house import BOHDAN, LINK, House
from tests.integration.smpp.sending.fair_link import SlowLink, gate_store, put, sending
from tests.noon import to_noon_of_a_tuesday

WAIT_S = 20.0
BOTH_ORDERS = pytest.mark.parametrize(("noisy", "quiet"), [(1, 2), (2, 1)])


async def until(true: Callable[[], object]) -> float:
    """Wait for it; how long that took, seconds."""
    begun = time.monotonic()
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - conditions of the SMSC, of Redis and of the sender alike
            await asyncio.sleep(0.005)
    return time.monotonic() - begun


def two_firms(house: House) -> None:
    for slug, short in (("acme", "4040"), ("bolt", "5050")):
        house.firm(slug)
        house.campaign(slug, short_numbers=(short,))


@BOTH_ORDERS
@pytest.mark.parametrize("segments_per_s", [None, 15.0])
async def test_a_firms_reply_pin_and_stop_do_not_wait_for_anothers_blast(
    house: House, noisy: int, quiet: int, segments_per_s: float | None
) -> None:
    two_firms(house)
    put(house, noisy, Priority.BULK, "offer", 500)
    link = SlowLink()
    pace = AccountPace(house.client, "operator", segments_per_s) if segments_per_s else None
    async with sending(house, link, pace=pace):
        await until(lambda: link.count("offer") > 5)
        put(house, quiet, Priority.SERVICE, "a pin")
        put(house, quiet, Priority.REPLY, "stopped")
        waited_s = await until(lambda: link.count("a pin") and link.count("stopped"))
        before = len(link.accepted)
        assert waited_s < 1.0
        await until(lambda: len(link.accepted) > before + 5)  # and the blast goes on


@BOTH_ORDERS
@pytest.mark.parametrize("segments_per_s", [None, 50.0])
async def test_two_firms_blasts_leave_in_turn(
    house: House, noisy: int, quiet: int, segments_per_s: float | None
) -> None:
    two_firms(house)
    put(house, noisy, Priority.BULK, "many", 400)
    link = SlowLink(answers_after_s=0.02)
    pace = AccountPace(house.client, "operator", segments_per_s) if segments_per_s else None
    async with sending(house, link, pace=pace):
        await until(lambda: link.count("many") > 20)
        put(house, quiet, Priority.BULK, "few", 60)
        before = link.count("many")
        await until(lambda: link.count("few") >= 30)
        assert 12 <= link.count("many") - before <= 60


@BOTH_ORDERS
async def test_a_long_text_costs_its_firm_as_many_turns_as_it_has_segments(
    house: House, noisy: int, quiet: int
) -> None:
    two_firms(house)
    put(house, noisy, Priority.BULK, "x" * 400, 60)  # three segments
    put(house, quiet, Priority.BULK, "short", 60)
    link = SlowLink(answers_after_s=0.02)
    async with sending(house, link, pace=AccountPace(house.client, "operator", 60.0)):
        await until(lambda: link.count("short") >= 30)
        longs = len(link.accepted) - link.count("short")
        assert 15 <= longs <= 50  # segments; it was 90 where texts took turns


@BOTH_ORDERS
async def test_a_firm_that_is_closed_holds_up_nobody_and_loses_nothing(
    house: House, noisy: int, quiet: int
) -> None:
    """`undercap rebuild` closes a firm first; its queue was read before."""
    two_firms(house)
    for short in ("4040", "5050"):
        await house.text("START", short=short)
    house.drain()
    put(house, noisy, Priority.BULK, "offer", 30)
    link = SlowLink()
    store = gate_store(house)
    store._offset_s = to_noon_of_a_tuesday()
    gate = Gate(store, policies.load())
    async with sending(house, link, gate=gate):
        await until(lambda: link.count("offer") > 0)
        house.redis.delete(keys.gate(noisy))
        put(house, noisy, Priority.REPLY, "own")
        put(house, quiet, Priority.BULK, "others", 30)
        put(house, quiet, Priority.REPLY, "reply", 5)
        assert await until(lambda: link.count("reply") == 5) < 1.0
        await until(lambda: link.count("others") == 30)
        await until(lambda: link.free == link.window)
        left = link.count("offer")
        # What waits was never submitted: there is no doubt about it, if this process is killed now.
        begun = [name for name, n in house.redis.hgetall(keys.intents(noisy, LINK)).items() if n[:1] != b"0"]
        assert (link.count("own"), begun, left < 30) == (0, [], True)

        redis_state.open_firm(house.redis, noisy, house.deployment)
        await until(lambda: link.count("offer") == 30 and link.count("own") == 1)
        assert link.count("reply") == 5


@BOTH_ORDERS
async def test_intake_and_gate_of_a_firm_do_not_depend_on_another_that_is_closed(
    house: House, noisy: int, quiet: int
) -> None:
    two_firms(house)
    shorts = {1: "4040", 2: "5050"}
    for short in shorts.values():
        await house.text("START", short=short)
    house.drain()
    house.redis.delete(keys.gate(noisy))
    store = gate_store(house)
    for _ in range(2):
        mine, theirs = await store.look([Asked(noisy, "a", "7"), Asked(quiet, "a", "7")])
        assert (mine, theirs is not None) == (None, True)
    with pytest.raises(StoreUnavailable):
        await house.text("BALANCE", BOHDAN, short=shorts[noisy])
    assert (await house.text("BALANCE", BOHDAN, short=shorts[quiet])).kind == "A"
    house.redis.script_flush()  # as of a Redis that was started anew
    with pytest.raises(StoreUnavailable):
        await house.text("BALANCE", BOHDAN, short=shorts[noisy])
    assert (await house.text("HELP", BOHDAN, short=shorts[quiet])).kind == "A"


@BOTH_ORDERS
async def test_a_firm_whose_redis_is_behind_is_closed_alone(house: House, noisy: int, quiet: int) -> None:
    two_firms(house)
    for short in ("4040", "5050"):
        await house.text("START", short=short)
    house.drain()
    house.redis.delete(keys.outbox(noisy))
    house.redis.script_flush()
    assert house.redis.get(keys.gate(noisy))
    put(house, noisy, Priority.REPLY, "left long ago")
    put(house, quiet, Priority.REPLY, "new")
    link = SlowLink()
    async with sending(house, link):
        await until(lambda: link.count("new"))
    assert (link.count("left long ago"), house.redis.get(keys.gate(noisy))) == (0, None)


@BOTH_ORDERS
async def test_an_entry_that_nobody_can_read_ends_alone(house: House, noisy: int, quiet: int) -> None:
    two_firms(house)
    house.redis.xadd(keys.send(noisy, LINK), {"what": "is this", "t": "\xff"})
    put(house, noisy, Priority.REPLY, "behind")
    put(house, quiet, Priority.REPLY, "other")
    link = SlowLink()
    async with sending(house, link) as ended:
        await until(lambda: link.count("behind") and link.count("other"))
        await until(lambda: len(ended) == 3)
    assert sorted(sent.error or "" for sent in ended) == ["", "", "seal broken"]


@BOTH_ORDERS
async def test_refused_marketing_does_not_stand_in_the_way_of_replies(
    house: House, noisy: int, quiet: int
) -> None:
    two_firms(house)
    put(house, noisy, Priority.BULK, "offer", 100)
    taken = [-1.0]

    def spaced(now: float) -> int:
        """An SMSC that takes ten a second, evenly."""
        if now - taken[0] < 0.1:
            return statuses.RTHROTTLED
        taken[0] = now
        return statuses.ROK

    link = SlowLink(window=50, answers_after_s=0.002, status=spaced)
    async with sending(house, link):
        await until(lambda: link.count("offer") > 5)
        put(house, quiet, Priority.REPLY, "reply")
        assert await until(lambda: link.count("reply")) < 1.0
        begun, offers = time.monotonic(), link.count("offer")
        await until(lambda: link.count("offer") >= offers + 30)
        assert 30 / (time.monotonic() - begun) > 6.0
