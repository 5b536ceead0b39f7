"""The SMSC's side of `make bench-bulk`: takes submits, gives ids and receipts, and keeps a journal."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.bench import wire
from tests.soak.trouble_link import TroubleLink

RECEIPTS_FROM: Final = 1


@dataclass(kw_only=True, slots=True)
class BulkJournal:
    """What came. Times are monotonic seconds, 0 where it never came; `numbers` counts submits by phone."""

    numbers: Counter[bytes] = field(default_factory=Counter)
    segments: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    receipts: int = 0
    receipts_refused: int = 0
    most_at_once: int = 0  # submits before any of them was answered: never more than the window

    @property
    def seconds(self) -> float:
        """From the first submit to the last."""
        return self.last_at - self.first_at


class BulkSmsc:
    """Answers each submit at once, and gives the receipt right behind its answer."""

    def __init__(self) -> None:
        self.journal = BulkJournal()
        self._links: list[TroubleLink] = []
        self._ids = int(time.time() * 1000)
        self._sequence = RECEIPTS_FROM
        self._out: list[tuple[TroubleLink, bytes]] = []
        self._in_turn = 0
        self._bound = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TroubleLink(self, 1), "127.0.0.1", port)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.reset()

    async def wait_bound(self, timeout_s: float = 30.0) -> None:
        """Until somebody is bound. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._bound.wait()

    def joined(self, link: TroubleLink) -> None:
        """A peer has bound."""
        self._links.append(link)
        self._bound.set()

    def left(self, link: TroubleLink) -> None:
        """A peer is gone."""
        if link in self._links:
            self._links.remove(link)

    def answered(self, sequence: int, status: int) -> None:
        """A receipt was acknowledged, or not."""
        del sequence
        self.journal.receipts += status == 0
        self.journal.receipts_refused += status != 0

    def submitted(self, link: TroubleLink, submit: wire.Submit, sequence: int) -> None:
        """Note it; what is to be said goes out at the end of this turn of the loop, in one write."""
        now, journal = time.monotonic(), self.journal
        journal.first_at = journal.first_at or now
        journal.last_at = now
        journal.segments += 1
        journal.numbers[submit.destination] += wire.is_last_part(submit)
        self._ids += 1
        name = b"%x" % self._ids
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._in_turn += 1
        self._out.append((link, wire.pdu(wire.RESPONSE | wire.SUBMIT_SM, wire.ROK, sequence, name + b"\0")))
        if submit.registered_delivery & 1:
            self._sequence += 1
            self._out.append((link, wire.receipt(submit, name, self._sequence)))

    def _flush(self) -> None:
        self.journal.most_at_once = max(self.journal.most_at_once, self._in_turn)
        self._in_turn = 0
        out, self._out = self._out, []
        for link in {link for link, _ in out}:
            link.write(b"".join(pdu for owner, pdu in out if owner is link))
