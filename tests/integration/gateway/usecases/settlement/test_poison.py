"""One bad entry holds up nobody: it is tried again, and laid aside when it alone has failed for long."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from gateway.entry.process.rq_worker import Overdue
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.suspects import Patience, Suspects
from gateway.store.sql.faults import LedgerAway
from gateway.store.texts.outbox import Accepted, Outbox
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.usecases.settlement import drain_texts
from gateway.usecases.settlement.drain import drain
from gateway.usecases.settlement.draining import Turns
from gateway.usecases.settlement.settle import settle_batch
from tests.integration.house import ANNA, BOHDAN, LINK, House, ended

TWO = "5050"
BOTH_ORDERS = pytest.mark.parametrize("bad", [1, 2], ids=["the first firm", "the last firm"])


def two_firms(house: House) -> dict[int, list[str]]:
    """Codes by firm."""
    house.firm()
    house.firm("two")
    campaigns = {1: house.campaign(), 2: house.campaign("two", short_numbers=(TWO,))}
    return {firm: house.codes(campaign, 9) for firm, campaign in campaigns.items()}


def entries(house: House, name: str) -> Any:
    """Of a stream."""
    return house.redis.xrange(name)


async def claim(house: House, firm: int, code: str, number: str = ANNA) -> None:
    await house.text(code, number, short=TWO if firm == 2 else "4040")


async def answered(house: House, firm: int, code: str, number: str, **outcome: Any) -> str:
    """A code whose answer has ended; the answer's id."""
    await claim(house, firm, code, number)
    house.drain()
    (waiting,) = await house.send_queue().take(firm, 10)
    await house.send_queue().file([ended(waiting, **outcome)])
    return waiting.message_id


def state(house: House, message_id: str) -> tuple[Any, ...]:
    found = {row[0]: row[1:] for row in house.rows("message", "id", "state", "error")}
    return found[message_id]


async def test_the_senders_own_words_fit(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    told = "refused until too old"
    answer = await answered(house, 1, code, ANNA, state="expired", smsc_id=None, error=told)
    house.drain()
    assert state(house, answer) == ("expired", told)
    assert house.redis.xlen(keys.results(1)) == 0


@BOTH_ORDERS
async def test_an_outcome_that_cannot_be_filed_holds_up_no_other(house: House, bad: int) -> None:
    codes = two_firms(house)
    poison = f"{'x' * 50}.1|{'much too long a state' * 3}|1||1700000000000|{LINK}|id".encode()
    first = await answered(house, bad, codes[bad][0], ANNA, smsc_id="a")
    ((id_, fields),) = entries(house, keys.results(bad))
    house.redis.xdel(keys.results(bad), id_)
    house.redis.xadd(keys.results(bad), {"j": b"\n".join((fields[b"j"], poison, b"unreadable"))})
    other = await answered(house, 3 - bad, codes[3 - bad][0], BOHDAN, smsc_id="b")
    house.drain()

    assert [state(house, id_)[0] for id_ in (first, other)] == ["accepted", "accepted"]
    assert house.redis.xlen(keys.results(bad)) == 1  # tried again


async def test_an_outcome_that_alone_fails_again_and_again_is_laid_aside(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 9)
    house.redis.xadd(keys.results(1), {"j": b"good.1|accepted|1||1700000000000|peer|x\nnobody can read"})
    with capture_logs() as logs:
        for at in range(house.patience.failures):
            assert house.redis.xlen(keys.results(1)) == 1
            await answered(house, 1, codes[at], f"38067000000{at}", smsc_id=f"id{at}")
            house.drain()

    assert house.redis.xlen(keys.results(1)) == 0
    ((_, fields),) = entries(house, keys.results_spool(1).aside)
    assert (fields[b"why"], fields[b"j"]) == (b"unreadable", b"nobody can read")
    assert [line["reason"] for line in logs if line["event"] == "laid aside"] == ["unreadable"]
    assert {row[0] for row in house.rows("message", "state")} == {"accepted"}


async def test_a_receipt_that_cannot_be_filed_holds_up_no_other(house: House) -> None:
    """As an older version has queued it."""
    house.firm()
    codes = house.codes(house.campaign(), 9)
    key = house.vault.index(ANNA)
    house.redis.xadd(keys.receipts(LINK), {"r": f"failed|{'e' * 99}|1700000000500|{key}|good\n|||".encode()})
    answer = await answered(house, 1, codes[0], ANNA, smsc_id="good")
    house.drain()
    log = ReceiptLog(DurableRedis(house.client))
    for at in range(house.patience.failures + 1):
        await log.add(LINK, [FiledReceipt(f"id{at}", "delivered", None, 1_700_000_000_500)])
        other = await answered(house, 1, codes[at + 1], f"38067000000{at}", smsc_id=f"id{at}")
        house.drain()
        assert state(house, other)[0] == "delivered"

    assert state(house, answer)[0] == "accepted"
    assert house.redis.xlen(keys.receipts(LINK)) == 0
    ((_, fields),) = entries(house, keys.receipts_spool(LINK).aside)
    assert b"good" in fields[b"r"]
    assert key.encode() not in fields[b"r"]  # it may lie there for long, and nobody erases it


class Faulty:
    """Settles but for some texts."""

    def __init__(self, fails: Callable[[Accepted], bool], error: BaseException) -> None:
        self.fails = fails
        self.error = error
        self.calls = 0

    def __call__(self, accepted: Any, desk: Any) -> Any:
        self.calls += 1
        if any(map(self.fails, accepted)):
            raise self.error
        return settle_batch(accepted, desk)


def faulty(patch: pytest.MonkeyPatch, fails: Callable[[Accepted], bool], error: BaseException) -> Faulty:
    made = Faulty(fails, error)
    patch.setattr(drain_texts, "settle_batch", made)
    return made


@BOTH_ORDERS
@pytest.mark.parametrize(
    "error",
    [
        OperationalError("INSERT", {}, Exception("gone")),
        RuntimeError("a fault of ours"),
    ],
    ids=["away", "ours"],
)
async def test_a_firm_whose_drain_fails_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch, bad: int, error: Exception
) -> None:
    codes = two_firms(house)
    faulty(monkeypatch, lambda text: text.firm_id == bad, error)
    for at in range(5):
        for firm in (1, 2):
            await claim(house, firm, codes[firm][at], f"38067000000{at}")
        for _ in range(2):
            with suppress(LedgerAway):  # where there is work of the bad firm alone
                house.drain()
    assert len(house.rows("activation", "firm_id")) == 5
    assert {row[0] for row in house.rows("activation", "firm_id")} == {3 - bad}
    assert house.redis.xlen(keys.outbox(bad)) == 5
    assert list(DeadLetters(house.redis, bad).all()) == []

    monkeypatch.undo()
    house.turns = Turns()
    house.drain()
    assert len(house.rows("activation", "firm_id")) == 10


async def test_when_all_fail_alike_none_is_laid_aside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker without the right key, say: time may decide, attempts do not."""
    house.firm()
    for at, code in enumerate(house.codes(house.campaign(), 5)):
        await claim(house, 1, code, f"38067000000{at}")
    with monkeypatch.context() as patch:
        faulty(patch, lambda _: True, RuntimeError("a fault of ours"))
        for _ in range(4 * house.patience.failures):
            house.drain()
    assert list(DeadLetters(house.redis, 1).all()) == []
    house.drain()
    assert len(house.rows("activation", "id")) == 5


async def test_what_fails_once_fails_no_others_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 9)
    for at, code in enumerate(codes[:8]):
        await claim(house, 1, code, f"38067000000{at}")
    bad = house.vault.index("380670000003")
    settles = faulty(monkeypatch, lambda text: text.shopper == bad, RuntimeError())
    house.drain()
    assert len(house.rows("activation", "id")) == 7
    settles.calls = 0
    await claim(house, 1, codes[8], BOHDAN)
    house.drain()
    assert len(house.rows("activation", "id")) == 8
    assert settles.calls == 3  # the new one; the bad one by the catalog that stood, and by a fresh one


async def test_a_job_that_takes_too_long_is_no_fault_of_a_text(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await claim(house, 1, code)
    with monkeypatch.context() as patch:
        faulty(patch, lambda _: True, Overdue())
        for _ in range(2 * house.patience.failures):
            with pytest.raises(Overdue):
                house.drain()
    assert house.names("*:attempts") == []
    assert house.drain() == 1


def test_a_slow_firm_takes_its_turn_and_no_more() -> None:
    turns = Turns()
    began = [turns.ordered("firms", [1, 2, 3])[0] for _ in range(4)]
    assert began == [1, 2, 3, 1]


def suspect(house: House) -> tuple[Suspects, bytes]:
    """An entry of an outbox that fails."""
    id_: Any = house.redis.xadd(keys.outbox(1), {"b": "x"})
    return Outbox(house.redis, 1).suspects, id_


async def test_it_takes_time_and_others_that_pass(house: House) -> None:
    patience = Patience(failures=3, span_ms=60_000, longest_wait_ms=10_000)
    suspects, id_ = suspect(house)
    for _ in range(9):
        assert not suspects.failed(id_, "why", patience, others_pass=True)  # too soon
    assert suspects.standing([id_, b"1-1"]) == {id_: False}

    def make_older(ms: int) -> None:
        told: Any = house.redis.hget(keys.attempts(1), id_)
        alone, all_, first, due = map(int, told.split())
        house.redis.hset(keys.attempts(1), id_, f"{alone} {all_} {first - ms} {due - ms}")

    make_older(61_000)
    assert suspects.standing([id_]) == {id_: True}
    assert suspects.failed(id_, "why", patience, others_pass=True)
    assert suspects.standing([id_]) == {}

    suspects, id_ = suspect(house)
    for _ in range(9):
        assert not suspects.failed(id_, "why", patience, others_pass=False)
        make_older(61_000)
    assert house.redis.xlen(keys.outbox(1)) == 1


async def test_what_an_older_version_counted_is_tried_again(house: House) -> None:
    suspects, id_ = suspect(house)
    house.redis.hset(keys.attempts(1), id_, 4)
    assert suspects.standing([id_]) == {id_: True}
    assert not suspects.failed(id_, "why", replace(house.patience, failures=2), others_pass=True)


async def test_a_drain_ends_where_nobody_gets_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker waits then, and begins with all of them when the ledger is back."""
    codes = two_firms(house)
    for firm in (1, 2):
        await claim(house, firm, codes[firm][0])
    with monkeypatch.context() as patch:
        faulty(patch, lambda _: True, OperationalError("INSERT", {}, Exception("gone")))
        for _ in range(3):
            with pytest.raises(LedgerAway):
                drain(house.work())
    assert house.drain() == 2
