"""Drains what Redis holds into SQL: outboxes, what became of answers, delivery receipts.

A drain runs until everything is quiet. It may run in several workers: a firm is drained by the one that
holds its lease, and if a lease is lost, the unique keys of SQL and the once-only end of an entry keep the
effect single.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog
from redis import Redis
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway.domain.receipt_ids import IdForm
from gateway.store import contacts, keys, ledger, sql
from gateway.store.contacts import Made
from gateway.store.outbox import Accepted, Outbox, Unreadable, parse
from gateway.store.receipts import unpacked
from gateway.store.sendqueue import Result, parse_results
from gateway.usecases import offer_outcomes
from gateway.usecases.answering import Desk
from gateway.usecases.match_receipts import LEARN, Match, Terms, match
from gateway.usecases.settle import Settled, settle_batch

BATCH = 256  # texts of one transaction
RESULT_BATCHES = 64
RECEIPT_BATCHES = 32
OUTCOMES_EVERY_S = 0.05  # a transaction of their own each: seldom enough to cost answers nothing
UNMATCHED_AFTER_MS = 300_000  # a receipt whose answer is not known by then is counted as unmatched
log = structlog.get_logger()


class LedgerAway(Exception):
    """The database did not take the batch; everything stays in the outbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one pass did."""

    settled: int = 0
    results: int = 0
    receipts: Mapping[str, int] = field(default_factory=dict)  # by what became of them
    dead: int = 0
    seconds: float = 0.0  # for the texts

    @property
    def anything(self) -> bool:
        """Whether there was work."""
        return bool(self.settled or self.results or self.receipts or self.dead)


class Desks(Protocol):
    """Gives the desk of the moment."""

    def __call__(self, *, renew: bool = False) -> Desk:
        """`renew`: look first whether the catalog has changed."""


Observer = Callable[[Sequence[Settled]], None]
Passed = Callable[[Drained, str], None]  # with the link, where receipts were drained


def drain_firm(
    outbox: Outbox, redis: Redis, desk: Desks, *, token: str, observe: Observer, outcomes: bool = True
) -> Drained:
    """One batch of a firm's outbox, and one of its answers' outcomes. Raises LedgerAway, RedisError.

    `outcomes`: whether these are drained, too; nobody waits for them as shoppers wait for their answers.
    """
    rows, results_wait = outbox.look(BATCH)
    results_wait = results_wait and outcomes
    if not (rows or results_wait):
        return Drained()
    if not outbox.holds():
        if not outbox.lease(token):
            return Drained()
        rows, results_wait = outbox.look(BATCH)  # another worker may have settled them meanwhile
    outbox.taken(rows)
    begun = time.monotonic()
    dead = 0
    settled = 0
    if rows:
        accepted: list[Accepted] = []
        for id_, fields in rows:
            try:
                accepted.append(parse(outbox.firm_id, id_, fields))
            except Unreadable:
                dead += outbox.failed(id_, "unreadable")
        done, failed = _settle(accepted, desk)
        for entry, reason in failed:
            dead += outbox.failed(entry.outbox_id.encode(), reason)
        if done:
            outbox.end_behind([(s.accepted, s.reply) for s in done])
            observe(done)
        settled = len(done)
    seconds = time.monotonic() - begun
    results = _drain_results(outbox.firm_id, redis, desk().engine) if results_wait else 0
    return Drained(settled=settled, dead=dead, results=results, seconds=seconds)


def _settle(accepted: list[Accepted], desk: Desks) -> tuple[list[Settled], list[tuple[Accepted, str]]]:
    """Settle a batch; if something in it cannot be settled, one by one, so that only that one waits.

    It may be newer than our catalog: claims follow a change of points at once.
    """
    done, reason = _try(accepted, desk())
    if reason:
        current = desk(renew=True)
        done, reason = _try(accepted, current)
    if not reason:
        return done, []
    log.warning("batch split", reason=reason, texts=len(accepted))
    failed: list[tuple[Accepted, str]] = []
    for entry in accepted:
        settled, reason = _try([entry], current)
        done += settled
        if reason:
            failed.append((entry, reason))
    return done, failed


def _try(accepted: Sequence[Accepted], desk: Desk) -> tuple[list[Settled], str]:
    """Settle in one transaction; or why that cannot be. Raises LedgerAway."""
    try:
        return settle_batch(accepted, desk), ""
    except OperationalError as err:
        raise LedgerAway(type(err.orig).__name__) from err
    except DBAPIError as err:
        if err.connection_invalidated:
            raise LedgerAway(type(err.orig).__name__) from err
        return [], type(err).__name__
    except Exception as err:  # noqa: BLE001 - whatever one text raises must not hold up the others
        return [], type(err).__name__


def _drain_results(firm_id: int, redis: Redis, engine: Any) -> int:
    rows: Any = redis.xrange(keys.results(firm_id), count=RESULT_BATCHES)
    if not rows:
        return 0
    results = [result for _, fields in rows for result in parse_results(fields[b"j"])]
    outcomes = [
        {
            "b_id": result.message_id,
            "b_state": result.state,
            "b_link": result.link,
            "b_smsc": result.smsc_id,
            "b_attempts": result.attempts,
            "b_error": result.error,
            "b_accepted": result.at if result.state == "accepted" else None,
            "b_ended": result.at,
        }
        for result in results
    ]
    parts = [part for result in results for part in _parts(result)]
    made = [
        Made(result.message_id, firm_id, result.state, result.at, result.basis)
        for result in results
        if result.basis is not None
    ]
    try:
        with sql.writing(engine) as connection:
            ledger.end_messages(connection, outcomes)
            ledger.insert_parts(connection, parts)
            offer_outcomes.file_outcomes(connection, results)
            contacts.note(connection, made)
    except OperationalError as err:
        raise LedgerAway(type(err.orig).__name__) from err
    redis.xdel(keys.results(firm_id), *(id_ for id_, _ in rows))
    return len(outcomes)


def _parts(result: Result) -> list[dict[str, Any]]:
    """What the SMSC took of a long answer."""
    return [
        {
            "message_id": result.message_id,
            "part": part,
            "link": result.link,
            "smsc_id": smsc_id,
            "state": "accepted",
            "accepted_at": result.at,
        }
        for part, smsc_id in enumerate(result.parts, 1)
        if smsc_id
    ]


def drain_receipts(
    link: str, redis: Redis, engine: Any, *, terms: Terms, after: str, now_ms: int
) -> tuple[Drained, str]:
    """One batch of a link's receipts behind the id `after` ("-" for the first); also the id to go on from.

    A receipt that matches no answer waits a while: it may have come first.
    """
    rows: Any = redis.xrange(keys.receipts(link), min=after, count=RECEIPT_BATCHES)
    if not rows:
        return Drained(), after
    batches = [(id_, unpacked(fields[b"r"])) for id_, fields in rows]
    before = _form(redis.get(keys.receipt_form(link))) if terms.ids == LEARN else None
    try:
        with sql.writing(engine) as connection:
            receipts = [receipt for _, batch in batches for receipt in batch]
            found = match(connection, link, receipts, replace(terms, learned=before))
    except OperationalError as err:
        raise LedgerAway(type(err.orig).__name__) from err
    if found.learned is not None and found.learned is not before:
        log.warning("receipts name their messages in another form", link=link, form=str(found.learned))
        redis.set(keys.receipt_form(link), str(found.learned))
    done, counted = [], Counter[Match]()
    matches = iter(found.matches)
    for id_, batch in batches:
        here = Counter(itertools.islice(matches, len(batch)))
        if here[Match.UNMATCHED] and now_ms - int(id_.split(b"-", 1)[0]) < UNMATCHED_AFTER_MS:
            continue
        done.append(id_)
        counted += here
    if done:
        redis.xdel(keys.receipts(link), *done)
    drained = Drained(receipts={str(word): n for word, n in counted.items() if n})
    return drained, "(" + rows[-1][0].decode()


def _form(stored: bytes | str | None) -> IdForm | None:
    return IdForm(stored.decode() if isinstance(stored, bytes) else stored) if stored else None


def drain(
    redis: Redis,
    desk: Desks,
    *,
    links: Mapping[str, str],
    receipts_kept_ms: int,
    token: str,
    observe: Observer,
    passed: Passed,
    stop: Callable[[], bool],
    linger_s: float = 0.25,
    most_s: float = 30.0,
) -> int:
    """Drain all firms and links until nothing came for `linger_s`, at most `most_s`, or until `stop`.

    `links`: name -> how receipts name messages there; `receipts_kept_ms`: see Terms. It lingers because a job
    costs more than a batch: under load one job drains for seconds. Returns how many texts were settled.
    Raises LedgerAway, RedisError.
    """
    begun = quiet_since = time.monotonic()
    total = 0
    outboxes: dict[int, Outbox] = {}
    ender = ThreadPoolExecutor(1, "ender")
    read_to = dict.fromkeys(links, "-")
    outcomes_due = begun
    try:
        while not stop() and time.monotonic() - begun < most_s:
            busy = False
            outcomes = time.monotonic() >= outcomes_due
            if outcomes:
                outcomes_due = time.monotonic() + OUTCOMES_EVERY_S
            for firm_id in desk().catalog.firms:
                outbox = outboxes.setdefault(firm_id, Outbox(redis, firm_id, ender))
                drained = drain_firm(outbox, redis, desk, token=token, observe=observe, outcomes=outcomes)
                passed(drained, "")
                total += drained.settled
                busy = busy or drained.anything
            for link, ids in links.items() if outcomes else ():
                drained, read_to[link] = drain_receipts(
                    *(link, redis, desk().engine),
                    terms=Terms(ids=ids, learned=None, kept_ms=receipts_kept_ms),
                    after=read_to[link],
                    now_ms=int(time.time() * 1000),
                )
                passed(drained, link)
                busy = busy or drained.anything
            now = time.monotonic()
            if busy:
                quiet_since = now
            elif now - quiet_since >= linger_s:
                break
            else:
                time.sleep(0.002)
    finally:
        try:
            for outbox in outboxes.values():
                outbox.wait_ended()
                outbox.release(token)
        finally:
            ender.shutdown()
    return total
