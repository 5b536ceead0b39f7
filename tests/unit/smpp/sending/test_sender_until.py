"""What is soon of no use is sent only while it is of use, and without a receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from config.link_settings import LinkSettings
from gateway.domain.sms.priority import Priority
from gateway.store.texts.sendqueue import SendQueue, Sent, Waiting, seal_answer
from gateway.store.vault.vault import Vault
from smpp.link.link import Link
from smpp.protocol.pdus import SubmitSm
from smpp.sending.sender import Sender
from tests.unit.smpp.sending.gates import FakeGate

VAULT = Vault(bytes(range(32)))
NUMBER = "380671234567"


class FakeLink:
    """A link with room; keeps what is submitted."""

    def __init__(self, done: asyncio.Event) -> None:
        self._done = done
        self.name = "peer"
        self.settings = LinkSettings(name="peer", host="127.0.0.1", system_id="undercap")
        self.free = self.window = 10
        self.clogged = False
        self.submitted: list[SubmitSm] = []

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        del token
        self.submitted.append(pdu)
        self._done.set()
        return True


class FakeQueue:
    """Gives one answer and keeps outcomes."""

    def __init__(self, waiting: Waiting, done: asyncio.Event) -> None:
        self._waiting = [waiting]
        self._done = done
        self.filed: list[str] = []

    async def take_each(
        self, shares: Mapping[int, int], of: Mapping[int, Sequence[Priority]]
    ) -> Mapping[int, Sequence[Waiting] | None]:
        del of
        taken, self._waiting = self._waiting, []
        return dict.fromkeys(shares, taken)

    async def wait(self, queues: Sequence[tuple[int, Priority]], timeout_ms: int) -> None:
        del queues
        await asyncio.sleep(timeout_ms / 1000)

    async def file(self, sent: Sequence[Sent]) -> None:
        self.filed += [s.state for s in sent]
        self._done.set()


@pytest.mark.parametrize(
    ("label", "until_s", "receipts", "filed"),
    [("an answer", None, [1], []), ("still of use", 60, [0], []), ("too late", -1, [], ["expired"])],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_until(label: str, until_s: int | None, receipts: list[int], filed: list[str]) -> None:
    del label
    now_ms = int(time.time() * 1000)
    waiting = Waiting(
        firm_id=1,
        queue_id="1-0",
        message_id="m",
        sealed=seal_answer(VAULT, NUMBER, "123456 is your code"),
        short_number="4040",
        seen="",
        at=now_ms,
        begun=1,
        until=0 if until_s is None else now_ms + until_s * 1000,
    )
    done = asyncio.Event()
    link, queue = FakeLink(done), FakeQueue(waiting, done)
    sender = Sender(
        cast(Link, link),
        cast(SendQueue, cast(Any, queue)),
        VAULT,
        firms=lambda: [1],
        max_age_s=3600,
        observe=lambda _sent, _outgoing: None,
        gate=FakeGate(),
    )
    running = asyncio.ensure_future(sender.run())
    async with asyncio.timeout(5):
        await done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert ([pdu.registered_delivery for pdu in link.submitted], queue.filed) == (receipts, filed)
