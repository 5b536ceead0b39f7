"""A no counts over whatever stands: whatever clocks say, in mid-rebuild, in a Redis put back to yesterday."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.domain.consent.word import IN_ORDER, Channel, Consent
from gateway.store.codes.claims import ClaimCall
from gateway.store.consent.gate import Asked, GateStore
from gateway.store.integrity.redis_state import Presence
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.usecases.consent.consents import BeforeStop
from gateway.usecases.intake import Incoming, calls_for
from gateway.usecases.operations import rebuild_consents
from tests.integration.gateway.usecases.consent.test_consent_changes import change
from tests.integration.gateway.usecases.operations.test_rebuild import rebuild, stands
from tests.integration.house import ANNA, BOHDAN, LINK, SHORT, House

GIVEN, WITHDRAWN = Consent.GIVEN, Consent.WITHDRAWN
HOUR_MS = 3_600_000


@pytest.fixture
def house(house: House) -> House:
    house.firm()
    house.campaign()
    return house


def word(house: House, number: str = ANNA) -> str:
    found: Any = house.redis.get(keys.consent(1, house.vault.index(number)))
    return found.decode() if found else ""


def states(house: House, number: str = ANNA) -> list[str]:
    """What stands in Redis for texts and calls: in, out or nothing."""
    parts = word(house, number).split("|")
    return [part.split(":")[0] for part in (parts if len(parts) == 2 else parts * 2)]


def clock_steps_back(house: House, ms: int = HOUR_MS) -> None:
    """As if all that was said until now had been said by a clock that went ahead."""
    at, clock, count = (int(n) for n in house.redis.get(keys.order(1)).split())  # type: ignore[union-attr]
    house.redis.set(keys.order(1), f"{at + ms} {clock + ms} {count}")
    for name in house.redis.scan_iter(match="*:consent:*"):
        parts = house.redis.get(name).decode().split("|")  # type: ignore[union-attr]
        moved = [f"{p.split(':')[0]}:{int(p.split(':')[1].strip('+')) + ms}" if p else "" for p in parts]
        house.redis.set(name, "|".join(moved))


async def test_a_withdrawal_counts_over_a_yes_of_a_clock_that_goes_ahead(house: House) -> None:
    """The firm's page dates its yes two seconds ahead of Redis."""
    desk = house.consent_desk()
    await desk.change(change(GIVEN, said_at=int(time.time() * 1000) + 2000))
    told = await desk.change(change(WITHDRAWN))
    assert {said.consent for said in told.values()} == {WITHDRAWN}
    assert states(house) == ["out", "out"]
    house.redis.flushall()
    rebuild(house)
    assert states(house) == ["out", "out"]


async def test_a_withdrawal_counts_though_the_clock_was_stepped_back(house: House) -> None:
    desk = house.consent_desk()
    await desk.change(change(GIVEN))
    clock_steps_back(house)
    told = await desk.change(change(WITHDRAWN))
    assert {said.consent for said in told.values()} == {WITHDRAWN}
    told = await desk.change(change(GIVEN))  # and a yes of later is one
    assert {said.consent for said in told.values()} == {GIVEN}
    await house.text("STOP")
    house.drain()
    house.redis.flushall()
    rebuild(house)
    assert states(house) == ["out", "out"]


async def test_texts_are_in_the_order_in_which_they_came(house: House) -> None:
    """STOP by a clock that is stepped back then: START is later, and a STOP behind it."""
    await house.text("STOP")
    clock_steps_back(house)
    await house.text("START")
    assert states(house) == ["in", "out"]
    house.forget_texts()
    await house.text("STOP")
    house.drain()
    assert states(house) == ["out", "out"]
    house.redis.flushall()
    rebuild(house)
    assert states(house) == ["out", "out"]


async def test_a_yes_that_is_perhaps_older_than_the_no_changes_nothing(house: House) -> None:
    """Who dates it has another clock than Redis."""
    desk = house.consent_desk()
    await desk.change(change(WITHDRAWN))
    with pytest.raises(BeforeStop):
        await desk.change(change(GIVEN, said_at=int(time.time() * 1000) + 5000))
    assert states(house) == ["out", "out"]
    assert {row[0] for row in house.rows("consent_entry", "state")} == {"withdrawn"}


def _call(house: House, said: str, n: int) -> ClaimCall:
    text = Incoming(
        message_id=f"{n:024x}", number=ANNA, short_number=SHORT, text=said, link=LINK, channel="sms"
    )
    return calls_for(text, house.catalog.short_numbers[SHORT], house.vault, 20)[0]


@pytest.mark.parametrize("said", [("STOP", "START"), ("START", "STOP")], ids=" ".join)
async def test_of_one_batch_the_no_counts_in_both_stores(house: House, said: Sequence[str]) -> None:
    await house.store.activate(1, [_call(house, text, n) for n, text in enumerate(said)])
    house.drain()
    assert states(house) == ["out", "out"]
    assert (said[1] == "START") is (("given",) not in house.rows("consent_entry", "state"))
    house.redis.flushall()
    rebuild(house)
    assert states(house) == ["out", "out"]


START_GIVES = [
    pytest.param([], ["in", ""], id="nobody was ever asked: texts alone"),
    pytest.param([("given", IN_ORDER), "STOP"], ["in", "in"], id="both back"),
    pytest.param([("given", (Channel.SMS,)), "STOP"], ["in", "out"], id="texts back"),
    pytest.param([("given", (Channel.CALL,)), "STOP"], ["out", "in"], id="calls back"),
    pytest.param([("given", IN_ORDER), "STOP", "STOP"], ["in", "in"], id="STOP twice is one"),
    pytest.param(["STOP"], ["in", "out"], id="a STOP of nothing: texts alone"),
    pytest.param([("given", IN_ORDER), ("withdrawn", (Channel.CALL,))], ["in", "out"], id="calls refused"),
    pytest.param(
        [("given", IN_ORDER), ("withdrawn", (Channel.CALL,)), "STOP"], ["in", "out"], id="refused, then STOP"
    ),
    pytest.param([("given", IN_ORDER), ("withdrawn", IN_ORDER)], ["in", "out"], id="withdrawn by the API"),
]


@pytest.mark.parametrize(("before", "then"), START_GIVES)
@pytest.mark.parametrize("lost", [False, True], ids=["", "rebuilt before"])
async def test_start_gives_back_what_a_stop_took(
    house: House, before: Sequence[Any], then: list[str], lost: bool
) -> None:
    desk = house.consent_desk()
    for said in before:
        if isinstance(said, str):
            house.forget_texts()
            await house.text(said)
        else:
            state, channels = said
            await desk.change(change(Consent(state), channels))
    house.drain()
    if lost:
        house.redis.flushall()
        rebuild(house)
    count = len(house.rows("consent_entry", "id"))
    await house.text("START")
    house.drain()
    assert then == states(house)
    given = [channel for (channel,) in house.rows("consent_entry", "channel")[count:]]
    assert [str(c) for c, now in zip(IN_ORDER, then, strict=True) if now == "in"] == given
    told = [text for number, text in house.waiting_answers() if number == ANNA][-1]
    ways = {("in", "in"): "by SMS and calls", ("in", "out"): "by SMS, not by calls"}
    ways |= {("in", ""): ways["in", "out"], ("out", "in"): "by calls, not by SMS"}
    assert ways[tuple(then)] in told  # type: ignore[index]


@pytest.mark.parametrize("said", ["Yes", "YES!", "yes please"])
async def test_a_yes_that_answers_no_question_is_nothing(house: House, said: str) -> None:
    await house.text(said)
    house.drain()
    assert (word(house), house.rows("consent_entry", "id")) == ("", [])


@pytest.mark.parametrize(
    ("since_s", "then"), [(60, "in"), (5, "out")], ids=["START stands", "in doubt the no"]
)
async def test_a_no_that_was_kept_has_its_place_in_the_order(house: House, since_s: int, then: str) -> None:
    """Key 9 while Redis was away, heard only after a START."""
    pressed_at = int(time.time() * 1000) - since_s * 1000
    await house.text("START")
    house.drain()
    await house.call_desk().stop(ANNA, SHORT, "en", said_at=pressed_at)
    house.drain()
    assert states(house)[0] == then
    told = [text for number, text in house.waiting_answers() if number == ANNA]
    assert any("unsubscribed" in text for text in told) is (then == "out")
    house.redis.flushall()
    rebuild(house)
    assert states(house)[0] == then


# While a rebuild runs


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A rebuild stands still when it has read the words and has put none back: (is there, goes on)."""
    there, on = threading.Event(), threading.Event()
    read = rebuild_consents._words

    def slow(connection: Connection, firm_id: int) -> Iterator[tuple[str, str]]:
        found = list(read(connection, firm_id))
        there.set()
        assert on.wait(20)
        yield from found

    monkeypatch.setattr(rebuild_consents, "_words", slow)
    yield there, on
    on.set()


@pytest.mark.parametrize("foreign", [False, True])
async def test_a_no_while_a_rebuild_runs_stays(
    house: House, held: tuple[threading.Event, threading.Event], foreign: bool
) -> None:
    there, on = held
    desk = house.consent_desk()
    for number in (ANNA, BOHDAN):
        await desk.change(change(GIVEN, number=number))
    running = asyncio.create_task(asyncio.to_thread(rebuild, house, foreign=foreign))
    assert await asyncio.to_thread(there.wait, 20)
    told = await desk.change(change(WITHDRAWN))
    assert {said.consent for said in told.values()} == {WITHDRAWN}
    on.set()
    await running
    assert (states(house), states(house, BOHDAN)) == (["out"] * 2, ["in"] * 2)


async def test_a_no_that_sql_has_lost_stays_and_a_yes_without_its_record_does_not(house: House) -> None:
    """The database was put back to yesterday."""
    house.redis.set(keys.consent(1, house.vault.index(ANNA)), "out:1700000000000")
    house.redis.set(keys.consent(1, house.vault.index(BOHDAN)), "in:1700000000000")
    rebuild(house)
    assert (states(house), states(house, BOHDAN)) == (["out"] * 2, [""] * 2)


# A Redis put back to yesterday


async def test_a_redis_that_lacks_only_a_withdrawal_is_behind(house: House) -> None:
    await house.text("START")
    house.drain()
    before: dict[bytes, Any] = {name: house.redis.dump(name) for name in house.redis.scan_iter()}
    await house.consent_desk().change(change(WITHDRAWN))
    house.redis.flushall()
    for name, value in before.items():
        house.redis.restore(name, 0, value)
    house.redis.script_flush()

    assert states(house)[0] == "in"
    gate = GateStore(DurableRedis(house.client), deployment=house.deployment, verify=house._verify)
    (nothing_is_known,) = await gate.look([Asked(1, house.vault.index(ANNA), "1")])
    assert nothing_is_known is None  # the firm is closed, and nothing leaves in its name
    # What is refused now is in force; it heals nothing, however much of it there is.
    for _ in range(3):
        await house.consent_desk().change(change(WITHDRAWN, number=BOHDAN))
    assert stands(house) is Presence.BEHIND
    rebuild(house)
    assert stands(house) is Presence.WHOLE
    assert (states(house), states(house, BOHDAN)) == (["out"] * 2, ["out"] * 2)
