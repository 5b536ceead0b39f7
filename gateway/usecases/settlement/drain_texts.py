"""Settles the texts of one firm's outbox, a batch at a time; what cannot be is laid aside in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from gateway.store.redis.suspects import Patience
from gateway.store.sql.piecemeal import attempt, piecemeal
from gateway.store.texts.outbox import Accepted, Entry, Outbox, Unreadable, parse
from gateway.usecases.settlement.answering import Desk
from gateway.usecases.settlement.draining import Drained, Turns
from gateway.usecases.settlement.settle import Settled, settle_batch

BATCH = 256  # texts of one transaction
_UNREADABLE = "unreadable"
_TEXTS = "texts"
log = structlog.get_logger()

Observer = Callable[[Sequence[Settled]], None]
Failed = list[tuple[bytes, str]]  # ids, each with the reason


class Desks(Protocol):
    """Gives the desk of the moment."""

    def __call__(self, *, renew: bool = False) -> Desk:
        """`renew`: look first whether the catalog has changed."""


def settle_texts(
    outbox: Outbox, rows: Sequence[Entry], desk: Desks, turns: Turns, *, observe: Observer, patience: Patience
) -> Drained:
    """One batch. Raises LedgerAway, RedisError."""
    begun = time.monotonic()
    suspects = outbox.suspects.standing([id_ for id_, _ in rows])
    fresh, again, failed = _parsed(outbox.firm_id, rows, suspects)
    done: list[Settled] = []
    for accepted in (fresh, again):  # what failed before fails no others
        settled, unsettled = _settle(accepted, desk)
        done += settled
        failed += unsettled
    if done:
        outbox.end_behind([(s.accepted, s.reply) for s in done])
        observe(done)
    dead = 0
    others_pass = turns.others_pass(_TEXTS, outbox.firm_id, [id_ for id_, _ in failed], passed=bool(done))
    for id_, reason in failed:
        dead += outbox.suspects.failed(id_, reason, patience, others_pass=others_pass)
    return Drained(settled=len(done), dead=dead, failed=len(failed) - dead, seconds=time.monotonic() - begun)


def _parsed(
    firm_id: int, rows: Sequence[Entry], suspects: dict[bytes, bool]
) -> tuple[list[Accepted], list[Accepted], Failed]:
    """Those that never failed, those that did and are due again, and those that nobody can read."""
    fresh: list[Accepted] = []
    again: list[Accepted] = []
    failed: Failed = []
    for id_, fields in rows:
        if not suspects.get(id_, True):
            continue
        try:
            (again if id_ in suspects else fresh).append(parse(firm_id, id_, fields))
        except Unreadable:
            failed.append((id_, _UNREADABLE))
    return fresh, again, failed


def _settle(accepted: Sequence[Accepted], desk: Desks) -> tuple[list[Settled], Failed]:
    """Settle a batch; it may be newer than our catalog: claims follow a change of points at once."""
    if not accepted:
        return [], []
    current = desk()
    done, reason = attempt(accepted, lambda texts: settle_batch(texts, current))
    if done is not None:
        return list(done), []
    renewed = desk(renew=True)
    log.warning("batch split", firm=accepted[0].firm_id, reason=reason, texts=len(accepted))
    passed, failed = piecemeal(accepted, lambda texts: settle_batch(texts, renewed))
    return [settled for _, settled in passed], [(text.outbox_id.encode(), why) for text, why in failed]
