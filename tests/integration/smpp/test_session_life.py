"""Binds, silences, back-pressure, stops: the life of a session, against an SMSC that the test writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from smpp.link.link import LinkState
from smpp.protocol import codec, statuses, wire
from smpp.protocol.pdus import SubmitResult
from tests.integration.smpp.gateway_side import ANSWER, Recorder, befell, linked
from tests.integration.smpp.raw_smsc import Pdu, RawSmsc, deliver, listening


@pytest.fixture
async def raw() -> AsyncIterator[RawSmsc]:
    """An SMSC of octets."""
    async with listening() as smsc:
        yield smsc


async def test_a_peer_that_falls_silent_is_asked_then_left(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, enquire_link_s=0.1, enquire_link_timeout_s=0.1) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        assert link.submit(ANSWER, "token")
        assert (await session.read_until(codec.ENQUIRE_LINK))[-1].body == b""
        await session.read_end()
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", None)]
        assert "enquire_link" in link.fault
        await raw.bound()
        await recorder.until(lambda: link.tally.binds == 2)


async def test_a_peer_that_answers_enquire_link_is_kept(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, enquire_link_s=0.05, enquire_link_timeout_s=5) as link:
        session = await raw.bound()
        for _ in range(3):
            asked = (await session.read_until(codec.ENQUIRE_LINK))[-1]
            session.write(codec.encode_enquire_link_resp(asked.sequence))
        assert link.tally.losses == 0


async def test_a_pdu_that_never_ends_is_no_sign_of_life(raw: RawSmsc) -> None:
    """What comes behind it is taken for its body: the session is deaf, however much is said."""
    recorder = Recorder()
    async with linked(raw.port, recorder, enquire_link_s=0.1, enquire_link_timeout_s=0.1) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        session.write(wire.HEADER.pack(wire.MAX_LENGTH, wire.DELIVER_SM, 0, 7))

        async def talk() -> None:
            while True:
                session.write(b"\0")
                await asyncio.sleep(0.01)

        talking = asyncio.create_task(talk())
        await session.read_end()
        talking.cancel()
        assert "enquire_link" in link.fault


async def test_a_refused_bind_is_tried_again_and_told(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        session = await raw.session()
        asked = await session.read()
        session.write(codec.encode_bind_resp(codec.BindKind.TRANSCEIVER, 0x0E, asked.sequence, ""))
        assert await session.read_end() == b""
        await raw.session()
        assert "Invalid Password" in link.fault
        assert "secret" not in link.fault
        assert LinkState.BOUND not in recorder.states


async def test_a_bind_without_an_answer_is_given_up(raw: RawSmsc) -> None:
    async with linked(raw.port, Recorder(), bind_timeout_s=0.1) as link:
        session = await raw.session()
        assert (await session.read()).command == codec.BindKind.TRANSCEIVER.command
        assert await session.read_end() == b""
        await raw.session()
        assert "no answer to the bind" in link.fault


async def test_an_smsc_that_is_away_is_waited_for(raw: RawSmsc, unused_tcp_port: int) -> None:
    del raw
    recorder = Recorder()
    async with linked(unused_tcp_port, recorder) as link:
        await recorder.until(lambda: recorder.states.count(LinkState.DOWN) >= 2)
        assert "cannot connect" in link.fault
        assert not link.submit(ANSWER, "token")


async def test_a_submit_without_an_answer_is_unknown_and_its_late_answer_a_stray(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, response_timeout_s=0.1, window=2) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free == 2)
        assert [link.submit(ANSWER, n) for n in range(3)] == [True, True, False]
        first, second = await session.read(), await session.read()
        await recorder.until(lambda: len(recorder.results) == 2)
        assert recorder.results == [(0, None), (1, None)]
        assert link.free == 2
        session.reply(first, message_id="late")
        session.reply(second, message_id="late")
        session.write(deliver(1))
        await recorder.until(lambda: bool(recorder.messages))
        assert (link.tally.timeouts, link.tally.strays, len(recorder.results)) == (2, 2, 2)


async def test_answers_in_any_order_find_their_submits(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        assert all(link.submit(ANSWER, n) for n in range(20))
        sent = [await session.read() for _ in range(20)]
        for pdu in reversed(sent):
            session.reply(pdu, message_id=f"m{pdu.sequence}")
        await recorder.until(lambda: len(recorder.results) == 20)
        assert recorder.results == [(n, SubmitResult(0, f"m{sent[n].sequence}")) for n in reversed(range(20))]


async def test_reading_pauses_while_too_many_wait_for_their_answer(raw: RawSmsc) -> None:
    recorder = Recorder(answers=False)
    async with linked(raw.port, recorder, max_unanswered=10) as link:
        session = await raw.bound()
        session.write(*(deliver(n) for n in range(1, 11)))
        await recorder.until(lambda: len(recorder.messages) == 10)
        assert link.tally.paused == 1
        session.write(*(deliver(n) for n in range(11, 21)))
        await session._writer.drain()
        for _ in range(100):  # turns of the loop in which a reader would have read
            await asyncio.sleep(0)
        assert len(recorder.messages) == 10
        for mine, message in recorder.messages[:5]:
            mine.answer(message.sequence, 0)
        await recorder.until(lambda: len(recorder.messages) == 20)
        assert [(await session.read()).sequence for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_after_a_rest_the_session_goes_on_as_before(raw: RawSmsc) -> None:
    """The claim path is slow: queues end where they are bounded, and everything is heard afterwards."""
    recorder = Recorder(answers=False)
    most, flood = 50, 20_000
    async with linked(raw.port, recorder, max_unanswered=most) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        session.write(*(deliver(n) for n in range(1, flood + 1)), codec.encode_enquire_link(flood + 1))
        await recorder.until(lambda: link.tally.load().resting == 1)
        for _ in range(100):  # turns of the loop in which a reader would have read
            await asyncio.sleep(0)
        load = link.tally.load()
        one_read = 256 * 1024 // len(deliver(1)) + 1  # what asyncio asks the socket for
        assert most <= load.unanswered == len(recorder.messages) <= most + one_read < flood
        assert link.submit(ANSWER, "in flight")
        assert link.tally.load().in_flight == 1
        answered = 0
        while answered < flood:
            await recorder.until(partial(recorder.more_than, answered))
            assert link.tally.load().unanswered <= most + one_read
            for mine, message in recorder.messages[answered:]:
                assert mine.answer(message.sequence, 0)
                answered += 1
        heard = [await session.read() for _ in range(flood + 2)]
        answers = [pdu.sequence for pdu in heard if pdu.command == wire.DELIVER_SM_RESP]
        assert answers == [*range(1, flood + 1)]
        assert Pdu(codec.ENQUIRE_LINK_RESP, 0, flood + 1, b"") in heard
        session.reply(next(pdu for pdu in heard if pdu.command == wire.SUBMIT_SM), message_id="m1")
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("in flight", SubmitResult(0, "m1"))]
        assert link.tally.load() == (0, 0, link.settings.window, 0, 0)
    assert link.tally.load() == (0, 0, 0, 0, 0)


async def test_the_smscs_unbind_waits_for_the_answers_that_are_owed(raw: RawSmsc) -> None:
    recorder = Recorder(answers=False)
    async with linked(raw.port, recorder) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        assert link.submit(ANSWER, "token")
        sent = await session.read()
        session.write(deliver(1), codec.encode_unbind(70), deliver(2))
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0x64, 2, b"\0")
        assert not link.submit(ANSWER, "too late")
        mine, message = recorder.messages[0]
        assert mine.answer(message.sequence, 0)
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0, 1, b"\0")
        session.reply(sent, message_id="m1")
        assert await session.read() == Pdu(codec.UNBIND_RESP, 0, 70, b"")
        assert await session.read_end() == b""
        assert recorder.results == [("token", SubmitResult(0, "m1"))]
        await raw.bound()
        await recorder.until(lambda: link.tally.binds == 2)
        assert "unbound" in befell(link)


async def test_a_stop_finishes_what_is_in_flight_and_unbinds(raw: RawSmsc) -> None:
    recorder = Recorder(answers=False)
    async with linked(raw.port, recorder, temporary_status=0x14) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        session.write(deliver(1))
        await recorder.until(lambda: bool(recorder.messages))
        assert link.submit(ANSWER, "token")
        sent = await session.read()
        stopping = asyncio.create_task(link.stop(10))
        await recorder.until(lambda: LinkState.STOPPING in recorder.states)
        session.write(deliver(2))
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0x14, 2, b"\0")
        assert not link.submit(ANSWER, "too late")
        mine, message = recorder.messages[0]
        mine.answer(message.sequence, 0)
        session.reply(sent, message_id="m1")
        assert await session.read() == Pdu(wire.DELIVER_SM_RESP, 0, 1, b"\0")
        unbind = await session.read()
        assert unbind.command == codec.UNBIND
        session.write(codec.encode_unbind_resp(unbind.sequence))
        assert await session.read_end() == b""
        await stopping
        assert recorder.results == [("token", SubmitResult(0, "m1"))]
        await recorder.until(lambda: recorder.states[-1] is LinkState.STOPPED)


async def test_a_stop_keeps_its_deadline_whatever_the_smsc_does(raw: RawSmsc) -> None:
    recorder = Recorder(answers=False)
    async with linked(raw.port, recorder, bind_timeout_s=0.2) as link:
        session = await raw.bound()
        session.write(deliver(1))
        await recorder.until(lambda: bool(recorder.messages) and link.free > 0)
        assert link.submit(ANSWER, "token")
        begun = time.monotonic()
        await link.stop(0.5)
        assert 0.4 <= time.monotonic() - begun < 2.0
        assert [pdu.command for pdu in (await session.read(), await session.read())] == [
            wire.SUBMIT_SM,
            codec.UNBIND,
        ]
        assert recorder.results == [("token", None)]


async def test_a_stop_while_connecting_ends_at_once() -> None:
    recorder = Recorder()
    # A documentation address (RFC 5737): nobody answers, nobody refuses.
    async with linked(2775, recorder, host="192.0.2.1", bind_timeout_s=60) as link:
        await recorder.until(lambda: bool(recorder.states))
        begun = time.monotonic()
        await link.stop(5)
        assert time.monotonic() - begun < 2.0


async def test_an_smsc_that_has_lost_the_bind_is_bound_to_anew(raw: RawSmsc) -> None:
    """It keeps the connection and answers enquire_link, so nothing else would tell."""
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.tally.binds == 1)
        assert link.submit(ANSWER, "token")
        session.reply((await session.read_until(wire.SUBMIT_SM))[-1], statuses.RINVBNDSTS)
        session.reply((await session.read_until(codec.UNBIND))[-1])
        session = await raw.bound()
        await recorder.until(lambda: link.tally.binds == 2)
        assert befell(link) == "transceiver: the SMSC has lost the bind"
        assert link.submit(ANSWER, "again")
        session.reply((await session.read_until(wire.SUBMIT_SM))[-1], message_id="7")
        await recorder.until(lambda: len(recorder.results) == 2)
    assert recorder.results == [
        ("token", SubmitResult(statuses.RINVBNDSTS, "")),
        ("again", SubmitResult(0, "7")),
    ]


async def test_a_throttling_answer_holds_the_link(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, throttle_wait_s=0.3) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        link.submit(ANSWER, "token")
        begun = time.monotonic()
        session.reply(await session.read(), status=statuses.RTHROTTLED)
        await recorder.until(lambda: bool(recorder.results))
        ready = recorder.ready
        assert (link.free, link.submit(ANSWER, "again")) == (0, False)
        await recorder.until(lambda: recorder.ready > ready)
        assert time.monotonic() - begun >= 0.25
        assert link.submit(ANSWER, "again")


async def test_a_pair_of_binds_is_one_link(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, bind="receiver+transmitter") as link:
        by_command = {}
        for _ in range(2):
            session = await raw.session()
            asked = await session.take_bind()
            by_command[asked.command] = session
        receiver = by_command[codec.BindKind.RECEIVER.command]
        transmitter = by_command[codec.BindKind.TRANSMITTER.command]
        await recorder.until(lambda: link.state is LinkState.BOUND)
        assert LinkState.PARTIAL in recorder.states
        assert link.submit(ANSWER, "token")
        transmitter.reply(await transmitter.read(), message_id="m1")
        receiver.write(deliver(1))
        assert await receiver.read() == Pdu(wire.DELIVER_SM_RESP, 0, 1, b"\0")
        transmitter.write(deliver(2))
        assert await transmitter.read() == Pdu(wire.DELIVER_SM_RESP, statuses.RINVBNDSTS, 2, b"\0")
        await recorder.until(lambda: bool(recorder.results))
        receiver.close()
        await recorder.until(lambda: link.state is LinkState.PARTIAL)
        assert link.free > 0


async def test_an_inactive_session_is_bound_anew(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, inactivity_s=0.2, bind_timeout_s=1) as link:
        session = await raw.bound()
        unbind = (await session.read_until(codec.UNBIND))[-1]
        session.write(codec.encode_unbind_resp(unbind.sequence))
        await raw.bound()
        await recorder.until(lambda: link.tally.binds == 2)
        assert "inactive" in befell(link)
