"""The atomic ends of texts and answers may be repeated; the sending queue counts what was begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from redis.exceptions import RedisError

from gateway.domain.sms.priority import IN_ORDER, Priority
from gateway.store.links import failover
from gateway.store.redis import keys
from gateway.store.redis.durable import Command, DurableRedis
from gateway.store.texts.outbox import Outbox, parse
from gateway.usecases.settlement.settle import settle_batch
from tests.integration.house import ANNA, BOHDAN, LINK, House, ended


async def answered(house: House, count: int = 3) -> None:
    """Answers that wait to be sent."""
    house.firm()
    for n, code in enumerate(house.codes(house.campaign(), count)):
        await house.text(code, f"38067{n:07d}")
    house.drain()


async def test_end_of_a_text_may_be_repeated(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    outbox = Outbox(house.redis, 1)
    accepted = [parse(1, id_, fields) for id_, fields in outbox.look(10)[0]]
    done = [(s.accepted, s.reply) for s in settle_batch(accepted, house.desk())]

    assert [outbox.end(done), outbox.end(done)] == [1, 0]
    assert len(house.waiting_answers()) == 1
    assert house.names("*:claim:*") == []
    assert house.names("*:outbox") == ["{f1}:outbox"]  # it stays, for its last id


async def test_many_ends_at_once(house: House) -> None:
    await answered(house, 150)

    assert len(house.waiting_answers()) == 150
    assert house.redis.xlen(keys.outbox(1)) == 0


async def test_take_notes_each_intent_once(house: House) -> None:
    await answered(house)
    queue = house.send_queue()

    first, rest = await queue.take(1, 2), await queue.take(1, 10)

    assert [w.begun for w in (*first, *rest)] == [1, 1, 1]
    assert await queue.take(1, 10) == []
    assert len(house.redis.hgetall(keys.intents(1, LINK))) == 3


async def test_a_redis_in_the_place_of_another_whose_clock_is_behind_is_read_from_its_beginning(
    house: House,
) -> None:
    """What is in our hands is not taken twice; what waits there is taken, though its ids are behind ours."""
    await answered(house)
    name = keys.send(1, LINK)
    rows: Any = house.redis.xrange(name)
    house.redis.delete(name)
    for at, (_, fields) in enumerate(rows, 1):
        house.redis.xadd(name, fields, id=f"9999999999999-{at}")
    queue = house.send_queue()
    mine = await queue.take(1, 2)
    house.redis.script_flush()  # as a server that was started anew, or promoted
    with pytest.raises(RedisError):
        await queue.take(1, 10)
    third = await queue.take(1, 10)

    house.redis.delete(name)
    house.redis.xadd(name, {**rows[0][1], b"m": b"another.1"}, id="5-1")
    house.redis.script_flush()
    with pytest.raises(RedisError):
        await queue.take(1, 10)
    taken = [*mine, *third, *await queue.take(1, 10)]

    assert len({waiting.message_id for waiting in taken}) == len(taken) == 4
    await queue.file([ended(waiting) for waiting in taken])
    assert queue._held == {}


async def test_next_process_sees_what_was_begun(house: House) -> None:
    await answered(house)
    await house.send_queue().take(1, 10)

    again = await house.send_queue().take(1, 10)

    assert [w.begun for w in again] == [2, 2, 2]


async def test_handed_back_is_as_never_taken(house: House) -> None:
    await answered(house)
    queue = house.send_queue()
    await queue.hand_back(await queue.take(1, 10))
    await queue.hand_back([])

    assert [w.begun for w in await house.send_queue().take(1, 10)] == [1, 1, 1]


async def test_take_that_was_not_heard_is_no_submit(house: House) -> None:
    """The call had its effect, its answer was lost: nothing was submitted by it."""
    await answered(house, 1)
    queue = house.send_queue()
    call, lost = queue._redis.call, [True]

    async def unheard(*command: Any) -> Any:
        answer = await call(*command)
        if lost and lost.pop():
            raise RedisError("the answer was lost")
        return answer

    queue._redis.call = unheard  # type: ignore[method-assign]
    with pytest.raises(RedisError):
        await queue.take(1, 10)

    assert [w.begun for w in await queue.take(1, 10)] == [1]


class Twice(DurableRedis):
    """Each call arrives twice: the first answer was lost, and the client asked again."""

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        await super().calls(commands)
        return await super().calls(commands)

    async def call(self, *command: Any) -> Any:
        await super().call(*command)
        return await super().call(*command)


async def test_intents_count_submits_however_often_a_call_arrives(house: House) -> None:
    await answered(house, 2)
    queue = house.send_queue()
    queue._redis = Twice(house.client)

    kept, back = await queue.take(1, 10)
    assert [kept.begun, back.begun] == [1, 1]
    await queue.hand_back([back])
    (again,) = await queue.begin_again([kept])
    assert again.begun == 2
    assert [w.begun for w in await house.send_queue().take(1, 10)] == [3, 1]


async def test_begun_again(house: House) -> None:
    await answered(house, 1)
    queue = house.send_queue()

    (again,) = await queue.begin_again(await queue.take(1, 10))

    assert again.begun == 2


async def test_outcome_may_be_filed_again(house: House) -> None:
    await answered(house, 2)
    queue = house.send_queue()
    outcomes = [ended(w, smsc_id=f"s{n}") for n, w in enumerate(await queue.take(1, 10))]

    await queue.file(outcomes[:1])
    await queue.file(outcomes)
    await queue.file(outcomes)

    assert house.redis.xlen(keys.results(1)) == 2
    assert house.waiting_answers() == []
    assert house.redis.exists(keys.intents(1, LINK)) == 0
    house.drain()
    assert house.rows("message", "state", "smsc_id") == [("accepted", "s0"), ("accepted", "s1")]


async def test_answers_of_two_firms_are_filed_apart(house: House) -> None:
    house.firm("acme")
    house.firm("bolt")
    one, other = house.codes(house.campaign("acme"), 1), house.codes(house.campaign("bolt"), 1, "letters")
    await house.text(f"{one[0]} {other[0]}")
    house.drain()
    queue = house.send_queue()
    waiting = [*await queue.take(1, 10), *await queue.take(2, 10)]

    await queue.file([ended(w) for w in waiting])

    assert [house.redis.xlen(keys.results(firm)) for firm in (1, 2)] == [1, 1]


async def queued(house: House, priority: Priority, *names: str) -> None:
    """Texts of one queue."""
    for name in names:
        fields: dict[Any, Any] = {"m": name, "x": b"", "d": "4040", "s": "", "t": 0}
        house.redis.xadd(keys.send(1, LINK, priority), fields)


async def test_replies_are_taken_before_service_before_bulk(house: House) -> None:
    house.firm()
    await queued(house, Priority.BULK, "b1", "b2")
    await queued(house, Priority.SERVICE, "s1")
    await queued(house, Priority.REPLY, "r1", "r2")
    queue = house.send_queue()

    first = await queue.take(1, 4)
    await queued(house, Priority.REPLY, "r3")
    then = await queue.take(1, 4)

    assert [(w.message_id, w.priority) for w in first] == [
        ("r1", Priority.REPLY),
        ("r2", Priority.REPLY),
        ("s1", Priority.SERVICE),
        ("b1", Priority.BULK),
    ]
    assert [w.message_id for w in then] == ["r3", "b2"]


async def test_queues_that_give_the_same_id_have_intents_of_their_own(house: House) -> None:
    house.firm()
    for priority in IN_ORDER:
        fields: dict[Any, Any] = {"m": priority, "x": b"", "d": "4040", "s": "", "t": 0}
        house.redis.xadd(keys.send(1, LINK, priority), fields, id="7-0")
    queue = house.send_queue()
    reply, service, bulk = await queue.take(1, 10)
    await queue.hand_back([service])
    (again,) = await queue.begin_again([reply])

    assert [w.begun for w in (reply, service, bulk, again)] == [1, 1, 1, 2]
    await queue.file([ended(reply), ended(bulk, "unknown", smsc_id=None, error="no response")])
    assert house.redis.hgetall(keys.intents(1, LINK)) == {b"2:7-0": b"0"}
    assert [house.redis.xlen(name) for name in keys.sends(1, LINK)] == [0, 1, 0]


async def test_texts_move_to_another_link_with_their_doubt(house: House) -> None:
    house.firm()
    await queued(house, Priority.REPLY, "r1", "r2", "r3")
    await queued(house, Priority.BULK, "b1", "b2")
    queue = house.send_queue()
    taken = await queue.take(1, 4)
    await queue.hand_back(taken[1:2])

    durable = DurableRedis(house.client)
    assert await failover.move(durable, [1], LINK, "other") == 5
    assert await failover.move(durable, [1], LINK, "other") == 0

    assert [house.redis.xlen(name) for name in keys.sends(1, LINK)] == [0, 0, 0]
    assert house.redis.exists(keys.intents(1, LINK)) == 0
    there = await house.send_queue("other").take(1, 10)
    assert [(w.message_id, w.begun) for w in there] == [("r1", 2), ("r2", 1), ("r3", 2), ("b1", 2), ("b2", 1)]


async def test_more_texts_than_move_at_once(house: House) -> None:
    house.firm()
    await queued(house, Priority.REPLY, *(f"r{n}" for n in range(failover.AT_ONCE * 2 + 1)))

    assert await failover.move(DurableRedis(house.client), [1], LINK, "other") == failover.AT_ONCE * 2 + 1


async def test_wait_ends_when_an_answer_comes(house: House) -> None:
    await answered(house, 1)

    await house.send_queue().wait([(1, Priority.REPLY)], 1000)  # something waits: it returns at once
    await house.send_queue().wait([], 1)


# Keys without a time to live, each with the owner that ends it (gateway.store.redis.keys names it).
OWNED = (
    keys.DEPLOYMENT,
    keys.CATALOG_VERSION,
    keys.FIRMS,
    keys.settled(1),
    "{f1}:gate",
    "{f1}:campaigns",
    "{f1}:voided",
    "{f1}:outbox",
    "{f1}:order",
    "{f1}:results",
    "{f1}:dead",
    f"{{f1}}:send:{LINK}",
    f"{{f1}}:intents:{LINK}",
)
OWNED_FAMILIES = ("{f1}:bits:", "{f1}:claim:", "{f1}:consent:")


async def test_every_key_ends_by_itself_or_has_an_owner(house: House) -> None:
    house.firm()
    series = house.series(house.campaign(), 8)
    codes = [code for _, code in series.codes()]
    for said in (codes[0], f"{codes[0]}!", "stop", "good morning", "nice weather", "9000000000001", "alias"):
        await house.text(said)
    for n in range(12):
        await house.text(f"balance {'!' * n}", BOHDAN)
    house.drain()
    queue = house.send_queue()
    taken = await queue.take(1, 4)
    await queue.file([ended(w) for w in taken[:2]])
    await house.text(codes[1], "380930000000")

    endless = [name for name in house.names() if house.redis.ttl(name) == -1]

    assert [n for n in endless if n not in OWNED and not n.startswith(OWNED_FAMILIES)] == []
    everywhere = set(house.names())
    assert {"{f1}:limits:" + house.vault.index(ANNA), "{f1}:outbox"} <= everywhere


async def test_all_that_was_owned_ends_with_the_work(house: House) -> None:
    """After everything was settled and sent, only what lives as long as the data is left."""
    await answered(house)
    queue = house.send_queue()
    await queue.file([ended(w) for w in await queue.take(1, 10)])
    house.drain()

    left = {name for name in house.names() if house.redis.ttl(name) == -1}

    streams = {name for name in left if house.redis.type(name) == b"stream"}
    assert all(house.redis.xlen(name) == 0 for name in streams)
    assert left - streams == {
        keys.DEPLOYMENT,
        keys.CATALOG_VERSION,
        keys.FIRMS,
        keys.settled(1),
        "{f1}:gate",
        "{f1}:campaigns",
        "{f1}:bits:1:0",
    }
