"""One link to a pair of hosts of one account: two real SMSCs, of which one is killed in mid traffic."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.phone import Shopper
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.harness import HarnessError
from tests.peers.smsc import Behaviour, Delivery

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

ONE, TWO = "one", "two"
LINK: Final = "pair"
SHOPPERS: Final = 40
CREDITED: Final = "Code accepted: +10 points. Balance: 10."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A bind at each."""
    smscs = {ONE: any_smsc(), TWO: any_smsc()}
    link = {"transceivers": 2, "spread": True, "reconnect_max_s": 1.0}
    state = tmp_path_factory.mktemp(f"pair-{database.kind}")
    async with standing(state, smscs, link=link, together=LINK) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def codes(stand: Stand) -> Iterator[str]:
    """As printed. Whichever SMSC may answer, so none is asked for more than an acknowledgement."""
    campaign = await asyncio.to_thread(stand.gateway.campaign)
    with (await asyncio.to_thread(stand.gateway.codes, campaign, 100)).open(newline="") as file:
        printed = [row["code"] for row in csv.DictReader(file)]
    one, two = stand.smscs.values()
    async with asyncio.timeout(60):
        while not any(text.body.decode() == CREDITED for text in (*one.submitted, *two.submitted)):
            shopper = stand.shopper()  # until the campaign and its codes are known to all processes
            if await stand.text(ONE, shopper, printed[0]) == 0:
                await sent_by(stand, shopper)
    return iter(printed[1:])


async def test_each_bind_is_told_with_its_host(stand: Stand) -> None:
    await shows(stand, *stand.smscs)


async def test_a_receipt_may_come_from_the_other_host(stand: Stand, codes: Iterator[str]) -> None:
    shopper = stand.shopper()
    assert await stand.text(ONE, shopper, next(codes)) == 0
    by = await sent_by(stand, shopper)
    (sent,) = stand.smscs[by].sent_to(shopper.number)
    receipt = f"id:{sent.message_id} sub:001 dlvrd:001 stat:DELIVRD err:000 text:".encode()
    other = stand.smscs[TWO if by == ONE else ONE]
    assert (
        await other.deliver(Delivery(source=shopper.number, destination="4040", body=receipt, esm_class=4))
        == 0
    )
    await stand.gateway.until(lambda: states(stand, shopper) == ["delivered"], "the receipt is not matched")


async def test_one_is_killed_in_mid_traffic_and_nothing_is_lost(stand: Stand, codes: Iterator[str]) -> None:
    one, two = stand.smscs[ONE], stand.smscs[TWO]
    for smsc in (one, two):
        smsc.behave(Behaviour(answer_delay_s=0.05))
    people = [stand.shopper() for _ in range(SHOPPERS)]
    before = len(one.submitted)
    texting = asyncio.gather(*(texted(stand, shopper, next(codes)) for shopper in people))
    await one.wait_submitted(lambda all_: len(all_) > before)
    await one.stop()
    await texting
    await stand.gateway.until(
        lambda: all(states(stand, shopper) == ["accepted"] for shopper in people), "an answer is lost"
    )
    for shopper in people:
        sent = [text for smsc in (one, two) for text in smsc.submitted if text.destination == shopper.number]
        assert {text.body.decode() for text in sent} == {CREDITED}
        (reply,) = stand.stored(shopper).replies
        assert len(sent) == 1 or reply.attempts == len(sent)  # twice only where it is marked
    await shows(stand, TWO, TWO)
    assert lost_at(stand) == {f"127.0.0.1:{one.port}"}
    assert await stand.exchange(TWO, stand.shopper(), next(codes)) == CREDITED


async def texted(stand: Stand, shopper: Shopper, text: str) -> None:
    """As an SMSC that keeps a text until it is acknowledged: the one that lives says it again."""
    for link in (ONE, TWO):
        if await stand.text(link, shopper, text) == 0:
            return
    raise AssertionError("nobody acknowledged it")


async def sent_by(stand: Stand, shopper: Shopper) -> str:
    """Which SMSC took the answer to somebody."""
    found: list[str] = []

    def look() -> bool:
        found[:] = [name for name, smsc in stand.smscs.items() if smsc.sent_to(shopper.number)]
        return bool(found) and states(stand, shopper) == ["accepted"]

    await stand.gateway.until(look, "no answer")
    return found[0]


def states(stand: Stand, shopper: Shopper) -> list[str]:
    return [reply.state for reply in stand.stored(shopper).replies]


async def shows(stand: Stand, *smscs: str) -> None:
    """Until `undercap smpp links` tells of a bind at each of these."""
    wanted = [f"{LINK}: transceiver at 127.0.0.1:{stand.smscs[name].port}" for name in smscs]
    told = ""
    async with asyncio.timeout(30):
        while [line for line in told.splitlines() if " at " in line] != wanted:
            with contextlib.suppress(HarnessError):  # a bind stands no more, or not yet
                told = await asyncio.to_thread(stand.gateway.cli, "smpp", "links")


def lost_at(stand: Stand) -> set[str]:
    """The hosts that the log names where a session has ended."""
    lines = [json.loads(x) for x in (stand.gateway.state / "up.log").read_text().splitlines() if x[:1] == "{"]
    return {line["host"] for line in lines if line["event"] == "smsc session ended"}
