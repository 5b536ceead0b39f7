"""Restores from SQL what Redis lost: claim bits, consent, budgets of wrong codes, and answers not yet sent.

What Redis still holds of accepted texts is settled first, so that nothing acknowledged is thrown away. Then a
firm's keys are dropped and made anew, and only at the end its gate opens. A no stays where it stands: one
that is said meanwhile, or that SQL has lost, is not overwritten.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, Engine, func, select

from gateway.domain.offers.blast import State
from gateway.store.codes import catalog
from gateway.store.integrity import redis_state
from gateway.store.integrity import watermark as watermark_
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.offers import blasts, recipients, requested_texts
from gateway.store.offers.redis_queue import Offers
from gateway.store.redis import keys
from gateway.store.redis.suspects import NONE
from gateway.store.sql import database, schema
from gateway.store.texts.outbox import Outbox
from gateway.usecases.operations import rebuild_consents, trial_text
from gateway.usecases.settlement.drain import Firm
from gateway.usecases.settlement.drain_texts import Desks
from gateway.usecases.settlement.draining import Turns

_ROWS = 50_000
_PIPE = 500
_ASK_AGAIN_S = 0.1
_LIVE_MS = {requested_texts.KIND: requested_texts.LIVES_MS, trial_text.KIND: trial_text.LIVES_MS}
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was restored for one firm, and how long it took."""

    firm_id: int
    settled: int
    claims: int
    consents: int
    guessers: int
    answers: int
    seconds: float


class Busy(Exception):
    """Another process settles this firm; stop the workers or wait a few seconds, then try again."""


def rebuild_firm(
    firm_id: int,
    engine: Engine,
    redis: Redis,
    desk: Desks,
    deployment: str,
    token: str,
    *,
    foreign: bool,
    wait_s: float = 0,
) -> Rebuilt:
    """Restore one firm; its intake is closed meanwhile. May be repeated.

    `foreign`: what Redis holds belongs to another deployment and is thrown away. `wait_s`: for whoever
    settles this firm to give it up; if that does not happen, all stays as it was.
    Raises Busy, LedgerAway, RedisError.
    """
    begun = time.monotonic()
    with database.writing(
        engine
    ) as connection:  # a firm that never settled is new, and whoever looks opens it
        watermark_.set_watermark(connection, firm_id, watermark_.NEVER)
    stood = redis.get(keys.gate(firm_id))
    redis.delete(keys.gate(firm_id))  # first: under traffic a worker would keep the lease
    try:
        held = _held(Outbox(redis, firm_id), token, wait_s)
    except Busy:
        if stood is not None:
            redis.set(keys.gate(firm_id), stood)
        raise
    with held:
        settled = 0 if foreign else _settle_what_survived(redis, firm_id, desk, token)
        _drop(redis, firm_id, foreign=foreign)
        rebuild_consents.refusals_stay(redis, firm_id)
        recipients.give_up(engine, firm_id, int(time.time() * 1000))
        with engine.connect() as connection:
            claims = _claims(connection, redis, firm_id)
            consents = rebuild_consents.put_back(connection, redis, firm_id)
            _laid_aside(redis, firm_id)
            rebuild_consents.laid_aside(redis, firm_id)
            guessers = _budgets(connection, redis, firm_id)
            answers = _answers(connection, redis, firm_id)
            marks = watermark_.marks(connection)[firm_id]
        _stream(redis, keys.outbox(firm_id), marks.outbox_id)
        _stream(redis, keys.results(firm_id), marks.results_id)
        catalog.publish(engine, redis, firm_id)
        _blasts(engine, redis, firm_id)
        redis_state.open_firm(redis, firm_id, deployment)
    return Rebuilt(
        firm_id=firm_id,
        settled=settled,
        claims=claims,
        consents=consents,
        guessers=guessers,
        answers=answers,
        seconds=time.monotonic() - begun,
    )


def _held(outbox: Outbox, token: str, wait_s: float) -> AbstractContextManager[None]:
    """The lease of a firm, taken now. Raises Busy."""
    until = time.monotonic() + wait_s
    while not outbox.lease(token):
        if time.monotonic() >= until:
            raise Busy(outbox.firm_id)
        time.sleep(_ASK_AGAIN_S)
    return _kept(outbox, token)


@contextmanager
def _kept(outbox: Outbox, token: str) -> Iterator[None]:
    """The lease kept however long it takes: a second rebuild would drop what this one restores."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(keys.DRAIN_LEASE_MS / 3000):
            with suppress(RedisError, OSError):  # the rebuild itself will say so
                outbox.lease(token)

    keeping = threading.Thread(target=keep, name="lease", daemon=True)
    keeping.start()
    try:
        yield
    finally:
        done.set()
        keeping.join()
        with suppress(RedisError, OSError):  # then it ends by itself
            outbox.release(token)


def _settle_what_survived(redis: Redis, firm_id: int, desk: Desks, token: str) -> int:
    """Until no text and no outcome waits: what cannot be settled while others can is laid aside. How many."""
    settled, turns = 0, Turns()
    while True:
        if not Outbox(redis, firm_id).lease(token):
            raise Busy(firm_id)
        firm = Firm(redis, firm_id)
        drained = firm.drain(desk, turns, token=token, observe=lambda _: None, patience=NONE)
        settled += drained.settled
        if not (drained.anything or firm.outbox.waiting()):
            return settled


def _drop(redis: Redis, firm_id: int, *, foreign: bool) -> None:
    """All of a firm but our lease, dead letters, every no, and texts that may still be delivered again."""
    ours = {keys.dead(firm_id), keys.results_spool(firm_id).aside, keys.order(firm_id)}
    kept = {name.encode() for name in {keys.drain(firm_id)} | (set() if foreign else ours)}
    stay = (keys.seen(firm_id, "").encode(), keys.consent(firm_id, "").encode())
    pipe = redis.pipeline(transaction=False)
    pattern = keys.tag(firm_id).replace("{", "\\{") + ":*"
    for name in redis.scan_iter(match=pattern, count=5000):
        if name not in kept and (foreign or not name.startswith(stay)):
            pipe.unlink(name)
        if len(pipe) >= _PIPE:
            pipe.execute()
    pipe.execute()


def _claims(connection: Connection, redis: Redis, firm_id: int) -> int:
    """Claim bits, a chunk at a time: 65,536 codes are one write."""
    t = schema.activation
    rows = connection.execution_options(yield_per=_ROWS).execute(
        select(t.c.space_id, t.c.serial).where(t.c.firm_id == firm_id).order_by(t.c.space_id, t.c.serial)
    )
    count = 0
    pipe = redis.pipeline(transaction=False)
    for space, chunk, offsets in _chunks(rows):
        bits = bytearray(keys.CHUNK_BITS // 8)
        for offset in offsets:
            bits[offset >> 3] |= 0x80 >> (offset & 7)
        pipe.set(keys.bits(firm_id, space, chunk), bytes(bits))
        count += len(offsets)
        if len(pipe) >= _PIPE:
            pipe.execute()
    pipe.execute()
    return count


def _laid_aside(redis: Redis, firm_id: int) -> None:
    """What stands in dead letters holds, though SQL does not know of it: their claims."""
    for text in DeadLetters(redis, firm_id).texts():
        for (space, serial, _), result in zip(text.codes, text.results, strict=False):
            if result[0] == "C":
                chunk, offset = divmod(serial, keys.CHUNK_BITS)
                bits = keys.bits(firm_id, space, chunk)
                if not redis.exists(bits):
                    redis.setbit(bits, keys.CHUNK_BITS - 1, 0)
                redis.setbit(bits, offset, 1)
                redis.set(keys.claim(firm_id, space, serial), f"{text.shopper}|{text.message_id}")


def _chunks(rows: Any) -> Iterator[tuple[int, int, list[int]]]:
    at: tuple[int, int] | None = None
    offsets: list[int] = []
    for space, serial in rows:
        chunk, offset = divmod(serial, keys.CHUNK_BITS)
        if at != (space, chunk):
            if at is not None:
                yield (*at, offsets)
            at, offsets = (space, chunk), []
        offsets.append(offset)
    if at is not None:
        yield (*at, offsets)


def _budgets(connection: Connection, redis: Redis, firm_id: int) -> int:
    """Wrong codes of the last hour and day: a loss gives no guesser a new budget."""
    now = int(time.time() * 1000)
    t = schema.wrong_code
    counters: dict[str, dict[str, int]] = defaultdict(dict)
    for start, count, length in (("hs", "hc", _HOUR_MS), ("ds", "dc", _DAY_MS)):
        rows = connection.execute(
            select(t.c.shopper_key, func.min(t.c.said_at), func.sum(t.c.count))
            .where(t.c.firm_id == firm_id, t.c.said_at > now - length)
            .group_by(t.c.shopper_key)
        )
        for shopper, first, wrong in rows:
            counters[shopper] |= {start: int(first) // 1000, count: min(int(wrong), 65_535)}
    pipe = redis.pipeline(transaction=False)
    for shopper, c in counters.items():
        hour, day = (c.get("hs", 0), c.get("hc", 0)), (c.get("ds", 0), c.get("dc", 0))
        packed = keys.LIMITS.pack(0, 0, *hour, *day, 0, 0, 0, 0, 0)
        pipe.set(keys.limits(firm_id, shopper), packed, ex=keys.LIMITS_TTL)
        if len(pipe) >= _PIPE:
            pipe.execute()
    pipe.execute()
    return len(counters)


def _answers(connection: Connection, redis: Redis, firm_id: int) -> int:
    """Answers of unknown outcome go back to their queue, as possibly doubled; offers never do."""
    t, s = schema.message, schema.shopper
    rows = connection.execute(
        select(t, s.c.key)
        .join(s, s.c.id == t.c.shopper_id)
        .where(
            *(t.c.firm_id == firm_id, t.c.state == "queued"),
            *(t.c.sealed.is_not(None), t.c.blast_id.is_(None)),
        )
    )
    count = 0
    for row in rows:
        id_: Any = redis.xadd(
            keys.send(firm_id, row.link),
            _waiting(row),
        )
        redis.hset(keys.intents(firm_id, row.link), id_, "1")
        count += 1
    return count


def _blasts(engine: Engine, redis: Redis, firm_id: int) -> None:
    """Which blasts run: whoever holds a text of one would take it for a blast that nobody knows."""
    offers = Offers(redis)
    for blast in blasts.alive(engine):
        if blast.firm_id == firm_id and blast.state is not State.SCHEDULED:
            offers.tell(firm_id, blast.id, blast.state, blast.revision)


def _waiting(row: Any) -> dict[Any, Any]:
    """An answer as the sending queue has it. What is marketing by its words ends soon and asks the gate."""
    fields = {"m": row.id, "x": row.sealed, "d": row.short_number, "s": "", "t": row.queued_at}
    lives_ms = _LIVE_MS.get(row.kind)
    return fields if lives_ms is None else fields | {"u": row.queued_at + lives_ms, "k": row.key}


def _stream(redis: Redis, name: str, watermark: str) -> None:
    """A stream exists and goes on behind the watermark, however the clock stands."""
    made: Any = redis.xadd(name, {"b": ""})
    redis.xdel(name, made)
    if watermark_.stream_id(made.decode()) < watermark_.stream_id(watermark):
        redis.execute_command("XSETID", name, watermark)  # type: ignore[no-untyped-call]
