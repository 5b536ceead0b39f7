"""What is acknowledged is on disk, what cannot be stored is put off, and each is confirmed once in the end.

Processes are killed and held, the database is locked; the supervisor is held where it would mend too soon.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import pytest
import pytest_asyncio

from config import settings as settings_module
from gateway.store.redis import keys
from tests import databases
from tests.acceptance.phone import Shopper
from tests.acceptance.promotion import Code, Supply, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.harness import VALKEY
from tests.peers.smsc import Behaviour, Delivery

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
FIRM: Final = 1
PATIENCE_S: Final = 1.0  # storage_timeout_s: then the temporary status is answered
TEMPORARY: Final = 0x64  # ESME_RX_T_APPN
SLACK_S: Final = 1.5  # of a busy machine
LOCKED_S: Final = 2.0
TEXTS: Final = 8
CREDITED: Final = "Code accepted: +10 points. Balance: 10."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway that soon loses its patience with a storage."""
    link = {"storage_timeout_s": PATIENCE_S, "response_timeout_s": 1.0}
    async with standing(
        tmp_path_factory.mktemp(f"durable-{database.kind}"), {LINK: any_smsc()}, link=link
    ) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supply(stand: Stand) -> Supply:
    """Codes of its one campaign."""
    return await running_campaign(stand)


def people(stand: Stand, supply: Supply, count: int = TEXTS) -> list[tuple[Shopper, Code]]:
    """So many newcomers, each with a fresh code."""
    return [(stand.shopper(f"shopper {number}"), supply.next()) for number in range(count)]


async def put_off(stand: Stand, shopper: Shopper, code: Code) -> float:
    """The text gets the temporary answer; after how many seconds."""
    begun = time.monotonic()
    assert await stand.text(LINK, shopper, code.printed) == TEMPORARY
    return time.monotonic() - begun


async def until_acknowledged(stand: Stand, shopper: Shopper, code: Code) -> None:
    """Send it as an SMSC does, again and again; whatever is not ROK is temporary."""
    while (status := await stand.text(LINK, shopper, code.printed)) != 0:
        assert status in {TEMPORARY, None}
        await stand.smscs[LINK].wait_bound()


async def assert_credited_once(
    stand: Stand, everybody: list[tuple[Shopper, Code]], *, submits: int = 1
) -> None:
    """Each code has one activation and one confirmation, submitted so many times at most."""
    for shopper, _ in everybody:
        assert await stand.answers(LINK, shopper) in [[CREDITED] * count for count in range(1, submits + 1)]
    await stand.all_quiet(LINK)
    for shopper, code in everybody:
        stored = stand.stored(shopper)
        assert [serial for _, serial, _, _ in stored.activations] == [code.serial]
        assert (len(stored.entries), stored.balance) == (1, 10)
        assert [reply.outcomes for reply in stored.replies] == ["activated"]
        assert len(stand.smscs[LINK].sent_to(shopper.number)) <= submits


@contextmanager
def ledger_locked(stand: Stand) -> Iterator[None]:
    """Nobody else can write to the database."""
    with databases.write_locked(settings_module.load(stand.gateway.config).sql_url):
        yield


async def test_valkey_killed(stand: Stand, supply: Supply) -> None:
    ((shopper, code), late) = people(stand, supply, 2)
    with stand.frozen("up"):
        stand.gateway.kill(VALKEY)
        assert await put_off(stand, shopper, code) < PATIENCE_S + SLACK_S
        assert await put_off(stand, shopper, code) < PATIENCE_S + SLACK_S
        part = Delivery(
            source=shopper.number, destination="4040", body=b"\5\0\3\7\2\1" + b"part", esm_class=0x40
        )
        assert await stand.smscs[LINK].deliver(part) == TEMPORARY
        receipt = Delivery(
            source=shopper.number, destination="4040", body=b"id:1 stat:DELIVRD err:000", esm_class=4
        )
        assert await stand.smscs[LINK].deliver(receipt) == TEMPORARY
    await until_acknowledged(stand, shopper, code)
    await until_acknowledged(stand, *late)
    await assert_credited_once(stand, [(shopper, code), late])


async def test_valkey_stands_still(stand: Stand, supply: Supply) -> None:
    """What it does after all when it goes on is found by the SMSC's next try."""
    everybody = people(stand, supply)
    with stand.frozen(VALKEY):
        waits = await asyncio.gather(*(put_off(stand, *somebody) for somebody in everybody))
    assert min(waits) > PATIENCE_S / 2
    assert max(waits) < PATIENCE_S + SLACK_S
    await asyncio.gather(*(until_acknowledged(stand, *somebody) for somebody in everybody))
    await assert_credited_once(stand, everybody)


async def test_ledger_locked(stand: Stand, supply: Supply) -> None:
    everybody = people(stand, supply)
    with ledger_locked(stand):
        begun = time.monotonic()
        for somebody in everybody:
            assert await stand.text(LINK, somebody[0], somebody[1].printed) == 0
        assert time.monotonic() - begun < LOCKED_S
        await asyncio.sleep(LOCKED_S)  # it is to last
        assert [stand.stored(shopper).replies for shopper, _ in everybody] == [[]] * TEXTS
    await assert_credited_once(stand, everybody)


async def test_worker_killed_before_its_batch_is_written(stand: Stand, supply: Supply) -> None:
    everybody = people(stand, supply)
    with ledger_locked(stand):
        await begun_to_settle(stand, everybody)
        assert stand.gateway.kill("worker")
    await assert_credited_once(stand, everybody)


async def test_worker_killed_between_the_ledger_and_the_end_of_its_batch(
    stand: Stand, supply: Supply
) -> None:
    everybody = people(stand, supply)

    def written() -> bool:
        return any(stand.stored(shopper).balance for shopper, _ in everybody)

    with ExitStack() as lock:
        lock.enter_context(ledger_locked(stand))
        await begun_to_settle(stand, everybody)
        with stand.writes_held() as api:
            lock.close()
            await stand.gateway.until(written, "the batch was not written")
            assert api.xlen(keys.outbox(FIRM)) == TEXTS
            assert stand.gateway.kill("worker")
    await assert_credited_once(stand, everybody)


async def begun_to_settle(stand: Stand, everybody: list[tuple[Shopper, Code]]) -> None:
    """Texts are acknowledged, and a worker that had nothing else to do has begun with them."""
    with closing(stand.gateway.redis()) as redis:
        api: Any = redis
        lease = keys.drain(FIRM)
        await stand.gateway.until(lambda: not api.exists(lease), "the worker is busy")
        for shopper, code in everybody:
            assert await stand.text(LINK, shopper, code.printed) == 0
        await stand.gateway.until(lambda: bool(api.exists(lease)), "the worker has not begun")


async def test_smpp_killed_with_submits_in_flight(stand: Stand, supply: Supply) -> None:
    """Of these nobody can know whether they arrived: sent once more, and marked."""
    everybody, smsc = people(stand, supply), stand.smscs[LINK]
    smsc.behave(Behaviour(answer_delay_s=30))
    before = len(smsc.submitted)
    for shopper, code in everybody:
        assert await stand.text(LINK, shopper, code.printed) == 0
    await smsc.wait_submitted(lambda submits: len(submits) == before + TEXTS)
    smsc.behave(Behaviour())
    assert stand.gateway.kill("smpp")
    await assert_credited_once(stand, everybody, submits=2)
    assert [stand.stored(shopper).replies[0].attempts for shopper, _ in everybody] == [2] * TEXTS


async def test_everything_killed_after_the_acknowledgement(stand: Stand, supply: Supply) -> None:
    everybody, refuser = people(stand, supply), stand.shopper("who says no")
    smsc = stand.smscs[LINK]
    with stand.frozen("worker"):
        for shopper, code in everybody:
            assert await stand.text(LINK, shopper, code.printed) == 0
        assert await stand.text(LINK, refuser, "STOP") == 0
        stand.gateway.kill_everything()
    await stand.gateway.until(lambda: not smsc.bound, "the SMSC did not notice")
    stand.gateway.start("up")
    await smsc.wait_bound()
    await assert_credited_once(stand, everybody)
    assert stand.consent_word(refuser) == "out"
    await stand.answers(LINK, refuser)
    assert [state for _, state, _ in stand.stored(refuser).consent] == ["withdrawn"] * 2


async def test_answers_that_nobody_confirms_are_given_up_and_the_link_goes_on(
    stand: Stand, supply: Supply
) -> None:
    shopper, code = stand.shopper(), supply.next()
    smsc = stand.smscs[LINK]
    smsc.behave(Behaviour(no_answer=True))
    before = len(smsc.submitted)
    assert await stand.text(LINK, shopper, code.printed) == 0
    given_up = lambda: [r.state for r in stand.stored(shopper).replies] == ["unknown"]  # noqa: E731
    await stand.gateway.until(given_up, "it is not given up")
    smsc.behave(Behaviour())
    assert [s.status for s in smsc.submitted[before:]] == [None, None]
    assert stand.stored(shopper).replies[0].attempts == 2
    assert stand.stored(shopper).balance == 10
    await stand.all_quiet(LINK)
