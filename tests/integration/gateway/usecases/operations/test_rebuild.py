"""Redis lost, foreign or behind: noticed before it says yes, and made whole again from SQL."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.store.codes.claims import Verdict
from gateway.store.integrity import redis_state, watermark
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.integrity.redis_state import Presence
from gateway.store.redis import keys
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.texts.sendqueue import QueueClosed
from gateway.usecases.operations.rebuild import Busy, Rebuilt, rebuild_firm
from tests.databases import Databases
from tests.integration.house import ANNA, BOHDAN, House, Server, ended

WRONG = "9000000000001"


def rebuild(house: House, firm: int = 1, *, foreign: bool = False) -> Rebuilt:
    done = rebuild_firm(
        firm, house.engine, house.redis, house.desks(), house.deployment, "rebuild", foreign=foreign
    )
    house.redis.set(keys.DEPLOYMENT, house.deployment)
    return done


def stands(house: House) -> Presence:
    return redis_state.look(house.engine, house.redis, house.deployment).presence


async def lived(house: House) -> list[str]:
    """A firm with a life: two codes claimed and confirmed, a STOP, wrong codes; returns all its codes."""
    house.firm()
    codes = house.codes(house.campaign(), 6)
    await house.text(codes[0])
    await house.text(codes[1], BOHDAN)
    await house.text("stop", BOHDAN)
    await house.text(" ".join(f"900000000{n:04d}" for n in range(4)))
    house.drain()
    queue = house.send_queue()
    await queue.file([ended(w, smsc_id=f"s{n}") for n, w in enumerate(await queue.take(1, 3))])
    house.drain()
    return codes


async def test_new_is_whole(house: House) -> None:
    assert stands(house) is Presence.WHOLE
    house.firm()
    assert stands(house) is Presence.WHOLE


async def test_look_changes_nothing(house: House) -> None:
    await lived(house)
    house.redis.flushall()

    assert stands(house) is Presence.EMPTY
    assert house.names() == []


async def test_emptied_is_closed_until_rebuilt(house: House) -> None:
    codes = await lived(house)
    house.redis.flushall()
    house.redis.script_flush()

    assert stands(house) is Presence.EMPTY
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="empty"):
            await house.text(codes[0], "380930000000")

    done = rebuild(house)

    assert stands(house) is Presence.WHOLE
    assert (done.claims, done.consents, done.guessers, done.answers) == (2, 1, 1, 1)
    assert await house.text(codes[0], "380930000000") == Verdict(kind="A", codes=("R",))
    assert await house.text(codes[2], "380930000000") == Verdict(kind="A", codes=("C1",))
    assert house.consent(BOHDAN) == "out"
    assert house.wrong_codes(ANNA) == (4, 4)
    house.drain()
    assert [house.balance(ANNA), house.balance(BOHDAN), house.balance("380930000000")] == [10, 10, 10]


async def test_new_firm_opens_while_another_waits_for_its_rebuild(house: House) -> None:
    await lived(house)
    house.redis.delete(keys.gate(1))
    second = house.firm("bolt")

    standing = redis_state.check(house.engine, house.redis, house.deployment)

    assert (standing.presence, standing.firms) == (Presence.BEHIND, (1,))
    assert house.redis.exists(keys.gate(second)) == 1


async def test_rebuilt_chunks_are_as_claimed_ones(house: House) -> None:
    await lived(house)
    (bits,) = house.names("*:bits:*")
    before = house.redis.get(bits)
    house.redis.flushall()

    rebuild(house)

    assert before == house.redis.get(bits)


async def test_unsent_answers_leave_once_more_marked_as_possibly_doubled(house: House) -> None:
    await lived(house)
    ((number, said),) = house.waiting_answers()
    house.redis.flushall()

    rebuild(house)

    queue = house.send_queue()
    (waiting,) = await queue.take(1, 10)
    assert [(number, said)] == house.waiting_answers()
    assert waiting.begun == 2
    await queue.file([ended(waiting, smsc_id="late")])
    house.drain()
    assert {state for (state,) in house.rows("message", "state")} == {"accepted"}


async def test_foreign_is_noticed_and_thrown_away_only_on_demand(house: House) -> None:
    codes = await lived(house)
    house.redis.set(keys.DEPLOYMENT, "of somebody else")
    house.redis.xadd(keys.outbox(1), {"b": b"1|theirs", "r": "", "l": "0", "q": "0", "w": "0"})

    assert stands(house) is Presence.FOREIGN
    house.redis.script_flush()
    with pytest.raises(StoreUnavailable, match="another deployment"):
        await house.text(codes[2])

    assert rebuild(house, foreign=True).settled == 0
    assert stands(house) is Presence.WHOLE
    assert list(DeadLetters(house.redis, 1).all()) == []


async def test_stream_goes_on_behind_the_watermark(house: House) -> None:
    """However the clock of the new Redis stands: ids before the watermark would look like a loss."""
    codes = await lived(house)
    far = f"{int(time.time() * 1000) + 86_400_000}-5"
    with house.engine.begin() as connection:
        watermark.set_watermark(connection, 1, far)
    assert stands(house) is Presence.BEHIND

    rebuild(house)

    assert stands(house) is Presence.WHOLE
    await house.text(codes[3])
    house.drain()
    assert stands(house) is Presence.WHOLE


async def test_what_survived_in_the_outbox_is_settled_first(house: House) -> None:
    codes = await lived(house)
    await house.text(codes[2])
    await house.text("start", BOHDAN)
    house.redis.delete(keys.gate(1))

    done = rebuild(house)

    assert done.settled == 2
    assert house.balance(ANNA) == 20
    assert house.consent(BOHDAN) == "in"
    assert await house.text(f"{codes[2]}!") == Verdict(kind="A", codes=("R",))


async def test_accepted_text_that_cannot_be_settled_is_not_dropped(house: House) -> None:
    """It becomes a dead letter, keeps its code through the rebuild, and is credited when replayed."""
    codes = await lived(house)
    await house.text(codes[2])
    desk = house.desk()

    def without_rules(*, renew: bool = False) -> Any:
        del renew
        campaigns = {id_: _ruleless(campaign) for id_, campaign in desk.catalog.campaigns.items()}
        return _with(desk, catalog=_with(desk.catalog, campaigns=campaigns))

    house.redis.delete(keys.gate(1))
    rebuild_firm(1, house.engine, house.redis, without_rules, house.deployment, "rebuild", foreign=False)

    dead = DeadLetters(house.redis, 1)
    assert len(list(dead.all())) == 1
    assert await house.text(codes[2], BOHDAN) == Verdict(kind="A", codes=("R",))
    dead.replay()
    house.drain()
    assert house.balance(ANNA) == 20
    assert house.balance(BOHDAN) == 10


async def test_consent_in_a_dead_letter_is_not_forgotten(house: House) -> None:
    """SQL knows of neither word; of a later one that it does know, the dead letter is no rival."""
    house.firm()
    house.campaign()
    for said, number in (("start", ANNA), ("stop", BOHDAN)):
        await house.text(said, number)
    for id_, fields in cast(Any, house.redis.xrange(keys.outbox(1))):
        house.redis.xdel(keys.outbox(1), id_)
        house.redis.xadd(keys.dead(1), {"was": id_, "why": "Test", **fields})
    await house.text("stop", ANNA)
    house.drain()

    rebuild(house)

    assert (house.consent(ANNA), house.consent(BOHDAN)) == ("out", "out")


async def test_rebuild_that_was_cut_off_leaves_a_firm_closed_that_never_settled(house: House) -> None:
    """Whoever looks at Redis meanwhile must not take it for a new firm: its texts would be dropped."""
    house.firm()
    codes = house.codes(house.campaign(), 2)
    await house.text(codes[0])

    def cut_off(*, renew: bool = False) -> Any:
        raise KeyboardInterrupt(renew)

    with pytest.raises(KeyboardInterrupt):
        rebuild_firm(1, house.engine, house.redis, cut_off, house.deployment, "rebuild", foreign=False)

    for _ in range(2):  # the first only finds it closed, the second asks why
        with pytest.raises(StoreUnavailable):
            await house.text(codes[1], BOHDAN)
    assert rebuild(house).settled == 1
    assert await house.text(codes[1], BOHDAN) == Verdict(kind="A", codes=("C1",))


def _with(value: Any, **changes: Any) -> Any:
    return replace(value, **changes)


def _ruleless(campaign: Any) -> Any:
    return _with(campaign, rules={})


async def test_redelivery_is_known_through_a_rebuild(house: House) -> None:
    """The SMSC waits with a text whose acknowledgement was lost; its first coming was settled."""
    codes = await lived(house)
    await house.text(codes[2])
    house.redis.delete(keys.gate(1))
    rebuild(house)

    assert (await house.text(codes[2])).kind == "D"


async def test_worker_that_settles_now_is_not_disturbed(house: House) -> None:
    await lived(house)
    house.redis.set(keys.drain(1), "a worker", px=5000)

    with pytest.raises(Busy):
        rebuild(house)


async def test_lease_is_kept_however_long_a_rebuild_takes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one, begun when the first has let it go, would drop what the first had opened."""
    monkeypatch.setattr(keys, "DRAIN_LEASE_MS", 600)
    codes = await lived(house)
    await house.text(codes[2])
    desk, renewed = house.desk(), []

    def slow(*, renew: bool = False) -> Any:
        del renew
        left: Any = house.redis.pttl(keys.drain(1))
        while (now := house.redis.pttl(keys.drain(1))) <= left and now > 0:
            left = now
        renewed.append(now > left)
        return desk

    rebuild_firm(1, house.engine, house.redis, slow, house.deployment, "rebuild", foreign=False)

    assert set(renewed) == {True}
    assert house.redis.get(keys.drain(1)) is None


async def test_later_word_counts_whatever_came_to_sql_first(house: House) -> None:
    """A START that was a dead letter is replayed after a later STOP: the STOP is the last word."""
    house.firm()
    house.campaign()
    await house.text("start")
    entries: Any = house.redis.xrange(keys.outbox(1))
    ((id_, fields),) = entries
    house.redis.xdel(keys.outbox(1), id_)
    await house.text("stop")
    house.drain()
    house.redis.xadd(keys.outbox(1), {**fields, b"was": id_})
    house.drain()
    assert len(house.rows("consent_entry", "id")) == 3  # it was of texts alone
    house.redis.flushall()

    rebuild(house)

    assert house.consent(ANNA) == "out"


@pytest.fixture
async def restored(own_server: Server, tmp_path: Path, database: Databases) -> AsyncIterator[House]:
    """A gateway on a Valkey that may be killed and put back to an older copy."""
    made = House(server_url=own_server.url, state=tmp_path, sql_url=database.url(tmp_path))
    yield made
    await made.close()


async def test_older_copy_is_noticed_and_mended(restored: House, own_server: Server, tmp_path: Path) -> None:
    """Files of yesterday: codes claimed since, a STOP said since, answers sent since."""
    house = restored
    codes = await lived(house)
    await house.text(codes[2])
    own_server.copy(tmp_path / "copy")
    house.drain()
    await house.text(codes[3])
    await house.text("stop")
    house.drain()
    queue = house.send_queue()
    sent = await queue.take(1, 10)
    await queue.file([ended(w, smsc_id=f"t{n}") for n, w in enumerate(sent)])
    house.drain()
    balance = house.balance(ANNA)

    own_server.kill()
    own_server.restore(tmp_path / "copy")
    own_server.start()
    await house.client.connection_pool.disconnect()

    assert stands(house) is Presence.BEHIND
    with pytest.raises(StoreUnavailable, match="closed"):
        await house.text(codes[3], BOHDAN)
    with pytest.raises(StoreUnavailable, match="closed"):
        await house.text(codes[3], BOHDAN)
    with pytest.raises(QueueClosed):
        await house.send_queue().take(1, 10)  # among them answers that have left long ago
    done = rebuild(house)
    assert stands(house) is Presence.WHOLE
    assert await house.text(codes[3], BOHDAN) == Verdict(kind="A", codes=("R",))
    assert house.consent(ANNA) == "out"
    house.drain()
    assert balance == house.balance(ANNA)
    assert done.answers == 0  # all had left; none is sent once more
    assert [number for number, _ in house.waiting_answers()] == [BOHDAN]


async def test_restart_on_its_own_files_is_whole(restored: House, own_server: Server) -> None:
    house = restored
    codes = await lived(house)
    await house.text(codes[2])
    verified = house.verified

    own_server.kill()
    own_server.start()
    await house.client.connection_pool.disconnect()

    assert stands(house) is Presence.WHOLE
    assert (await house.text(codes[2])).kind == "D"
    assert house.verified == verified + 1
    house.drain()
    assert house.balance(ANNA) == 20
