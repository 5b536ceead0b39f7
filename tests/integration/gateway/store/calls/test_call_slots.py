"""Slots of offer calls in a real Redis: no dialer, and no number of them, passes a limit."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import pairwise

from gateway.store.calls.slots import CallSlots, Dialers, Given, Grant, Limits, Wanted
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from tests.integration.house import House

FAST = 1000.0
LONG_S = 60.0


def slots(house: House, *, channels: int = 100, calls_per_s: float = FAST) -> CallSlots:
    return CallSlots(DurableRedis(house.client), Limits(channels, calls_per_s))


def call(
    number: int,
    *,
    person: int | None = None,
    blast: int = 7,
    channels: int = 100,
    calls_per_s: float = FAST,
    deadline_s: float = LONG_S,
) -> Wanted:
    shopper = f"s{number if person is None else person}"
    return Wanted(f"o{number}", shopper, blast, Limits(channels, calls_per_s), deadline_s)


def given(grants: list[Grant]) -> list[str]:
    return [grant.given.value for grant in grants]


async def test_a_person_has_one_call_over_all_blasts(house: House) -> None:
    one, other = slots(house), slots(house)
    first, second = call(1, person=5, blast=7), call(2, person=5, blast=8)
    assert given(await one.take([first, call(3)])) == ["slot", "slot"]
    assert given(await other.take([second])) == ["person"]
    await other.give_back([second])  # which it does not have: nothing happens
    assert given(await other.take([second])) == ["person"]
    await one.give_back([first])
    assert given(await other.take([second])) == ["slot"]
    assert await one.live() == 2


async def test_channels_of_a_blast_and_of_all(house: House) -> None:
    door = slots(house, channels=3)
    of_one = [call(n, channels=2) for n in range(3)]
    assert given(await door.take(of_one)) == ["slot", "slot", "channels"]
    of_two = [call(n, blast=8, channels=2) for n in range(10, 12)]
    assert given(await door.take(of_two)) == ["slot", "channels"]
    await door.give_back(of_one[:1])
    assert given(await door.take([of_one[2], of_two[1]])) == ["slot", "channels"]


async def test_the_same_call_again_gets_another_moment_and_no_second_channel(house: House) -> None:
    door = slots(house, channels=1, calls_per_s=10.0)
    (first,) = await door.take([call(1)])
    (again,) = await door.take([call(1)])
    assert (first.given, again.given) == (Given.SLOT, Given.SLOT)
    assert again.at - first.at > 0.09
    assert await door.live() == 1


async def test_a_slot_lasts_until_the_calls_deadline(house: House) -> None:
    door = slots(house, channels=1)
    assert given(await door.take([call(1, deadline_s=0.1)])) == ["slot"]
    assert given(await door.take([call(2)])) == ["channels"]
    assert 100 < house.redis.pttl(keys.called_person("s1")) <= 350
    assert 100 < house.redis.pttl(keys.live_calls("7")) <= 350
    house.redis.zadd(keys.live_calls(), {"o1": 1})  # as when it has run out
    assert given(await door.take([call(2)])) == ["slot"]


async def test_calls_of_a_blast_begin_apart_and_soon(house: House) -> None:
    door = slots(house)
    asked = time.monotonic()
    grants = await door.take([call(n, calls_per_s=10.0) for n in range(8)])
    answered = time.monotonic()
    begin = [grant.at for grant in grants if grant.given is Given.SLOT]
    assert given(grants) == ["slot"] * len(begin) + ["pace"] * (8 - len(begin))
    assert len(begin) == 3  # in the quarter of a second for which moments are given
    assert all(after - before > 0.1 for before, after in pairwise(begin))
    assert all(asked <= at <= answered + 0.25 for at in begin)
    assert asked < grants[-1].at < answered + 0.1


async def test_a_slowed_dialer_takes_less(house: House) -> None:
    door = slots(house)
    grants = await door.take([call(n, calls_per_s=10.0) for n in range(8)], 0.5)
    assert given(grants).count("slot") == 2


async def test_dialers_that_race_pass_nothing(house: House) -> None:
    """Four of them, with the same sixty people and two blasts, take and give back as fast as they can."""
    chance = random.Random(7)  # noqa: S311 - repeatable
    limits, of_blast = Limits(6, 40.0), Limits(4, 30.0)
    held: dict[str, Wanted] = {}
    begun: list[tuple[float, int]] = []
    most: dict[int, int] = {}

    async def dial(door: CallSlots, name: int) -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            wanted = [
                Wanted(f"{name}-{chance.random()}", f"s{person}", 7 + person % 2, of_blast, LONG_S)
                for person in chance.sample(range(60), 4)
            ]
            mine = []
            for one, grant in zip(wanted, await door.take(wanted), strict=True):
                if grant.given is Given.SLOT:
                    assert one.shopper not in {other.shopper for other in held.values()}
                    held[one.id] = one
                    begun.append((grant.at, one.blast_id))
                    mine.append(one)
            for blast in (0, 7, 8):
                now = sum(blast in (0, one.blast_id) for one in held.values())
                most[blast] = max(most.get(blast, 0), now)
            await asyncio.sleep(chance.random() / 50)
            for one in mine:  # others may only think so once Redis does
                del held[one.id]
            if mine:
                await door.give_back(mine)

    doors = [CallSlots(DurableRedis(house.client), limits) for _ in range(4)]
    await asyncio.gather(*(dial(door, name) for name, door in enumerate(doors)))

    assert 3 <= most[0] <= 6
    assert 2 <= max(most[7], most[8]) <= 4
    assert 20 < in_a_second([at for at, _ in begun]) <= 40
    for blast in (7, 8):
        assert in_a_second([at for at, of in begun if of == blast]) <= 30
    assert await doors[0].live() == 0


def in_a_second(moments: list[float]) -> int:
    """How many fall into one second at the most."""
    return max(sum(at <= other < at + 1.0 for other in moments) for at in moments)


async def test_a_dialer_that_says_nothing_is_told(house: House) -> None:
    dialers = Dialers(DurableRedis(house.client))
    await dialers.here("one")
    assert await dialers.silent(["one", "two"]) == ["two"]
    assert 10 < house.redis.ttl(keys.dialer("one")) <= keys.DIALER_TTL
    await dialers.leave("one")
    assert await dialers.silent(["one"]) == ["one"]
