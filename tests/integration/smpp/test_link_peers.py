"""A link with SMSCs that nobody here wrote: smpp34's server, node's and Debian's Net::SMPP."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from smpp.link.link import LinkState
from smpp.protocol import concatenation
from smpp.protocol.pdus import DeliverSm, Part, SubmitResult
from smpp.protocol.receipts import Receipt, ReceiptState, read_receipt
from tests.integration.smpp.gateway_side import ANSWER, Recorder, linked
from tests.peers.smsc import Behaviour, Delivery, SmscPeer

CODE = Delivery(source="380671234567", destination="4040", body=b"CODE 12")


async def behaves(smsc: SmscPeer, behaviour: Behaviour) -> None:
    """Tell the SMSC how to behave; the text behind it comes back only after it has heard."""
    smsc.behave(behaviour)
    assert await smsc.deliver(CODE) == 0


async def test_a_text_comes_in_and_an_answer_goes_out(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder) as link:
        await smsc.wait_bound()
        assert await smsc.deliver(CODE) == 0
        ((_, message),) = recorder.messages
        assert message == DeliverSm(message.sequence, "380671234567", 1, 1, "4040", 0, 0, b"CODE 12")
        assert link.submit(ANSWER, "token")
        (submitted,) = await smsc.wait_submitted(lambda all_: len(all_) == 1)
        assert (submitted.source, submitted.destination, submitted.body) == (
            "4040",
            "380671234567",
            b"thank you",
        )
        assert submitted.registered_delivery == 1
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", SubmitResult(0, submitted.message_id))]


async def test_many_at_once_are_all_answered_and_all_accepted(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder, window=50) as link:
        await smsc.wait_bound()
        statuses = await asyncio.gather(*(smsc.deliver(CODE) for _ in range(300)))
        assert statuses == [0] * 300
        for token in range(300):
            await recorder.until(partial(link.submit, ANSWER, token))
        await recorder.until(lambda: len(recorder.results) == 300)
        assert {token for token, _ in recorder.results} == set(range(300))
        assert {result.status for _, result in recorder.results if result} == {0}


async def test_a_stop_unbinds(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder) as link:
        await smsc.wait_bound()
        await recorder.until(lambda: link.state is LinkState.BOUND)
        await link.stop(5)
        assert "unbound" in link.fault
        await smsc._until(lambda: not smsc.bound, 10, "the SMSC saw no unbind")


async def test_the_smscs_unbind_is_answered_and_the_link_binds_anew(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder) as link:
        await smsc.wait_bound()
        await recorder.until(lambda: link.tally.binds == 1)
        await smsc.unbind()
        await recorder.until(lambda: link.tally.binds == 2)
        await smsc.wait_bound()
        assert await smsc.deliver(CODE) == 0


async def test_an_smsc_that_dies_in_mid_traffic_is_found_again(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder) as link:
        await smsc.wait_bound()
        await behaves(smsc, Behaviour(no_answer=True))
        await recorder.until(lambda: link.free > 0)
        assert all(link.submit(ANSWER, n) for n in range(10))
        await smsc.wait_submitted(lambda all_: len(all_) == 10)
        smsc.behave(Behaviour())

        async def seen_down() -> None:
            await recorder.until(lambda: len(recorder.results) == 10)

        await smsc.restart(seen_down)
        assert recorder.results == [(n, None) for n in range(10)]
        await smsc.wait_bound()
        await recorder.until(lambda: link.free > 0)
        assert await smsc.deliver(CODE) == 0
        assert link.submit(ANSWER, "after")
        await recorder.until(lambda: len(recorder.results) == 11)
        token, result = recorder.results[-1]
        assert (token, result is not None and result.status) == ("after", 0)


async def test_throttling_is_answered_by_waiting(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder, throttle_wait_s=0.2) as link:
        await smsc.wait_bound()
        await behaves(smsc, Behaviour(throttle_next=1))
        await recorder.until(partial(link.submit, ANSWER, "token"))
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", SubmitResult(0x58, ""))]
        await recorder.until(partial(link.submit, ANSWER, "again"))
        await recorder.until(lambda: len(recorder.results) == 2)
        refused, accepted = await smsc.wait_submitted(lambda all_: len(all_) == 2)
        assert accepted.at - refused.at >= 0.15
        assert recorder.results[1] == ("again", SubmitResult(0, accepted.message_id))


async def test_answers_out_of_order_find_their_submits(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder) as link:
        await smsc.wait_bound()
        await behaves(smsc, Behaviour(out_of_order=True))
        await recorder.until(lambda: link.free >= 10)
        for n in range(10):
            assert link.submit(ANSWER._replace(destination=f"38067000000{n}"), f"38067000000{n}")
        journal = await smsc.wait_submitted(lambda all_: len(all_) == 10)
        await recorder.until(lambda: len(recorder.results) == 10)
        assert dict(recorder.results) == {s.destination: SubmitResult(0, s.message_id) for s in journal}


async def test_an_answer_that_never_comes_is_unknown(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder, response_timeout_s=0.2) as link:
        await smsc.wait_bound()
        await behaves(smsc, Behaviour(no_answer=True))
        await recorder.until(partial(link.submit, ANSWER, "token"))
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", None)]
        assert link.state is LinkState.BOUND


@pytest.mark.parametrize("wide", [False, True], ids=["8-bit", "16-bit"])
async def test_a_part_is_told_by_its_header(smsc: SmscPeer, wide: bool) -> None:
    recorder = Recorder()
    part = Part(0x1FE if wide else 0xFE, 3, 2)
    body = concatenation.header(part, wide=wide) + b"CODE"
    async with linked(smsc.port, recorder):
        await smsc.wait_bound()
        sent = Delivery(source=CODE.source, destination="4040", body=body, esm_class=0x40)
        assert await smsc.deliver(sent) == 0
        ((_, message),) = recorder.messages
        assert (message.part, message.body) == (part, b"CODE")


async def test_a_part_is_told_by_its_parameters(smsc: SmscPeer) -> None:
    recorder = Recorder()
    tlvs = ((0x020C, b"\x01\xfe"), (0x020E, b"\x03"), (0x020F, b"\x02"))
    async with linked(smsc.port, recorder):
        await smsc.wait_bound()
        sent = Delivery(source=CODE.source, destination="4040", body=b"CODE", tlvs=tlvs)
        assert await smsc.deliver(sent) == 0
        ((_, message),) = recorder.messages
        assert (message.part, message.body) == (Part(0x1FE, 3, 2), b"CODE")


async def test_a_payload_among_other_parameters_is_read(smsc: SmscPeer) -> None:
    recorder = Recorder()
    tlvs = ((0x0204, b"\0\7"), (0x0424, "Код 12".encode("utf-16-be")))
    async with linked(smsc.port, recorder):
        await smsc.wait_bound()
        sent = Delivery(source=CODE.source, destination="4040", body=b"", data_coding=8, tlvs=tlvs)
        assert await smsc.deliver(sent) == 0
        assert recorder.bodies == ["Код 12".encode("utf-16-be")]


async def test_a_long_body_leaves_as_payload(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder) as link:
        await smsc.wait_bound()
        await recorder.until(lambda: link.submit(ANSWER._replace(body=b"x" * 300), "token"))
        (submitted,) = await smsc.wait_submitted(lambda all_: len(all_) == 1)
        assert submitted.body == b"x" * 300


async def test_a_receipt_is_told_from_a_text(smsc: SmscPeer) -> None:
    recorder = Recorder()
    body = b"id:a1 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:"
    tlvs = ((0x001E, b"a1\0"), (0x0427, b"\x02"))
    async with linked(smsc.port, recorder):
        await smsc.wait_bound()
        sent = Delivery(source=CODE.source, destination="4040", body=body, esm_class=0x04, tlvs=tlvs)
        assert await smsc.deliver(sent) == 0
        ((_, message),) = recorder.messages
        assert message.receipt
        assert read_receipt(message) == Receipt("a1", ReceiptState.DELIVRD, "")


async def test_a_pair_of_binds_carries_both_ways(smsc: SmscPeer) -> None:
    recorder = Recorder()
    async with linked(smsc.port, recorder, bind="receiver+transmitter") as link:
        await recorder.until(lambda: link.state is LinkState.BOUND)
        await smsc.wait_bound()
        delivery = asyncio.create_task(smsc.deliver(CODE))
        await recorder.until(lambda: bool(recorder.messages))
        if smsc.program.name.startswith("smpp34"):
            delivery.cancel()  # its server (1.5.0) hears no deliver_sm_resp on a receiver's bind
        else:
            assert await delivery == 0
        assert link.submit(ANSWER, "token")
        (submitted,) = await smsc.wait_submitted(lambda all_: len(all_) == 1)
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", SubmitResult(0, submitted.message_id))]
