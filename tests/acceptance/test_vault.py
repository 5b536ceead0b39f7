"""The vault of a running gateway: keys rotate under traffic, and somebody is erased."""

from __future__ import annotations

import csv
import time
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any, Final

import pytest
import pytest_asyncio

from gateway.store.vault.vault import generation_of
from tests.acceptance.phone import Shopper, shown
from tests.acceptance.promotion import Supply, running_campaign
from tests.acceptance.secret_places import files, redis_places, sql_places
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
SEEN_WITHIN_S: Final = 20.0
CREDITED: Final = "Code accepted: +10 points. Balance: 10."
USED: Final = "This code has already been used."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway with one link."""
    async with standing(tmp_path_factory.mktemp(f"vault-{database.kind}"), {LINK: any_smsc()}) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supply(stand: Stand) -> Supply:
    """Codes of its one campaign."""
    return await running_campaign(stand)


def generation(stand: Stand, shopper: Shopper) -> int:
    """Under which a shopper's number is sealed."""
    key = stand.vault.index(shopper.number)
    ((sealed,),) = stand.gateway.sql("SELECT number FROM shopper WHERE key = :key", key=key)
    return generation_of(sealed)


async def test_keys_rotate_under_running_processes(stand: Stand, supply: Supply) -> None:
    before = stand.shopper()
    assert await stand.exchange(LINK, before, supply.next().printed) == CREDITED
    running = stand.gateway.pids()
    stand.gateway.cli("vault", "rotate", "--in", "1")

    newest, deadline = before, time.monotonic() + SEEN_WITHIN_S
    while not generation(stand, newest) and time.monotonic() < deadline:
        newest = stand.shopper()
        assert await stand.exchange(LINK, newest, "HELP")
    assert generation(stand, newest) == 1
    assert generation(stand, before) == 0
    stand.gateway.cli("vault", "reseal")
    assert generation(stand, before) == 1
    assert await stand.exchange(LINK, before, "BALANCE")
    assert stand.gateway.pids() == running


async def test_somebody_is_erased_and_texts_again(stand: Stand, supply: Supply) -> None:
    shopper, code, other = stand.shopper("who is erased"), supply.next(), stand.shopper()
    for number in (shopper, other):
        assert await stand.exchange(LINK, number, supply.next().printed) == CREDITED
    await stand.exchange(LINK, shopper, code.printed)
    await stand.exchange(LINK, shopper, "ALIAS")
    sums = "SELECT count(*), sum(points) FROM"
    before = [stand.gateway.sql(f"{sums} {table}") for table in ("ledger_entry", "activation", "balance")]
    index = stand.vault.index(shopper.number).encode()
    await stand.all_quiet(LINK)

    stand.gateway.cli("vault", "erase", "--yes", said=f"+{shopper.number}\n")

    assert [stand.gateway.sql(f"{sums} {table}") for table in ("ledger_entry", "activation", "balance")] == (
        before
    )
    await stand.gateway.until(lambda: rewritten(stand), "the append-only file was not written anew")
    assert [place for place, data in everything(stand) if index in data] == []

    assert await anew(stand, shopper, f"again {code.printed}") == USED
    assert await anew(stand, shopper, supply.next().printed) == CREDITED
    assert await stand.exchange(LINK, other, supply.next().printed) == CREDITED.replace("e: 10", "e: 20")


async def anew(stand: Stand, shopper: Shopper, text: str) -> str:
    """The answer as the phone gets it: SQL does not know any more what it got before."""
    phone = stand.smscs[LINK]
    before = len(phone.sent_to(shopper.number))
    assert await stand.text(LINK, shopper, text) == 0
    await stand.gateway.until(lambda: len(phone.sent_to(shopper.number)) > before, "no answer")
    return shown(phone.sent_to(shopper.number))[-1]


def rewritten(stand: Stand) -> bool:
    """Whether Valkey has finished its new file, and let the old one go."""
    with closing(stand.gateway.redis()) as redis:
        told: Any = redis.info("persistence")
    return not told["aof_rewrite_in_progress"] and not told["aof_rewrite_scheduled"]


def everything(stand: Stand) -> list[tuple[str, bytes]]:
    """All files, SQL and Redis."""
    with closing(stand.gateway.redis()) as redis:
        return [*files(stand.gateway.state), *sql_places(stand.gateway.engine()), *redis_places(redis)]


async def test_the_report_names_processes_and_the_operator(stand: Stand, supply: Supply) -> None:
    del supply

    def told() -> set[tuple[str, str, str]]:
        rows = csv.DictReader(stand.gateway.cli("vault", "report", "--csv").splitlines())
        return {(row["kind"], row["who"], row["purpose"]) for row in rows}

    await stand.gateway.until(
        lambda: {("count", "worker", "reply"), ("count", "smpp", "answer")} <= told(),
        "what the processes opened was not written",
        every_s=0.5,
    )
    assert {("count", "vault reseal", "shopper")} <= told()
    assert {purpose for kind, _, purpose in told() if kind == "access"} == {"look-up", "erasure"}
