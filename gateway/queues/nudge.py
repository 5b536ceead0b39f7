"""The nudge: tells RQ that outboxes hold work, at most once per short interval.

A job costs more than a text, so a job carries no text: it is told to drain. A flag on RQ's server keeps the
processes from queueing a second one; the job clears it before its first read, so that no text is left behind.
"""

from __future__ import annotations

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from gateway.store.redis import keys

SETTLE = "settle"
JOB = "gateway.queues.jobs.settle"
JOB_TIMEOUT_S = 300


def queue(redis: Redis) -> Queue:
    """RQ's queue of settlements, with the serializer that everybody here uses."""
    return Queue(SETTLE, connection=redis, serializer=JSONSerializer)


def nudge(redis: Redis) -> bool:
    """Queue a settlement unless one is queued already; whether this call queued it. Raises RedisError."""
    if not redis.set(keys.NUDGE, "1", nx=True, ex=keys.NUDGE_TTL):
        return False
    job: Job = queue(redis).enqueue(
        JOB, description=SETTLE, result_ttl=0, failure_ttl=3600, job_timeout=JOB_TIMEOUT_S
    )
    return job is not None


def clear(redis: Redis) -> None:
    """Called by the job before its first read."""
    redis.delete(keys.NUDGE)
