"""What operators really send, octet by octet into a real session: what was stored, answered and logged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import structlog

from gateway.store.redis.durable import DurableRedis
from gateway.store.texts.parts import PartKeeper
from gateway.store.texts.receipts import ReceiptLog
from smpp.intake.intake import Intake
from smpp.intake.reassembly import Reassembly
from smpp.link.link import Link, LinkState
from smpp.protocol import statuses, wire
from smpp.protocol.pdus import DeliverSm, Outcome
from smpp.session.session import Session
from tests.integration.house import ANNA, BOHDAN, LINK, House, ended
from tests.integration.smpp.gateway_side import settings
from tests.integration.smpp.raw_smsc import RawSession, listening

STOP_AND_NUL: Final = (
    "000000360000000500000000000000010001013338303530313233343536370003003430343000000000000000"
    "0000000453544f5000"
)
STOP_AND_CUT: Final = (
    "0000003b0000000500000000000000010001013338303530313233343536370003003430343000000000000000"
    "0000000453544f50020400ff0102"
)
STOP_IN_UCS2_UNDER_0: Final = (
    "000000390000000500000000000000030001013338303530313233343536370003003430343000000000000000"
    "0000000804210422041e041f"
)
PERSON: Final = "380501234567"
RECEIPT: Final = (
    b"id:%b sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:STOP"
)


@dataclass
class Bench:
    """A session between an SMSC whose octets the test writes and the gateway's own rooms."""

    house: House
    smsc: RawSession
    link: Link
    outcomes: list[str] = field(default_factory=list)

    async def said(self, pdu: bytes) -> int:
        """Send a PDU; the command_status of its response."""
        self.smsc.write(pdu)
        answer = (await self.smsc.read_until(int.from_bytes(pdu[4:8]) | wire.RESPONSE))[-1]
        return answer.status

    def asked(self) -> list[str]:
        """Whom answers wait for."""
        self.house.drain()
        return [number for number, _ in self.house.waiting_answers()]


class Handler:
    """The link's owner: texts go to the intake."""

    def __init__(self) -> None:
        self.intake: Intake | None = None

    def on_messages(self, link: Link, session: Session, messages: list[DeliverSm]) -> None:
        """From the link."""
        assert self.intake is not None
        self.intake.take(link, session, messages)

    def on_results(self, link: Link, results: list[Outcome]) -> None:
        """From the link."""

    def on_ready(self, link: Link) -> None:
        """From the link."""

    def on_state(self, link: Link, state: LinkState) -> None:
        """From the link."""


@asynccontextmanager
async def benched(house: House, **changes: Any) -> AsyncIterator[Bench]:
    if not house.catalog.firms:
        house.firm()
        house.campaign()
    redis = DurableRedis(house.client)
    handler, outcomes = Handler(), list[str]()
    handler.intake = Intake(
        catalog=lambda: house.catalog,
        vault=house.vault,
        claims=house.store,
        receipts=ReceiptLog(redis),
        join=Reassembly(PartKeeper(redis, house.vault, timeout_s=60)),
        poke=lambda: None,
        observe=lambda outcome, *_: outcomes.append(outcome),
        max_codes=20,
        storage_timeout_s=5,
    )
    async with listening() as smsc:
        link = Link(settings(smsc.port, name=LINK, **changes), handler)
        running = asyncio.create_task(link.run())
        try:
            yield Bench(house, await smsc.bound(), link, outcomes)
        finally:
            await link.stop(0.2)
            await running


def deliver(
    body: bytes = b"STOP",
    *,
    source: bytes = PERSON.encode(),
    ton: int = 1,
    to: bytes = b"4040",
    esm: int = 0,
    coding: int = 0,
    behind: bytes = b"",
    sequence: int = 1,
) -> bytes:
    """A deliver_sm, written by hand (SMPP 3.4, 4.6.1)."""
    fields = b"\0%c\1%b\0\3\0%b\0%c\0\0\0\0\0\0%c\0%c%b%b" % (
        ton,
        source,
        to,
        esm,
        coding,
        len(body),
        body,
        behind,
    )
    return wire.HEADER.pack(16 + len(fields), wire.DELIVER_SM, 0, sequence) + fields


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(bytes.fromhex(STOP_AND_NUL), id="a NUL behind the text"),
        pytest.param(bytes.fromhex(STOP_AND_CUT), id="a cut parameter"),
        pytest.param(bytes.fromhex(STOP_IN_UCS2_UNDER_0), id="UCS-2 under 0"),
        pytest.param(deliver("СТОП".encode("utf-16-le"), coding=8), id="little endian"),
        pytest.param(deliver(b"STOP", coding=8), id="ASCII under 8"),
        pytest.param(deliver("СТОП".encode(), coding=8), id="UTF-8 under 8"),
        pytest.param(deliver("СТОП".encode("cp1251")), id="windows-1251 under 0"),
        pytest.param(deliver(to=b"+4040"), id="our number with a plus"),
        pytest.param(deliver(to=b"004040"), id="our number with zeros"),
        pytest.param(deliver(source=b"3800501234567"), id="a trunk zero kept"),
        pytest.param(deliver(source=b"80501234567"), id="the old trunk, called international"),
        pytest.param(deliver(source=b"0501234567", ton=2), id="in national form"),
        pytest.param(deliver(esm=0x40), id="a header indicated that is none"),
    ],
)
async def test_a_stop_is_the_persons_however_it_comes(house: House, pdu: bytes) -> None:
    """Of all that asked, one person stands: the one who has the number."""
    house.firm()
    house.campaign()
    async with benched(house, default_region="UA") as bench:
        assert await bench.said(pdu) == statuses.ROK
        assert bench.outcomes == ["accepted"]
        assert bench.asked() == [PERSON]
    assert house.consent(PERSON) == "out"
    assert house.rows("shopper", "key") == [(house.vault.index(PERSON),)]


async def test_a_stop_holds_at_each_firm_of_the_number(house: House) -> None:
    for firm in ("acme", "zeta"):
        house.firm(firm)
        house.campaign(firm)
    async with benched(house, default_region="UA") as bench:
        assert (
            await bench.said(deliver(b"STOP", source=b"3800501234567", to=b"+4040", behind=b"\0"))
            == statuses.ROK
        )
        house.drain()
    assert [house.consent(PERSON, firm) for firm in (1, 2)] == ["out", "out"]


async def test_what_is_ignored_or_refused_is_counted_and_logged_once_a_link(house: House) -> None:
    with structlog.testing.capture_logs() as logged:
        async with benched(house) as bench:
            for sequence in (1, 2, 3):
                assert await bench.said(deliver(b"hello", behind=b"\0", sequence=sequence)) == statuses.ROK
                cut = deliver(sequence=10 + sequence)[16:-2]
                refused = wire.HEADER.pack(16 + len(cut), wire.DELIVER_SM, 0, 10 + sequence) + cut
                assert await bench.said(refused) == statuses.RINVMSGLEN
            assert (bench.link.tally.ignored, bench.link.tally.malformed) == (3, 3)
    odd = [line["what"] for line in logged if line["event"] == "smsc oddity"]
    assert odd == [
        "octets that cannot be read, behind a message's fields or as its header, are ignored",
        "a message that cannot be read is refused: 0x1",
    ]


async def answered(house: House, number: str, smsc_id: str) -> None:
    """An answer that the SMSC has taken and knows by this id."""
    await house.text("HELP", number)
    house.drain()
    queue = house.send_queue()
    (waiting,) = await queue.take(1, 10)
    await queue.file([ended(waiting, smsc_id=smsc_id)._replace(at=int(time.time() * 1000))])
    house.drain()


TLVS: Final = b"\0\x1e\0\x03a1\0\x04\x27\0\x01\x02"


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(deliver(RECEIPT % b"a1", behind=TLVS), id="parameters, esm_class 0"),
        pytest.param(deliver(b"STOP", behind=TLVS), id="the text quoted alone"),
        pytest.param(deliver(RECEIPT % b"a1"), id="its form alone"),
        pytest.param(deliver(b"\0" + RECEIPT % b"a1"), id="its form behind a NUL"),
        pytest.param(deliver(b"\0" + RECEIPT % b"a1", esm=4), id="a NUL before the fields"),
        pytest.param(
            deliver((RECEIPT % b"a1").decode().encode("utf-16-be"), coding=8),
            id="in UCS-2",
        ),
        pytest.param(deliver(RECEIPT % b"a1", esm=4, behind=b"\0"), id="a NUL behind it"),
    ],
)
async def test_a_receipt_is_no_text_of_the_shopper(house: House, pdu: bytes) -> None:
    async with benched(house, default_region="UA") as bench:
        await answered(house, PERSON, "a1")
        assert await bench.said(pdu) == statuses.ROK
        assert bench.outcomes == ["receipt delivered"]
        house.drain()
    assert house.rows("message", "state") == [("delivered",)]
    assert house.consent(PERSON) == ""


async def test_words_of_a_receipt_are_good_for_the_senders_own_answers_alone(house: House) -> None:
    async with benched(house, default_region="UA") as bench:
        await answered(house, ANNA, "a1")
        failed = (RECEIPT % b"a1").replace(b"DELIVRD", b"UNDELIV")
        assert await bench.said(deliver(failed, source=BOHDAN.encode())) == statuses.ROK
        house.drain()
    assert house.rows("message", "state") == [("accepted",)]
    assert house.consent(BOHDAN) == ""


async def test_what_is_for_an_application_gets_no_answer(house: House) -> None:
    push = b"\x06\x05\x04\x0b\x84\x23\xf0" + b"\x01\x06\x03\xbe\xaf\x84"
    card = b"\x06\x05\x04\x23\xf4\x00\x00" + b"BEGIN:VCARD"
    async with benched(house) as bench:
        assert await bench.said(deliver(push, esm=0x40, coding=0xF5)) == statuses.ROK
        assert await bench.said(deliver(card, esm=0x40)) == statuses.ROK
        assert await bench.said(deliver(b"\x06\x05\x04\x30\x39\x00\x00STOP", esm=0x40)) == statuses.ROK
        assert bench.outcomes == ["binary", "binary", "accepted"]
        assert len(bench.asked()) == 1
    assert house.consent(PERSON) == "out"
