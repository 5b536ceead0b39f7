"""Captures what SMSCs really write: `python -m tests.peers.capture` renews tests/data/captures.txt.

Each line is a PDU: the peer's name, a tab, the octets in hexadecimal. Numbers in them are made up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from smpp.protocol import codec, wire
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import SubmitSm
from tests.conftest import SMSCS, smsc_program
from tests.peers.smsc import Delivery, SmscPeer

FILE: Final = Path(__file__).parents[1] / "data" / "captures.txt"
PERSON: Final = "380670000001"
RECEIPT: Final = (
    b"id:7 sub:001 dlvrd:001 submit date:2611220101 done date:2611220102 stat:DELIVRD err:000 text:x"
)
DELIVERIES: Final = (
    Delivery(source=PERSON, destination="4040", body=b"1234-5678-90123"),
    Delivery(source=PERSON, destination="4040", body="Код".encode("utf-16-be"), data_coding=8),
    Delivery(source=PERSON, destination="4040", body=b"\5\0\3\x21\2\1first", esm_class=0x40),
    Delivery(source=PERSON, destination="4040", body=b"\6\x08\4\1\x21\2\2second", esm_class=0x40),
    Delivery(source=PERSON, destination="4040", body=RECEIPT, esm_class=4),
    Delivery(source=PERSON, destination="4040", body=b"", esm_class=4, tlvs=((0x1E, b"7\0"), (0x427, b"\2"))),
    Delivery(source=PERSON, destination="4040", body=b"", tlvs=((0x424, b"a long one " * 30),)),
    Delivery(
        source=PERSON,
        destination="4040",
        body=b"sar",
        tlvs=((0x20C, b"\0\1"), (0x20E, b"\2"), (0x20F, b"\1")),
    ),
    Delivery(source="BANK", destination="4040", body=b"hello", source_ton=5, source_npi=0),
)
SUBMIT: Final = SubmitSm("4040", 3, 0, PERSON, 1, 1, 0, 0, b"thank you", 1)


@asynccontextmanager
async def started(name: str) -> AsyncIterator[SmscPeer]:
    """An SMSC by its library's name."""
    peer = SmscPeer(smsc_program(name))
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


async def captured(peer: SmscPeer) -> list[bytes]:
    """Bind, take every delivery, submit, unbind; all PDUs that the SMSC wrote."""
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
    seen: list[bytes] = []

    async def read() -> bytes:
        head = await reader.readexactly(16)
        pdu = head + await reader.readexactly(wire.HEADER.unpack(head)[0] - 16)
        seen.append(pdu)
        return pdu

    writer.write(codec.encode_bind(BindKind.TRANSCEIVER, 1, "undercap", "secret", ""))
    await read()
    await peer.wait_bound()
    for delivery in DELIVERIES:
        told = asyncio.ensure_future(peer.deliver(delivery))
        sequence = wire.HEADER.unpack_from(await read())[3]
        writer.write(wire.encode_answer(wire.DELIVER_SM_RESP, 0, sequence))
        await told
    octets = wire.encode_submit(SUBMIT, 2)
    assert isinstance(octets, bytes)
    for asked in (octets, codec.encode_enquire_link(3), codec.encode_unbind(4)):
        writer.write(asked)
        await read()
    writer.close()
    return seen


def load() -> list[bytes]:
    """The PDUs of the file."""
    lines = FILE.read_text(encoding="ascii").splitlines()
    return [bytes.fromhex(line.split("\t")[1]) for line in lines if not line.startswith("#")]


async def main() -> None:
    """Renew the file."""
    lines = ["# PDUs as SMSCs that nobody here wrote sent them: see tests/peers/capture.py"]
    for name in sorted(SMSCS):
        async with started(name) as peer:
            lines += [f"{name}\t{pdu.hex()}" for pdu in await captured(peer)]
    FILE.write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{len(lines) - 1} PDUs in {FILE.name}")


if __name__ == "__main__":
    asyncio.run(main())
