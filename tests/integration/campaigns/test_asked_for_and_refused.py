"""What is marketing by its words and was asked for: a no that comes before it leaves keeps it back."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from campaigns.preflight import preview
from config import policies
from gateway.domain.offers.callee import Callee
from gateway.store.consent.gate import GateStore
from gateway.store.offers.requested_texts import AskedOffers
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.texts.sendqueue import Sent
from gateway.usecases.consent.gate import Gate
from smpp.sending.sender import Sender
from tests.integration.campaigns.market import Market
from tests.integration.gateway.usecases.operations.test_rebuild import rebuild
from tests.integration.house import BOHDAN, LINK, SHORT, House
from tests.unit.smpp.sending.test_sender import FakeLink, always

TEN_MINUTES_MS = 600_000


def waiting(house: House) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Entries of all sending queues."""
    found: list[Any] = [house.redis.xrange(name) for name in keys.sends(1, LINK)]
    return [entry for rows in found for entry in rows]


async def sent(house: House) -> list[str]:
    """To whom texts leave once the link is back."""
    wait = {id_ for id_, _ in waiting(house)}
    all_ended = asyncio.Event()

    def observe(ended: Sent, _: object) -> None:
        wait.discard(ended.waiting.queue_id.encode())
        if not wait:
            all_ended.set()

    link = FakeLink(always(0))
    link.name = LINK
    store = GateStore(DurableRedis(house.client), deployment=house.deployment, verify=house._verify)
    sender = Sender(
        *(link, house.send_queue(), house.vault),  # type: ignore[arg-type]
        firms=lambda: [1],
        max_age_s=72 * 3600,
        observe=observe,
        gate=Gate(store, policies.load()),
    )
    link.sender = sender
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(20):
        await all_ended.wait()
    sender.stop()
    await running
    return [pdu.destination for pdu in link.submitted]


async def asked(market: Market, how: str) -> None:
    """BOHDAN is to get the words of a blast: as a trial, or because he pressed 1 in its call."""
    house, blast = market.house, market.blast()
    if how == "trial":
        preview.try_out(market.desk, blast, BOHDAN, "en")
        return
    await house.text("balance", BOHDAN)
    house.drain()
    assert await sent(house) == [BOHDAN]
    house.drain()
    shoppers = {key: id_ for id_, key in house.rows("shopper", "id", "key")}
    callee = Callee(
        shopper_id=shoppers[house.vault.index(BOHDAN)],
        number=BOHDAN,
        firm_id=1,
        blast_id=blast.id,
        short_number=SHORT,
        language="en",
    )
    texts = AskedOffers(DurableRedis(house.client), house.engine, house.vault)
    await texts.put(callee, LINK, "Ten points at Acme. STOP to refuse")


@pytest.mark.parametrize("how", ["trial", "key 1"])
@pytest.mark.parametrize("lost", [False, True], ids=["", "rebuilt"])
async def test_a_no_keeps_it_back(market: Market, how: str, lost: bool) -> None:
    house = market.house
    await asked(market, how)
    await house.text("STOP", BOHDAN)
    house.drain()
    if lost:
        house.redis.flushall()
        rebuild(house)
    replies = [text for number, text in house.waiting_answers() if number == BOHDAN]
    assert len(replies) >= 2
    assert await sent(house) == [BOHDAN]  # the confirmation of the STOP alone
    house.drain()
    assert ("denied", "withdrawn") in house.rows("message", "state", "error")


@pytest.mark.parametrize("how", ["trial", "key 1"])
async def test_else_it_leaves_though_nobody_has_said_yes(market: Market, how: str) -> None:
    await asked(market, how)
    assert await sent(market.house) == [BOHDAN]


@pytest.mark.parametrize("how", ["trial", "key 1"])
async def test_it_is_of_use_for_minutes(market: Market, how: str) -> None:
    await asked(market, how)
    ((_, fields),) = waiting(market.house)
    assert int(fields[b"u"]) - time.time() * 1000 <= TEN_MINUTES_MS
