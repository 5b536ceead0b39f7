"""Blasts by SMS through a real SMSC: once to each, stopped within a second, nobody twice through kills."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.offers import Marketer, marketer, to_noon
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
WINDOW: Final = 10
PER_S: Final = 100
STOPPED_WITHIN_S: Final = 1.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway at noon of a weekday, whose operator takes 100 segments a second."""
    link = {"window": WINDOW, "segments_per_s": PER_S}
    state = tmp_path_factory.mktemp(f"blasts-{database.kind}")
    async with standing(state, {LINK: any_smsc()}, link=link, clock_offset_s=to_noon()) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(stand: Stand) -> Marketer:
    """The marketer of its one firm."""
    return await marketer(stand)


async def test_each_of_those_who_allow_it_gets_it_once(acme: Marketer) -> None:
    yes = acme.shoppers(40, "38050")
    no = acme.shoppers(15, "38050", first=100, consent="out:1")
    blast = acme.blast("all", region="38050")
    assert acme.turn(blast, "launch") == "running"
    found = await acme.over(blast)
    assert acme.received(yes) == Counter(yes)
    assert acme.received(no) == Counter()
    assert (found["state"], found["texts_by_state"]["sent"]) == ("finished", 40)
    assert found["denied"]["withdrawn"] in (10, 20)


async def test_a_pause_and_a_cancel_stop_it_within_a_second(acme: Marketer) -> None:
    numbers = acme.shoppers(250, "38066")
    blast = acme.blast("paused", region="38066")
    acme.turn(blast, "launch")
    await acme.until_sent(numbers, 30)
    acme.turn(blast, "pause")
    paused_at = time.monotonic()
    await acme.stand.gateway.until(lambda: not acme.texts(blast)["queued"], "the queue does not empty")
    late = [one for one in acme.journal() if one.at > paused_at + STOPPED_WITHIN_S]
    assert late == []
    sent = acme.received(numbers).total()
    assert sent < 250

    acme.turn(blast, "resume")
    await acme.until_sent(numbers, sent + 30)
    acme.turn(blast, "cancel")
    cancelled_at = time.monotonic()
    found = await acme.over(blast)
    await acme.stand.gateway.until(lambda: not acme.texts(blast)["queued"], "the queue does not empty")
    assert [one for one in acme.journal() if one.at > cancelled_at + STOPPED_WITHIN_S] == []
    assert found["state"] == "cancelled"
    assert set(acme.received(numbers).values()) == {1}


async def test_nobody_gets_it_twice_though_every_process_is_killed(acme: Marketer) -> None:
    numbers = acme.shoppers(300, "38095")
    blast = acme.blast("killed", region="38095")
    acme.turn(blast, "launch")
    for count, victim in ((40, "blasts"), (90, "smpp"), (150, "worker"), (200, "smpp")):
        await acme.until_sent(numbers, count)
        assert acme.stand.gateway.kill(victim)
    found = await acme.over(blast)
    received = acme.received(numbers)
    assert set(received.values()) == {1}
    texts = found["texts_by_state"]
    unknown = texts["unknown"]
    assert unknown <= 2 * WINDOW
    sent = acme.texts(blast)["accepted"]
    assert sent + unknown == 300
    assert len(received) >= sent
    listed = acme.ask("GET", f"/v1/blasts/{blast}/unknown")["texts"]
    assert len(listed) == unknown
