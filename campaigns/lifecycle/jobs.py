"""The job that RQ runs for a blast. It carries the blast's id only; the process sets what is done with it."""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from gateway.queues.jobs import NotConfigured
from gateway.store.redis import keys

BLASTS = "blasts"
JOB = "campaigns.lifecycle.jobs.fan_out"
JOB_TIMEOUT_S = 300

_fan_out: Callable[[int], str] | None = None


def configure(fan_out_: Callable[[int], str]) -> None:
    """Set what this process does for a blast."""
    global _fan_out  # noqa: PLW0603 - RQ finds a job by its name and gives it nothing else to hold on to
    _fan_out = fan_out_


def fan_out(blast_id: int) -> str:
    """Some batches of a blast; what the last step did."""
    if _fan_out is None:
        raise NotConfigured(fan_out.__name__)
    return _fan_out(blast_id)


def queue(redis: Redis) -> Queue:
    """RQ's queue of blasts, with the serializer that everybody here uses."""
    return Queue(BLASTS, connection=redis, serializer=JSONSerializer)


def nudge(redis: Redis, blast_id: int) -> bool:
    """Queue a job for a blast unless one is queued already; whether this did. Raises RedisError."""
    if not redis.set(keys.nudge_blast(blast_id), "1", nx=True, ex=keys.NUDGE_TTL):
        return False
    queue(redis).enqueue(
        *(JOB, blast_id), description=BLASTS, result_ttl=0, failure_ttl=3600, job_timeout=JOB_TIMEOUT_S
    )
    return True


def clear(redis: Redis, blast_id: int) -> None:
    """Called by the job before its first read."""
    redis.delete(keys.nudge_blast(blast_id))
