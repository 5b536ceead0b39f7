"""What the gate reads and charges in a real Redis; one that has lost something lets nothing pass."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from config import policies
from gateway.domain.consent.word import Channel, Consent
from gateway.domain.policy.caps import free_at, over_week
from gateway.store.consent.gate import Asked, Charge, Free, GateAway, GateStore
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable
from tests.integration.gateway.usecases.consent.test_consent_changes import change
from tests.integration.house import ANNA, House

WEEK_S = 7 * 86_400
CHARGED = Free(0, by_week=False)


def gate_store(house: House, offset_s: int = 0) -> GateStore:
    return GateStore(
        DurableRedis(house.client), deployment=house.deployment, verify=house._verify, offset_s=offset_s
    )


def charge(number: int, *, day: int = 2, week: int = 3, shopper: str = "s") -> Charge:
    return Charge(shopper, Channel.SMS, day, week, number.to_bytes(8))


async def test_words_and_blasts_of_several_firms_in_the_order_asked(house: House) -> None:
    one, two = house.firm("one"), house.firm("two")
    house.redis.set(keys.consent(one, "a"), "in:1")
    house.redis.set(keys.consent(two, "a"), "out:2")
    house.redis.set(keys.blast(two, "7"), "running")
    asked = [Asked(two, "a", "7"), Asked(one, "a", "7"), Asked(two, "b", "8")]

    found = [stands for stands in await gate_store(house, offset_s=60).look(asked) if stands is not None]
    seconds, _ = house.redis.time()

    assert [(s.blast, s.word) for s in found] == [("running", "out:2"), ("", "in:1"), ("", "")]
    assert abs(found[0].now - (seconds + 60) * 1000) < 5_000


async def test_a_stop_is_seen_by_the_next_question(house: House) -> None:
    house.firm()
    house.campaign()
    store = gate_store(house)
    shopper = house.vault.index(ANNA)
    (stands,) = await store.look([Asked(1, shopper, "7")])
    assert stands is not None
    assert stands.word == ""
    await house.text("STOP")
    (stands,) = await store.look([Asked(1, shopper, "7")])
    assert stands is not None
    assert stands.word.startswith("out:")


async def test_a_redis_that_forgot_its_functions_is_held_against_sql_first(house: House) -> None:
    house.firm()
    store = gate_store(house)
    await store.look([Asked(1, "a", "7")])
    before = house.verified
    house.redis.script_flush()
    await store.look([Asked(1, "a", "7")])
    assert house.verified == before + 1


async def test_a_redis_that_lost_a_firm_lets_nothing_pass(house: House) -> None:
    house.firm()
    house.campaign()
    await house.text("START")
    house.drain()
    store = gate_store(house)
    await store.look([Asked(1, "a", "7")])
    house.redis.delete(keys.gate(1))
    for _ in range(3):  # the first of a process that has just started is held against SQL, too
        assert await store.look([Asked(1, "a", "7")]) == [None]
    assert await gate_store(house).look([Asked(1, "a", "7")]) == [None]


async def test_a_gate_that_may_not_be_verified_is_away(house: House) -> None:
    async def refuse() -> None:
        raise StoreUnavailable("as told")

    store = GateStore(DurableRedis(house.client), deployment=house.deployment, verify=refuse)
    with pytest.raises(GateAway):
        await store.look([Asked(1, "a", "7")])


async def test_caps_of_a_day_and_a_week_over_all_firms(house: House) -> None:
    async def charged(number: int, offset_s: int) -> tuple[int, bool]:
        ((free, by_week),) = await gate_store(house, offset_s).charge([charge(number)])
        (seconds, _) = house.redis.time()
        hours = round((free / 1000 - seconds - offset_s) / 3600)
        return (0 if not free else hours), by_week

    assert await charged(1, 0) == (0, False)
    assert await charged(2, 3600) == (0, False)
    assert await charged(3, 7200) == (22, False)  # hours until the first one is a day old
    assert await charged(3, 86_400 + 60) == (0, False)
    assert await charged(4, 2 * 86_400) == (5 * 24, True)  # until the first one is a week old
    assert await charged(4, WEEK_S + 60) == (0, False)


async def test_a_contact_is_charged_once_however_often(house: House) -> None:
    store = gate_store(house)
    assert await store.charge([charge(1, day=1), charge(1, day=1)]) == [CHARGED] * 2
    assert await store.charge([charge(1, day=1)]) == [CHARGED]
    (free,) = await store.charge([charge(2, day=1)])
    assert free.at > 0
    assert house.redis.strlen(keys.contacts("sms", "s")) == 12
    assert 0 < int(house.redis.ttl(keys.contacts("sms", "s"))) <= WEEK_S


async def test_channels_and_persons_are_counted_apart(house: House) -> None:
    store = gate_store(house)
    call = charge(2, day=1)._replace(channel=Channel.CALL)
    assert await store.charge([charge(1, day=1), call, charge(3, day=1, shopper="other")]) == [CHARGED] * 3


async def test_redis_counts_as_the_pure_function_does(house: House) -> None:
    """Random hours of three weeks; the function knows contacts by their seconds."""
    chance = random.Random(5)  # noqa: S311 - repeatable
    rules = replace(policies.load().packs["us"].channels["sms"], per_day=2, per_week=5)
    contacted: list[int] = []
    offset_s = 0
    for number in range(60):
        offset_s += chance.randrange(1, 16) * 3600
        (free,) = await gate_store(house, offset_s).charge([charge(number, day=2, week=5)])
        now = (int(house.redis.time()[0]) + offset_s) * 1000
        expected = free_at(rules, contacted, now)
        if expected == now:
            assert free == CHARGED
            contacted.append(now)
        else:
            assert free.by_week == over_week(rules, contacted, now)
            assert abs(free.at - expected) <= 2_000
    assert len(contacted) > 10


async def test_a_server_one_comes_back_to_is_held_against_the_ledger_though_it_kept_its_functions(
    house: House,
) -> None:
    """Over to a replica and back again: it never stopped, and has heard no refusal of in between."""
    firm = house.firm()
    house.redis.set(keys.blast(firm, "7"), "running")
    house.redis.set(keys.consent(firm, house.vault.index(ANNA)), "in:1")
    asked = [Asked(firm, house.vault.index(ANNA), "7")]
    store = gate_store(house)
    assert (await store.look(asked))[0] is not None
    redis: Any = house.redis
    before = {name: redis.dump(name) for name in redis.keys("*")}
    await house.consent_desk().change(change(Consent.WITHDRAWN))
    redis.flushall()
    for name, value in before.items():
        redis.restore(name, 0, value)
    redis.client_kill_filter(_type="normal", skipme=True)

    assert await store.look(asked) == [None]
