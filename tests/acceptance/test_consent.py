"""STOP and START: in force before they are acknowledged, kept as they were said, confirmed once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.phone import Shopper
from tests.acceptance.promotion import Promotion, Supply, add_campaign, add_firm, known, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("supply"),
]

LINK: Final = "peer"
MESSAGES, REPLIES = 6, 8
HOST, OTHER = 1, 2
OUT: Final = "You are unsubscribed. We will not send you any more offers."
IN: Final = "You are subscribed to our offers by SMS, not by calls. To opt out, send STOP."
WITHDRAWN: Final = [("sms", "withdrawn", "sms"), ("call", "withdrawn", "sms")]
GIVEN: Final = [("sms", "given", "sms")]  # to whoever had nothing START allows texts alone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway with small limits."""
    settings: dict[str, dict[str, object]] = {
        "limits": {"messages_per_minute": MESSAGES},
        "answers": {"replies_per_hour": REPLIES},
    }
    async with standing(
        tmp_path_factory.mktemp(f"consent-{database.kind}"), {LINK: any_smsc()}, settings=settings
    ) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supply(stand: Stand) -> Supply:
    """Codes of the firm that hosts the short number 4040."""
    return await running_campaign(stand)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guest(stand: Stand, supply: Supply) -> Supply:
    """Codes of a second firm at the short number 5050 that both firms share."""
    assert supply.codes  # the first firm is there
    host = add_campaign(stand.gateway, numbers=("5050",))
    add_firm(stand.gateway, "other")
    campaign = add_campaign(stand.gateway, numbers=("5050",), firm="other", points=7)
    await _known(stand, host)
    return await _known(stand, campaign)


async def _known(stand: Stand, campaign: Promotion) -> Supply:
    codes = campaign.codes(100, take=100)
    await known(stand, LINK, codes.pop(), to="5050")
    return Supply(campaign=campaign, codes=codes)


def said_to_firm(stand: Stand, shopper: Shopper, firm: int) -> list[tuple[str, str]]:
    """What a firm has of a shopper's consent: channel and state, in the order of its rows."""
    rows = stand.gateway.sql(
        "SELECT channel, state FROM consent_entry WHERE firm_id = :firm"
        " AND shopper_id = (SELECT id FROM shopper WHERE key = :key) ORDER BY id",
        firm=firm,
        key=stand.vault.index(shopper.number),
    )
    return [(channel, state) for channel, state in rows]


async def test_in_force_when_it_is_acknowledged(stand: Stand) -> None:
    shopper = stand.shopper()
    with stand.frozen("worker"):
        assert await stand.text(LINK, shopper, "STOP") == 0
        assert stand.consent_word(shopper) == "out"
        assert await stand.text(LINK, shopper, "START") == 0
        assert stand.consent_word(shopper) == "in"
        assert stand.stored(shopper).consent == []
    assert sorted(await stand.answers(LINK, shopper, 2)) == [IN, OUT]
    assert stand.stored(shopper).consent == WITHDRAWN + GIVEN


async def test_every_word_is_kept_in_the_order_it_was_said(stand: Stand) -> None:
    shopper = stand.shopper()
    for word, answer in (("STOP", OUT), ("START", IN), ("STOP", OUT), ("start", IN), ("Stop.", OUT)):
        assert await stand.exchange(LINK, shopper, word) == answer
    assert stand.stored(shopper).consent == WITHDRAWN + GIVEN + WITHDRAWN + GIVEN + WITHDRAWN
    assert stand.consent_word(shopper) == "out"


async def test_sent_again_it_is_confirmed_once(stand: Stand) -> None:
    shopper = stand.shopper()
    assert await stand.exchange(LINK, shopper, "STOP") == OUT
    assert await stand.text(LINK, shopper, "STOP") == 0
    await stand.all_quiet(LINK)
    assert len(stand.smscs[LINK].sent_to(shopper.number)) == 1
    assert stand.stored(shopper).consent == WITHDRAWN


async def test_over_a_limit_it_is_heard_and_the_code_beside_it_is_not_looked_up(
    stand: Stand, supply: Supply
) -> None:
    shopper, code = stand.shopper("who texts a lot"), supply.next()
    for number in range(MESSAGES):
        await stand.exchange(LINK, shopper, "BALANCE" + "!" * number)
    assert (await stand.exchange(LINK, shopper, code.printed)).startswith("Too many attempts.")
    assert await stand.exchange(LINK, shopper, f"{code.printed} STOP") == OUT
    assert stand.consent_word(shopper) == "out"
    stored = stand.stored(shopper)
    assert (stored.consent, stored.activations) == (WITHDRAWN, [])
    assert (await stand.exchange(LINK, stand.shopper(), code.printed)).startswith("Code accepted")


async def test_confirmed_after_all_replies_of_the_hour(stand: Stand) -> None:
    shopper = stand.shopper("who has had all replies")
    with stand.frozen("worker"):  # nothing is answered meanwhile, all is counted
        for number in range(MESSAGES + REPLIES):
            assert await stand.text(LINK, shopper, "BALANCE" + "!" * number) == 0
        assert await stand.text(LINK, shopper, "STOP") == 0
    await stand.all_quiet(LINK)
    # One answer a text of the minute, the limit once, the word: one after the other.
    assert (await stand.answers(LINK, shopper, MESSAGES + 2))[-1] == OUT
    assert stand.stored(shopper).consent == WITHDRAWN


async def test_one_word_and_one_answer_for_all_firms_of_a_number(stand: Stand, guest: Supply) -> None:
    shopper, code = stand.shopper(), guest.next()
    text = f"{code.printed} STOP"
    assert await stand.text(LINK, shopper, text, to="5050") == 0
    for firm in (HOST, OTHER):
        assert stand.consent_word(shopper, firm) == "out"
    answers = await stand.answers(LINK, shopper, 2)  # the host's of the STOP, the other firm's of its code
    assert sorted(answers) == ["Code accepted: +7 points. Balance: 7.", OUT]
    for firm in (HOST, OTHER):
        assert said_to_firm(stand, shopper, firm) == [("sms", "withdrawn"), ("call", "withdrawn")]
