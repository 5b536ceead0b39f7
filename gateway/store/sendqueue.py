"""The sending queues of a link: texts that wait, the intent of each submit, and what became of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from gateway.domain.outside import fitted
from gateway.domain.policy.basis import Basis, read_basis
from gateway.domain.priority import IN_ORDER, Priority
from gateway.store import keys
from gateway.store.claims import StoreUnavailable, script
from gateway.store.durable import DurableRedis
from gateway.store.places import Purpose
from gateway.store.receipts import MOST_ERROR, MOST_SMSC_ID
from gateway.store.vault import Vault

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

    `blocking`: a client of its own for waiting, without a read time-out shorter than the wait. `verify` holds
    Redis against SQL and raises StoreUnavailable; it is asked before the first take and whenever Redis was
    started anew, which is noticed by its having forgotten the function, as by the claims.
    """

    def __init__(
        self,
        redis: DurableRedis,
        blocking: Redis,
        link: str,
        redelivery_window_s: int,
        verify: Callable[[], Awaitable[None]],
    ) -> None:
        self._redis = redis
        self._verify = verify
        self._sha: str | None = None
        self._blocking = blocking
        self._link = link
        self._window = redelivery_window_s
        self._after: dict[str, str] = {}  # queue -> the last id that was taken
        self._held: dict[tuple[str, str], str] = {}  # queue and id -> message, taken and not ended
        self._taker = os.urandom(6).hex()

    async def take(self, firm_id: int, count: int) -> list[Waiting]:
        """The next texts, replies first, each with its intent on disk. Raises RedisError, so QueueClosed."""
        if self._sha is None:
            self._sha = await self._open()
        queues = keys.sends(firm_id, self._link)
        try:
            raw = await self._redis.call(
                *("EVALSHA", self._sha, 1 + len(queues), keys.intents(firm_id, self._link), *queues),
                *(count, self._taker, *(self._after.get(queue, BEGINNING) for queue in queues)),
            )
        except NoScriptError:
            self._sha = None
            raise
        taken = []
        for place, id_, begun, flat in raw:
            waiting = _waiting(firm_id, IN_ORDER[place - 1], id_, begun, flat)
            queue = queues[place - 1]
            self._after[queue] = waiting.queue_id
            if self._held.get((queue, waiting.queue_id)) != waiting.message_id:
                self._held[queue, waiting.queue_id] = waiting.message_id
                taken.append(waiting)
        return taken

    async def _open(self) -> str:
        try:
            await self._verify()
        except StoreUnavailable as err:
            raise QueueClosed(str(err)) from err
        self._after.clear()  # of another Redis, whose clock is behind, the ids may be behind those taken
        sha = await self._redis.redis.script_load(_TAKE)
        return sha if isinstance(sha, str) else sha.decode()

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

    async def wait(self, firm_ids: Sequence[int], timeout_ms: int) -> None:
        """Until an answer waits behind those taken, or the time is over. Raises RedisError."""
        queues = [queue for firm_id in firm_ids for queue in keys.sends(firm_id, self._link)]
        streams: dict[Any, Any] = {queue: self._after.get(queue, "0-0") for queue in queues}
        if streams:
            await self._blocking.xread(streams, count=1, block=timeout_ms)
        else:
            await asyncio.sleep(timeout_ms / 1000)

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


_TAKE = script("take")
_SENT = script("sent")


def _waiting(firm_id: int, priority: Priority, queue_id: bytes, begun: int, flat: list[bytes]) -> Waiting:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return Waiting(
        firm_id=firm_id,
        queue_id=queue_id.decode(),
        message_id=fields[b"m"].decode(),
        sealed=fields[b"x"],
        short_number=fields[b"d"].decode(),
        seen=fields[b"s"].decode(),
        at=int(fields[b"t"]),
        begun=begun,
        until=int(fields.get(b"u", 0)),
        priority=priority,
        shopper=fields.get(b"k", b"").decode(),
        blast=fields.get(b"b", b"").decode(),
    )


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
