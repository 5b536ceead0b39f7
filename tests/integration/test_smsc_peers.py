"""All SMSC peers keep the same contract: tried with the bare ESME of the codec floor."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.codec_floor import ANSWER, ANSWER_UCS2
from tests.peers.smsc import Behaviour, Delivery, SmscPeer

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def esme(peer: SmscPeer) -> AsyncIterator[None]:
    """The codec floor, bound to the peer; it ends with its connection."""
    argv = (sys.executable, "-m", "tests.bench.codec_floor", "--port", str(peer.port))
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT)
    try:
        await peer.wait_bound()
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def text(index: int, coding: int = 0) -> Delivery:
    body = "Код 12".encode("utf-16-be") if coding else b"code 12"
    return Delivery(source=f"38067123450{index}", destination="4040", body=body, data_coding=coding)


async def test_a_text_is_delivered_and_its_reply_journalled(smsc: SmscPeer) -> None:
    async with esme(smsc):
        assert await smsc.deliver(text(1)) == 0
        assert await smsc.deliver(text(2, coding=8)) == 0
        await smsc.wait_submitted(lambda all_: len(all_) == 2)
    first, second = smsc.sent_to("380671234501") + smsc.sent_to("380671234502")
    assert (first.source, first.data_coding, first.body) == ("4040", 0, ANSWER)
    assert (second.source, second.data_coding, second.body) == ("4040", 8, ANSWER_UCS2)
    assert first.registered_delivery == 1


async def test_throttled_submits_are_refused_and_told_apart(smsc: SmscPeer) -> None:
    async with esme(smsc):
        smsc.behave(Behaviour(throttle_next=2))
        for index in range(3):
            assert await smsc.deliver(text(index)) == 0
        await smsc.wait_submitted(lambda all_: len(all_) == 3)
    assert [s.status for s in smsc.submitted] == [0x58, 0x58, 0]


async def test_silence_is_kept_and_journalled(smsc: SmscPeer) -> None:
    async with esme(smsc):
        smsc.behave(Behaviour(no_answer=True))
        assert await smsc.deliver(text(1)) == 0
        await smsc.wait_submitted(lambda all_: len(all_) == 1)
    assert [s.status for s in smsc.submitted] == [None]


async def test_a_restart_breaks_the_connection_and_keeps_the_port(smsc: SmscPeer) -> None:
    async with esme(smsc):
        port = smsc.port
        await smsc.restart()
        assert smsc.port == port
        assert smsc.bound == []
        assert await smsc.deliver(text(1)) is None
    async with esme(smsc):
        assert await smsc.deliver(text(1)) == 0


async def test_answers_can_come_in_reverse(smsc: SmscPeer) -> None:
    smsc.behave(Behaviour(out_of_order=True))
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    writer.write(_pdu(9, 1, b"raw\0pw\0\0\x34\0\0\0") + _submit(2))
    await smsc.wait_submitted(lambda all_: len(all_) == 1)  # together they may be taken up in either order
    writer.write(_submit(3))
    sequences: list[int] = []
    while len(sequences) < 3:
        head = await reader.readexactly(16)
        await reader.readexactly(int.from_bytes(head[:4]) - 16)
        sequences.append(int.from_bytes(head[12:]))
    assert sequences == [1, 3, 2]
    writer.close()


def _pdu(command: int, sequence: int, body: bytes) -> bytes:
    head = (16 + len(body), command, 0, sequence)
    return b"".join(number.to_bytes(4) for number in head) + body


def _submit(sequence: int) -> bytes:
    return _pdu(4, sequence, b"\0\3\x004040\0\1\x00138067\0\0\0\0\0\0\0\0\0\0\2hi")
