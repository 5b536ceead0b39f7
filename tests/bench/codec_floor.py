"""The codec floor: an ESME on smpplib that answers and confirms every text and does nothing else.

What it reaches is the most that any gateway on smpplib's PDUs can reach on one core of this machine.

    python -m tests.bench.codec_floor --port PORT
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import Any, Final, cast

from smpplib import smpp

make_pdu: Final[Any] = smpp.make_pdu  # smpplib has no types
parse_pdu: Final[Any] = smpp.parse_pdu
ANSWER: Final = b"Code accepted: 10 points. You have 30 points."
ANSWER_UCS2: Final = "Код прийнято: 10 балів. Усього у вас 30 балів.".encode("utf-16-be")
UCS2: Final = 8


class _Sequence:
    """What smpplib wants of a client: the next sequence number."""

    def __init__(self) -> None:
        self.sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


class FloorEsme(asyncio.Protocol):
    """Binds as a transceiver; ends when the SMSC closes the connection."""

    def __init__(self, ended: asyncio.Future[None]) -> None:
        self._ended = ended
        self._client = _Sequence()
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind = self._make("bind_transceiver", system_id="floor", password="secret", system_type="")
        self._transport.write(bind.generate())

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._ended.done():
            self._ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        at, out = 0, []
        while len(data) - at >= 16:
            end = at + int.from_bytes(data[at : at + 4])
            if end > len(data):
                break
            out += self._answers(data[at:end])
            at = end
        self._rest = data[at:]
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def _answers(self, raw: bytes) -> list[bytes]:
        pdu: Any = parse_pdu(raw, client=self._client, allow_unknown_opt_params=True)
        if pdu.command == "enquire_link":
            return [self._make("enquire_link_resp", sequence=pdu.sequence).generate()]
        if pdu.command != "deliver_sm":
            return []
        response = self._make("deliver_sm_resp", sequence=pdu.sequence)
        if pdu.esm_class & 0x3C:  # a receipt
            return [response.generate()]
        coding = UCS2 if pdu.data_coding == UCS2 else 0
        reply = self._make(
            "submit_sm",
            source_addr_ton=3,
            source_addr=pdu.destination_addr.decode(),
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=pdu.source_addr.decode(),
            data_coding=coding,
            registered_delivery=1,
            short_message=ANSWER_UCS2 if coding else ANSWER,
        )
        return [response.generate(), reply.generate()]

    def _make(self, command: str, **fields: Any) -> Any:
        pdu = make_pdu(command, client=self._client, **fields)
        if "sequence" in fields:
            pdu.sequence = fields["sequence"]
        return pdu


async def serve(port: int) -> None:
    """Bind to the SMSC on 127.0.0.1 and stay until it closes the connection."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    await loop.create_connection(lambda: FloorEsme(ended), "127.0.0.1", port)
    await ended


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(port))
    else:
        uvloop.run(serve(port))


if __name__ == "__main__":
    main()
