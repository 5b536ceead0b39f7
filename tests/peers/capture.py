"""Records what a real SMSC says in one session: `python -m tests.peers.capture`.

It writes tests/data/captures/*.hex. A relay stands between a link of ours and the SMSC. Numbers and texts are
made up.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from smpp import codec, wire
from tests.integration.smpp.gateway_side import ANSWER, Recorder, linked
from tests.peers import fetch
from tests.peers.smsc import Delivery, SmscPeer

CAPTURES: Final = Path(__file__).parents[1] / "data" / "captures"
SUBMITS: Final = 5
RECEIPT: Final = (
    b"id:7f sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000 text:thank"
)
VENDOR: Final = b"vendor"
_SHOPPER: Final = partial(Delivery, source="380671234567", destination="4040")
DELIVERIES: Final = (
    _SHOPPER(body=b"CODE 12"),
    _SHOPPER(body="Мій код 12".encode("utf-16-be"), data_coding=8),
    _SHOPPER(body=b"\x05\x00\x03\x2a\x02\x02second half", esm_class=0x40),
    _SHOPPER(body=b"\x05\x00\x03\x2a\x02\x01first half, ", esm_class=0x40),
    _SHOPPER(body=b"\x06\x08\x04\x01\x2a\x02\x01wide reference", esm_class=0x40),
    _SHOPPER(body=b"sar", tlvs=((0x020C, b"\0\7"), (0x020E, b"\2"), (0x020F, b"\1"))),
    _SHOPPER(body=b"", tlvs=((0x0424, b"a long text in message_payload " * 20),)),
    _SHOPPER(body=RECEIPT, esm_class=4, tlvs=((0x001E, b"7f\0"), (0x0427, b"\2"))),
    _SHOPPER(body=RECEIPT, esm_class=4),
    _SHOPPER(body=VENDOR, tlvs=((0x1403, b"vendor"),)),
    _SHOPPER(body=bytes(range(140)), data_coding=4),
    _SHOPPER(body=b"STOP"),
)


def pdus(octets: bytes) -> list[bytes]:
    """The PDUs of a stream that is whole."""
    found, at = [], 0
    while at < len(octets):
        length = wire.HEADER.unpack_from(octets, at)[0]
        found.append(octets[at : at + length])
        at += length
    return found


def captures() -> dict[str, list[bytes]]:
    """Every capture by the name of its SMSC: the PDUs that it said, in order; the first answers a bind."""
    return {
        path.stem: [bytes.fromhex(line) for line in path.read_text().splitlines() if not line.startswith("#")]
        for path in sorted(CAPTURES.glob("*.hex"))
    }


async def record(smsc: SmscPeer, *, vendor_parameters: bool) -> bytes:
    """What it says while it is bound to, delivers, is submitted to, asked whether it lives, and unbinds."""
    said = bytearray()
    heard = asyncio.Event()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", smsc.port)
        copying = asyncio.create_task(_copy(reader, ours, bytearray(), asyncio.Event()))
        await _copy(theirs, writer, said, heard)
        await copying

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    recorder = Recorder()
    async with linked(server.sockets[0].getsockname()[1], recorder, enquire_link_s=0.3) as link:
        await smsc.wait_bound()
        for delivery in DELIVERIES:
            if vendor_parameters or delivery.body != VENDOR:
                await smsc.deliver(delivery)
        for token in range(SUBMITS):
            await recorder.until(partial(link.submit, ANSWER, token))
        await recorder.until(lambda: len(recorder.results) == SUBMITS)
        while codec.ENQUIRE_LINK_RESP not in {wire.HEADER.unpack_from(pdu)[1] for pdu in pdus(bytes(said))}:
            heard.clear()
            await heard.wait()
        await smsc.unbind()
        await recorder.until(lambda: link.tally.losses == 1)
    server.close()
    return bytes(said)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: bytearray, heard: asyncio.Event
) -> None:
    try:
        while octets := await reader.read(65536):
            copy += octets
            heard.set()
            writer.write(octets)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main() -> None:
    """Write one file an SMSC that can be had."""
    CAPTURES.mkdir(exist_ok=True)
    # node's library says no optional parameter that it does not know.
    for program, vendors in ((fetch.smpp34_smsc(), True), (fetch.node_smsc(), False)):
        smsc = SmscPeer(program)
        await smsc.start()
        octets = await record(smsc, vendor_parameters=vendors)
        await smsc.stop()
        lines = [f"# {program.name} {program.version}", *(pdu.hex() for pdu in pdus(octets))]
        (CAPTURES / f"{program.name.split()[0]}.hex").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
