"""Over a limit nothing is looked up; nobody is told twice; a robot is not talked to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.phone import Shopper, ends_in
from tests.acceptance.promotion import Supply, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.peers.smsc import Delivery

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
MESSAGES, WRONG, REPLIES = 12, 4, 8
CREDITED: Final = "Code accepted: +10 points. Balance: 10."
INVALID: Final = "There is no such code. Please check it and send it again."
HINT: Final = "Sorry, we did not understand. Send the code from under the cap, or HELP."
BALANCE: Final = "Your balance: 0 points."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway with small limits."""
    settings: dict[str, dict[str, object]] = {
        "limits": {"messages_per_minute": MESSAGES, "wrong_codes_per_hour": WRONG},
        "answers": {"replies_per_hour": REPLIES, "hints_per_day": 1},
    }
    async with standing(
        tmp_path_factory.mktemp(f"limits-{database.kind}"), {LINK: any_smsc()}, settings=settings
    ) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supply(stand: Stand) -> Supply:
    """Codes of its one campaign."""
    return await running_campaign(stand)


async def silence(stand: Stand, shopper: Shopper, text: str) -> None:
    """The text is acknowledged, and no answer follows."""
    before = len(stand.smscs[LINK].sent_to(shopper.number))
    assert await stand.text(LINK, shopper, text) == 0
    await stand.all_quiet(LINK)
    assert before == len(stand.smscs[LINK].sent_to(shopper.number))


async def counted(stand: Stand, outcome: str) -> float:
    """How many texts had this outcome. The processes count once a second: wait until all has been written."""

    def accepted() -> float:
        return stand.counted("undercap_texts_total", outcome="accepted")

    before = accepted()
    await stand.all_quiet(LINK)
    await stand.gateway.until(lambda: accepted() > before, "texts are not counted")
    return stand.counted("undercap_texts_total", outcome=outcome)


def wrong(number: int) -> str:
    """A code of the right form that was never issued; the odds that it was are one in ten million."""
    return f"4821-3345-{number:05}"


def assert_told_until(answer: str, minutes: int) -> None:
    """The answer names the end of a window that has just begun."""
    assert answer in {
        f"Too many attempts. Please send your code after {end}, it stays good."
        for end in ends_in(minutes, day="%d %b")
    }


async def test_wrong_codes_are_told_once_until_when_then_silence(stand: Stand, supply: Supply) -> None:
    guesser, code = stand.shopper("who guesses"), supply.next()
    silent = await counted(stand, "limited_silent")
    for number in range(WRONG):
        assert await stand.exchange(LINK, guesser, wrong(number)) == INVALID
    assert_told_until(await stand.exchange(LINK, guesser, code.printed), 60)
    await silence(stand, guesser, f"code {code.printed}")
    await silence(stand, guesser, wrong(99))
    stored = stand.stored(guesser)
    assert (stored.activations, stored.balance, stored.wrong) == ([], 0, WRONG)
    assert [reply.outcomes for reply in stored.replies] == ["invalid"] * WRONG + ["limited"]
    assert await counted(stand, "limited_silent") - silent == 2
    assert await stand.exchange(LINK, stand.shopper(), code.printed) == CREDITED


async def test_more_wrong_codes_at_once_than_are_allowed_teach_nothing(stand: Stand, supply: Supply) -> None:
    guesser, code = stand.shopper("who guesses"), supply.next()
    text = " ".join([*map(wrong, range(100, 101 + WRONG)), code.printed])
    assert_told_until(await stand.exchange(LINK, guesser, text), 60)
    await silence(stand, guesser, code.printed)
    assert stand.stored(guesser).activations == []
    assert await stand.exchange(LINK, stand.shopper(), code.printed) == CREDITED


async def test_other_words_are_heard_over_the_limit_of_wrong_codes(stand: Stand) -> None:
    guesser = stand.shopper("who guesses")
    assert await stand.exchange(LINK, guesser, " ".join(map(wrong, range(200, 200 + WRONG)))) == (
        f"Not valid: {WRONG} codes."
    )
    assert_told_until(await stand.exchange(LINK, guesser, wrong(299)), 60)
    assert await stand.exchange(LINK, guesser, "BALANCE") == BALANCE


async def test_replies_have_an_end_and_codes_are_credited_all_the_same(stand: Stand, supply: Supply) -> None:
    shopper, code = stand.shopper("who asks a lot"), supply.next()
    for number in range(REPLIES):
        assert await stand.exchange(LINK, shopper, "balance" + "!" * number) == BALANCE
    await silence(stand, shopper, "balance?")
    await silence(stand, shopper, code.printed)
    stored = stand.stored(shopper)
    assert (len(stored.activations), stored.balance, len(stored.replies)) == (1, 10, REPLIES)


async def test_texts_a_minute_have_an_end(stand: Stand, supply: Supply) -> None:
    shopper, code = stand.shopper("who texts a lot"), supply.next()
    for number in range(MESSAGES):
        assert await stand.text(LINK, shopper, "nothing that anybody knows" + "." * number) == 0
    assert_told_until(await stand.exchange(LINK, shopper, code.printed), 1)
    await silence(stand, shopper, f"code {code.printed}")
    stored = stand.stored(shopper)
    assert (stored.activations, [r.outcomes for r in stored.replies]) == ([], ["unknown", "limited"])


async def test_one_hint_a_day_even_to_a_robot_that_talks_back(stand: Stand, supply: Supply) -> None:
    robot, code = stand.shopper("a robot"), supply.next()
    silent = await counted(stand, "silent")
    assert await stand.exchange(LINK, robot, "Thank you for your message") == HINT
    for echo in (HINT, f"{HINT} {HINT}", f"Re: {HINT}"):
        await silence(stand, robot, echo)
    assert await counted(stand, "silent") - silent == 3
    stored = stand.stored(robot)
    assert (len(stored.replies), stored.wrong) == (1, 0)
    assert await stand.exchange(LINK, robot, code.printed) == CREDITED


NEVER_ANSWERED: Final = {  # address, TON, NPI
    "alphanumeric": ("BANK", 5, 0),
    "short number": ("7788", 3, 0),
    "short number that says it is international": ("7788", 1, 1),
    "our own number": ("4040", 3, 0),
    "our own number that says it is international": ("4040", 1, 1),
    "nobody": ("", 0, 0),
}


async def test_never_answered(stand: Stand, supply: Supply) -> None:
    smsc = stand.smscs[LINK]
    before = await counted(stand, "sender_not_answered")
    codes = {sender: supply.next() for sender in NEVER_ANSWERED}
    for sender, (source, ton, npi) in NEVER_ANSWERED.items():
        body = codes[sender].printed.encode()
        text = Delivery(source=source, destination="4040", body=body, source_ton=ton, source_npi=npi)
        assert (sender, await smsc.deliver(text)) == (sender, 0)
    assert await counted(stand, "sender_not_answered") - before == len(NEVER_ANSWERED)
    for sender, (source, _, _) in NEVER_ANSWERED.items():
        assert (sender, smsc.sent_to(source)) == (sender, [])
        serial = codes[sender].serial
        assert stand.gateway.sql("SELECT id FROM activation WHERE serial = :serial", serial=serial) == []
