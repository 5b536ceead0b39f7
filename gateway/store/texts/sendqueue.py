"""The sending queues of a link: texts that wait, the intent of each submit, and what became of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from gateway.domain.policy.basis import Basis, read_basis
from gateway.domain.sms.priority import IN_ORDER, Priority
from gateway.domain.written.outside import fitted
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import Functions, StoreUnavailable, script
from gateway.store.texts.receipts import MOST_ERROR, MOST_SMSC_ID
from gateway.store.vault.places import Purpose
from gateway.store.vault.vault import Vault

BEGINNING = "-"
SEAL_ANSWER = Purpose.ANSWER  # number and text, sealed for this purpose, open for their sender alone


class Waiting(NamedTuple):
    """A text to submit. `sealed`: number and text; `begun`: submits begun, this one included; `at`: ms.

    `until`: ms after which it is of no use to anybody and is not sent; 0: as long as answers may wait.
    `shopper`, `blast`: of what is marketing by its words, what the gate needs.
    """

    firm_id: int
    queue_id: str
    message_id: str
    sealed: bytes
    short_number: str
    seen: str
    at: int
    begun: int
    until: int = 0
    priority: Priority = Priority.REPLY
    shopper: str = ""
    blast: str = ""

    @property
    def gated(self) -> bool:
        """Whether its words are marketing: then the gate is asked right before it leaves."""
        return self.priority is Priority.BULK or bool(self.shopper)

    @property
    def intent(self) -> str:
        """The field in which its intent stands."""
        return keys.intent(self.priority, self.queue_id)


class Sent(NamedTuple):
    """What became of an answer. `state`: accepted, failed, expired or unknown; of marketing also denied, or
    deferred, with the gate's reason as `error`, `until` (ms) when it may be asked for again.

    `smsc_id` of its only part, or of the last; `parts`: of each part of a long one whose receipts were asked
    for, in order, "" where the SMSC did not take it. No id holds a NUL (SMPP 3.4, 3.1: C-octet string).
    `basis`: of marketing of which anything was submitted, what the gate allowed it on.
    """

    waiting: Waiting
    state: str
    smsc_id: str | None
    error: str | None
    at: int
    parts: tuple[str, ...] = ()
    until: int = 0
    basis: Basis | None = None


def seal_answer(vault: Vault, number: str, text: str) -> bytes:
    """What an answer says and to whom (E.164 digits), sealed for its sender alone."""
    return vault.seal(SEAL_ANSWER, f"{number}\n{text}".encode())


def open_answer(vault: Vault, sealed: bytes) -> tuple[str, str]:
    """Number and text of a sealed answer; counted by the vault. Raises SealBroken."""
    number, _, text = vault.open(SEAL_ANSWER, sealed).decode().partition("\n")
    return number, text


class ServiceMessages:
    """The way into the sending queues for what is asked for on a page and soon of no use, such as a PIN.

    It has no row in the ledger: nobody is known yet. Its outcome is logged and counted, and then gone.
    """

    def __init__(self, redis: DurableRedis, vault: Vault) -> None:
        self._redis = redis
        self._vault = vault

    async def put(
        self, firm_id: int, link: str, *, short_number: str, number: str, text: str, until: int
    ) -> None:
        """Queue `text` for `number` (E.164 digits) until `until`, ms. Raises RedisError."""
        message_id = f"{os.urandom(12).hex()}.{firm_id}"
        await self._redis.call(
            *("XADD", keys.send(firm_id, link, Priority.SERVICE), "*"),
            *("m", message_id, "x", seal_answer(self._vault, number, text), "d", short_number),
            *("s", "", "t", int(time.time() * 1000), "u", until),
        )


class QueueClosed(RedisError):
    """This Redis may hold answers that have left long ago; nothing is sent before it is rebuilt."""


class SendQueue:
    """The queues of one link over all firms.

    `blocking`: a client of its own for waiting, without a read time-out shorter than the wait. `verify`
    holds Redis against SQL and raises StoreUnavailable while it may decide for no firm; it is asked before
    the first take and whenever Redis was started anew. A firm that is closed alone is passed over.
    """

    def __init__(
        self,
        redis: DurableRedis,
        blocking: Redis,
        link: str,
        redelivery_window_s: int,
        verify: Callable[[], Awaitable[None]],
        *,
        deployment: str,
    ) -> None:
        self._redis = redis
        self._functions = Functions(redis, verify, "take")
        self._blocking = blocking
        self._link = link
        self._window = redelivery_window_s
        self._deployment = deployment
        self._after: dict[str, str] = {}  # queue -> the last id that was taken
        self._held: dict[tuple[str, str], str] = {}  # queue and id -> message, taken and not ended
        self._broken = redis.broken
        self._taker = os.urandom(6).hex()

    async def take(self, firm_id: int, count: int) -> list[Waiting]:
        """The next texts of one firm, as `take_each`. Raises RedisError, so QueueClosed."""
        found = (await self.take_each({firm_id: count}, {firm_id: IN_ORDER}))[firm_id]
        if found is None:
            raise QueueClosed("closed: Redis does not hold this firm's keys")
        return found

    async def take_each(
        self, shares: Mapping[int, int], of: Mapping[int, Sequence[Priority]]
    ) -> dict[int, list[Waiting] | None]:
        """At most so many texts of each firm, of its priorities `of`, replies first, each with its intent
        on disk.

        None where a firm is closed. All in one round trip. Raises RedisError, so QueueClosed.
        """
        if self._redis.broken != self._broken:  # as below: a server that has kept its functions
            self._broken = self._redis.broken
            self._after.clear()
        calls = [self._take(firm_id, count, of[firm_id]) for firm_id, count in shares.items()]
        try:
            answers = await self._functions.call("take", calls, again=False)
        except NoScriptError:
            self._after.clear()  # of another Redis, whose clock is behind, the ids may be behind those taken
            raise
        except StoreUnavailable as err:
            raise QueueClosed(str(err)) from err
        taken: dict[int, list[Waiting] | None] = {}
        for firm_id, raw in zip(shares, answers, strict=True):
            if raw is None:
                self._functions.doubt(firm_id)
                taken[firm_id] = None
            else:
                found = [self._taken(firm_id, IN_ORDER[place - 1], *of_it) for place, *of_it in raw]
                taken[firm_id] = [waiting for waiting in found if waiting is not None]
        return taken

    def _take(self, firm_id: int, count: int, priorities: Sequence[Priority]) -> tuple[Any, ...]:
        queues = [keys.send(firm_id, self._link, priority) for priority in priorities]
        names = (keys.gate(firm_id), keys.intents(firm_id, self._link), *queues)
        args: list[Any] = [self._deployment, count, self._taker]
        for priority, queue in zip(priorities, queues, strict=True):
            args += (IN_ORDER.index(priority) + 1, self._after.get(queue, BEGINNING))
        return (len(names), *names, *args)

    def _taken(
        self, firm_id: int, priority: Priority, queue_id: bytes, begun: int, flat: list[bytes]
    ) -> Waiting | None:
        """What was read of a queue; None where it is held here already."""
        waiting = _waiting(firm_id, priority, queue_id, begun, flat)
        queue = keys.send(firm_id, self._link, priority)
        self._after[queue] = waiting.queue_id
        if self._held.get((queue, waiting.queue_id)) == waiting.message_id:
            return None
        self._held[queue, waiting.queue_id] = waiting.message_id
        return waiting

    async def look(self, queues: Sequence[tuple[int, Priority]]) -> list[tuple[int, Priority]]:
        """Those, of firms and priorities, in which a text waits behind those taken. Raises RedisError."""
        return await self._waits(self._redis.redis, queues, None)

    async def wait(self, queues: Sequence[tuple[int, Priority]], timeout_ms: int) -> None:
        """Until a text waits there behind those taken, or the time is over. Raises RedisError."""
        if queues:
            await self._waits(self._blocking, queues, timeout_ms)
        else:
            await asyncio.sleep(timeout_ms / 1000)

    async def _waits(
        self, redis: Redis, queues: Sequence[tuple[int, Priority]], block_ms: int | None
    ) -> list[tuple[int, Priority]]:
        names = {
            keys.send(firm_id, self._link, priority): (firm_id, priority) for firm_id, priority in queues
        }
        streams: dict[Any, Any] = {name: self._after.get(name, "0-0") for name in names}
        found: Any = await redis.xread(streams, count=1, block=block_ms)
        return [names[name.decode()] for name, _ in found]

    async def begin_again(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Note a further submit of answers that were handed back or are of unknown outcome; may be repeated.

        Raises RedisError.
        """
        again = [w._replace(begun=w.begun + 1) for w in waiting]
        await self._note(again)
        return again

    async def hand_back(self, waiting: Sequence[Waiting]) -> None:
        """Take back the intents of answers that were taken and not submitted; may be repeated.

        Raises RedisError.
        """
        if waiting:
            await self._note([w._replace(begun=w.begun - 1) for w in waiting])

    async def _note(self, waiting: Sequence[Waiting]) -> None:
        # The number as it is to be: a call whose answer is lost is sent again, by the client itself, too.
        await self._redis.calls(
            [("HSET", keys.intents(w.firm_id, self._link), w.intent, w.begun) for w in waiting]
        )

    async def file(self, sent: Sequence[Sent]) -> None:
        """End answers: on disk when it returns; may be repeated. Raises RedisError."""
        by_firm: dict[int, list[Sent]] = {}
        for s in sent:
            by_firm.setdefault(s.waiting.firm_id, []).append(s)
        commands = []
        for firm_id, group in by_firm.items():
            names = [
                keys.intents(firm_id, self._link),
                keys.results(firm_id),
                *keys.sends(firm_id, self._link),
                *(keys.seen(firm_id, s.waiting.seen) for s in group),
            ]
            args: list[Any] = [self._window]
            for s in group:
                w = s.waiting
                args += (IN_ORDER.index(w.priority) + 1, w.queue_id, w.intent, _result(s, self._link))
            commands.append(("EVAL", _SENT, len(names), *names, *args))
        await self._redis.calls(commands)
        for s in sent:
            w = s.waiting
            self._held.pop((keys.send(w.firm_id, self._link, w.priority), w.queue_id), None)


_SENT = script("sent")


def _waiting(firm_id: int, priority: Priority, queue_id: bytes, begun: int, flat: list[bytes]) -> Waiting:
    """What cannot be read of an entry is empty: it ends as what cannot be opened, and holds up nobody."""
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return Waiting(
        firm_id=firm_id,
        queue_id=queue_id.decode(),
        message_id=_told(fields, b"m"),
        sealed=fields.get(b"x", b""),
        short_number=_told(fields, b"d"),
        seen=_told(fields, b"s"),
        at=_number(fields, b"t", int(queue_id.partition(b"-")[0])),
        begun=begun,
        until=_number(fields, b"u", 0),
        priority=priority,
        shopper=_told(fields, b"k"),
        blast=_told(fields, b"b"),
    )


def _told(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode(errors="replace")


def _number(fields: Mapping[bytes, bytes], name: bytes, else_: int) -> int:
    told = fields.get(name, b"")
    return int(told) if told.isdigit() else else_


def _result(sent: Sent, link: str) -> str:
    """The outcome as a line; `parse_results` reads it. The SMSC's ids stand last: they may hold anything."""
    waiting = sent.waiting
    ids = (fitted(id_, MOST_SMSC_ID) for id_ in (sent.smsc_id or "", *sent.parts))
    smsc_id = "\0".join(ids).replace("\n", " ")
    state = sent.state
    if sent.until or sent.basis:
        state += f";{sent.until};{sent.basis.line() if sent.basis else ''}"
    head = f"{waiting.message_id}|{state}|{waiting.begun}|{fitted(sent.error or '', MOST_ERROR)}|{sent.at}"
    return f"{head}|{link}|{smsc_id}"


class Result(NamedTuple):
    """An outcome as settlement reads it; `at` in ms. `parts`, `until`, `basis`: as in `Sent`."""

    message_id: str
    state: str
    attempts: int
    error: str | None
    at: int
    link: str
    smsc_id: str | None
    parts: tuple[str, ...] = ()
    until: int = 0
    basis: Basis | None = None


def parse_results(text: bytes) -> list[Result]:
    """What `file` wrote, one or more outcomes. Raises ValueError."""
    return [parse_result(line) for line in text.split(b"\n")]


def without_basis(line: bytes) -> bytes:
    """An outcome without whom the gate allowed it to; nothing of one that nobody can read."""
    head, bar, rest = line.partition(b"|")
    state, bars, behind = rest.partition(b"|")
    told, *gate = state.split(b";")
    if not (bar and bars):
        return b""
    return head + bar + b";".join((told, *gate[:1], *([b""] if gate else []))) + bars + behind


def parse_result(line: bytes) -> Result:
    """One of them. Raises ValueError."""
    message_id, state, attempts, error, at, link, ids = line.decode().split("|", 6)
    smsc_id, *parts = ids.split("\0")
    state, _, gate = state.partition(";")
    until, _, basis = gate.partition(";")
    return Result(
        *(message_id, state, int(attempts), error or None, int(at), link, smsc_id or None),
        parts=tuple(parts),
        until=int(until or 0),
        basis=read_basis(basis) if basis else None,
    )
