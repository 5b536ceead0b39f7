"""Settlement on SQLite and Valkey: exactly once, whatever dies in between."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from gateway.store.integrity import watermark
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.links.lease import this_process
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.suspects import NONE
from gateway.store.sql import statements
from gateway.store.sql.faults import LedgerAway
from gateway.store.texts.outbox import Outbox
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.usecases.firms import set_up
from gateway.usecases.settlement.answering import Desk
from gateway.usecases.settlement.drain import drain
from gateway.usecases.settlement.drain_texts import Desks
from gateway.usecases.settlement.draining import Drained
from tests.integration.house import ANNA, BOHDAN, LINK, House, ended


class Died(BaseException):
    """The process ended here; nothing in it may catch this."""


@contextmanager
def dying(where: str, house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the worker die at a step of its next settlement."""
    with monkeypatch.context() as patch:
        if where == "before the commit":

            def die(*_: Any) -> None:
                raise Died

            event.listen(house.engine, "commit", die)
            try:
                with pytest.raises(Died):
                    yield
            finally:
                event.remove(house.engine, "commit", die)
            return
        end: Callable[..., int] = Outbox.end

        def dies(self: Outbox, done: Any) -> int:
            if where == "after the end":
                end(self, done)
            if where == "amid the end":
                end(self, done[:1])
            raise Died

        patch.setattr(Outbox, "end", dies)
        with pytest.raises(Died):
            yield


STEPS = ["before the commit", "after the commit", "amid the end", "after the end"]


@pytest.mark.parametrize("where", STEPS)
async def test_exactly_once_whenever_the_worker_dies(
    house: House, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 4)
    for code in codes[:2]:
        await house.text(code)
    await house.text(codes[0], BOHDAN)
    await house.text("stop", BOHDAN)

    for _ in range(2):
        with dying(where, house, monkeypatch):
            house.drain()
        if where == "after the end":
            break  # nothing waits any more
    house.redis.delete(keys.drain(1))  # the lease of the dead runs out
    house.drain()

    assert house.balance(ANNA) == 20
    assert [points for (points,) in house.rows("ledger_entry", "points")] == [10, 10]
    assert len(house.rows("activation", "id")) == 2
    assert len(house.rows("message", "id")) == 4
    assert house.rows("consent_entry", "state", "channel") == [("withdrawn", "sms"), ("withdrawn", "call")]
    assert told(house) == {
        (ANNA, "Balance: 10"): 1,
        (ANNA, "Balance: 20"): 1,
        (BOHDAN, "used"): 1,
        (BOHDAN, "unsubscribed"): 1,
    }
    assert house.redis.xlen(keys.outbox(1)) == 0
    assert house.names("*:claim:*") == []


def told(house: House) -> dict[tuple[str, str], int]:
    """How often each was told what, by the words that tell."""
    found: dict[tuple[str, str], int] = {}
    for number, answer in house.waiting_answers():
        told = [word for word in ("Balance: 10", "Balance: 20", "unsubscribed", "used") if word in answer]
        key = (number, told[0] if told else answer)
        found[key] = found.get(key, 0) + 1
    return found


async def test_balance_runs_within_a_batch(house: House) -> None:
    """Two texts of one shopper in one batch: the first is not told what the second brings."""
    house.firm()
    codes = house.codes(house.campaign(), 4)
    for code in codes[:3]:
        await house.text(code)
    await house.text("balance")

    assert house.drain() == 4

    found = [re.findall(r"(?:Balance|balance): (\d+)", answer) for _, answer in house.waiting_answers()]
    assert found == [["10"], ["20"], ["30"], ["30"]]


async def test_points_are_those_of_the_claims_rule(house: House) -> None:
    """Claimed before the change and settled after it; and the other way round with an old catalog."""
    firm = house.firm()
    campaign = house.campaign()
    codes = house.codes(campaign, 2)
    await house.text(codes[0])
    old = house.desks()
    old()
    set_up.change_points(house.engine, campaign, 25)
    house.publish(firm)
    await house.text(codes[1], BOHDAN)

    settle(house, old)

    assert [house.balance(ANNA), house.balance(BOHDAN)] == [10, 25]
    assert house.rows("activation", "rule_version", "points") == [(1, 10), (2, 25)]
    assert list(DeadLetters(house.redis, firm).all()) == []


def settle(house: House, desks: Desks) -> list[Drained]:
    """One drain with desks of its own; what each pass did."""
    passes: list[Drained] = []
    drain(replace(house.work(passed=passes), desk=desks), linger_s=0.0)
    return passes


async def test_catalog_that_is_late_fails_nothing_for_good(house: House) -> None:
    """However long the catalog stays behind within one drain, it costs each text one attempt."""
    firm = house.firm()
    campaign = house.campaign()
    codes = house.codes(campaign, 2)
    old = house.desk()
    set_up.change_points(house.engine, campaign, 25)
    house.publish(firm)
    await house.text(codes[0])

    def stuck(*, renew: bool = False) -> Desk:
        del renew
        return old

    settle(house, stuck)

    assert house.redis.hgetall(keys.attempts(firm)) != {}
    assert [told.split()[1] for told in house.redis.hvals(keys.attempts(firm))] == [b"1"]
    house.drain()
    assert house.balance(ANNA) == 25
    assert house.names("*:attempts") == []


async def poison(house: House) -> None:
    """An entry that no version of ours can read, in the middle of good ones."""
    codes = house.codes(1, 3)
    await house.text(codes[0])
    house.redis.xadd(keys.outbox(1), {"b": b"0|strange", "r": "", "l": "0", "q": "0", "w": "0"})
    await house.text(codes[1], BOHDAN)


async def unsettleable(house: House) -> None:
    """An entry that can be read and not settled: its number opens no more."""
    codes = house.codes(1, 3)
    await house.text(codes[0])
    await house.text(codes[2], "380930000000")
    newest: Any = house.redis.xrevrange(keys.outbox(1), count=1)
    ((id_, fields),) = newest
    house.redis.xdel(keys.outbox(1), id_)
    house.redis.xadd(keys.outbox(1), {**fields, b"b": fields[b"b"][:-1] + b"?"})
    await house.text(codes[1], BOHDAN)


@pytest.mark.parametrize("harm", [poison, unsettleable], ids=lambda harm: harm.__name__)
async def test_one_that_cannot_be_settled_holds_up_nobody(house: House, harm: Callable[[House], Any]) -> None:
    house.firm()
    house.campaign()
    await harm(house)
    dead = DeadLetters(house.redis, 1)

    house.drain()

    assert [house.balance(ANNA), house.balance(BOHDAN)] == [10, 10]
    assert list(dead.all()) == []
    assert house.redis.xlen(keys.outbox(1)) == 1
    for _ in range(2 * house.patience.failures):  # alone there is nobody to show that it is its own fault
        house.drain()
    assert list(dead.all()) == []
    for at in range(house.patience.failures - 1):
        assert list(dead.all()) == []
        await house.text("hello", f"38050000000{at}")
        house.drain()
    assert len(list(dead.all())) == 1
    assert house.redis.xlen(keys.outbox(1)) == 0
    assert house.names("*:attempts") == []


async def test_replayed_dead_letter_is_settled_with_its_own_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    await house.text("start", BOHDAN)
    with monkeypatch.context() as patch:
        patch.setattr(statements, "insert_all", broken)
        patch.setattr(statements, "insert_missing", broken)
        house.drain()
        lay_aside(house)
    dead = DeadLetters(house.redis, 1)
    letters = list(dead.all())
    assert [letter.why for letter in letters] == ["RuntimeError", "RuntimeError"]
    assert await house.text(code, BOHDAN) is not None  # it stays claimed

    assert dead.replay() == 2
    assert dead.replay() == 0
    house.drain()

    assert [(letters[0].accepted_at, 10)] == house.rows("activation", "claimed_at", "points")
    assert {letters[1].accepted_at} == {at for (at,) in house.rows("consent_entry", "said_at")}
    assert [house.balance(ANNA), house.balance(BOHDAN)] == [10, 0]
    assert house.names("*:claim:*") == []


def lay_aside(house: House) -> None:
    """All that waits."""
    outbox = Outbox(house.redis, 1)
    for id_, _ in outbox.look(100)[0]:
        assert outbox.suspects.failed(id_, "RuntimeError", NONE, others_pass=True)


def broken(*_: Any) -> None:
    raise RuntimeError("a fault of ours")


async def test_dead_letter_that_fails_again_keeps_its_time(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    dead = DeadLetters(house.redis, 1)
    times = []
    for _ in range(2):
        lay_aside(house)
        (letter,) = dead.all()
        times.append(letter.accepted_at)
        dead.replay()

    assert times[0] == times[1]


async def test_two_that_fail_the_same_entry_make_one_dead_letter(house: House) -> None:
    house.firm()
    house.campaign()
    await house.text("hello")
    one, other = Outbox(house.redis, 1), Outbox(house.redis, 1)
    ((id_, _),) = one.look(10)[0]

    became = [
        outbox.suspects.failed(id_, "fault", house.patience, others_pass=True)
        for _ in range(house.patience.failures)
        for outbox in (one, other)
    ]

    assert became.count(True) == 1
    assert len(list(DeadLetters(house.redis, 1).all())) == 1
    assert house.names("*:attempts") == []


AWAY = [
    pytest.param(OperationalError("INSERT", {}, Exception("database is locked")), id="locked or away"),
]


@pytest.mark.parametrize("fault", AWAY)
async def test_ledger_away_keeps_everything(
    house: House, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 2)
    for code in codes:
        await house.text(code)

    def away(*_: Any) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(watermark, "set_watermark", away)
        for _ in range(2 * house.patience.failures):
            with pytest.raises(LedgerAway):
                house.drain()

    assert house.redis.xlen(keys.outbox(1)) == 2
    assert house.names("*:attempts") == []
    assert house.rows("activation", "id") == []
    assert house.drain() == 2
    assert house.balance(ANNA) == 20


async def test_watermark_goes_forward_only(house: House) -> None:
    house.firm()
    house.campaign()
    await house.text("hello")
    ((id_, _),) = Outbox(house.redis, 1).look(1)[0]
    house.drain()

    assert [(1, id_.decode())] == house.rows("settled", "firm_id", "outbox_id")
    with house.engine.begin() as connection:
        watermark.set_watermark(connection, 1, "9-9")  # an old batch, settled late and again
    assert [(1, id_.decode())] == house.rows("settled", "firm_id", "outbox_id")
    with house.engine.begin() as connection:
        watermark.set_watermark(connection, 1, "99999999999999-10")
        watermark.set_watermark(connection, 1, "99999999999999-9")
    assert house.rows("settled", "firm_id", "outbox_id") == [(1, "99999999999999-10")]


async def test_messages_rows(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    house.drain()
    before = house.rows("message", "firm_id", "kind", "state", "link", "short_number", "outcomes", "segments")
    ((sealed,),) = house.rows("message", "sealed")

    queue = house.send_queue()
    (waiting,) = await queue.take(1, 10)
    await queue.file([ended(waiting, smsc_id="a|b\nc")])
    house.drain()

    assert before == [(1, "reply", "queued", LINK, "4040", "activated", 1)]
    assert sealed is not None
    assert house.rows("message", "state", "sealed", "smsc_id", "attempts") == [("accepted", None, "a|b c", 1)]
    assert house.redis.xlen(keys.results(1)) == 0


async def test_receipts(house: House) -> None:
    """Before the response, out of order, and one that matches nothing and blocks nobody."""
    house.firm()
    codes = house.codes(house.campaign(), 2)
    queue = house.send_queue()
    await house.text(codes[0])
    house.drain()
    await add_receipt(house, "nobody's")
    await add_receipt(house, "first")  # before its response is filed
    house.drain()
    assert house.redis.xlen(keys.receipts(LINK)) == 2

    (first,) = await queue.take(1, 10)
    await queue.file([ended(first, smsc_id="first")])
    house.drain()

    assert house.rows("message", "state") == [("delivered",)]
    await house.text(codes[1])
    house.drain()
    (second,) = await queue.take(1, 10)
    await queue.file([ended(second, smsc_id="second")])
    await add_receipt(house, "second", "failed")
    house.drain()
    assert house.rows("message", "state") == [("delivered",), ("failed",)]
    assert house.redis.xlen(keys.receipts(LINK)) == 1


async def add_receipt(house: House, smsc_id: str, state: str = "delivered") -> None:
    """As the intake files one."""
    filed = FiledReceipt(smsc_id, state, None, 1_700_000_000_500)
    await ReceiptLog(DurableRedis(house.client)).add(LINK, [filed])


async def test_unmatched_receipt_goes_after_its_time(house: House) -> None:
    house.firm()
    house.campaign()
    house.redis.xadd(keys.receipts(LINK), await _fields_of_a_receipt(house), id="1000-0")
    passed: list[Drained] = []

    house.drain(passed=passed)

    assert [dict(drained.receipts) for drained in passed if drained.receipts] == [{"unmatched": 1}]
    assert house.redis.xlen(keys.receipts(LINK)) == 0


async def _fields_of_a_receipt(house: House) -> Any:
    await add_receipt(house, "x")
    rows: Any = house.redis.xrange(keys.receipts(LINK))
    ((id_, fields),) = rows
    house.redis.xdel(keys.receipts(LINK), id_)
    house.redis.delete(keys.receipts(LINK))
    return fields


async def test_outcome_that_is_filed_again_does_not_undo_a_receipt(house: House) -> None:
    """A crash between SQL and the end of the results; the receipt came in between."""
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    house.drain()
    queue = house.send_queue()
    (waiting,) = await queue.take(1, 10)
    await queue.file([ended(waiting, smsc_id="first")])
    rows: Any = house.redis.xrange(keys.results(1))
    await add_receipt(house, "first")
    house.drain()
    house.drain()
    for _, fields in rows:
        house.redis.xadd(keys.results(1), fields)

    house.drain()

    assert house.rows("message", "state") == [("delivered",)]


async def test_smsc_id_that_is_used_again_leaves_the_older_answer_alone(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 2)
    queue = house.send_queue()
    for code, state in zip(codes, ("delivered", "failed"), strict=True):
        await house.text(code)
        house.drain()
        (waiting,) = await queue.take(1, 10)
        await queue.file([ended(waiting, smsc_id="1")])
        house.drain()
        await add_receipt(house, "1", state)
        house.drain()

    assert house.rows("message", "state") == [("delivered",), ("failed",)]


async def test_two_workers_settle_one_firm_once(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 40)
    for n, code in enumerate(codes):
        await house.text(code, f"38067{n % 20:07d}")
        house.redis.delete(keys.drain(1))
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(20):
                house.redis.delete(keys.drain(1))  # leases lost at the worst of times
                house.drain(worker=name)
        except BaseException as err:  # noqa: BLE001 - told to the test
            faults.append(err)

    workers = [threading.Thread(target=work, args=(name,)) for name in ("one", "other")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert faults == []
    assert len(house.rows("activation", "id")) == len(house.rows("ledger_entry", "id")) == 40
    assert sum(points for (points,) in house.rows("balance", "points")) == 400
    assert len(house.waiting_answers()) == 40


async def test_lease_keeps_a_second_worker_out(house: House) -> None:
    house.firm()
    house.campaign()
    await house.text("hello")
    mine = Outbox(house.redis, 1)

    assert [mine.lease("mine"), mine.lease("theirs"), mine.lease("mine")] == [True, False, True]
    assert house.drain(worker="theirs") == 0
    mine.release("theirs")
    assert house.redis.pttl(keys.drain(1)) > 0
    mine.release("mine")
    assert house.drain(worker="theirs") == 1


async def test_the_lease_of_a_worker_that_was_killed_is_taken_at_once(house: House) -> None:
    house.firm()
    house.campaign()
    await house.text("hello")
    here = this_process()
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await dead.wait()
    alive = here._replace(pid=os.getppid())

    for held, settled in ((alive, 0), (here._replace(pid=dead.pid), 1)):
        house.redis.delete(keys.drain(1))
        assert Outbox(house.redis, 1).lease(str(held))
        assert house.drain(worker=str(here)) == settled


async def test_repeats_know_their_owner(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    for number, said in ((ANNA, code), (ANNA, f"{code}!"), (BOHDAN, code)):
        await house.text(said, number)
    house.drain()
    await house.text(f"{code}!!")
    house.drain()

    assert [settled.outcomes for settled in house.observed] == [
        ("activated",),
        ("already_yours",),
        ("already_used",),
        ("already_yours",),
    ]


async def test_alias_lasts(house: House) -> None:
    house.firm()
    house.campaign()
    for number in (ANNA, BOHDAN):
        await house.text("alias", number)
    house.drain()
    house.redis.delete(keys.limits(1, house.vault.index(ANNA)))
    await house.text("alias!", ANNA)
    house.drain()

    answers = house.waiting_answers()

    assert answers[0] == answers[2]
    assert answers[0][1] != answers[1][1]


async def test_nothing_in_sql_reads_as_a_number_or_a_code(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 3)
    for code in codes[:2]:
        await house.text(code)
    house.drain()

    with house.engine.connect() as connection:
        dump = json.dumps(
            [
                [str(value) for value in row]
                for table in ("activation", "shopper", "message", "ledger_entry", "wrong_code", "balance")
                for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - names of ours
            ]
        )

    assert [s for s in (ANNA, *codes, *(c.replace("-", "") for c in codes)) if s in dump] == []
