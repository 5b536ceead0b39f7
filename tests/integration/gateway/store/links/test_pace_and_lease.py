"""By one server's clock: segments of an account over several processes, and who holds a link."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import pytest

from gateway.store.links.lease import Holder, Lease, is_gone, this_process
from gateway.store.links.pace import AccountPace
from gateway.store.redis import keys
from tests.integration.house import House

RATE = 200.0


async def spend(pace: AccountPace, until: float) -> int:
    """Take all that is granted until then."""
    spent = 0
    while time.monotonic() < until:
        granted, wait_s = await pace.grant(50)
        spent += granted
        if not granted:
            await asyncio.sleep(wait_s)
    return spent


async def test_processes_share_the_segments_of_an_account(house: House) -> None:
    begun = time.monotonic()
    spent = await asyncio.gather(
        *(spend(AccountPace(house.client, "operator", RATE), begun + 1.0) for _ in range(4))
    )
    passed = time.monotonic() - begun

    assert RATE * 0.8 <= sum(spent) <= RATE * passed + RATE * 0.1 + 1
    assert house.redis.pttl(keys.pace("operator")) > 0


async def test_accounts_do_not_meet_and_a_rest_is_no_long_burst(house: House) -> None:
    begun = time.monotonic()
    one, other = (AccountPace(house.client, name, 50.0) for name in ("one", "other"))
    assert (await one.grant(1000))[0] == 5
    assert (await other.grant(3))[0] == 3
    granted, wait_s = await one.grant(1)
    assert granted <= 50.0 * (time.monotonic() - begun)  # on a busy machine it may be due already
    assert 0 <= wait_s <= 0.02


async def test_a_slow_account_gets_one_segment_at_a_time(house: House) -> None:
    pace = AccountPace(house.client, "slow", 0.5)
    assert (await pace.grant(10))[0] == 1
    granted, wait_s = await pace.grant(10)
    assert (granted, 1.9 < wait_s <= 2.0) == (0, True)


ELSEWHERE = Holder("another", 1, "a"), Holder("another", 2, "b")


def lease(house: House, me: Holder, ttl_s: float = 5.0) -> Lease:
    return Lease(house.client, "peer", me, ttl_s)


async def test_one_holds_a_link_and_the_next_takes_over_when_it_gives_it_back(house: House) -> None:
    one, two = (lease(house, me) for me in ELSEWHERE)
    assert await one.take() is None
    assert await two.take() == ELSEWHERE[0]
    assert (one.valid, two.valid) == (True, False)
    assert await one.take() is None  # renewed
    await two.give_back()  # not its own: nothing happens
    assert await two.take() == ELSEWHERE[0]
    await one.give_back()
    assert await two.take() is None
    assert await one.take() == ELSEWHERE[1]


async def test_a_lease_that_is_not_renewed_runs_out_for_its_holder_first(house: House) -> None:
    one, two = (lease(house, me, ttl_s=0.2) for me in ELSEWHERE)
    assert await one.take() is None
    house.redis.pexpire(keys.lease("peer"), 1)
    await asyncio.sleep(0.2)  # the lease's own time, not luck
    assert not one.valid
    assert await two.take() is None
    assert await one.take() == ELSEWHERE[1]


async def test_a_holder_knows_whether_somebody_else_held_it_meanwhile(house: House) -> None:
    one, two = (lease(house, me) for me in ELSEWHERE)
    assert (one.term, await one.take(), one.term) == (0, None, 1)
    house.redis.delete(keys.lease("peer"))  # as when it runs out
    assert (await one.take(), one.term) == (None, 1)
    house.redis.delete(keys.lease("peer"))
    assert await two.take() is None
    await two.give_back()
    assert (await one.take(), one.term) == (None, 2)


async def test_what_a_killed_process_of_this_machine_held_is_taken_at_once(house: House) -> None:
    here = this_process()
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await dead.wait()
    gone = here._replace(pid=dead.pid, token="x")
    assert await lease(house, gone, ttl_s=60).take() is None
    assert await lease(house, here).take() is None


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        pytest.param({"pid": os.getppid()}, False, id="lives"),
        pytest.param({"token": "an earlier one"}, True, id="our pid, before us"),
        pytest.param({"machine": "another", "pid": 999_999_999}, False, id="on another machine: who knows"),
        pytest.param({"pid": 999_999_999}, True, id="no such process"),
        pytest.param({"pid": 1}, False, id="not ours to ask, but there"),
    ],
)
def test_gone(changes: dict[str, object], gone: bool) -> None:
    here = this_process()
    assert is_gone(here._replace(**changes), here) is gone  # type: ignore[arg-type]
