"""The same text again, and the same code again: one credit, and no answer that nobody asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.promotion import Supply, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.harness import VALKEY

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
WINDOW_S: Final = 2
ASK_AGAIN_S: Final = 0.1
CREDITED: Final = "Code accepted: +10 points. Balance: 10."
YOURS: Final = "This code was already credited to you on"  # and the day
USED: Final = "This code has already been used."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway with a short window, so that its end can be seen."""
    settings: dict[str, dict[str, object]] = {
        "answers": {"redelivery_window_s": WINDOW_S},
        "limits": {"messages_per_minute": 1000},  # a test texts again and again
    }
    async with standing(
        tmp_path_factory.mktemp(f"again-{database.kind}"), {LINK: any_smsc()}, settings=settings
    ) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supply(stand: Stand) -> Supply:
    """Codes of its one campaign."""
    return await running_campaign(stand)


async def test_again_before_the_answer(stand: Stand, supply: Supply) -> None:
    shopper, code = stand.shopper(), supply.next()
    with stand.frozen("worker"):
        for _ in range(3):
            assert await stand.text(LINK, shopper, code.printed) == 0
    assert await stand.answers(LINK, shopper) == [CREDITED]
    await stand.all_quiet(LINK)
    assert len(stand.smscs[LINK].sent_to(shopper.number)) == 1
    assert stand.stored(shopper).balance == 10


async def test_again_after_the_answer_within_the_window(stand: Stand, supply: Supply) -> None:
    shopper, code = stand.shopper(), supply.next()
    assert await stand.exchange(LINK, shopper, code.printed) == CREDITED
    before = stand.counted("undercap_texts_total", outcome="re_delivered")
    assert await stand.text(LINK, shopper, code.printed) == 0
    await stand.all_quiet(LINK)
    assert len(stand.stored(shopper).replies) == 1
    assert len(stand.smscs[LINK].sent_to(shopper.number)) == 1
    counted = lambda: stand.counted("undercap_texts_total", outcome="re_delivered") > before  # noqa: E731
    await stand.gateway.until(counted, "the re-delivery was not counted")


async def test_again_after_the_window(stand: Stand, supply: Supply) -> None:
    shopper, code = stand.shopper(), supply.next()
    assert await stand.exchange(LINK, shopper, code.printed) == CREDITED
    answered_at = time.monotonic()
    smsc = stand.smscs[LINK]
    while len(smsc.sent_to(shopper.number)) == 1 and time.monotonic() < answered_at + 10 * WINDOW_S:
        assert await stand.text(LINK, shopper, code.printed) == 0
        await asyncio.sleep(ASK_AGAIN_S)
    answers = await stand.answers(LINK, shopper, 2)
    assert (answers[0], answers[1][:-13]) == (CREDITED, YOURS)
    assert (
        smsc.sent_to(shopper.number)[1].at - answered_at > WINDOW_S - 1
    )  # the clock of Redis ticks in seconds
    stored = stand.stored(shopper)
    assert (len(stored.activations), len(stored.entries), stored.balance) == (1, 1, 10)
    assert [reply.outcomes for reply in stored.replies] == ["activated", "already_yours"]


async def test_the_code_of_somebody_else(stand: Stand, supply: Supply) -> None:
    first, second, code = stand.shopper("who was first"), stand.shopper("who was second"), supply.next()
    assert await stand.exchange(LINK, first, code.printed) == CREDITED
    assert await stand.exchange(LINK, second, code.printed) == USED
    stored = stand.stored(second)
    assert (stored.activations, stored.entries, stored.balance, stored.wrong) == ([], [], 0, 0)


async def test_two_shoppers_before_anything_is_settled(stand: Stand, supply: Supply) -> None:
    first, second, code = stand.shopper("who was first"), stand.shopper("who was second"), supply.next()
    with stand.frozen("worker"):
        for shopper, text in ((first, "{}"), (second, "{}"), (first, "code {}")):
            assert await stand.text(LINK, shopper, text.format(code.printed)) == 0
    credited, yours = sorted(await stand.answers(LINK, first, 2))  # smpp34 tells of both in any order
    assert (credited, yours[:-13]) == (CREDITED, YOURS)
    assert await stand.answers(LINK, second) == [USED]
    assert stand.stored(first).balance == 10
    assert stand.stored(second).activations == []


async def test_a_hundred_phones_race_for_one_code(stand: Stand, supply: Supply) -> None:
    shoppers, code = [stand.shopper(f"racer {n}") for n in range(100)], supply.next()
    statuses = await asyncio.gather(*(stand.text(LINK, shopper, code.printed) for shopper in shoppers))
    assert set(statuses) == {0}
    answers = [(await stand.answers(LINK, shopper))[0] for shopper in shoppers]
    assert sorted(answers) == [CREDITED, *[USED] * 99]
    assert sum(len(stand.stored(shopper).activations) for shopper in shoppers) == 1


async def test_sent_again_because_the_session_was_cut_before_the_response(
    stand: Stand, supply: Supply
) -> None:
    shopper, code = stand.shopper(), supply.next()
    smsc = stand.smscs[LINK]
    with stand.writes_held() as api:
        first = asyncio.ensure_future(stand.text(LINK, shopper, code.printed))
        waits = lambda: any(c["cmd"] == "evalsha" and "b" in c["flags"] for c in api.client_list())  # noqa: E731
        await stand.gateway.until(waits, "the claim does not wait")
        await smsc.restart()
        assert await first is None
    await smsc.wait_bound()
    assert await stand.text(LINK, shopper, code.printed) == 0
    assert await stand.answers(LINK, shopper) == [CREDITED]
    await stand.all_quiet(LINK)
    stored = stand.stored(shopper)
    assert (len(stored.activations), stored.balance, len(stored.replies)) == (1, 10, 1)
    assert len(smsc.sent_to(shopper.number)) == 1


async def test_a_killed_valkey_remembers_what_was_credited(stand: Stand, supply: Supply) -> None:
    shopper, code = stand.shopper(), supply.next()
    assert await stand.exchange(LINK, shopper, code.printed) == CREDITED
    stand.gateway.kill(VALKEY)
    statuses = [await stand.text(LINK, shopper, code.printed)]
    while statuses[-1] != 0:
        statuses.append(await stand.text(LINK, shopper, code.printed))
    assert set(statuses) <= {0, 0x64}
    await stand.all_quiet(LINK)
    stored = stand.stored(shopper)
    assert (len(stored.activations), len(stored.entries), stored.balance) == (1, 1, 10)
