"""What one blast, and the end of the process, may do to calls that are to come."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError
from redis.exceptions import TimeoutError as RedisTimeout

from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import CallPlan
from gateway.entry.wiring.call_queue import SqlQueue
from gateway.store.calls.slots import CallSlots
from gateway.store.redis import keys
from gateway.store.sql import database
from ivr.dialer import recovery
from tests.conftest import sipp_program
from tests.integration.conftest import shared_server
from tests.integration.ivr.ami import channels
from tests.integration.ivr.offer_scene import Scene
from tests.integration.ivr.test_dialer import asterisk, scene
from tests.peers.callee import answering

__all__ = ["asterisk", "scene", "shared_server"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOWEST = 0.01  # calls a second


async def test_a_slow_blast_holds_up_no_other(scene: Scene) -> None:
    numbers = scene.market.shoppers(8)
    slow = scene.blast(numbers[:4], calls_per_s=SLOWEST)
    async with scene.calling("200 OK"):
        await scene.until(lambda: bool(scene.redis.exists(keys.call_pace(str(slow)))))
        await asyncio.sleep(1)  # by then the dialer waits for the next moment of the slow one
        await scene.ended(scene.blast(numbers[4:]))
    assert sum(row[3] for row in scene.calls(slow)) <= 1


async def test_no_blast_is_so_slow_that_redis_cannot_reckon_its_pace() -> None:
    with pytest.raises(ValidationError):
        CallPlan.model_validate({"spoken": {"uk": {"intro": 1, "offer": 2}}, "calls_per_s": 1e-300})


async def test_no_call_is_made_that_was_on_its_way_to_disk_when_the_process_ended(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(6), calls_per_s=4.0, ring_s=30)
    async with answering(sipp_program(), scene.asterisk.place.callee_port, status="180 Ringing"):
        async with scene.dialing():
            await channels(scene.asterisk, lambda count: count >= 2)
            lock = database.writing(scene.engine)
            lock.__enter__()
            await asyncio.sleep(0.6)  # the next one waits for the database
            asyncio.get_running_loop().call_later(1.0, lock.__exit__, None, None, None)
        await channels(scene.asterisk, lambda count: count == 0)
    assert "calling" not in {row[0] for row in scene.calls(blast)}


async def test_who_pauses_and_resumes_rings_nobody_again_at_once(scene: Scene) -> None:
    blast = scene.blast(scene.market.shoppers(1), ring_s=30, max_attempts=1, retry_busy_s=600)
    async with scene.calling("180 Ringing"):
        for calls in (1, 2, 3):
            await channels(scene.asterisk, lambda count: count == 1)
            scene.turn(blast, State.PAUSED)
            await scene.until(lambda: scene.calls(blast)[0][0] != "calling")
            scene.turn(blast, State.RUNNING)
            await asyncio.sleep(2)
            assert scene.calls(blast)[0][3] == calls
            scene.due_now()
        await scene.until(lambda: scene.calls(blast)[0][0] == "ended")
    assert scene.calls(blast) == [("ended", "broken_off", 1, 3)]


@pytest.mark.parametrize("step", ["due", "end", "begun"])
async def test_an_error_that_nobody_expects_ends_no_part_of_the_dialer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(recovery, "EVERY_S", 0.1)
    right, failed = getattr(SqlQueue, step), list[str]()

    def wrong_once(*given: object) -> object:
        if not failed:
            failed.append(step)
            raise ValueError(step)
        return right(*given)

    monkeypatch.setattr(SqlQueue, step, wrong_once)
    blast = scene.blast(scene.market.shoppers(2))
    async with scene.calling("200 OK"):
        assert await scene.ended(blast) == [("ended", "heard", 1, 1)] * 2
        assert failed
        name = scene.market.house.rows("offer_call_record", "dialer")[0][0]
        scene.redis.delete(keys.dialer(name))
        await scene.until(lambda: bool(scene.redis.exists(keys.dialer(name))))


async def test_what_rings_unwatched_is_hung_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.blast(scene.market.shoppers(1), ring_s=30)
    async with scene.calling("180 Ringing"):
        await channels(scene.asterisk, lambda count: count == 1)
        monkeypatch.setattr("ivr.dialer.consent_watch.read_word", lambda _: {})
        await channels(scene.asterisk, lambda count: count == 0)


@pytest.mark.parametrize("step", ["take", "give_back"])
async def test_slots_come_back_whose_answer_was_lost(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    right, failed = getattr(CallSlots, step), list[str]()

    async def unheard_once(*given: object) -> object:
        answer = await right(*given) if step == "take" or failed else None
        if not failed:
            failed.append(step)
            raise RedisTimeout
        return answer

    monkeypatch.setattr(CallSlots, step, unheard_once)
    blast = scene.blast(scene.market.shoppers(1))
    async with scene.calling("200 OK"):
        assert await scene.ended(blast) == [("ended", "heard", 1, 1)]
        await scene.until(lambda: scene.live() == 0)
