"""The codec floor of sending: an ESME on smpplib that submits as its window allows and does nothing else.

python -m tests.bench.bulk_floor --port PORT --n 20000 --window 100
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from tests.bench.codec_floor import FloorEsme, parse_pdu
from tests.bench.load_texts import number

TEXT = b"Only this week: two points for each cap. Send STOP to 4040 to hear no more."


class BulkFloor(FloorEsme):
    """Binds, then submits to `n` numbers; receipts are acknowledged."""

    def __init__(self, ended: asyncio.Future[None], n: int, window: int) -> None:
        super().__init__(ended)
        self._n = n
        self._window = window
        self._next = 0
        self._open = 0

    def _answers(self, raw: bytes) -> list[bytes]:
        pdu: Any = parse_pdu(raw, client=self._client, allow_unknown_opt_params=True)
        if pdu.command == "submit_sm_resp":
            self._open -= 1
            return self._submits()
        if pdu.command == "bind_transceiver_resp":
            return self._submits()
        if pdu.command == "deliver_sm":
            return [self._make("deliver_sm_resp", sequence=pdu.sequence).generate()]
        if pdu.command == "enquire_link":
            return [self._make("enquire_link_resp", sequence=pdu.sequence).generate()]
        return []

    def _submits(self) -> list[bytes]:
        out = []
        while self._open < self._window and self._next < self._n:
            pdu = self._make(
                "submit_sm",
                source_addr_ton=3,
                source_addr="4040",
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=number(self._next).decode(),
                registered_delivery=1,
                short_message=TEXT,
            )
            out.append(pdu.generate())
            self._next += 1
            self._open += 1
        return out


async def serve(port: int, n: int, window: int) -> None:
    """Bind to the SMSC on 127.0.0.1 and stay until it closes the connection."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    await loop.create_connection(lambda: BulkFloor(ended, n, window), "127.0.0.1", port)
    await ended


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--window", type=int, required=True)
    arguments = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(**vars(arguments)))
    else:
        uvloop.run(serve(**vars(arguments)))


if __name__ == "__main__":
    main()
