"""Anything that a peer may say gets an answer or an announced silence, and the session lives on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from smpp.protocol import codec, statuses, wire
from smpp.protocol.pdus import SubmitResult
from tests.integration.smpp.gateway_side import ANSWER, Recorder, befell, linked
from tests.integration.smpp.raw_smsc import Pdu, RawSmsc, deliver, listening

GOOD = Pdu(wire.DELIVER_SM_RESP, 0, 99, b"\0")


@pytest.fixture
async def raw() -> AsyncIterator[RawSmsc]:
    """An SMSC of octets."""
    async with listening() as smsc:
        yield smsc


@pytest.mark.parametrize(
    ("what", "octets", "answer"),
    [
        (
            "a message without its end",
            wire.HEADER.pack(20, wire.DELIVER_SM, 0, 5) + b"\0\1\x013",
            Pdu(wire.DELIVER_SM_RESP, statuses.RINVCMDLEN, 5, b"\0"),
        ),
        (
            "a data_sm without its end",
            wire.HEADER.pack(20, wire.DATA_SM, 0, 5) + b"\0\1\x013",
            Pdu(wire.DATA_SM_RESP, statuses.RINVCMDLEN, 5, b"\0"),
        ),
        (
            "a command nobody knows",
            wire.HEADER.pack(16, 0x00010203, 0, 6),
            Pdu(codec.GENERIC_NACK, statuses.RINVCMDID, 6, b""),
        ),
        (
            "a request that is not for an ESME",
            wire.HEADER.pack(16, codec.COMMANDS["query_sm"], 0, 7),
            Pdu(codec.COMMANDS["query_sm_resp"], statuses.RINVBNDSTS, 7, b""),
        ),
        ("an enquire_link", codec.encode_enquire_link(8), Pdu(codec.ENQUIRE_LINK_RESP, 0, 8, b"")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_it_is_answered_and_the_session_lives(
    raw: RawSmsc, what: str, octets: bytes, answer: Pdu
) -> None:
    del what
    async with linked(raw.port, Recorder()):
        session = await raw.bound()
        session.write(octets, deliver(99))
        assert [await session.read(), await session.read()] == [answer, GOOD]


@pytest.mark.parametrize(
    ("what", "octets", "counter"),
    [
        ("an answer to nothing", wire.encode_answer(wire.SUBMIT_SM_RESP, 0, 77, "x"), "strays"),
        ("an answer of an unknown kind", wire.HEADER.pack(16, 0x80010203, 0, 1), "strays"),
        ("an enquire_link_resp to nothing", codec.encode_enquire_link_resp(4), "strays"),
        ("an unbind_resp to nothing", codec.encode_unbind_resp(4), "strays"),
        ("an alert_notification", wire.HEADER.pack(20, 0x102, 0, 1) + b"\1\1\x003", "alerts"),
        ("a generic_nack for nothing", wire.HEADER.pack(16, codec.GENERIC_NACK, 3, 55), "nacks"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_it_is_counted_and_not_answered(raw: RawSmsc, what: str, octets: bytes, counter: str) -> None:
    del what
    async with linked(raw.port, Recorder()) as link:
        session = await raw.bound()
        session.write(octets, deliver(99))
        assert await session.read() == GOOD
        assert getattr(link.tally, counter) == 1


async def test_an_outbind_is_answered_by_an_unbind_and_a_new_bind(raw: RawSmsc) -> None:
    recorder = Recorder(answers=False)
    async with linked(raw.port, recorder) as link:
        session = await raw.bound()
        session.write(deliver(1), wire.HEADER.pack(18, codec.OUTBIND, 0, 1) + b"\0\0")
        await recorder.until(lambda: bool(recorder.messages))
        mine, message = recorder.messages[0]
        assert mine.answer(message.sequence, 0)
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0, 1, b"\0")
        unbind = await session.read()
        assert unbind.command == codec.UNBIND
        session.write(codec.encode_unbind_resp(unbind.sequence))
        assert await session.read_end() == b""
        await raw.bound()
        await recorder.until(lambda: link.tally.binds == 2)
        assert link.tally.outbinds == 1
        assert "outbind" in befell(link)


@pytest.mark.parametrize("length", [0, 15, wire.MAX_LENGTH + 1, 0xFFFFFFFF])
async def test_lost_framing_ends_the_session_with_a_word(raw: RawSmsc, length: int) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        session = await raw.bound()
        session.write(deliver(1), wire.HEADER.pack(length, wire.DELIVER_SM, 0, 5), deliver(2))
        assert {await session.read(), await session.read()} == {
            Pdu(wire.DELIVER_SM_RESP, 0, 1, b"\0"),
            Pdu(codec.GENERIC_NACK, statuses.RINVCMDLEN, 5, b""),
        }
        assert await session.read_end() == b""
        again = await raw.bound()
        again.write(deliver(99))
        assert await again.read() == GOOD
        assert str(length) in befell(link)
        assert link.fault == ""  # that is over
        assert len(recorder.bodies) == 2


async def test_pdus_come_in_whatever_pieces(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder):
        session = await raw.bound()
        octets = b"".join(deliver(n, b"%d" % n) for n in range(1, 40))
        for at in range(0, len(octets), 7):
            session.write(octets[at : at + 7])
            await session._writer.drain()
        answers = [await session.read() for _ in range(1, 40)]
        assert [answer.sequence for answer in answers] == list(range(1, 40))
        assert recorder.bodies == [b"%d" % n for n in range(1, 40)]


async def test_a_message_before_the_bind_is_refused(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder):
        session = await raw.session()
        session.write(deliver(1))
        await session.take_bind()
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, statuses.RINVBNDSTS, 1, b"\0")
        assert recorder.messages == []


async def test_a_data_sm_is_a_message(raw: RawSmsc) -> None:
    recorder = Recorder()
    body = b"\0\1\x01380671234567\0\3\x004040\0\0\0\0" + b"\x04\x24\0\x04CODE"
    async with linked(raw.port, recorder):
        session = await raw.bound()
        session.write(wire.HEADER.pack(16 + len(body), wire.DATA_SM, 0, 3) + body)
        assert await session.read() == Pdu(wire.DATA_SM_RESP, 0, 3, b"\0")
        assert recorder.bodies == [b"CODE"]


async def test_a_sequence_number_in_use_is_put_off(raw: RawSmsc) -> None:
    recorder = Recorder(answers=False)
    async with linked(raw.port, recorder, temporary_status=0x14):
        session = await raw.bound()
        session.write(deliver(1, b"first"), deliver(1, b"second"))
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0x14, 1, b"\0")
        assert recorder.bodies == [b"first"]
        mine, message = recorder.messages[0]
        assert mine.answer(message.sequence, 0)
        assert not mine.answer(message.sequence, 0)
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0, 1, b"\0")


async def test_a_generic_nack_is_the_answer_to_a_submit(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        assert link.submit(ANSWER, "token")
        sent = await session.read()
        session.write(wire.encode_header(codec.GENERIC_NACK, statuses.RINVCMDLEN, sent.sequence))
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", SubmitResult(statuses.RINVCMDLEN, ""))]


async def test_what_cannot_be_sent_is_refused_without_the_smsc(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        await raw.bound()
        await recorder.until(lambda: link.free > 0)
        assert link.submit(ANSWER._replace(destination="3" * 30), "token")
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", SubmitResult(statuses.RINVDSTADR, ""))]
        assert link.free == link.settings.window
