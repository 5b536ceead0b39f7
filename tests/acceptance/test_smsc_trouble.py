"""An SMSC in trouble, seen from the books: restarts, silence, throttling and answers out of order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.acceptance.phone import Shopper
from tests.acceptance.promotion import Code, Promotion, add_campaign, add_firm, known
from tests.acceptance.stand import Stand, standing
from tests.conftest import SMSCS, smsc_program
from tests.peers.smsc import Behaviour, SmscPeer

LINK = "peer"
# One gateway for each SMSC: its tests share an event loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")
QUICK = {"response_timeout_s": 1.0, "throttle_wait_s": 0.2, "window": 20}
TEXTS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A gateway in front of one SMSC, with codes that it knows."""

    stand: Stand
    smsc: SmscPeer
    promotion: Promotion
    codes: list[Code]

    def shoppers(self, count: int) -> list[tuple[Shopper, Code]]:
        """So many newcomers, each with a fresh code."""
        return [(self.stand.shopper(f"shopper {i}"), self.codes.pop()) for i in range(count)]

    async def confirmed(self, shopper: Shopper) -> None:
        """Wait for the outcome of the shopper's one answer, and hold the books against it."""
        await self.stand.answers(LINK, shopper)
        stored = self.stand.stored(shopper)
        assert [points for _, _, points, _ in stored.activations] == [10]
        assert stored.balance == 10
        assert [reply.outcomes for reply in stored.replies] == ["activated"]


@pytest_asyncio.fixture(params=sorted(SMSCS), scope="module", loop_scope="module")
async def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    state = tmp_path_factory.mktemp("trouble")
    async with standing(state, {LINK: smsc_program(request.param)}, link=QUICK) as stand:
        add_firm(stand.gateway)
        promotion = add_campaign(stand.gateway)
        codes = promotion.codes(1_000, take=200)
        await known(stand, LINK, codes.pop())
        yield Scene(stand=stand, smsc=stand.smscs[LINK], promotion=promotion, codes=codes)


async def until_stored(scene: Scene, shopper: Shopper, code: Code) -> None:
    """Text, and again whenever the connection broke or the answer was temporary, as an SMSC does."""
    while await scene.stand.text(LINK, shopper, code.printed) != 0:
        await scene.smsc.wait_bound()


async def test_a_restart_in_mid_traffic_loses_nothing(scene: Scene) -> None:
    people = scene.shoppers(TEXTS)
    before = len(scene.smsc.submitted)
    texts = [asyncio.ensure_future(until_stored(scene, *someone)) for someone in people]
    await scene.smsc.wait_submitted(lambda submits: len(submits) > before + TEXTS // 4)
    await scene.smsc.restart()
    await asyncio.gather(*texts)
    for shopper, _ in people:
        await scene.confirmed(shopper)
        again = len(scene.smsc.sent_to(shopper.number)) - 1
        # Twice only where the restart fell between a submit and its answer, and then SQL says so.
        assert 0 <= again < scene.stand.stored(shopper).replies[0].attempts


async def test_a_confirmation_without_an_answer_is_sent_once_more_and_marked(scene: Scene) -> None:
    ((shopper, code),) = scene.shoppers(1)
    scene.smsc.behave(Behaviour(no_answer=True))
    before = len(scene.smsc.submitted)
    assert await scene.stand.text(LINK, shopper, code.printed) == 0
    await scene.smsc.wait_submitted(lambda submits: len(submits) == before + 1)
    scene.smsc.behave(Behaviour())
    await scene.confirmed(shopper)
    assert [s.status for s in scene.smsc.submitted[before:]] == [None, 0]
    assert scene.stand.stored(shopper).replies[0].attempts == 2


async def test_throttled_confirmations_arrive_once(scene: Scene) -> None:
    people = scene.shoppers(5)
    scene.smsc.behave(Behaviour(throttle_next=7))
    for shopper, code in people:
        assert await scene.stand.text(LINK, shopper, code.printed) == 0
    for shopper, _ in people:
        await scene.confirmed(shopper)
        assert len(scene.smsc.sent_to(shopper.number)) == 1


async def test_answers_out_of_order_are_filed_with_their_own_message(scene: Scene) -> None:
    people = scene.shoppers(15)
    scene.smsc.behave(Behaviour(out_of_order=True))
    await asyncio.gather(*(scene.stand.text(LINK, shopper, code.printed) for shopper, code in people))
    for shopper, _ in people:
        await scene.confirmed(shopper)
        (submit,) = scene.smsc.sent_to(shopper.number)
        key = scene.stand.vault.index(shopper.number)
        query = "SELECT smsc_id FROM message JOIN shopper ON shopper.id = shopper_id WHERE key = :key"
        assert [row[0] for row in scene.stand.gateway.sql(query, key=key)] == [submit.message_id]
