"""Runs blasts: the job's body, and the sweep that starts, ends and goes on with them whatever has crashed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy import Engine, Table, TextClause, exists, select
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from campaigns.context import Desk
from campaigns.fan_out.fan_out import FanOut, Step
from campaigns.lifecycle import jobs, lifecycle
from config.outage import Outage
from gateway.domain.offers.blast import ENDED, Fate, State
from gateway.domain.offers.offer_call import Outcome
from gateway.store.offers import blasts, call_list, recipients
from gateway.store.offers.blasts import Blast
from gateway.store.sql import schema
from gateway.usecases.settlement import offer_outcomes

JOB_S: Final = 1.0  # one job works so long, then makes the next: other blasts have their turn
IDLE_EVERY_S: Final = 2.0  # how often a blast is looked at that waits for what is deferred or on its way
FAILED_EVERY_S: Final = 10.0  # the same of one that cannot be looked at
AWAY: Final = "away"  # Redis or the database is
ENDED_AT_ONCE: Final = 5_000
_LEFT: Final = {
    State.CANCELLED: (Fate.CANCELLED, Outcome.CANCELLED),
    State.EXPIRED: (Fate.EXPIRED, Outcome.EXPIRED),
    State.FINISHED: (Fate.EXPIRED, Outcome.EXPIRED),
}
_AWAY: Final = (RedisError, OSError, OperationalError, InterfaceError)
log = structlog.get_logger()


class Running:
    """`stop`: whether the process ends."""

    def __init__(self, desk: Desk, fan_out: FanOut, *, stop: Callable[[], bool]) -> None:
        self._desk = desk
        self._fan_out = fan_out
        self._stop = stop
        self._idle_until: dict[int, float] = {}  # monotonic seconds
        self._failed_until: dict[int, float] = {}
        self._away = Outage("blasts wait for their stores")

    def job(self, blast_id: int) -> str:
        """Batches of one blast for a second; then the next job is made if there is more."""
        jobs.clear(self._desk.queue_redis, blast_id)
        begun, batches, step = time.monotonic(), 0, Step.WORKED
        # What fails is tried again by the sweep, and not at once.
        self._idle_until[blast_id] = begun + IDLE_EVERY_S
        while step is Step.WORKED and time.monotonic() - begun < JOB_S and not self._stop():
            try:
                step = self._fan_out.step(blast_id, self._desk.clock())
            except (RedisError, SQLAlchemyError, OSError) as err:
                self._away.on(type(err).__name__)
                return AWAY
            batches += step is Step.WORKED
        self._away.over()
        if step is not Step.IDLE:
            self._idle_until.pop(blast_id, None)
        if step is Step.WORKED:
            jobs.nudge(self._desk.queue_redis, blast_id)
        if batches or step is Step.OVER:
            took_ms = round((time.monotonic() - begun) * 1000)
            log.info("blast", blast=blast_id, batches=batches, then=step.value, ms=took_ms)
        return step.value

    def sweep(self) -> None:
        """Look at every blast that is alive, whatever becomes of one. Raises RedisError, SQLAlchemyError."""
        now = self._desk.clock()
        alive = blasts.alive(self._desk.engine)
        for blast in alive:
            if self._failed_until.get(blast.id, 0.0) <= time.monotonic():
                self._try(blast, now)
        self._end_leftovers(now)
        self._idle_until = {b.id: self._idle_until[b.id] for b in alive if b.id in self._idle_until}

    def _try(self, blast: Blast, now: int) -> None:
        try:
            self._look(blast, now)
        except blasts.NotNow:  # its marketer was faster
            return
        except _AWAY:  # nothing can be done for the others either
            raise
        except Exception:
            log.exception("a blast cannot be looked at; the others can", blast=blast.id)
            self._failed_until[blast.id] = time.monotonic() + FAILED_EVERY_S

    def _look(self, blast: Blast, now: int) -> None:
        if now >= blast.expires_at:
            lifecycle.expire(self._desk, blast, now)
            return
        if blast.state is State.SCHEDULED:
            if now >= (blast.starts_at or 0):
                begun = lifecycle.start_due(self._desk, blast, now)
                log.info("blast", blast=blast.id, state=begun.state.value, why=begun.why)
            return
        # What SQL says and Redis was not told, or has lost.
        self._desk.offers.tell(blast.firm_id, blast.id, blast.state, blast.revision)
        resting = self._idle_until.get(blast.id, 0.0) > time.monotonic()
        if blast.state is State.RUNNING and not resting:
            jobs.nudge(self._desk.queue_redis, blast.id)

    def _end_leftovers(self, now: int) -> None:
        """Recipients that were put off, or whose text or call waits, by a blast that is over since."""
        engine = self._desk.engine
        for id_, state in _over(engine, schema.message, schema.UNBEGUN):
            offer_outcomes.end_unbegun(engine, id_, state, now, ENDED_AT_ONCE)
        for id_, state in _over(engine, schema.blast_recipient, schema.DEFERRED):
            recipients.end_deferred(engine, id_, _LEFT[state][0], ENDED_AT_ONCE)
        for id_, state in _over(engine, schema.offer_call, schema.WAITING):
            call_list.end_waiting(engine, id_, _LEFT[state][1], now, most=ENDED_AT_ONCE)


def _over(engine: Engine, of: Table, waits: TextClause) -> list[tuple[int, State]]:
    """Blasts that are over, and have rows of a table that wait still."""
    t = schema.blast
    some = exists().where(of.c.blast_id == t.c.id, waits)
    query = select(t.c.id, t.c.state).where(t.c.state.in_([s.value for s in ENDED]), some)
    with engine.connect() as connection:
        return [(id_, State(state)) for id_, state in connection.execute(query)]
