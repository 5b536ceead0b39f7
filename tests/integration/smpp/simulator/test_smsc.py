"""The simulated SMSC against smpp34's client, an SMPP stack that nobody here wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import pytest
import smpp34

from smpp.simulator.deliveries import Verdict
from smpp.simulator.smsc import PASSWORD, SYSTEM_ID, Smsc
from tests.integration.smpp.simulator.watching import Recorder

PHONE = "380500000001"
RECEIPTED_MESSAGE_ID, MESSAGE_PAYLOAD, MESSAGE_STATE = 0x001E, 0x0424, 0x0427
LONG_LATIN = "This is a long message of plain Latin letters. " * 6
LONG_CYRILLIC = "Довге повідомлення кирилицею, яке не вміщується в один сегмент. " * 4

Bind = Callable[..., Awaitable[smpp34.Smsc]]


@pytest.fixture
async def bind(operator: Smsc) -> AsyncIterator[Bind]:
    clients: list[smpp34.Client] = []

    async def connect(*, password: str = PASSWORD, bind_type: str = "TRX") -> smpp34.Smsc:
        client = smpp34.Client(
            "127.0.0.1", operator.port, SYSTEM_ID, password, bind_type=bind_type, connect_timeout_ms=1_000
        )
        clients.append(client)
        return await client.connect()

    yield connect
    for client in clients:
        await client.stop()


@pytest.fixture
async def smsc_and_session(operator: Smsc, bind: Bind) -> tuple[Smsc, smpp34.Smsc]:
    return operator, await bind()


async def delivered(session: smpp34.Smsc) -> smpp34.DeliverSmEvent:
    event = await session.next()
    assert isinstance(event, smpp34.DeliverSmEvent)
    return event


async def test_a_text_reaches_the_gateway_and_is_acknowledged(
    operator: Smsc, recorder: Recorder, bind: Bind
) -> None:
    session = await bind()
    operator.text("t1", PHONE, "4040", "1234-567 {ok} €")
    event = await delivered(session)
    await recorder.until(lambda: bool(recorder.verdicts))
    assert (event.source_addr, event.source_addr_ton, event.source_addr_npi) == (PHONE, 1, 1)
    assert (event.destination_addr, event.esm_class, event.data_coding) == ("4040", 0, 0)
    assert event.short_message == b"1234-567 \x1b\x28ok\x1b\x29 \x1be"
    assert recorder.verdicts == [("t1", Verdict.ACKNOWLEDGED, 0)]


@pytest.mark.parametrize(
    ("text", "codec", "form"),
    [
        pytest.param(LONG_LATIN, "ascii", (0, 2, 153), id="GSM-7"),
        pytest.param(LONG_CYRILLIC, "utf-16-be", (8, 4, 134), id="UCS-2"),
    ],
)
async def test_a_long_text_goes_out_in_parts(
    smsc_and_session: tuple[Smsc, smpp34.Smsc], text: str, codec: str, form: tuple[int, int, int]
) -> None:
    smsc, session = smsc_and_session
    coding, parts, limit = form
    smsc.text("t1", PHONE, "4040", text)
    events = sorted([await delivered(session) for _ in range(parts)], key=lambda e: e.short_message[:6])
    headers = [event.short_message[:6] for event in events]
    assert [[*header[:3], *header[4:]] for header in headers] == [
        [5, 0, 3, parts, number] for number in range(1, parts + 1)
    ]
    assert len({header[3] for header in headers}) == 1
    assert {(event.esm_class, event.data_coding) for event in events} == {(0x40, coding)}
    assert max(len(event.short_message) for event in events) <= limit + 6
    assert b"".join(event.short_message[6:] for event in events).decode(codec) == text


async def test_texts_wait_for_a_gateway(operator: Smsc, recorder: Recorder, bind: Bind) -> None:
    for number in range(25):  # more than one window
        operator.text(f"t{number}", PHONE, "4040", f"text {number}")
    assert recorder.sent == []
    session = await bind()
    bodies = {(await delivered(session)).short_message.decode() for _ in range(25)}
    await recorder.until(lambda: len(recorder.verdicts) == 25)
    assert bodies == {f"text {number}" for number in range(25)}


async def test_a_reply_reaches_the_handset_and_its_receipt_the_gateway(
    recorder: Recorder, bind: Bind
) -> None:
    session = await bind()
    answer = await session.submit_sm(
        PHONE, "Зараховано".encode("utf-16-be"), source_addr="4040", data_coding=8, registered_delivery=1
    )
    receipt = await delivered(session)
    assert answer.is_success
    assert answer.message_id
    assert [(r.source, r.destination, r.text, r.segments) for r in recorder.replies] == [
        ("4040", PHONE, "Зараховано", 1)
    ]
    assert (receipt.esm_class, receipt.source_addr, receipt.destination_addr) == (0x04, PHONE, "4040")
    assert receipt.short_message.startswith(f"id:{answer.message_id} sub:001 dlvrd:001 ".encode())
    assert b"stat:DELIVRD err:000" in receipt.short_message
    tlvs = {tlv.tag: tlv.value.rstrip(b"\0") for tlv in receipt.tlvs}
    assert tlvs[RECEIPTED_MESSAGE_ID] == answer.message_id.encode()
    assert tlvs[MESSAGE_STATE] == b"\x02"


@pytest.mark.parametrize(
    ("label", "order"), [("in order", (1, 2, 3)), ("out of order, one twice", (3, 1, 1, 2))]
)
async def test_a_long_reply_is_joined(
    recorder: Recorder, bind: Bind, label: str, order: tuple[int, ...]
) -> None:
    session = await bind()
    body = LONG_LATIN.encode()
    for number in order:
        part = bytes((5, 0, 3, 7, 3, number)) + body[(number - 1) * 100 :][: 100 if number < 3 else None]
        answer = await session.submit_sm(PHONE, part, source_addr="4040", esm_class=0x40)
        assert answer.is_success, label
    assert [(r.text, r.segments) for r in recorder.replies] == [(LONG_LATIN, 3)], label


async def test_a_reply_in_a_payload_counts_its_segments(recorder: Recorder, bind: Bind) -> None:
    session = await bind()
    payload = smpp34.Tlv(MESSAGE_PAYLOAD, LONG_LATIN.encode())
    assert (await session.submit_sm(PHONE, source_addr="4040", tlvs=[payload])).is_success
    assert [(r.text, r.segments) for r in recorder.replies] == [(LONG_LATIN, 2)]


async def test_every_message_has_an_id_of_its_own(bind: Bind) -> None:
    session = await bind()
    ids = [
        cast("str", (await session.submit_sm(PHONE, b"hi", source_addr="4040")).message_id) for _ in range(20)
    ]
    assert len(set(ids)) == 20


async def test_a_receiver_and_a_transmitter_share_the_work(
    operator: Smsc, recorder: Recorder, bind: Bind
) -> None:
    receiver = await bind(bind_type="RX")
    transmitter = await bind(bind_type="TX")
    await recorder.until(lambda: recorder.bound[-1:] == [2])
    operator.text("t1", PHONE, "4040", "hello")
    assert (await delivered(receiver)).short_message == b"hello"
    answer = await transmitter.submit_sm(PHONE, b"hi", source_addr="4040", registered_delivery=1)
    assert answer.is_success
    assert (await delivered(receiver)).esm_class == 0x04


async def test_a_wrong_password_is_refused(operator: Smsc, bind: Bind) -> None:
    with pytest.raises(smpp34.SmppError):
        await bind(password="wrong")
    assert operator.gateways == 0


async def test_unbinding_is_agreed_to(operator: Smsc, recorder: Recorder, bind: Bind) -> None:
    session = await bind()
    await session.unbind()
    await recorder.until(lambda: recorder.bound[-1:] == [0])
    assert operator.gateways == 0


async def test_stopping_unbinds_the_gateway(operator: Smsc, bind: Bind) -> None:
    session = await bind()
    await operator.stop(2.0)
    assert isinstance(await session.next(), smpp34.Disconnected)
