"""The live feed of the virtual phones' page: what the gateway just did, masked.

A capped Redis stream, written only while the simulator is enabled. It is for eyes, not for accounts: events
are dropped rather than waited for, and a Redis that is away costs nothing but the picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio

from gateway.store.redis import keys

LENGTH = 500  # events that the stream keeps, approximately
BACKLOG = 60  # events that a page is given when it opens
_BUFFER = 1_000  # events that wait for one write; beyond it the oldest go
_GATHER_S = 0.05  # events of this long share one round trip and one fsync
_BLOCK_MS = 2_000  # below every sensible socket time-out

_DIGITS = re.compile(r"\d(?:[ .\-\u2013]?\d){6,}")
_CODE = re.compile(r"[0-9A-Z](?:[0-9A-Z-]{6,})[0-9A-Z]")
_MOST_DIGITS = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEvent:
    """One thing that happened. `at`: seconds since 1970. `id` is the stream's, empty before it is stored."""

    kind: str
    fields: dict[str, str | int]
    at: float
    id: str = ""

    def as_json(self) -> str:
        """For the page."""
        return json.dumps(
            {"id": self.id, "kind": self.kind, "at": self.at, "fields": self.fields}, ensure_ascii=False
        )


class Feed:
    """Asyncio side. `publish` never waits; `run` writes until it is cancelled."""

    def __init__(self, client: redis.asyncio.Redis, *, enabled: bool) -> None:
        self._client = client
        self._enabled = enabled
        self._waiting: deque[FeedEvent] = deque(maxlen=_BUFFER)
        self._something = asyncio.Event()
        self.dropped = 0

    def publish(self, kind: str, **fields: str | int) -> None:
        """Note an event. Numbers come masked (`config.logging.mask`), codes as 'code ••••'; see `masked`."""
        if not self._enabled:
            return
        if len(self._waiting) == _BUFFER:
            self.dropped += 1
        self._waiting.append(event(kind, **fields))
        self._something.set()

    async def run(self) -> None:
        """Write what is published, batch by batch. Returns only when nothing is enabled."""
        while self._enabled:
            await self._something.wait()
            await asyncio.sleep(_GATHER_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits now; on a Redis that is away it is dropped and counted."""
        self._something.clear()
        batch = list(self._waiting)
        self._waiting.clear()
        if not batch:
            return
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for one in batch:
                    pipe.xadd(keys.FEED, {"e": _packed(one)}, maxlen=LENGTH, approximate=True)
                await pipe.execute()
        except (redis.RedisError, OSError):
            self.dropped += len(batch)


def event(kind: str, **fields: str | int) -> FeedEvent:
    """An event of now, masked."""
    return FeedEvent(
        kind=kind, fields={name: masked(value) for name, value in fields.items()}, at=time.time()
    )


def publish_many(client: redis.Redis, events: Iterable[FeedEvent]) -> None:
    """The worker's side: write `events` in one round trip. A Redis that is away is nobody's trouble here."""
    with contextlib.suppress(redis.RedisError, OSError), client.pipeline(transaction=False) as pipe:
        for one in events:
            pipe.xadd(keys.FEED, {"e": _packed(one)}, maxlen=LENGTH, approximate=True)
        pipe.execute()


async def tail(client: redis.asyncio.Redis, last_id: str = "") -> AsyncGenerator[list[FeedEvent], None]:
    """Events after `last_id`, as they come; without one, the latest first.

    Yields an empty list when nothing came for two seconds, so that the caller can show it is alive.
    Raises redis.RedisError when Redis is away.
    """
    if not last_id:
        newest: Any = await client.xrevrange(keys.FEED, count=BACKLOG)
        events = [_unpacked(*entry) for entry in reversed(newest)]
        last_id = events[-1].id if events else "0-0"
        yield events
    while True:
        answer: Any = await client.xread({keys.FEED: last_id}, count=BACKLOG, block=_BLOCK_MS)
        streams = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer or ()]
        events = [_unpacked(*entry) for entries in streams for entry in _flat(entries)]
        last_id = events[-1].id if events else last_id
        yield events


def masked(value: str | int) -> str | int:
    """The guard behind the publishers' own masking: nothing that looks like a number or a code gets through.

    >>> masked("from +380 50 000 0001, CAP7-QX42")
    'from +••••, code ••••'
    """
    if isinstance(value, int):
        return value if abs(value) < _MOST_DIGITS else "••••"
    return _CODE.sub(_code_or_word, _DIGITS.sub("••••", value))


def _code_or_word(found: re.Match[str]) -> str:
    bare = found[0].replace("-", "")
    return "code ••••" if len(bare) >= 8 and any(c.isdigit() for c in bare) else found[0]


def _packed(one: FeedEvent) -> str:
    return json.dumps({"k": one.kind, "t": round(one.at, 3), "f": one.fields}, ensure_ascii=False)


def _unpacked(entry_id: bytes | str, entry: dict[Any, Any]) -> FeedEvent:
    body = json.loads(entry.get(b"e") or entry["e"])
    return FeedEvent(
        id=entry_id.decode() if isinstance(entry_id, bytes) else entry_id,
        kind=body["k"],
        at=body["t"],
        fields=body["f"],
    )


def _flat(entries: Any) -> Any:
    # RESP3 nests the entries of a stream once more than RESP2.
    return entries[0] if entries and isinstance(entries[0], list) else entries
