"""The sweep of the blasts process, and the thread beside it that tells how it gets on."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from gateway.store.redis import keys

SWEEP_EVERY_S: Final = 0.25
REPORT_EVERY_S: Final = 2.0
log = structlog.get_logger()


class Sweep:
    """`work`: one sweep. `stopping`: set when the process ends. `redis`: where the health page looks."""

    def __init__(self, work: Callable[[], None], redis: Redis, stopping: threading.Event) -> None:
        self._work = work
        self._redis = redis
        self._stopping = stopping
        self._swept_at = time.monotonic()
        self._fault = ""

    def run(self) -> None:
        """Sweep until the process ends, whatever happens on the way."""
        away = Outage("blasts wait")
        while not self._stopping.wait(SWEEP_EVERY_S):
            try:
                self._work()
            except (RedisError, SQLAlchemyError, OSError) as err:
                self._fault = type(err).__name__
                away.on(self._fault)
            except Exception as err:  # without the sweep, what a crash left would wait for ever
                self._fault = type(err).__name__
                log.exception("sweep failed; it goes on")
            else:
                self._fault = ""
                away.over()
            self._swept_at = time.monotonic()

    def report(self) -> None:
        """Tell Redis until the end that the process lives, when it last swept, and what is in the way."""
        while not self._stopping.is_set():
            said = {"swept_s": round(time.monotonic() - self._swept_at, 1), "fault": self._fault}
            with contextlib.suppress(RedisError, OSError):  # then nobody can ask there either
                self._redis.set(keys.status("blasts"), json.dumps(said), ex=keys.STATUS_TTL)
            self._stopping.wait(REPORT_EVERY_S)
