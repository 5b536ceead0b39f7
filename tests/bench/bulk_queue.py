"""Fills the sending queue of a link with marketing that the gate allows: rows in SQL, then texts in Redis."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, Final

from sqlalchemy import func, insert, select

from config import settings as settings_module
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.domain.sms.priority import Priority
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.texts.sendqueue import seal_answer
from gateway.store.vault import master_secret
from gateway.store.vault.vault import Vault
from tests.bench.bulk_floor import TEXT
from tests.bench.load_texts import number
from tests.harness import Gateway
from tests.offers import running_blast

CHUNK: Final = 1_000


def fill(gateway: Gateway, *, firm_id: int, link: str, short_number: str, first: int, n: int) -> None:
    """Queue a text for each of `n` shoppers whom nobody knew before, counted from `first`."""
    vault = Vault(master_secret.load_or_make(settings_module.load(gateway.config)))
    with database.writing(gateway.engine()) as connection:
        blast = 1 + (connection.scalar(select(func.max(schema.blast.c.id))) or 0)
    for at in range(first, first + n, CHUNK):
        _fill(gateway, vault, blast, firm_id, link, short_number, range(at, min(at + CHUNK, first + n)))


def _fill(
    gateway: Gateway, vault: Vault, blast: int, firm_id: int, link: str, short_number: str, those: range
) -> None:
    now = int(time.time() * 1000)
    numbers = {i: number(i).decode() for i in those}
    ids = {i: f"{message_id(now, i.to_bytes(RANDOM_OCTETS))}.{firm_id}" for i in those}
    sealed = {i: seal_answer(vault, numbers[i], TEXT.decode()) for i in those}
    with database.writing(gateway.engine()) as connection:
        if connection.scalar(select(schema.blast.c.id).where(schema.blast.c.id == blast)) is None:
            running_blast(connection, blast, 0)
        shoppers = [_shopper(vault, i, numbers[i], now) for i in those]
        connection.execute(insert(schema.shopper), shoppers)
        rows = [
            {
                "id": ids[i],
                "firm_id": firm_id,
                "shopper_id": i + 1,
                "kind": "offer",
                "state": "queued",
                "link": link,
                "short_number": short_number,
                "outcomes": "",
                "sealed": sealed[i],
                "segments": 1,
                "attempts": 0,
                "queued_at": now,
                "blast_id": blast,
            }
            for i in those
        ]
        connection.execute(insert(schema.message), rows)
    with closing(gateway.redis()) as redis:
        pipe: Any = redis.pipeline(transaction=False)
        pipe.set(keys.blast(firm_id, str(blast)), "running")
        pipe.hset(keys.blast_course(firm_id, blast), "put", 1)
        for i in those:
            shopper = vault.index(numbers[i])
            pipe.set(keys.consent(firm_id, shopper), f"in:{now}")
            fields = {"m": ids[i], "x": sealed[i], "d": short_number, "s": f"bench{i}", "t": now}
            fields |= {"k": shopper, "b": str(blast)}
            pipe.xadd(keys.send(firm_id, link, Priority.BULK), fields)
        pipe.execute()


def _shopper(vault: Vault, index: int, phone: str, now: int) -> dict[str, Any]:
    return {
        "id": index + 1,
        "key": vault.index(phone),
        "number": vault.seal("shopper", phone.encode()),
        "created_at": now,
    }
