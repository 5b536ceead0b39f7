"""Takes in what a link delivers: parts wait, texts are decided, receipts are filed; then, and only then, ROK.

What has arrived while the last batch was on its way to the disk is the next batch: nothing waits for more to
come, and under load one round trip carries many texts.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from config.logging import mask
from gateway.domain.catalog import Catalog, ShortNumber
from gateway.domain.numbers import parse_msisdn
from gateway.domain.segments import decode_body
from gateway.store import keys
from gateway.store.claims import ClaimCall, ClaimStore, StoreUnavailable, Verdict
from gateway.store.durable import DurableRedis
from gateway.store.vault import Vault
from gateway.usecases.intake import Incoming, calls_for
from smpp import statuses
from smpp.link import Link
from smpp.pdus import DeliverSm
from smpp.receipts import ReceiptState, read_receipt

MOST_AT_ONCE = 500
log = structlog.get_logger()

_RECEIPT_STATES = {
    ReceiptState.DELIVRD: "delivered",
    ReceiptState.EXPIRED: "expired",
    ReceiptState.DELETED: "failed",
    ReceiptState.UNDELIV: "failed",
    ReceiptState.REJECTD: "failed",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with the session that waits for its response. `at`: seconds, monotonic."""

    link: Link
    session: Asker
    message: DeliverSm
    at: float


class Joiner(Protocol):
    """Keeps parts on disk, each with its link's name: smpp.reassembly."""

    async def join(self, messages: list[DeliverSm], links: list[str]) -> list[DeliverSm | None]:
        """Store parts; the whole message, or None while others are missing."""

    async def end(self, messages: list[DeliverSm], links: list[str]) -> None:
        """The whole texts of these parts had their effect; else they are handed on again later."""


class Asker(Protocol):
    """Who waits for the response: a session, or whoever hands on what is left of a long text."""

    def answer(self, sequence: int, status: int) -> bool:
        """Take the command_status for the message with this sequence number."""


class Observer(Protocol):
    """Told what became of texts, for metrics and the live feed. `outcome`: accepted, limited, silent ...

    `seconds`: from the arrival to the response, where a text was decided.
    """

    def __call__(
        self,
        outcome: str,
        link: str,
        number: str,
        short_number: str,
        codes: Sequence[str],
        seconds: float | None = None,
    ) -> None: ...


class Intake:
    """One for a process. `poke` is called when an outbox got work; `storage_timeout_s` bounds every wait."""

    def __init__(
        self,
        *,
        catalog: Callable[[], Catalog],
        vault: Vault,
        claims: ClaimStore,
        redis: DurableRedis,
        join: Joiner,
        poke: Callable[[], None],
        observe: Observer,
        max_codes: int,
        storage_timeout_s: float,
    ) -> None:
        self._catalog = catalog
        self._vault = vault
        self._claims = claims
        self._redis = redis
        self._join = join
        self._poke = poke
        self._observe = observe
        self._max_codes = max_codes
        self._timeout_s = storage_timeout_s
        self._waiting: list[Arrival] = []
        self._working: asyncio.Task[None] | None = None

    @property
    def backlog(self) -> int:
        """Messages that wait to be decided."""
        return len(self._waiting)

    def take(self, link: Link, session: Asker, messages: Sequence[DeliverSm]) -> None:
        """Messages from a link; each is answered on its session later."""
        now = time.monotonic()
        self._waiting += (Arrival(link, session, m, now) for m in messages)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def idle(self) -> None:
        """Until all that was taken is answered."""
        while self._working is not None:
            await asyncio.wait({self._working})

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:MOST_AT_ONCE]
                del self._waiting[:MOST_AT_ONCE]
                await self._decide(batch)
        finally:
            self._working = None

    async def _decide(self, batch: list[Arrival]) -> None:
        receipts = [a for a in batch if a.message.receipt]
        parts = [a for a in batch if a.message.part is not None and not a.message.receipt]
        texts = [a for a in batch if a.message.part is None and not a.message.receipt]
        work: list[Awaitable[None]] = []
        if receipts:
            work.append(self._bounded(receipts, self._file_receipts(receipts)))
        if texts:
            work.append(self._bounded(texts, self._decide_texts(texts)))
        if parts:
            work.append(self._bounded(parts, self._join_parts(parts)))
        if len(work) == 1:
            await work[0]
        else:
            await asyncio.gather(*work)

    async def _bounded(self, arrivals: list[Arrival], work: Awaitable[None]) -> None:
        """Whatever is not stored in time gets the link's temporary status; the SMSC keeps it."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await work
            return
        except (StoreUnavailable, RedisError, OSError, TimeoutError) as err:
            reason = str(err) or type(err).__name__
        except Exception as err:
            log.exception("intake failed")
            reason = type(err).__name__
        log.warning("not stored, temporary answer", messages=len(arrivals), reason=reason)
        for arrival in arrivals:
            self._answer(arrival, arrival.link.settings.temporary_status)
            self._observe("temporary", arrival.link.name, "", arrival.message.destination, ())

    async def _file_receipts(self, arrivals: list[Arrival]) -> None:
        commands = []
        for arrival in arrivals:
            receipt = read_receipt(arrival.message)
            if receipt is None:
                self._observe("receipt unreadable", arrival.link.name, "", "", ())
                continue
            state = _RECEIPT_STATES.get(receipt.state)
            self._observe(f"receipt {state or 'of no end'}", arrival.link.name, "", "", ())
            if state is None:  # ENROUTE, ACCEPTD, UNKNOWN: nothing that the answer does not say already
                continue
            body = json.dumps(
                {
                    "i": receipt.message_id,
                    "s": state,
                    "e": receipt.error or None,
                    "t": int(time.time() * 1000),
                },
                separators=(",", ":"),
            )
            commands.append(("XADD", keys.receipts(arrival.link.name), "*", "j", body))
        if commands:
            await self._redis.calls(commands)
        for arrival in arrivals:
            self._answer(arrival, statuses.ROK)

    async def _join_parts(self, arrivals: list[Arrival]) -> None:
        whole = await self._join.join([a.message for a in arrivals], [a.link.name for a in arrivals])
        complete, last = [], []
        for arrival, message in zip(arrivals, whole, strict=True):
            if message is None:
                self._answer(arrival, statuses.ROK)
            else:
                complete.append(Arrival(arrival.link, arrival.session, message, arrival.at))
                last.append(arrival)
        if complete:
            await self._decide_texts(complete)
            try:
                await self._join.end([a.message for a in last], [a.link.name for a in last])
            except RedisError as err:  # the texts are handed on again, and recognised
                log.warning("long texts not ended", reason=type(err).__name__)

    async def _decide_texts(self, arrivals: list[Arrival]) -> None:
        catalog = self._catalog()
        hosts: dict[int, list[tuple[Arrival, list[ClaimCall], str]]] = {}
        for arrival in arrivals:
            read = self._read(arrival, catalog)
            if read is not None:
                hosts.setdefault(read[1][0].firm_id, []).append(read)
        for firm_id, group in hosts.items():
            verdicts = await self._claims.activate(firm_id, [calls[0] for _, calls, _ in group])
            for (arrival, calls, number), verdict in zip(group, verdicts, strict=True):
                await self._finish(arrival, calls[1:], verdict, number)
        self._poke()

    def _read(self, arrival: Arrival, catalog: Catalog) -> tuple[Arrival, list[ClaimCall], str] | None:
        """The calls for a text, or None when it was answered without any: nobody to answer, or not for us."""
        message, settings = arrival.message, arrival.link.settings
        short: ShortNumber | None = catalog.short_numbers.get(message.destination)
        if short is None:
            self._answer(arrival, statuses.RINVDSTADR)
            self._observe("unknown short number", arrival.link.name, "", message.destination, ())
            return None
        number = parse_msisdn(message.source, message.source_ton, settings.default_region)
        if number is None or message.source in catalog.short_numbers:
            self._answer(arrival, statuses.ROK)
            self._observe("sender not answered", arrival.link.name, "", message.destination, ())
            return None
        incoming = Incoming(
            message_id=os.urandom(12).hex(),
            number=number,
            short_number=message.destination,
            text=decode_body(message.body, message.data_coding, settings.default_alphabet),
            link=arrival.link.name,
            channel="sms",
        )
        return arrival, calls_for(incoming, short, self._vault, self._max_codes), number

    async def _finish(self, arrival: Arrival, others: list[ClaimCall], verdict: Verdict, number: str) -> None:
        """The other firms' calls, unless the host's limits forbid them, and the response."""
        kind = verdict.first if verdict.kind == "D" else verdict.kind
        if verdict.kind == "X":
            raise StoreUnavailable("closed")
        codes = verdict.codes
        if kind in "ASU":
            for call in others:
                further = (await self._claims.activate(call.firm_id, [call]))[0]
                codes += further.codes
        self._answer(arrival, statuses.ROK)
        outcome = OUTCOMES[verdict.kind]
        seconds = time.monotonic() - arrival.at
        self._observe(outcome, arrival.link.name, number, arrival.message.destination, codes, seconds)
        log.info(
            "text",
            link=arrival.link.name,
            sender=mask(number),
            to=arrival.message.destination,
            outcome=outcome,
            codes="".join(c[0] for c in codes),
            ms=round(seconds * 1000, 1),
        )

    def _answer(self, arrival: Arrival, status: int) -> None:
        arrival.session.answer(arrival.message.sequence, status)


OUTCOMES = {
    "A": "accepted",
    "D": "re-delivered",
    "L": "limited",
    "Q": "limited, silent",
    "S": "silent",
}


def _now_ms() -> int:
    return int(time.time() * 1000)
