"""No means no, at once: by effect, at a real SMSC, while marketing flows, and over a frozen process."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from gateway.domain.offers.blast import Word
from gateway.store.offers import blasts
from gateway.store.offers.redis_queue import Offers
from tests.acceptance.phone import Shopper, shown
from tests.acceptance.promotion import FIRM, add_campaign, add_firm, known
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.noon import to_noon_of_a_tuesday
from tests.offers import in_ledger, put_offers

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

LINK: Final = "peer"
OFFER: Final = "Two for one this week. STOP to refuse"
OUT: Final = "You are unsubscribed. We will not send you any more offers."
PER_S: Final = 15
AT_ONCE_S: Final = 1.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway at noon with a slow link, and a firm that everybody knows."""
    async with standing(
        tmp_path_factory.mktemp(f"marketing-{database.kind}"),
        {LINK: any_smsc()},
        link={"segments_per_s": PER_S},
        settings={"http": {"port": 0}},
        clock_offset_s=to_noon_of_a_tuesday(),
    ) as stand:
        add_firm(stand.gateway)
        await known(stand, LINK, add_campaign(stand.gateway).codes(5, take=5)[0])
        yield stand


def consenting(stand: Stand, count: int) -> list[Shopper]:
    """Shoppers whose consent was imported from a list."""
    shoppers = [stand.shopper(f"number {n}") for n in range(count)]
    rows = [f"+{shopper.number},all,given,2025-01-01,form {n}" for n, shopper in enumerate(shoppers)]
    file = stand.gateway.state / "consents.csv"
    file.write_text("\n".join(["number,channel,state,said_at,proof", *rows]), encoding="utf-8")
    told = stand.gateway.cli(
        *("consent", "import", str(file), "--firm", FIRM, "--how", "form", "--wording", "Offers, please")
    )
    assert told.startswith(f"recorded: {count} consents")
    return shoppers


def launch(stand: Stand, shoppers: Sequence[Shopper], blast: str) -> None:
    """Queue an offer to each."""
    numbers = [shopper.number for shopper in shoppers]
    in_ledger(stand.gateway.engine(), stand.vault, LINK, numbers, blast=blast)
    with closing(stand.gateway.redis()) as redis:
        put_offers(redis, stand.vault, LINK, numbers, OFFER, blast=blast)


def offers_to(stand: Stand, shopper: Shopper) -> list[float]:
    """When offers to a shopper began to be submitted, by the SMSC's own journal."""
    return [s.at for s in stand.smscs[LINK].sent_to(shopper.number) if s.body.decode("latin-1") == OFFER]


async def all_gone(stand: Stand) -> None:
    """Until no marketing waits."""

    def gone() -> bool:
        with closing(stand.gateway.redis()) as redis:
            return not any(redis.xlen(name) for name in redis.scan_iter("*:send:*:bulk"))

    await stand.gateway.until(gone, "marketing waits still", timeout_s=40)


async def test_one_second_after_a_stop_nothing_more_leaves(stand: Stand) -> None:
    shoppers = consenting(stand, 60)
    launch(stand, shoppers, "7")
    await stand.gateway.until(lambda: bool(offers_to(stand, shoppers[3])), "no marketing leaves")
    stopped: dict[int, float] = {}
    for place in (*range(20, 24), *range(50, 60)):  # some of whom are near, some far behind
        assert await stand.text(LINK, shoppers[place], "STOP") == 0
        stopped[place] = time.monotonic()
    await all_gone(stand)

    for place, at in stopped.items():
        assert all(sent < at + AT_ONCE_S for sent in offers_to(stand, shoppers[place]))
        await stand.answers(LINK, shoppers[place])
        assert OUT in shown(stand.smscs[LINK].sent_to(shoppers[place].number))
    late = [place for place in stopped if not offers_to(stand, shoppers[place])]
    assert len(late) >= 8  # it is they whom the gate saved
    others = [s for place, s in enumerate(shoppers) if place not in stopped]
    assert [len(offers_to(stand, shopper)) for shopper in others] == [1] * len(others)
    await stand.gateway.until(
        lambda: stand.counted("undercap_answers_total", link=LINK, state="denied") == len(late),
        "denied ones are not counted",
    )


async def test_a_process_that_stood_still_asks_again(stand: Stand) -> None:
    """It is frozen with offers in its hands; the refusals come by the API, and all are old when it wakes."""
    shoppers = consenting(stand, 60)
    key = stand.gateway.cli("firm", "key", FIRM).strip()
    launch(stand, shoppers, "8")
    await stand.gateway.until(lambda: bool(offers_to(stand, shoppers[3])), "no marketing leaves")
    with stand.frozen("smpp"):
        await refused_by_api(stand, key, shoppers[10:])
        at = time.monotonic()
        await asyncio.sleep(AT_ONCE_S)  # so long a frozen process must have been for its words to be old
    await all_gone(stand)

    sent = [moment for shopper in shoppers[10:] for moment in offers_to(stand, shopper)]
    assert [moment - at for moment in sent if moment > at + AT_ONCE_S] == []
    assert len(sent) < 40


async def refused_by_api(stand: Stand, key: str, shoppers: Sequence[Shopper]) -> None:
    log = (stand.gateway.state / "up.log").read_text(encoding="utf-8")
    found = re.search(r"http://127\.0\.0\.1:\d+", log)
    assert found, log
    async with ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        for shopper in shoppers:
            body = {"phone": f"+{shopper.number}", "channel": "sms", "state": "withdrawn"}
            async with http.put(f"{found[0]}/v1/consents", json=body) as response:
                assert response.status == 200


async def test_a_cancelled_blast_stops(stand: Stand) -> None:
    shoppers = consenting(stand, 40)
    launch(stand, shoppers, "9")
    await stand.gateway.until(lambda: bool(offers_to(stand, shoppers[3])), "no marketing leaves")
    turned = blasts.turn(stand.gateway.engine(), 9, Word.CANCEL, 0)
    with closing(stand.gateway.redis()) as redis:
        assert Offers(redis).tell(1, 9, turned.state, turned.revision)
    at = time.monotonic()
    await all_gone(stand)
    sent = [moment for shopper in shoppers for moment in offers_to(stand, shopper)]
    assert max(sent) < at + AT_ONCE_S
    assert len(sent) < len(shoppers)
