"""A link that several firms share, a sender on the real queue behind it, and what they put there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.domain.sms.priority import Priority
from gateway.store.consent.gate import GateStore
from gateway.store.redis import keys
from gateway.store.texts.sendqueue import Sent, seal_answer
from smpp.protocol.pdus import SubmitResult, SubmitSm
from smpp.sending.allowance import Pace
from smpp.sending.gate_queue import AsksGate
from smpp.sending.sender import Sender
from tests.integration.house import LINK, SHORT, House
from tests.unit.smpp.sending.gates import FakeGate
from tests.unit.smpp.sending.test_sender import FakeLink

BLAST = "7"
STATUS = Callable[[float], int]


class SlowLink(FakeLink):
    """An SMSC with a window, which answers each submit some time later. `status`: of a submit at a moment."""

    def __init__(self, *, window: int = 10, answers_after_s: float = 0.05, status: STATUS | None = None):
        super().__init__(lambda nth, _pdu: SubmitResult(0, f"id{nth}"), room=window)
        self.window = window
        self.at: list[float] = []
        self.accepted: list[bytes] = []
        self._answers_after_s = answers_after_s
        self._status = status or (lambda _now: 0)

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        if self.free <= 0:
            return False
        self.free -= 1
        self.submitted.append(pdu)
        self.at.append(time.monotonic())
        status = self._status(self.at[-1])
        if not status:
            self.accepted.append(pdu.body)
        loop = asyncio.get_running_loop()
        loop.call_later(self._answers_after_s, self._told, token, SubmitResult(status, f"id{len(self.at)}"))
        return True

    def _told(self, token: Any, result: SubmitResult) -> None:
        self.free += 1
        if self.sender is not None:
            self.sender.on_results([(token, result)])

    def count(self, text: str) -> int:
        """How many texts of these words the SMSC has taken."""
        return self.accepted.count(text.encode())


def put(house: House, firm: int, priority: Priority, text: str, count: int = 1) -> None:
    """Queue texts of one segment, each to a phone of its own; marketing with a consent to it."""
    now = int(time.time() * 1000)
    pipe = house.redis.pipeline()
    for n in range(count):
        number = f"38067{firm}{len(text) % 10}{n:05d}"
        fields: dict[Any, Any] = {
            "m": f"{text}-{firm}-{n}",
            "x": seal_answer(house.vault, number, text),
            "d": SHORT,
            "s": "",
            "t": now,
        }
        if priority is Priority.BULK:
            shopper = house.vault.index(number)
            fields |= {"k": shopper, "b": BLAST, "u": now + 3_600_000}
            pipe.set(keys.consent(firm, shopper), "in:1")
        pipe.xadd(keys.send(firm, LINK, priority), fields)
    if priority is Priority.BULK:
        pipe.set(keys.blast(firm, BLAST), "running")
    pipe.execute()


def gate_store(house: House) -> GateStore:
    """What Redis knows of marketing."""
    return GateStore(house.store.redis, deployment=house.deployment, verify=house._verify)


@asynccontextmanager
async def sending(
    house: House,
    link: SlowLink,
    *,
    pace: Pace | None = None,
    gate: AsksGate | None = None,
    firms: Sequence[int] = (1, 2),
) -> AsyncIterator[list[Sent]]:
    """A sender at work; what has ended."""
    ended: list[Sent] = []
    link.sender = Sender(
        link,  # type: ignore[arg-type]
        house.send_queue(),
        house.vault,
        firms=lambda: firms,
        max_age_s=3600,
        observe=lambda sent, _outgoing: ended.append(sent),
        gate=gate or FakeGate(),
        pace=pace,
    )
    running = asyncio.create_task(link.sender.run())
    try:
        yield ended
    finally:
        link.sender.stop()
        await asyncio.wait_for(running, 20)
