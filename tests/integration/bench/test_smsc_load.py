"""The load generator notices what an ESME does wrong, and outlives one that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.bench import wire
from tests.bench.journal import Figures, Journal, Mo
from tests.bench.load_run import FreedBy, Traffic
from tests.bench.load_texts import activations
from tests.bench.smsc_load import LoadSmsc

TEXTS = activations([f"code{i}" for i in range(12)])
Answer = Callable[[int, bytes], list[bytes]]  # (how many texts came before, the deliver_sm) -> PDUs


def response(pdu: bytes, status: int = wire.ROK) -> bytes:
    """The answer to a `deliver_sm`."""
    return wire.pdu(wire.RESPONSE | wire.DELIVER_SM, status, int.from_bytes(pdu[12:16]), b"\0")


def reply(pdu: bytes) -> bytes:
    """A `submit_sm` to whoever sent this `deliver_sm`."""
    sender = pdu[19 : pdu.index(0, 19)]
    head = b"\0\3\0" + b"4040\0" + b"\1\1" + sender + b"\0"
    return wire.pdu(wire.SUBMIT_SM, 0, 1, head + b"\0\0\0\0\0\1\0\0\0\2ok")


def is_receipt(pdu: bytes) -> bool:
    """Whether esm_class, behind both addresses, names a delivery receipt."""
    destination = pdu.index(0, 19) + 3
    return pdu[pdu.index(0, destination) + 1] == wire.ESM_RECEIPT


@asynccontextmanager
async def esme(port: int, answer: Answer) -> AsyncIterator[asyncio.Task[int]]:
    """An ESME that answers as told; the task's result is how many texts it has seen at its end."""
    task = asyncio.create_task(_serve(port, answer))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _serve(port: int, answer: Answer) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(wire.pdu(wire.BIND_TRANSCEIVER, 0, 1, b"id\0pw\0\0\x34\0\0\0"))
    seen = 0
    try:
        while True:
            head = await reader.readexactly(16)
            pdu = head + await reader.readexactly(int.from_bytes(head[:4]) - 16)
            if int.from_bytes(pdu[4:8]) != wire.DELIVER_SM:
                continue
            for part in [response(pdu)] if is_receipt(pdu) else answer(seen, pdu):
                writer.write(part)
            seen += not is_receipt(pdu)
    except (asyncio.IncompleteReadError, StopIteration):
        return seen
    finally:
        writer.close()


def good(_: int, pdu: bytes) -> list[bytes]:
    return [response(pdu), reply(pdu)]


def silent_at_5(seen: int, pdu: bytes) -> list[bytes]:
    return [response(pdu)] if seen == 5 else good(seen, pdu)


def twice_at_5(seen: int, pdu: bytes) -> list[bytes]:
    return [*good(seen, pdu), reply(pdu)] if seen == 5 else good(seen, pdu)


def busy_at_first(seen: int, pdu: bytes) -> list[bytes]:
    return [response(pdu, 0x58)] if seen < 3 else good(seen, pdu)


def refuses_at_5(seen: int, pdu: bytes) -> list[bytes]:
    return [response(pdu, 0x0B)] if seen == 5 else good(seen, pdu)


CASES = {
    "all is well": (good, {"lost": 0, "doubled": 0, "refused": 0, "resent": 0}),
    "a confirmation is missing": (silent_at_5, {"lost": 1, "doubled": 0}),
    "a confirmation comes twice": (twice_at_5, {"lost": 0, "doubled": 1}),
    "for now refused": (busy_at_first, {"lost": 0, "doubled": 0, "refused": 3, "resent": 3}),
    "refused for good": (refuses_at_5, {"lost": 1, "refused": 1, "resent": 0}),
}


async def pushed(answer: Answer, *, window: int = 4, freed_by: FreedBy, receipts: bool = False) -> Figures:
    smsc = LoadSmsc()
    port = await smsc.start()
    traffic = Traffic(
        messages=TEXTS, destination=b"4040", window=window, freed_by=freed_by, receipts=receipts
    )
    async with esme(port, answer):
        journal = await smsc.run(traffic, quiet_s=1.0)
    await smsc.stop()
    return journal.figures()


@pytest.mark.parametrize("freed_by", FreedBy)
@pytest.mark.parametrize("case", CASES)
async def test_what_went_wrong_is_counted(case: str, freed_by: FreedBy) -> None:
    answer, expected = CASES[case]
    # In a closed loop a lost confirmation keeps its slot: the window must be wider than the losses.
    figures = await pushed(answer, freed_by=freed_by)
    assert expected == {name: getattr(figures, name) for name in expected}


async def test_each_confirmation_gets_its_receipt_when_asked() -> None:
    figures = await pushed(good, freed_by=FreedBy.RESPONSE, receipts=True)
    assert figures.receipts == len(TEXTS)


async def test_a_new_bind_gets_what_the_old_one_did_not_acknowledge() -> None:
    smsc = LoadSmsc()
    port = await smsc.start()
    traffic = Traffic(messages=TEXTS, destination=b"4040", window=4)

    def dies_at_5(seen: int, pdu: bytes) -> list[bytes]:
        if seen == 5:
            raise StopIteration
        return good(seen, pdu)

    async with esme(port, dies_at_5) as first:
        await smsc.wait_bound()
        journal = smsc.begin(traffic)
        assert await first == 5
    async with esme(port, good):
        assert await smsc.finished(quiet_s=1.0)
    figures = journal.figures()
    assert (figures.lost, figures.doubled) == (0, 0)
    assert 1 <= figures.resent <= traffic.window
    await smsc.stop()


def test_texts_are_a_third_cyrillic_and_no_sender_has_more_than_three() -> None:
    texts = activations([f"{i:013}" for i in range(3_000)])
    assert sum(mo.coding == wire.UCS2 for mo in texts) == 1_000
    senders = [mo.sender for mo in texts]
    assert max(senders.count(sender) for sender in set(senders)) == 3


def test_replies_are_counted_by_their_shape() -> None:
    journal = Journal.of([Mo(sender=b"1", text=b"", coding=wire.GSM)])
    journal.replies = {b"1": [(0, b"+10 points"), (0, b"+25 points"), (8, "7".encode("utf-16-be"))]}
    assert journal.shapes() == {"+# points": 2, "#": 1}
