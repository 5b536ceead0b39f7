"""RQ's own worker as our processes run it: in the process itself, through outages of its Redis."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import ClassVar

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.timeouts import UnixSignalDeathPenalty

from config.outage import Outage

AWAY_WAIT_S = 1.0


class Overdue(BaseException):
    """A job took longer than it may. No error of what it had at hand, so that nobody catches it as one."""


class TimeLimit(UnixSignalDeathPenalty):
    """Ends a job of the main thread by Overdue."""

    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> None:
        """On SIGALRM."""
        del signum, frame
        raise Overdue


class Worker(SimpleWorker):
    """Runs jobs in this very process: forking costs four times as much, and a job of ours stops when told."""

    stopping = threading.Event()
    max_connection_wait_time = 2.0  # RQ's own is a minute: so long would texts wait after an outage of Redis
    death_penalty_class = TimeLimit
    ended_by_force: ClassVar[Callable[[], None]]

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """First signal: finish the batch at hand; the second one ends at once."""
        if not self.stopping.is_set():
            self.stopping.set()
            type(self).ended_by_force()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def other_machines(redis: Redis) -> set[str]:
    """The names of other machines on which a worker is known to run. Raises RedisError."""
    here = socket.gethostname()
    known = Worker.all(connection=redis, serializer=JSONSerializer)
    return {str(worker.hostname) for worker in known if worker.hostname and worker.hostname != here}


def work(redis: Redis, queue: Callable[[Redis], Queue]) -> None:
    """Run RQ's worker on one queue until told to stop; RQ asks Redis while it is made already."""
    away = Outage("queue's redis is away")
    while not Worker.stopping.is_set():
        try:
            worker = Worker(
                [queue(redis)],
                name=f"{os.uname().nodename}-{os.getpid()}-{os.urandom(3).hex()}",
                connection=redis,
                serializer=JSONSerializer,
                log_job_description=False,
            )
            away.over()
            worker.work(with_scheduler=False, logging_level="WARNING")
        except (RedisError, OSError) as err:
            away.on(type(err).__name__)
            Worker.stopping.wait(AWAY_WAIT_S)
        else:
            # RQ also leaves its loop for what it did not expect, such as a Redis that goes in mid job.
            if not Worker.stopping.is_set():
                away.on("RQ's worker left its loop")
                Worker.stopping.wait(AWAY_WAIT_S)
