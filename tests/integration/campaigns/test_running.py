"""The job and the sweep: RQ carries an id, a crash is found by the sweep, an outage is waited for."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from campaigns.fan_out.fan_out import FanOut
from campaigns.lifecycle import jobs
from campaigns.lifecycle.runner import AWAY, Running
from gateway.domain.offers.blast import State
from gateway.queues.jobs import NotConfigured
from gateway.store.offers.redis_queue import Offers
from gateway.store.redis import keys
from tests.integration.campaigns.market import Market


def running(market: Market) -> Running:
    """As a process that has just started."""
    return Running(market.desk, FanOut(market.desk), stop=lambda: False)


def work(market: Market) -> None:
    """Run all jobs that wait."""
    redis = market.house.redis
    worker = SimpleWorker([jobs.queue(redis)], connection=redis, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")


async def test_a_job_names_its_blast_and_nobody(market: Market) -> None:
    (number,) = market.shoppers(1)
    blast = market.launched()
    here = running(market)
    here.sweep()
    here.sweep()
    (job,) = jobs.queue(market.house.redis).jobs
    data = market.house.redis.hget(f"rq:job:{job.id}", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == [jobs.JOB, None, [blast.id], {}]

    jobs.configure(here.job)
    work(market)
    assert [to for to, _ in market.waiting()] == [number]
    assert jobs.queue(market.house.redis).jobs == []


async def test_what_redis_was_not_told_the_sweep_tells_it(market: Market) -> None:
    market.shoppers(1)
    blast = market.launched()
    state = keys.blast(market.firm, str(blast.id))
    market.house.redis.delete(state)
    running(market).sweep()
    assert market.house.redis.get(state) == b"running"


async def test_an_older_state_is_never_told(market: Market) -> None:
    market.shoppers(1)
    blast = market.launched()
    offers = market.desk.offers
    assert offers.tell(market.firm, blast.id, State.PAUSED, blast.revision + 1)
    assert not offers.tell(market.firm, blast.id, State.RUNNING, blast.revision)
    assert market.house.redis.get(keys.blast(market.firm, str(blast.id))) == b"paused"


async def test_an_outage_is_waited_for(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.shoppers(1)
    blast = market.launched()
    here = running(market)

    def away(*_: object) -> object:
        raise RedisGone

    with monkeypatch.context() as patched:
        patched.setattr(type(market.desk.offers), "standing", away)
        assert here.job(blast.id) == AWAY
    here.sweep()
    assert jobs.queue(market.house.redis).jobs == []  # not at once
    assert here.job(blast.id) == "idle"
    assert len(market.waiting()) == 1


def test_a_job_outside_the_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_fan_out", None)
    with pytest.raises(NotConfigured):
        jobs.fan_out(1)


@pytest.mark.parametrize("first", [True, False])
async def test_a_blast_that_cannot_be_looked_at_stops_none_of_the_others(
    market: Market, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    market.shoppers(1)
    blasts = [market.launched(market.audience(name)) for name in ("one", "two")]
    broken, sound = blasts if first else reversed(blasts)
    tell = Offers.tell

    def breaks(offers: Offers, firm: int, blast: int, *more: Any) -> bool:
        if blast == broken.id:
            raise ValueError("a row that nobody foresaw")
        return tell(offers, firm, blast, *more)

    monkeypatch.setattr(Offers, "tell", breaks)
    here = running(market)
    for _ in range(2):
        here.sweep()
    queued = jobs.queue(market.house.redis).jobs
    data = [market.house.redis.hget(f"rq:job:{job.id}", "data") for job in queued]
    assert [json.loads(zlib.decompress(d))[2] for d in data if isinstance(d, bytes)] == [[sound.id]]

    market.now = sound.expires_at
    here.sweep()
    assert market.again(sound).state is State.EXPIRED
