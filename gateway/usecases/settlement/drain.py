"""Drains what Redis holds into SQL: outboxes, what became of answers, delivery receipts.

A drain runs until everything is quiet. It may run in several workers: a firm is drained by the one that
holds its lease, and if a lease is lost, the unique keys of SQL and the once-only end of an entry keep the
effect single. No firm and no link waits for another one whose drain is slow or fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, NamedTuple

import structlog
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSilent

from gateway.store.redis.suspects import USUAL, Patience
from gateway.store.sql.faults import LedgerAway
from gateway.store.texts.outbox import Outbox
from gateway.usecases.settlement.drain_receipts import Receipts
from gateway.usecases.settlement.drain_results import Results
from gateway.usecases.settlement.drain_texts import BATCH, Desks, Observer, settle_texts
from gateway.usecases.settlement.draining import Drained, Turns
from gateway.usecases.settlement.match_receipts import Terms

OUTCOMES_EVERY_S: Final = 0.05  # a transaction of their own each: seldom enough to cost answers nothing
SLOW_S: Final = 1.0  # a ledger that takes so long to say that it is away is not asked for every firm
log = structlog.get_logger()

Passed = Callable[[Drained, str], None]  # with the link, where receipts were drained


class Firm:
    """What waits of one firm, during one drain. `ender`: see Outbox."""

    def __init__(self, redis: Redis, firm_id: int, ender: Executor | None = None) -> None:
        self.outbox = Outbox(redis, firm_id, ender)
        self._results = Results(redis, firm_id)

    def drain(
        self,
        desk: Desks,
        turns: Turns,
        *,
        token: str,
        observe: Observer,
        patience: Patience = USUAL,
        outcomes: bool = True,
    ) -> Drained:
        """One batch of the outbox, and one of its answers' outcomes. Raises LedgerAway, RedisError.

        `outcomes`: whether these are drained, too; nobody waits for them as shoppers wait for their answers.
        """
        outbox = self.outbox
        rows, results_wait = outbox.look(BATCH)
        results_wait = results_wait and outcomes
        if not (rows or results_wait):
            return Drained()
        if not outbox.holds():
            if not outbox.lease(token):
                return Drained()
            rows, results_wait = outbox.look(BATCH)  # another worker may have settled them meanwhile
        outbox.taken(rows)
        drained = Drained()
        if rows:
            drained = settle_texts(outbox, rows, desk, turns, observe=observe, patience=patience)
        if results_wait:
            filed = self._results.drain(desk().engine, turns, patience)
            drained = replace(
                drained,
                results=filed.results,
                dead=drained.dead + filed.dead,
                failed=drained.failed + filed.failed,
            )
        return drained


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a drain works with. `links`: name -> how receipts name messages there; `accounts`: name -> links
    of its account.

    `receipts_kept_ms`: see Terms. `observe` is told each batch of texts, `passed` each pass.
    """

    redis: Redis
    desk: Desks
    links: Mapping[str, str]
    receipts_kept_ms: int
    token: str
    observe: Observer
    passed: Passed
    stop: Callable[[], bool]
    turns: Turns
    patience: Patience = USUAL
    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def terms(self, link: str, ids: str) -> Terms:
        """How receipts of a link are matched."""
        account = self.accounts.get(link, frozenset())
        return Terms(ids=ids, learned=None, kept_ms=self.receipts_kept_ms, account=account)


def drain(work: Work, *, linger_s: float = 0.25, most_s: float = 30.0) -> int:
    """Drain all firms and links until nothing came for `linger_s`, at most `most_s`, or until `stop`.

    It lingers because a job costs more than a batch: under load one job drains for seconds. Returns how many
    texts were settled. Raises LedgerAway, RedisError; then nobody could be drained.
    """
    ender = ThreadPoolExecutor(1, "ender")
    drain_ = _Drain(work, ender, time.monotonic() + most_s)
    quiet_since = time.monotonic()
    try:
        while not drain_.is_over():
            busy = drain_.all_once()
            now = time.monotonic()
            if busy:
                quiet_since = now
            elif now - quiet_since >= linger_s:
                break
            else:
                time.sleep(0.002)
    finally:
        try:
            drain_.end()
        finally:
            ender.shutdown()
    return drain_.settled


class _Step(NamedTuple):
    """One batch of a firm's, or of a link's receipts. `of`: as logs name it; `link`: empty for a firm."""

    of: str
    link: str
    take: Callable[[], Drained]


class _Drain:
    """One drain over all firms and links."""

    def __init__(self, work: Work, ender: Executor, until: float) -> None:
        self._work = work
        self._ender = ender
        self._until = until
        self._firms: dict[int, Firm] = {}
        self._receipts = {
            link: Receipts(work.redis, link, work.terms(link, ids)) for link, ids in work.links.items()
        }
        self._outcomes_due = time.monotonic()
        self.settled = 0

    def is_over(self) -> bool:
        return self._work.stop() or time.monotonic() >= self._until

    def all_once(self) -> bool:
        """One batch of everybody's; whether there was work. Raises where some failed and nobody got on."""
        outcomes = time.monotonic() >= self._outcomes_due
        if outcomes:
            self._outcomes_due = time.monotonic() + OUTCOMES_EVERY_S
        work, turns = self._work, self._work.turns
        firms = turns.ordered("firms", list(work.desk().catalog.firms))
        links = turns.ordered("links", list(self._receipts)) if outcomes else []
        return self._each(
            [_Step(f"firm {firm_id}", "", partial(self._firm, firm_id, outcomes)) for firm_id in firms]
            + [_Step(f"link {link}", link, partial(self._link, link)) for link in links]
        )

    def _each(self, steps: Sequence[_Step]) -> bool:
        work, turns = self._work, self._work.turns
        busy, faults = False, dict[str, Exception]()
        for of, link, take in steps:
            if not turns.may_begin(of):
                continue
            if self.is_over():
                break
            begun = time.monotonic()
            try:
                drained = take()
            except (RedisAway, RedisSilent):
                raise
            except Exception as err:
                if not isinstance(err, LedgerAway):
                    log.exception("drain failed", of=of)
                faults[of] = err
                if time.monotonic() - begun >= SLOW_S:
                    break
                continue
            work.passed(drained, link)
            self.settled += drained.settled
            if drained.anything:
                busy = True
                turns.went_well(of)
        if faults and not busy:
            raise next(iter(faults.values()))
        for of, fault in faults.items():
            turns.put_off(of, str(fault) if isinstance(fault, LedgerAway) else type(fault).__name__)
        return busy

    def _firm(self, firm_id: int, outcomes: bool) -> Drained:
        work = self._work
        firm = self._firms.setdefault(firm_id, Firm(work.redis, firm_id, self._ender))
        return firm.drain(
            work.desk,
            work.turns,
            token=work.token,
            observe=work.observe,
            patience=work.patience,
            outcomes=outcomes,
        )

    def _link(self, link: str) -> Drained:
        return self._receipts[link].drain(self._work.desk().engine, self._work.turns, self._work.patience)

    def end(self) -> None:
        for firm in self._firms.values():
            firm.outbox.wait_ended()
            firm.outbox.release(self._work.token)
