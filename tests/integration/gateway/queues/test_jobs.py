"""What RQ keeps in Redis: JSON, never a pickle, and neither a number nor a code among it."""

from __future__ import annotations

import json
import pickletools
import zlib
from typing import Any

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from gateway.queues import jobs
from gateway.queues.nudge import JOB, clear, nudge, queue
from gateway.store.redis import keys
from tests.integration.house import ANNA, House


def blobs(house: House) -> list[bytes]:
    """Every value, field and member in Redis, as it stands and unpacked."""
    found: list[Any] = []
    for name in house.redis.scan_iter():
        kind = house.redis.type(name)
        if kind == b"hash":
            found += [part for pair in house.redis.hgetall(name).items() for part in pair]
        elif kind == b"list":
            found += house.redis.lrange(name, 0, -1)
        elif kind == b"set":
            found += house.redis.smembers(name)
        elif kind == b"zset":
            found += house.redis.zrange(name, 0, -1)
        elif kind == b"stream":
            found += [
                part for _, fields in house.redis.xrange(name) or [] for part in (fields or {}).values()
            ]
        elif kind == b"string":
            found.append(house.redis.get(name) or b"")
    unpacked: list[bytes] = []
    for blob in found:
        try:
            unpacked.append(zlib.decompress(blob))
        except zlib.error:
            continue
    return found + unpacked


def is_pickle(blob: bytes) -> bool:
    """Whether it can be read as a pickle of protocol 2 or later."""
    if not blob.startswith(b"\x80") or len(blob) < 2 or blob[1] not in range(2, 6):
        return False
    try:
        return len(list(pickletools.genops(blob))) > 2
    except Exception:  # noqa: BLE001 - whatever it is, it is none
        return False


def test_a_pickle_would_be_found() -> None:
    import pickle

    assert is_pickle(pickle.dumps(("f", None, (), {"a": 1})))


async def test_nothing_pickled_and_no_secret(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)

    assert nudge(house.redis)
    waiting = blobs(house)
    (job,) = queue(house.redis).jobs
    jobs.configure(house.drain)
    worker = SimpleWorker([queue(house.redis)], connection=house.redis, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")

    assert (job.func_name, tuple(job.args), job.kwargs) == (JOB, (), {})
    assert job.description == "settle"
    assert json.loads(zlib.decompress(house_data(waiting))) == [JOB, None, [], {}]
    assert house.balance(ANNA) == 10
    everything = waiting + blobs(house)
    assert [blob for blob in everything if is_pickle(blob)] == []
    secrets = [ANNA.encode(), code.encode(), code.replace("-", "").encode()]
    assert [blob for blob in everything if any(secret in blob for secret in secrets)] == []


def house_data(found: list[bytes]) -> bytes:
    """The packed job itself."""
    for blob in found:
        try:
            if JOB.encode() in zlib.decompress(blob):
                return blob
        except zlib.error:
            continue
    raise AssertionError("no job was found")


async def test_job_that_fails_leaves_no_secret(house: House) -> None:
    def fails() -> int:
        raise RuntimeError("a fault")

    nudge(house.redis)
    jobs.configure(fails)
    worker = SimpleWorker([queue(house.redis)], connection=house.redis, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")

    assert [blob for blob in blobs(house) if is_pickle(blob)] == []
    endless = [n for n in house.names("rq:job:*") if house.redis.ttl(n) == -1]
    assert endless == []


async def test_one_nudge_for_many(house: House) -> None:
    nudged = [nudge(house.redis) for _ in range(5)]

    assert nudged == [True, False, False, False, False]
    assert len(queue(house.redis)) == 1
    assert 0 < house.redis.ttl(keys.NUDGE) <= keys.NUDGE_TTL
    clear(house.redis)
    assert nudge(house.redis)


def test_job_outside_the_worker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_settle", None)

    with pytest.raises(jobs.NotConfigured, match="settle"):
        jobs.settle()
