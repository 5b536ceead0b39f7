"""Sealing keys rotated under a living house: nothing stops, what is at rest moves, old keys end in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from config.settings import Settings
from gateway.entry.doctor import checks_stores
from gateway.entry.doctor.findings import Level
from gateway.entry.wiring import backing
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.people import sealed_values
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.vault import sealing_keys
from gateway.store.vault import vault as vault_module
from gateway.store.vault.sealing_keys import SealingKeysError
from gateway.usecases.firms.set_up import Refused
from gateway.usecases.vault import reseal as reseal_module
from gateway.usecases.vault.reseal import reseal
from gateway.usecases.vault.rotate import retire, rotate
from tests.integration.gateway.usecases.vault.vault_scene import (
    keys_file,
    lay_aside,
    older,
    process,
    rotated,
    sealed_under,
)
from tests.integration.house import ANNA, BOHDAN, House, ended


@pytest.fixture
def rotating(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with a campaign; its processes look for new keys at each seal."""
    monkeypatch.setattr(vault_module, "LOOK_EVERY_S", 0.0)
    house.vault = process(house)
    house.firm()
    house.campaign()
    return house


def resealed(house: House) -> dict[str, int]:
    return dict(reseal(house.engine, house.redis, process(house), house.state))


async def test_texts_go_through_while_keys_rotate(rotating: House) -> None:
    house = rotating
    codes = house.codes(1, 4)
    await house.text(codes[0])  # sealed under the master secret alone, settled under generation 1
    rotated(house)
    house.drain()
    await house.text(codes[1], BOHDAN)
    rotated(house)
    house.drain()
    await house.text(codes[2])

    assert sealed_under(house) == {
        "numbers": {1: 1, 2: 1},
        "answers": {1: 1, 2: 1},
        "texts to settle": {2: 1},
        "texts to send": {1: 1, 2: 1},
    }
    house.drain()
    assert [number for number, _ in house.waiting_answers()] == [ANNA, BOHDAN, ANNA]
    assert (house.balance(ANNA), house.balance(BOHDAN)) == (20, 10)


async def test_resealing_moves_all_that_stays(rotating: House) -> None:
    house = rotating
    codes = house.codes(1, 3)
    await house.text(codes[0])
    house.drain()
    await house.text(codes[1], BOHDAN)
    lay_aside(house)
    rotated(house)

    assert resealed(house) == {"sealed": 3, "broken": 0}
    assert sealed_under(house) == {
        "numbers": {1: 1},
        "answers": {1: 1},
        "dead letters": {1: 1},
        "texts to send": {0: 1},
    }
    assert resealed(house) == {"sealed": 0, "broken": 0}
    DeadLetters(house.redis, 1).replay()
    house.drain()
    assert house.balance(BOHDAN) == 10
    assert [number for number, _ in house.waiting_answers()] == [ANNA, BOHDAN]


async def test_resealing_that_is_interrupted_goes_on(
    rotating: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = rotating
    for n in range(7):
        await house.text("balance", f"38067000000{n}")
    house.drain()
    rotated(house)
    monkeypatch.setattr(reseal_module, "BATCH", 3)

    class Interrupted(Exception):
        pass

    def stop(_count: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        reseal(house.engine, house.redis, process(house), house.state, stop)
    assert sealed_under(house)["numbers"] == {0: 4, 1: 3}

    assert resealed(house) == {"sealed": 4 + 7, "broken": 0}
    assert sealed_under(house)["numbers"] == {1: 7}


async def test_resealing_keeps_what_changes_meanwhile(rotating: House) -> None:
    """Its answer ends, and its number is erased, between being read and being written."""
    house = rotating
    await house.text("balance")
    house.drain()
    rotated(house)
    vault = process(house)
    opened = vault.open

    def meanwhile(purpose: str, sealed: bytes, counted_for: str = "") -> bytes:
        with database.writing(house.engine) as connection:
            connection.execute(update(schema.shopper).values(number=b""))
            connection.execute(update(schema.message).values(sealed=None, state="accepted"))
        return opened(purpose, sealed, counted_for)

    vault.open = meanwhile  # type: ignore[method-assign]
    reseal(house.engine, house.redis, vault, house.state)

    assert house.rows("shopper", "number") == [(b"",)]
    assert house.rows("message", "sealed", "state") == [(None, "accepted")]


async def test_what_cannot_be_opened_stays_and_is_told(rotating: House) -> None:
    house = rotating
    await house.text("balance")
    house.drain()
    with database.writing(house.engine) as connection:
        connection.execute(update(schema.shopper).values(number=bytes(range(1, 16))))
    rotated(house)

    assert resealed(house) == {"sealed": 1, "broken": 1}
    assert house.rows("shopper", "number") == [(bytes(range(1, 16)),)]


async def test_an_old_generation_ends_when_nothing_is_sealed_under_it(rotating: House) -> None:
    house = rotating
    rotated(house)
    await house.text("balance")
    house.drain()
    rotated(house)
    with pytest.raises(Refused, match=r"1 values are sealed under generation 1 \(texts to send\)"):
        retire(1, house.engine, house.redis, keys_file(house), house.state)
    queue = house.send_queue()
    await queue.file([ended(w) for w in await queue.take(1, 9)])
    house.drain()
    with pytest.raises(Refused, match=r"1 values are sealed under generation 1 \(numbers\): run"):
        retire(1, house.engine, house.redis, keys_file(house), house.state)
    resealed(house)

    retire(1, house.engine, house.redis, keys_file(house), house.state)
    retire(1, house.engine, house.redis, keys_file(house), house.state)  # as after a crash

    assert [key.generation for key in sealing_keys.read(keys_file(house))] == [2]
    assert rotated(house) == 3  # a number is never given twice
    ((number,),) = house.rows("shopper", "number")
    assert process(house).open("shopper", number).decode() == ANNA


async def test_a_key_that_is_made_while_an_old_one_ends_stays(
    rotating: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = rotating
    for _ in range(2):
        rotated(house)
    counted = sealed_values.in_sql

    def meanwhile(connection: Connection, generations: Sequence[int]) -> Mapping[str, Counter[int]]:
        rotate(house.engine, keys_file(house))
        return counted(connection, generations)

    monkeypatch.setattr(sealed_values, "in_sql", meanwhile)
    retire(1, house.engine, house.redis, keys_file(house), house.state)

    assert [key.generation for key in sealing_keys.read(keys_file(house))] == [2, 3]


@pytest.mark.parametrize("place", ["outbox", "dead letter", "part"])
async def test_a_generation_is_not_ended_while_redis_needs_it(rotating: House, place: str) -> None:
    house = rotating
    rotated(house)
    if place == "part":
        house.redis.hset(keys.parts("a"), "p1", house.vault.seal("part", b"any"))
    else:
        await house.text("balance")
    if place == "dead letter":
        lay_aside(house)
    rotated(house)

    with pytest.raises(Refused, match="1 values are sealed under generation 1"):
        retire(1, house.engine, house.redis, keys_file(house), house.state)
    assert [key.generation for key in sealing_keys.read(keys_file(house))] == [1, 2]


REFUSED = [
    pytest.param(0, "cannot be destroyed", id="of the master secret"),
    pytest.param(2, "seals, or will", id="the one that seals"),
    pytest.param(3, "seals, or will", id="one that will seal"),
    pytest.param(1, "wait 60 s", id="too early"),
    pytest.param(7, "there is no generation 7", id="one that never was"),
]


@pytest.mark.parametrize(("generation", "told"), REFUSED)
async def test_a_generation_that_may_be_needed_is_not_ended(
    rotating: House, generation: int, told: str
) -> None:
    house = rotating
    for _ in range(2):
        rotate(house.engine, keys_file(house))
    older(house, 20)
    rotate(house.engine, keys_file(house))

    with pytest.raises(Refused, match=told):
        retire(generation, house.engine, house.redis, keys_file(house), house.state)


def opened_by(house: House) -> Settings:
    """The settings with which a process would start."""
    return Settings(
        state_dir=house.state,
        master_secret=bytes(range(32)).hex(),  # type: ignore[arg-type]
        redis={"url": house.server_url},  # type: ignore[arg-type]
        sql={"url": house.sql_url},  # type: ignore[arg-type]
    )


async def test_a_process_does_not_start_without_keys_that_have_sealed(rotating: House) -> None:
    house = rotating
    rotated(house)
    opened = backing.open_backing(opened_by(house))
    assert opened.vault.generation == 1
    opened.engine.dispose()
    keys_file(house).unlink()

    with pytest.raises(SealingKeysError, match="put it back from your backup"):
        backing.open_backing(opened_by(house))


async def test_the_doctor_looks_at_the_keys(rotating: House) -> None:
    house = rotating
    found = checks_stores.sealing_keys(opened_by(house))
    assert (found.level, found.told) == (Level.OK, "generation 0 seals: the master secret alone")
    rotated(house)
    assert "generation 1 seals" in checks_stores.sealing_keys(opened_by(house)).told
    keys_file(house).chmod(0o640)
    found = checks_stores.sealing_keys(opened_by(house))
    assert (found.level, found.mend) == (Level.FAIL, f"chmod 600 {keys_file(house)}")
    keys_file(house).unlink()
    assert checks_stores.sealing_keys(opened_by(house)).level is Level.FAIL


async def test_a_rotation_that_was_killed_is_completed_by_the_next(
    rotating: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is written, and the transaction that notes it is lost."""
    house = rotating
    written = sealing_keys.write

    def killed(file: Path, all_keys: list[sealing_keys.SealingKey]) -> None:
        written(file, all_keys)
        raise KeyboardInterrupt

    monkeypatch.setattr(sealing_keys, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        rotate(house.engine, keys_file(house))
    monkeypatch.setattr(sealing_keys, "write", written)
    assert house.rows("sealing_generation", "generation") == []

    assert rotate(house.engine, keys_file(house)).generation == 2
    assert house.rows("sealing_generation", "generation") == [(1,), (2,)]


async def test_a_file_that_cannot_be_written_changes_nothing(rotating: House) -> None:
    house = rotating
    keys_file(house).mkdir()
    with pytest.raises(SealingKeysError):
        rotate(house.engine, keys_file(house))
    assert house.rows("sealing_generation", "generation") == []


async def test_keys_begin_no_sooner_than_processes_can_know_them(house: House) -> None:
    with pytest.raises(Refused, match="need 1 s to see a new key"):
        rotate(house.engine, keys_file(house), begins_after_s=0.5)


async def test_counting_reads_more_than_one_page_of_a_stream(
    rotating: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = rotating
    for n in range(5):
        await house.text("balance", f"38067000000{n}")
    monkeypatch.setattr(sealed_values, "_AT_ONCE", 2)

    assert sealed_under(house) == {"texts to settle": {0: 5}}
