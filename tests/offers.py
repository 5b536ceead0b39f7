"""Marketing in the sending queues, as a blast puts it there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from sqlalchemy import Connection, Engine, insert, select

from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_ids import offer_id
from gateway.domain.sms.priority import Priority
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.texts.sendqueue import seal_answer
from gateway.store.vault.vault import Vault


def put_offers(
    redis: Redis, vault: Vault, link: str, numbers: Sequence[str], text: str, *, blast: str = "7"
) -> list[str]:
    """Queue a text of a running blast of firm 1 for each number; the ids of the texts.

    The ledger knows nothing of them: where the sender asks it, `in_ledger` comes first.
    """
    now = int(time.time() * 1000)
    pipe: Any = redis.pipeline(transaction=False)
    pipe.set(keys.blast(1, blast), "running")
    pipe.hset(keys.blast_course(1, int(blast)), "put", 1)
    ids = [offer_id(int(blast), 1, place, firm=1) for place in range(len(numbers))]
    for id_, number in zip(ids, numbers, strict=True):
        fields: dict[str, Any] = {"m": id_, "x": seal_answer(vault, number, text), "d": "4040", "s": ""}
        fields |= {"t": now, "u": 0, "k": vault.index(number), "b": blast}
        pipe.xadd(keys.send(1, link, Priority.BULK), fields)
    pipe.execute()
    return ids


def in_ledger(engine: Engine, vault: Vault, link: str, numbers: Sequence[str], *, blast: str) -> None:
    """The same texts in the ledger, of shoppers whom it knows; their blast has nobody left to draw."""
    now = int(time.time() * 1000)
    m, s = schema.message, schema.shopper
    with database.writing(engine) as connection:
        keys_ = {vault.index(number): place for place, number in enumerate(numbers)}
        ids = connection.execute(select(s.c.id, s.c.key).where(s.c.key.in_(keys_))).all()
        running_blast(connection, int(blast), len(numbers))
        texts = [
            {"id": offer_id(int(blast), 1, keys_[key], firm=1), "firm_id": 1, "shopper_id": id_, "link": link}
            | {"kind": "offer", "state": "queued", "short_number": "4040", "outcomes": "", "segments": 1}
            | {"queued_at": now, "blast_id": int(blast)}
            for id_, key in ids
        ]
        connection.execute(insert(m), texts)


def running_blast(connection: Connection, blast: int, expected: int) -> None:
    """A blast of firm 1 and its first campaign, which has nobody left to draw."""
    now = int(time.time() * 1000)
    a, b = schema.audience, schema.blast
    counts = dict.fromkeys(("holdout", "spread_s", "drawn", "texted", "last_shopper", "paced_from"), 0)
    row: dict[str, Any] = {
        "id": blast,
        "firm_id": 1,
        "name": str(blast),
        "channel": "sms",
        "audience_id": blast,
        "campaign_id": 1,
        "short_number": "4040",
        "texts": {},
        "fallback": "en",
        "error_share": 1_000_000,
        "expires_at": now + 10**11,
        "state": State.RUNNING.value,
        "revision": 1,
        "created_at": now,
        "expected": expected,
        "all_drawn": 1,
        "batch": 1,
        "failed_before": 0,
        "last_activation": 0,
    }
    nobody = {"id": blast, "firm_id": 1, "name": str(blast), "definition": {}, "created_at": now}
    connection.execute(insert(a).values(nobody))
    connection.execute(insert(b).values(row | counts))
