"""Parts of long messages, sealed and on disk before they are acknowledged; joined when none is missing.

A phone's reference is eight bits, so it comes again; a message is told apart by sender, short number,
reference, number of parts and data_coding, and by the fingerprints of its parts. All parts of all messages
share one slot: long texts are few, and a message and its deadline must change together.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from redis.exceptions import NoScriptError

from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import script
from gateway.store.vault.places import Purpose
from gateway.store.vault.vault import SealBroken

log = structlog.get_logger()

SEAL: Final = Purpose.PART
RECENT_S: Final = 60  # parts of one message arrive within this time of each other
# A whole message whose text has had no effect by then is handed on again: its claim failed, and the SMSC has
# not sent the last part anew, or the process died before it could say so. Shorter than the time in which a
# text that came again is recognised.
EFFECT_S: Final = 120


class Sealer(Protocol):
    """What is needed of the vault."""

    def seal(self, purpose: str, clear: bytes) -> bytes:
        """Seal octets for one purpose."""

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Open what was sealed for this purpose."""

    def digest(self, text: str) -> str:
        """A keyed fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Of which message a part is. Numbers stand here in clear: in memory only."""

    link: str
    source: str
    source_ton: int
    source_npi: int
    destination: str
    data_coding: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPart:
    """One part as it arrived: part `number` of `total`, 1 to 255."""

    origin: Origin
    reference: int
    total: int
    number: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A message that is over its time: parts are missing, or its text had no effect yet.

    `pieces`: its text in order, cut where parts are missing. `key` and `fields` are for `drop`.
    """

    origin: Origin
    pieces: tuple[bytes, ...]
    key: str
    fields: int


class PartKeeper:
    """Keeps parts in Redis. `timeout_s`: how long a message may be incomplete, from its first part on."""

    def __init__(self, redis: DurableRedis, vault: Sealer, *, timeout_s: float) -> None:
        self._redis = redis
        self._vault = vault
        self._timeout_s = timeout_s
        self._shas: dict[str, str] = {}

    async def put(self, parts: Sequence[WaitingPart], now: float) -> list[bytes | None]:
        """Store parts, in one round trip; on disk when it returns. `now`: seconds of the wall clock.

        For each part the joined body, if its message is whole with it, else None. May be repeated: a part
        that comes again for a whole message gives the same body again. `end` must follow once the text has
        had its effect. Raises RedisError.
        """
        raw = await self._run("part", [self._call(part, now) for part in parts])
        return [b"".join(self._open(sealed)[1] for sealed in answer) if answer else None for answer in raw]

    async def end(self, parts: Sequence[WaitingPart]) -> None:
        """The whole messages that these parts belong to had their effect. Raises RedisError."""
        calls = [(2, keys.parts(self._name(p)), keys.parts_due(), 0, keys.PARTS_DONE_TTL) for p in parts]
        await self._run("part_end", calls)

    async def due(self, now: float, limit: int = 100) -> list[Overdue]:
        """Messages that are over their time, the oldest first. They stay until `drop`. Raises RedisError."""
        raw: list[bytes] = await self._redis.call(
            "ZRANGE", keys.parts_due(), "-inf", now, "BYSCORE", "LIMIT", 0, limit
        )
        if not raw:
            return []
        hashes = await self._redis.calls([("HGETALL", key) for key in raw])
        found = []
        for key, fields in zip(raw, hashes, strict=True):
            try:
                found.append(self._overdue(key.decode(), _flat(fields)))
            except (SealBroken, StopIteration):
                # Sealed under another master secret, or gone: it would be due for ever.
                log.error("parts of a long text cannot be opened, dropped", key=key.decode())
                await self._redis.calls([("DEL", key), ("ZREM", keys.parts_due(), key)])
        return found

    async def drop(self, overdue: Overdue) -> bool:
        """End a message whose pieces had their effect; False if another part has come: it is due again."""
        call = (2, overdue.key, keys.parts_due(), overdue.fields, keys.PARTS_DONE_TTL)
        return bool((await self._run("part_end", [call]))[0])

    async def waiting(self) -> int:
        """How many messages are incomplete."""
        return int(await self._redis.redis.zcard(keys.parts_due()))

    def _name(self, part: WaitingPart) -> str:
        o = part.origin
        numbers = (part.reference, part.total, o.data_coding)
        return self._vault.digest("\0".join(("parts", o.source, o.destination, *map(str, numbers))))

    def _call(self, part: WaitingPart, now: float) -> tuple[Any, ...]:
        name = self._name(part)
        return (
            3,
            keys.parts(name),
            keys.parts_due(),
            keys.parts(f"{name}:{os.urandom(6).hex()}"),
            part.number,
            part.total,
            self._vault.digest(f"part\0{name}\0{part.body.hex()}"),
            self._vault.seal(SEAL, _pack(part)),
            int(now),
            math.ceil(self._timeout_s),
            EFFECT_S,
            RECENT_S,
        )

    async def _run(self, name: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        if name in self._shas:
            try:
                return await self._redis.calls([("EVALSHA", self._shas[name], *call) for call in calls])
            except NoScriptError:
                pass  # Redis was restarted; all calls may be repeated
        loaded = await self._redis.redis.script_load(script(name))
        self._shas[name] = loaded if isinstance(loaded, str) else loaded.decode()
        return await self._redis.calls([("EVALSHA", self._shas[name], *call) for call in calls])

    def _open(self, sealed: bytes) -> tuple[Origin, bytes]:
        return unpack(self._vault.open(SEAL, sealed))

    def _overdue(self, key: str, fields: dict[str, bytes]) -> Overdue:
        opened = {int(name[1:]): self._open(v) for name, v in fields.items() if name[0] == "p"}
        pieces: list[bytes] = []
        for number in sorted(opened):
            body = opened[number][1]
            if number - 1 in opened:
                pieces[-1] += body
            else:
                pieces.append(body)
        origin = next(iter(opened.values()))[0]
        return Overdue(origin=origin, pieces=tuple(pieces), key=key, fields=len(fields))


def _pack(part: WaitingPart) -> bytes:
    # An address from the wire holds no NUL: it ends with the first.
    o = part.origin
    head = (o.link, o.source, o.source_ton, o.source_npi, o.destination, o.data_coding)
    return b"\0".join(str(field).encode() for field in head) + b"\0" + part.body


def unpack(opened: bytes) -> tuple[Origin, bytes]:
    """The origin and the body of a part that was opened."""
    link, source, ton, npi, destination, coding, body = opened.split(b"\0", 6)
    origin = Origin(
        link=link.decode(),
        source=source.decode(),
        source_ton=int(ton),
        source_npi=int(npi),
        destination=destination.decode(),
        data_coding=int(coding),
    )
    return origin, body


def _flat(answer: Any) -> dict[str, bytes]:
    if isinstance(answer, dict):
        return {name.decode(): value for name, value in answer.items()}
    return {name.decode(): value for name, value in zip(answer[::2], answer[1::2], strict=True)}
