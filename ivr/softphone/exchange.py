"""Where the demo's Asterisk brings calls to the handsets: one socket for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import cast

from ivr.softphone import messages
from ivr.softphone.call import Call, Ear
from ivr.softphone.incoming import Incoming
from ivr.softphone.messages import Ends, Request
from ivr.softphone.sound import Sound
from ivr.softphone.wires import SharedWire

Refusal = tuple[int, str]  # a status and its phrase
Take = Callable[[Ear], tuple[Call, Incoming]]  # opens the call's own socket; raises OSError
NO_LINE: Refusal = (480, "Temporarily Unavailable")


class Exchange(asyncio.DatagramProtocol):
    """To be opened by `open_exchange`. `rung`: told the called number, and how to take the call.

    It answers why not, or None: then somebody will run it.
    """

    def __init__(self, asterisk: tuple[str, int], rung: Callable[[str, Take], Refusal | None]) -> None:
        self._asterisk = asterisk
        self._rung = rung
        self._wires: dict[str, SharedWire] = {}  # by Call-ID
        self._here = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It listens."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._here = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Of a call that there is, or of a new one; whoever is not that Asterisk is not heard."""
        if addr != self._asterisk:
            return
        message = messages.read(data)
        if message is None:
            return
        wire = self._wires.get(message.call_id)
        if wire is not None:
            wire.put(data)
        elif isinstance(message, Request) and message.method != "ACK":
            self._unknown(message)

    def close(self) -> None:
        """No more calls."""
        if self._transport is not None:
            self._transport.close()

    def _unknown(self, asked: Request) -> None:
        ends = self._ends(asked)
        refusal: Refusal | None = (481, "Call/Transaction Does Not Exist")
        if asked.method == "OPTIONS":
            refusal = (200, "OK")
        elif asked.method == "INVITE" and "tag" not in asked.to_address.parameters:
            refusal = self._invited(asked, ends)
        if refusal is not None:
            self._send(bytes(messages.response(asked, *refusal, ends)))

    def _invited(self, invite: Request, ends: Ends) -> Refusal | None:
        def take(ear: Ear) -> tuple[Call, Incoming]:
            sound = Sound(ends.here[0])
            leg = Incoming(invite, ends, sound.port)
            wire = SharedWire(self._send, lambda: self._forget(ends.call_id))
            self._wires[ends.call_id] = wire
            return Call(leg, wire, sound, ear, host=ends.there[0]), leg

        try:
            return self._rung(ends.caller, take)
        except OSError:
            return NO_LINE

    def _ends(self, asked: Request) -> Ends:
        return Ends(
            caller=asked.uri.user or "",
            called=asked.from_address.uri.user or "",
            here=self._here,
            there=self._asterisk,
            call_id=asked.call_id,
            tag=secrets.token_hex(8),
            branch=secrets.token_hex(8),
        )

    def _forget(self, call_id: str) -> None:
        self._wires.pop(call_id, None)

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(OSError):
                self._transport.sendto(datagram, self._asterisk)


async def open_exchange(
    port: int, asterisk: tuple[str, int], rung: Callable[[str, Take], Refusal | None]
) -> Exchange:
    """Listen on the Asterisk's own address. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, exchange = await loop.create_datagram_endpoint(
        lambda: Exchange(asterisk, rung), local_addr=(asterisk[0], port)
    )
    return exchange
