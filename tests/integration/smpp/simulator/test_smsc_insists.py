"""What the simulated SMSC does with a gateway that says "later", says nothing, or talks nonsense."""

from __future__ import annotations

import pytest

from smpp.simulator.deliveries import Verdict
from smpp.simulator.smsc import Smsc
from tests.integration.smpp.simulator.watching import HEADER, RawGateway, Recorder

PHONE = "380500000001"


@pytest.mark.parametrize("status", [0x08, 0x14, 0x58, 0x64])
async def test_a_temporary_status_brings_the_text_again(
    operator: Smsc, recorder: Recorder, status: int
) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    operator.text("t1", PHONE, "4040", "hello")
    bodies = []
    for answer in (status, status, 0):
        sequence, body = await gateway.read_deliver()
        bodies.append(body)
        gateway.write(0x80000005, answer, sequence, b"\0")
    await recorder.until(lambda: len(recorder.verdicts) == 3)
    assert len(set(bodies)) == 1
    assert recorder.sent == [("t1", 1), ("t1", 2), ("t1", 3)]
    assert recorder.verdicts == [
        ("t1", Verdict.RETRYING, status),
        ("t1", Verdict.RETRYING, status),
        ("t1", Verdict.ACKNOWLEDGED, 0),
    ]
    gateway.close()


async def test_texts_go_out_in_order_and_within_the_window(operator: Smsc) -> None:
    for number in range(12):
        operator.text(f"t{number}", PHONE, "4040", f"text {number:02}")
    gateway, _ = await RawGateway.bind(operator.port)
    first = [await gateway.read_deliver() for _ in range(10)]
    gateway.write(0x15, 0, 7)
    assert (await gateway.read())[0] == 0x80000015  # and no eleventh before an answer
    for sequence, _ in first:
        gateway.write(0x80000005, 0, sequence, b"\0")
    bodies = [body for _, body in first] + [(await gateway.read_deliver())[1] for _ in range(2)]
    assert [body[-7:] for body in bodies] == [b"text %02d" % number for number in range(12)]
    gateway.close()


async def test_only_the_refused_part_of_a_long_text_comes_again(operator: Smsc, recorder: Recorder) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    operator.text("t1", PHONE, "4040", "x" * 200)
    first, body = await gateway.read_deliver()
    second, _ = await gateway.read_deliver()
    gateway.write(0x80000005, 0, second, b"\0")
    gateway.write(0x80000005, 0x64, first, b"\0")
    again, body_again = await gateway.read_deliver()
    gateway.write(0x80000005, 0, again, b"\0")
    await recorder.until(lambda: len(recorder.verdicts) == 2)
    assert body_again == body
    assert [verdict for _, verdict, _ in recorder.verdicts] == [Verdict.RETRYING, Verdict.ACKNOWLEDGED]
    gateway.close()


async def test_a_permanent_status_ends_it(operator: Smsc, recorder: Recorder) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    operator.text("t1", PHONE, "4040", "x" * 200)
    for answer in (0x65, 0):
        sequence, _ = await gateway.read_deliver()
        gateway.write(0x80000005, answer, sequence, b"\0")
    operator.text("t2", PHONE, "4040", "next")
    sequence, _ = await gateway.read_deliver()
    gateway.write(0x80000005, 0, sequence, b"\0")
    await recorder.until(lambda: len(recorder.verdicts) == 2)
    assert recorder.verdicts == [("t1", Verdict.REFUSED, 0x65), ("t2", Verdict.ACKNOWLEDGED, 0)]
    gateway.close()


async def test_no_answer_brings_it_again(operator: Smsc, recorder: Recorder) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    operator.text("t1", PHONE, "4040", "hello")
    await gateway.read_deliver()
    sequence, _ = await gateway.read_deliver()
    gateway.write(0x80000005, 0, sequence, b"\0")
    await recorder.until(lambda: len(recorder.verdicts) == 2)
    assert recorder.sent == [("t1", 1), ("t1", 2)]
    assert recorder.verdicts[-1] == ("t1", Verdict.ACKNOWLEDGED, 0)
    gateway.close()


async def test_a_text_in_flight_goes_to_the_next_bind(operator: Smsc, recorder: Recorder) -> None:
    lost, _ = await RawGateway.bind(operator.port)
    operator.text("t1", PHONE, "4040", "hello")
    await lost.read_deliver()
    lost.close()
    await recorder.until(lambda: recorder.bound[-1:] == [0])
    gateway, _ = await RawGateway.bind(operator.port)
    sequence, _ = await gateway.read_deliver()
    gateway.write(0x80000005, 0, sequence, b"\0")
    await recorder.until(lambda: len(recorder.verdicts) == 2)
    assert recorder.verdicts == [("t1", Verdict.RETRYING, 0), ("t1", Verdict.ACKNOWLEDGED, 0)]
    gateway.close()


async def test_a_gateway_that_falls_silent_is_asked_and_let_go(operator: Smsc, recorder: Recorder) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    command, _, _, _ = await gateway.read()
    assert command == 0x15  # enquire_link
    assert await gateway.ended()
    await recorder.until(lambda: recorder.bound[-1:] == [0])


async def test_enquire_link_is_answered(operator: Smsc) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    gateway.write(0x15, 0, 42)
    assert await gateway.read() == (0x80000015, 0, 42, b"")
    gateway.close()


@pytest.mark.parametrize(
    ("label", "octets"),
    [
        ("a length below the header's", HEADER.pack(12, 9, 0, 1)),
        ("a length beyond all bounds", HEADER.pack(10_000_000, 9, 0, 1)),
    ],
)
async def test_lost_framing_ends_the_session_with_a_nack(operator: Smsc, label: str, octets: bytes) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    gateway.writer.write(octets)
    command, status, _, _ = await gateway.read()
    assert (command, status) == (0x80000000, 2), label
    assert await gateway.ended(), label


async def test_an_unknown_request_is_nacked_and_the_session_lives_on(operator: Smsc) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    gateway.write(0x00000777, 0, 5)
    assert await gateway.read() == (0x80000000, 3, 5, b"")
    gateway.write(0x15, 0, 6)
    assert await gateway.read() == (0x80000015, 0, 6, b"")
    gateway.close()


async def test_a_garbled_submit_is_refused_and_the_session_lives_on(
    operator: Smsc, recorder: Recorder
) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    gateway.write(4, 0, 5, b"\xff\xff\xff")
    command, status, sequence, _ = await gateway.read()
    assert (command, sequence) == (0x80000004, 5)
    assert status != 0
    gateway.write(0x15, 0, 6)
    assert (await gateway.read())[0] == 0x80000015
    assert recorder.replies == []
    gateway.close()


async def test_a_receiver_may_not_submit(operator: Smsc) -> None:
    gateway, _ = await RawGateway.bind(operator.port, command=1)
    gateway.write(4, 0, 5, b"\0" * 20)
    assert (await gateway.read())[:3] == (0x80000004, 4, 5)
    gateway.close()


async def test_a_refused_bind_ends_the_session(operator: Smsc) -> None:
    gateway, status = await RawGateway.bind(operator.port, password="wrong")
    assert status == 0x0E
    assert await gateway.ended()


async def test_a_second_bind_on_one_session_is_refused(operator: Smsc) -> None:
    gateway, _ = await RawGateway.bind(operator.port)
    gateway.write(9, 0, 2, b"undercap\0demo\0\0\x34\0\0\0")
    command, status, _, _ = await gateway.read()
    assert (command, status) == (0x80000009, 5)
    gateway.close()
