"""Marketing in the sending queues, as a blast puts it there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from redis import Redis

from gateway.domain.priority import Priority
from gateway.store import keys
from gateway.store.sendqueue import seal_answer
from gateway.store.vault import Vault


def put_offers(
    redis: Redis, vault: Vault, link: str, numbers: Sequence[str], text: str, *, blast: str = "7"
) -> list[str]:
    """Queue a text of a running blast of firm 1 for each number; the ids of the texts."""
    now = int(time.time() * 1000)
    pipe: Any = redis.pipeline(transaction=False)
    pipe.set(keys.blast(1, blast), "running")
    ids = [f"{vault.digest(blast + number)}.1" for number in numbers]
    for id_, number in zip(ids, numbers, strict=True):
        fields: dict[str, Any] = {"m": id_, "x": seal_answer(vault, number, text), "d": "4040", "s": ""}
        fields |= {"t": now, "u": 0, "k": vault.index(number), "b": blast}
        pipe.xadd(keys.send(1, link, Priority.BULK), fields)
    pipe.execute()
    return ids
