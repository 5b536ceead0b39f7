"""Takes in what a link delivers: parts wait, texts are decided, receipts are filed; only then comes ROK."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog
from redis.exceptions import RedisError

from config.logging import canonical, mask
from gateway.domain.codes.catalog import Catalog, ShortNumber
from gateway.domain.people.numbers import parse_msisdn
from gateway.domain.people.own_number import own_number
from gateway.domain.sms.data_coding import alphabet_of, decode_body
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.store.codes.claims import ClaimCall, ClaimStore, Verdict
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.store.vault.vault import Vault
from gateway.usecases.intake import Incoming, after_host, calls_for
from smpp.intake.batcher import Lane
from smpp.link.link import Link
from smpp.protocol import statuses
from smpp.protocol.pdus import DeliverSm
from smpp.protocol.receipts import ReceiptState, looks_like_one, read_receipt

TEXTS_AT_ONCE = 64
MOST_AT_ONCE = 500
log = structlog.get_logger()

# Of WAP push and browsing, cards, calendars, ring tones, logos and settings (IANA; Smart Messaging 3.0).
_PHONE_PORTS = frozenset({226, 228, 2805, 2923, 2948, 2949, 5501, 5505, 5506, 5507, 5508, 5511, 5512, 5514})
_PHONE_PORTS |= frozenset(range(9200, 9208)) | frozenset({49996, 49999})
_TON_UNKNOWN = 0  # of a destination, whose type a message does not keep
BINARY = "binary"
TEMPORARY = "temporary"
UNKNOWN_SHORT_NUMBER = "unknown short number"
SENDER_NOT_ANSWERED = "sender not answered"
OF_NO_END = "of no end"  # a receipt that says that the message is still on its way
_RECEIPT_STATES = {
    ReceiptState.DELIVRD: "delivered",
    ReceiptState.EXPIRED: "expired",
    ReceiptState.DELETED: "failed",
    ReceiptState.UNDELIV: "failed",
    ReceiptState.REJECTD: "failed",
}


class Arrival(NamedTuple):
    """A message with the session that waits for its response. `at`: seconds, monotonic."""

    link: Link
    session: Asker
    message: DeliverSm
    at: float


class Text(NamedTuple):
    """A whole text, read: who sent it (E.164 digits) and the calls that decide it."""

    link: Link
    session: Asker
    message: DeliverSm
    at: float
    number: str
    calls: list[ClaimCall]


class Joiner(Protocol):
    """Keeps parts on disk, each with its link's name: smpp.intake.reassembly."""

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
    """One for a process. `poke` is called when an outbox got work; `storage_timeout_s` bounds every wait.

    `doubtful`: whether the catalog may lack what is there; an unknown short number is then refused for now.

    A text is read and its codes are decrypted while the batch before it is on its way to the disk.
    """

    def __init__(
        self,
        *,
        catalog: Callable[[], Catalog],
        vault: Vault,
        claims: ClaimStore,
        receipts: ReceiptLog,
        join: Joiner,
        poke: Callable[[], None],
        observe: Observer,
        max_codes: int,
        storage_timeout_s: float,
        doubtful: Callable[[], bool] = lambda: False,
    ) -> None:
        self._catalog = catalog
        self._vault = vault
        self._claims = claims
        self._filed = receipts
        self._join = join
        self._poke = poke
        self._observe = observe
        self._max_codes = max_codes
        self._doubtful = doubtful
        wait_s = storage_timeout_s
        self._texts = Lane[Text]("texts", self._decide, self._refuse, most=TEXTS_AT_ONCE, wait_s=wait_s)
        self._parts = Lane[Arrival]("parts", self._join_parts, self._refuse, most=MOST_AT_ONCE, wait_s=wait_s)
        self._receipts = Lane[Arrival](
            "receipts", self._file_receipts, self._refuse, most=MOST_AT_ONCE, wait_s=wait_s
        )

    @property
    def backlog(self) -> int:
        """Messages that wait to be decided."""
        return len(self._texts) + len(self._parts) + len(self._receipts)

    def wait_at_most(self, storage_timeout_s: float) -> None:
        """The bound of every wait from now on."""
        for lane in (self._parts, self._texts, self._receipts):
            lane.wait_s = storage_timeout_s

    def take(self, link: Link, session: Asker, messages: Sequence[DeliverSm]) -> None:
        """Messages from a link; each is answered on its session later."""
        now = time.monotonic()
        catalog = self._catalog()
        for message in messages:
            arrival = Arrival(link, session, message, now)
            if message.receipt or (looks_like_one(message) and self._sender_of(arrival)):
                self._receipts.add(arrival)
            elif message.port is not None and _is_for_an_application(message):
                self._answer(arrival, statuses.ROK)
                self._observe(BINARY, link.name, "", message.destination, ())
            elif message.part is not None:
                self._parts.add(arrival)
            elif (text := self._read(arrival, catalog)) is not None:
                self._texts.add(text)

    async def idle(self) -> None:
        """Until all that was taken is answered."""
        for lane in (self._parts, self._texts, self._receipts):
            await lane.idle()

    def _refuse(self, batch: Sequence[Arrival | Text]) -> None:
        """Nothing is acknowledged that is not stored: the SMSC keeps it and comes again."""
        for arrival in batch:
            self._answer(arrival, arrival.link.settings.temporary_status)
            self._observe(TEMPORARY, arrival.link.name, "", arrival.message.destination, ())

    async def _file_receipts(self, arrivals: list[Arrival]) -> None:
        by_link: dict[str, list[FiledReceipt]] = {}
        now = _now_ms()
        for arrival in arrivals:
            name = arrival.link.name
            receipt = read_receipt(arrival.message)
            state = None if receipt is None else _RECEIPT_STATES.get(receipt.state)
            if receipt is None:
                self._observe("receipt unreadable", name, "", "", ())
            else:
                self._observe(f"receipt {state or OF_NO_END}", name, "", "", ())
            # ENROUTE, ACCEPTD, UNKNOWN say nothing that the response did not say already.
            if receipt is not None and state is not None:
                shopper = self._sender_of(arrival)
                # One that only its words show may be anybody's: it is good for his own answers alone.
                own = not arrival.message.receipt
                filed = FiledReceipt(receipt.message_id, state, receipt.cause, now, shopper, own)
                by_link.setdefault(name, []).append(filed)
        for name, filed_here in by_link.items():
            await self._filed.add(name, filed_here)
        for arrival in arrivals:
            self._answer(arrival, statuses.ROK)

    def _sender_of(self, receipt: Arrival) -> str:
        """The index of the phone that a receipt is from; some SMSCs leave both addresses as in the submit."""
        message = receipt.message
        region = receipt.link.settings.default_region
        number = parse_msisdn(message.source, message.source_ton, region)
        number = number or parse_msisdn(message.destination, _TON_UNKNOWN, region)
        return self._vault.index(number) if number else ""

    async def _join_parts(self, arrivals: list[Arrival]) -> None:
        whole = await self._join.join([a.message for a in arrivals], [a.link.name for a in arrivals])
        catalog = self._catalog()
        texts, last = [], []
        for arrival, message in zip(arrivals, whole, strict=True):
            if message is None:
                self._answer(arrival, statuses.ROK)
                continue
            text = self._read(Arrival(arrival.link, arrival.session, message, arrival.at), catalog)
            if text is not None:
                texts.append(text)
            last.append(arrival)
        await self._decide(texts)
        if not last:
            return
        try:
            await self._join.end([a.message for a in last], [a.link.name for a in last])
        except RedisError as err:  # the texts are handed on again, and recognised
            log.warning("long texts not ended", reason=type(err).__name__)

    async def _decide(self, texts: list[Text]) -> None:
        hosts: dict[int, list[Text]] = {}
        for text in texts:
            hosts.setdefault(text.calls[0].firm_id, []).append(text)
        for firm_id, group in hosts.items():
            verdicts = await self._claims.activate(firm_id, [text.calls[0] for text in group])
            for text, verdict in zip(group, verdicts, strict=True):
                await self._finish(text, verdict)
        self._poke()

    def _read(self, arrival: Arrival, catalog: Catalog) -> Text | None:
        """The calls for a text, or None when it was answered without any: nobody to answer, or not for us."""
        link, session, message, at = arrival
        ours = catalog.short_numbers
        short: ShortNumber | None = ours.get(message.destination) or own_number(
            message.destination, ours, link.settings.default_region
        )
        if short is None and self._doubtful():
            self._refuse([arrival])
            return None
        if short is None:
            self._answer(arrival, statuses.RINVDSTADR)
            self._observe(UNKNOWN_SHORT_NUMBER, link.name, "", message.destination, ())
            return None
        number = parse_msisdn(message.source, message.source_ton, link.settings.default_region)
        if number is None or number in ours or message.source in ours:
            self._answer(arrival, statuses.ROK)
            self._observe(SENDER_NOT_ANSWERED, link.name, "", message.destination, ())
            return None
        incoming = Incoming(
            message_id=message_id(_now_ms(), os.urandom(RANDOM_OCTETS)),
            number=number,
            short_number=short.number,
            text=decode_body(
                message.body, message.data_coding, link.settings.default_alphabet, link.settings.data_codings
            ),
            link=link.name,
            channel="sms",
        )
        calls = calls_for(incoming, short, self._vault, self._max_codes)
        return Text(link, session, message, at, number, calls)

    async def _finish(self, text: Text, verdict: Verdict) -> None:
        """The other firms' calls, unless the host's limits forbid them, and the response."""
        if verdict.kind == "X":
            raise StoreUnavailable("closed")
        codes = verdict.codes
        if len(text.calls) > 1:
            for call in after_host(text.calls, verdict):
                further = (await self._claims.activate(call.firm_id, [call]))[0]
                codes += further.codes
        self._answer(text, statuses.ROK)
        outcome = OUTCOMES[verdict.kind]
        seconds = time.monotonic() - text.at
        to = text.message.destination
        self._observe(outcome, text.link.name, text.number, to, codes, seconds)
        canonical(
            "text",
            id=text.calls[0].message_id,
            link=text.link.name,
            sender=mask(text.number),
            to=to,
            outcome=outcome,
            codes="".join([c[0] for c in codes]),
            ms=round(seconds * 1000, 1),
        )

    def _answer(self, arrival: Arrival | Text, status: int) -> None:
        arrival.session.answer(arrival.message.sequence, status)


def _is_for_an_application(message: DeliverSm) -> bool:
    """Whether what is addressed to a port is nothing that a person has typed: a push, a card, a picture."""
    if message.port in _PHONE_PORTS:
        return True
    return alphabet_of(message.data_coding) == "binary"


OUTCOMES = {
    "A": "accepted",
    "D": "re-delivered",
    "L": "limited",
    "O": "limited, consent heard",
    "Q": "limited, silent",
    "S": "silent",
}


# All that is observed: of texts, and of receipts that can be read.
TEXT_OUTCOMES = (*OUTCOMES.values(), BINARY, TEMPORARY, UNKNOWN_SHORT_NUMBER, SENDER_NOT_ANSWERED)
RECEIPT_STATES = (*dict.fromkeys(_RECEIPT_STATES.values()), OF_NO_END)


def _now_ms() -> int:
    return int(time.time() * 1000)
