"""The dialer of a process: makes the calls of all blasts that run, over one Asterisk.

Their talks come to the FastAGI server of the same process: the orders of calls are in its memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from gateway.domain.offers.offer_call import Outcome
from gateway.store.consent.gate import GateAway
from ivr.dialer import attempt
from ivr.dialer.attempt import Phone, Ways
from ivr.dialer.blasts import RunningBlasts
from ivr.dialer.call import CallTable, OfferCall
from ivr.dialer.candidates import Candidates
from ivr.dialer.consent_watch import Watch
from ivr.dialer.dispatch import Line, Queue, Rounds
from ivr.dialer.heartbeat import Heartbeat
from ivr.dialer.outcome_writer import Filing
from ivr.dialer.pausing import Pausing
from ivr.dialer.recovery import Recovery

IDLE_S: Final = 0.5
ROUND_S: Final = (
    0.1  # from one round to the next: calls that end meanwhile make room for a batch, not for one
)
AWAY_S: Final = 0.5
HUNG_UP_WITHIN_S: Final = 2.0  # Asterisk ends what rings
ENDED_WITHIN_S: Final = 0.5  # Asterisk tells of the end of a talk
log = structlog.get_logger()


class Dialer:
    """`run` it as a task; then `stop_ringing`, the end of the talks, and `close`, in this order."""

    def __init__(
        self,
        line: Line,
        ways: Ways,
        *,
        blasts: RunningBlasts,
        candidates: Candidates,
        queue: Queue,
        filing: Filing,
        pausing: Pausing,
        watch: Watch,
        recovery: Recovery,
        heartbeat: Heartbeat,
    ) -> None:
        self._ways = ways
        self._phone: Phone = ways.phone
        self._table: CallTable = ways.table
        self._blasts = blasts
        self._filing = filing
        self._pausing = pausing
        self._watch = watch
        self._recovery = recovery
        self._heartbeat = heartbeat
        self._rounds = Rounds(line, ways, candidates, queue, self._start, filing.add)
        self._courses: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._wake = asyncio.Event()
        self._done = asyncio.Event()
        self._away = Outage("no call is begun")

    async def run(self) -> None:
        """Until `close`."""
        works = (self._heartbeat, self._filing, self._pausing, self._watch, self._recovery)
        beside = [asyncio.ensure_future(work.run()) for work in works]
        try:
            await self._call()
            await self._done.wait()
        except Exception:
            log.exception("the dialer ended by an error that nobody expected")
            raise
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def stop_ringing(self) -> None:
        """Begin no more calls, and end those that nobody has answered: they wait again as if never begun."""
        self._stop()
        await self._watch.break_off()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HUNG_UP_WITHIN_S):
                while self._table.unanswered():  # noqa: ASYNC110 - it is begun until it is in the table
                    await asyncio.sleep(0.02)

    async def close(self) -> None:
        """File what has ended; what has not is found by the next dialer, as unknown."""
        self._stop()
        if self._courses:
            await asyncio.wait(self._courses, timeout=ENDED_WITHIN_S)
        courses = list(self._courses)
        for task in courses:
            task.cancel()
        await asyncio.gather(*courses, return_exceptions=True)  # what their talks have told is filed
        while len(self._filing) and await self._filing.write():
            pass
        self._done.set()
        if not self._table and not len(self._filing):
            await self._heartbeat.leave()

    def _stop(self) -> None:
        self._stopping = True
        self._wake.set()

    async def _call(self) -> None:
        while not self._stopping:
            self._wake.clear()
            wait_s = await self._round()
            await asyncio.sleep(ROUND_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _round(self) -> float:
        """One round; the seconds until the next."""
        if not self._phone.up.is_set():
            self._away.on("Asterisk's manager interface")
            return AWAY_S
        try:
            await self._ways.slots.give_back(())  # what is owed
            running = await asyncio.to_thread(self._blasts.now)
            blasts = [one for one in running if not self._pausing.waits(one.blast.id)]
            wait_s = await self._rounds.once(blasts) if blasts else None
        except (GateAway, RedisError, SQLAlchemyError, OSError, TimeoutError) as err:
            self._away.on(str(err) if isinstance(err, GateAway) else type(err).__name__)
            return AWAY_S
        except Exception:  # one round's trouble must not end the watch over what rings
            log.exception("a round of the dialer failed; it goes on")
            return AWAY_S
        self._away.over()
        return IDLE_S if wait_s is None else min(max(0.0, wait_s), IDLE_S)  # others may begin meanwhile

    def _start(self, call: OfferCall) -> None:
        if self._stopping:  # it was brought to disk meanwhile, and nobody would watch it ring
            call.broken = Outcome.BROKEN_OFF
        task = asyncio.ensure_future(attempt.run(call, self._ways))
        self._courses.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._courses.discard(task)
        self._wake.set()  # there is room for another one
