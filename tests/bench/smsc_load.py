"""An SMSC that pushes texts as fast as it is let, and keeps its own journal of what came back.

It speaks raw SMPP (`tests.bench.wire`), on asyncio with uvloop where it is installed, and costs few
microseconds a PDU, since it shares a small machine with what it measures. It outlives a peer that is
killed: what was not acknowledged is sent again over the next bind.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import cast

from tests.bench import wire
from tests.bench.journal import Journal
from tests.bench.load_run import Run, Traffic


class LoadSmsc:
    """The SMSC's side: listens, accepts any bind, runs one `Traffic` at a time."""

    def __init__(self) -> None:
        self.port = 0
        self.message_ids = int(time.time() * 1000)  # never one that an earlier run has used
        self._server: asyncio.Server | None = None
        self._links: list[_Link] = []
        self._run: Run | None = None
        self._bound = asyncio.Event()

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Link(self), "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Close the listener and every link."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.close()
        self._links.clear()

    async def wait_bound(self, timeout_s: float = 30.0) -> None:
        """Until a peer is bound that can receive. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._bound.wait()

    def begin(self, traffic: Traffic) -> Journal:
        """Start to push; returns the journal, which fills as the run goes on."""
        self._run = Run(self.receiver, traffic)
        self._run.pump()
        return self._run.journal

    async def finished(self, *, quiet_s: float = 10.0, timeout_s: float = 600.0) -> bool:
        """Until everything is answered and confirmed; False if nothing new came for `quiet_s`."""
        run = self._run
        if run is None:
            return True
        deadline = time.monotonic() + timeout_s
        while not run.complete.is_set():
            seen = run.progress
            try:
                await asyncio.wait_for(run.complete.wait(), quiet_s)
            except TimeoutError:
                if run.progress == seen or time.monotonic() > deadline:
                    return False
        return True

    async def run(self, traffic: Traffic, *, quiet_s: float = 10.0, timeout_s: float = 600.0) -> Journal:
        """Push everything and wait for the end (see `finished`); returns the journal."""
        await self.wait_bound()
        journal = self.begin(traffic)
        await self.finished(quiet_s=quiet_s, timeout_s=timeout_s)
        self._run = None
        return journal

    def receiver(self) -> _Link | None:
        """The bind that texts are pushed over: the youngest one that may receive."""
        return next((link for link in reversed(self._links) if link.receives), None)

    def joined(self, link: _Link) -> None:
        """A peer has bound."""
        self._links.append(link)
        if link.receives:
            self._bound.set()
            if self._run is not None:
                self._run.pump()

    def left(self, link: _Link) -> None:
        """A peer is gone: what it had not acknowledged goes back into the queue."""
        if link in self._links:
            self._links.remove(link)
        if self.receiver() is None:
            self._bound.clear()
        if self._run is not None and link.receives:
            self._run.requeue()

    @property
    def current(self) -> Run | None:
        """The run that is going on."""
        return self._run


class _Link(asyncio.Protocol):
    """One TCP connection of an ESME."""

    def __init__(self, smsc: LoadSmsc) -> None:
        self.receives = False
        self.out: list[bytes] = []
        self._smsc = smsc
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._late: list[bytes] = []  # answers that leave after the traffic's delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set TCP_NODELAY: PDUs are written in one piece, a turn of the loop at a time."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand the unanswered texts back."""
        del exc
        self._transport = None
        self._smsc.left(self)

    def close(self) -> None:
        """Drop the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def flush(self) -> None:
        """Write what has gathered."""
        self._write(self.out)
        self.out.clear()

    def _write(self, parts: list[bytes]) -> None:
        if parts and self._transport is not None:
            self._transport.write(b"".join(parts))

    def data_received(self, data: bytes) -> None:
        """Take every whole PDU, then send answers and new texts in one write."""
        now = time.monotonic()
        if self._rest:
            data = self._rest + data
        at, size, run = 0, len(data), self._smsc.current
        while size - at >= 16:
            length, command, status, sequence = wire.HEADER.unpack_from(data, at)
            if not 16 <= length <= wire.MAX_PDU:
                self.close()
                return
            end = at + length
            if end > size:
                break
            if command == wire.RESPONSE | wire.DELIVER_SM:
                if run is not None:
                    run.answered(sequence, status, now)
            elif command == wire.SUBMIT_SM:
                self._submit(data, at + 16, end, sequence, now)
            else:
                self._session(command, sequence)
            at = end
        self._rest = data[at:] if at < size else b""
        if self._late and run is not None:
            asyncio.get_running_loop().call_later(run.traffic.answer_delay_s, self._write, self._late)
            self._late = []
        if run is not None and self.receives:
            run.pump()
        self.flush()

    def _submit(self, data: bytes, start: int, end: int, sequence: int, now: float) -> None:
        submit = wire.read_submit(data, start, end)
        self._smsc.message_ids += 1
        name = b"%x" % self._smsc.message_ids
        run = self._smsc.current
        out = self._late if run is not None and run.traffic.answer_delay_s else self.out
        out.append(wire.pdu(wire.RESPONSE | wire.SUBMIT_SM, wire.ROK, sequence, name + b"\x00"))
        if run is None:
            return
        link = self._smsc.receiver()
        if run.traffic.receipts and submit.registered_delivery & 1 and link is not None:
            link.out.append(run.receipt(submit, name))
            if link is not self:
                link.flush()
        run.submitted(submit, now)

    def _session(self, command: int, sequence: int) -> None:
        if command in (wire.BIND_RECEIVER, wire.BIND_TRANSMITTER, wire.BIND_TRANSCEIVER):
            self.out.append(wire.pdu(wire.RESPONSE | command, wire.ROK, sequence, b"load\x00"))
            self.receives = command != wire.BIND_TRANSMITTER
            self.flush()
            self._smsc.joined(self)
        elif command == wire.ENQUIRE_LINK:
            self.out.append(wire.pdu(wire.RESPONSE | command, wire.ROK, sequence))
        elif command == wire.UNBIND:
            self.out.append(wire.pdu(wire.RESPONSE | command, wire.ROK, sequence))
            self.flush()
            if self._transport is not None:
                self._transport.close()
        elif not command & wire.RESPONSE:
            self.out.append(wire.pdu(wire.GENERIC_NACK, wire.RINVCMDID, sequence))
