"""Claims on a real Valkey: a code once, campaigns by Redis' clock, re-deliveries, closed gates."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from gateway.domain.codes.catalog import Issued
from gateway.store.codes.claims import ClaimCall, Verdict
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable
from gateway.usecases.codes import issue_codes
from gateway.usecases.firms import set_up
from tests.integration.house import ANNA, BOHDAN, HOUR_MS, House, ended, plain


async def test_claim_then_repeat(house: House) -> None:
    house.firm()
    code, other = house.codes(house.campaign(), 2)

    assert await house.text(code) == Verdict(kind="A", codes=("C1",))
    assert await house.text(f"{code} !") == Verdict(kind="A", codes=("R",))
    assert await house.text(code, BOHDAN) == Verdict(kind="A", codes=("R",))
    assert await house.text(f"{code} {other}", BOHDAN) == Verdict(kind="A", codes=("R", "C1"))


async def test_claim_names_the_rule_of_its_moment(house: House) -> None:
    firm = house.firm()
    campaign = house.campaign()
    codes = house.codes(campaign, 2)
    await house.text(codes[0])

    set_up.change_points(house.engine, campaign, 25)
    house.publish(firm)

    assert await house.text(codes[1]) == Verdict(kind="A", codes=("C2",))


async def test_one_code_from_many_doors_is_claimed_once(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    doors = [house.claims() for _ in range(8)]
    numbers = [f"38067{n:07d}" for n in range(80)]

    verdicts = await asyncio.gather(
        *(house.text(code, number, store=doors[n % 8]) for n, number in enumerate(numbers))
    )

    letters = plain([letter for verdict in verdicts for letter in verdict.codes])
    assert (letters.count("C"), letters.count("R")) == (1, 79)
    assert house.redis.xlen(keys.outbox(1)) == 80  # a repeat goes through the outbox too


HOUR_AGO, IN_AN_HOUR = -HOUR_MS, HOUR_MS
# state word, start and end from now in ms -> letter
WINDOWS = [
    pytest.param("", HOUR_AGO, IN_AN_HOUR, "C", id="running"),
    pytest.param("pause", HOUR_AGO, IN_AN_HOUR, "P", id="paused"),
    pytest.param("end", HOUR_AGO, IN_AN_HOUR, "E", id="ended by hand"),
    pytest.param("", IN_AN_HOUR, 2 * HOUR_MS, "N", id="not started"),
    pytest.param("pause", IN_AN_HOUR, 2 * HOUR_MS, "N", id="paused before it starts"),
    pytest.param("", 2 * HOUR_AGO, HOUR_AGO, "E", id="over"),
    pytest.param("pause", 2 * HOUR_AGO, HOUR_AGO, "E", id="over while paused"),
]


@pytest.mark.parametrize(("word", "starts", "ends", "letter"), WINDOWS)
async def test_states_and_windows(house: House, word: str, starts: int, ends: int, letter: str) -> None:
    firm = house.firm()
    now = int(time.time() * 1000)
    campaign = house.campaign()
    (code,) = house.codes(campaign, 1)
    house.move(campaign, now + starts, now + ends)
    if word:
        set_up.change_state(house.engine, campaign, word)
        house.publish(firm)

    verdict = await house.text(code)

    assert ("A", letter) == (verdict.kind, plain(verdict.codes))
    assert (letter == "C") == bool(house.names("*:claim:*"))
    assert (letter == "C") == bool(house.names("*:bits:*"))


async def test_code_stays_good_through_a_pause(house: House) -> None:
    firm = house.firm()
    campaign = house.campaign()
    (code,) = house.codes(campaign, 1)
    set_up.change_state(house.engine, campaign, "pause")
    house.publish(firm)
    await house.text(code)

    set_up.change_state(house.engine, campaign, "resume")
    house.publish(firm)

    assert await house.text(f"{code}.") == Verdict(kind="A", codes=("C1",))


async def test_voided_batch_is_a_wrong_code_and_what_was_claimed_stays(house: House) -> None:
    firm = house.firm()
    series = house.series(house.campaign(), 3)
    codes = [code for _, code in series.codes()]
    await house.text(codes[0])

    issue_codes.void_batch(house.engine, series.batches[0][0])
    house.publish(firm)

    assert await house.text(codes[1]) == Verdict(kind="A", codes=("V",))
    assert house.wrong_codes(ANNA) == (1, 1)
    house.drain()
    assert house.balance(ANNA) == 10


async def test_redelivery_tells_the_first_verdict_and_stores_nothing(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 2)
    said = " ".join(codes)
    first = await house.text(said)
    stored = house.redis.xlen(keys.outbox(1))

    again = await house.text(said)

    assert Verdict(kind="D", first=first.kind, codes=first.codes) == again
    assert stored == house.redis.xlen(keys.outbox(1))


async def test_same_text_from_another_or_to_another_number_is_no_redelivery(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(short_numbers=("4040", "5050")), 1)

    kinds = [
        (await house.text(code)).kind,
        (await house.text(code, BOHDAN)).kind,
        (await house.text(code, short="5050")).kind,
    ]

    assert kinds == ["A", "A", "A"]


async def test_redelivery_ends_ten_minutes_after_the_answer(house: House) -> None:
    """Unsent, it may come again for days; sent, for `redelivery_window_s`."""
    firm = house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    (seen,) = house.names("*:seen:*")
    unsent = house.redis.ttl(seen)
    house.drain()

    queue = house.send_queue()
    (waiting,) = await queue.take(firm, 10)
    await queue.file([ended(waiting)])

    assert unsent == keys.SEEN_UNSENT_TTL
    assert 0 < house.redis.ttl(seen) <= house.answers.redelivery_window_s


async def test_two_firms_on_one_number_each_decide_their_own(house: House) -> None:
    first, second = house.firm("acme"), house.firm("bolt")
    (one,) = house.codes(house.campaign("acme"), 1)
    (other,) = house.codes(house.campaign("bolt"), 1, "letters")

    verdict = await house.text(f"{one} {other}")

    assert verdict == Verdict(kind="A", codes=("C1", "C1"))
    assert [house.redis.xlen(keys.outbox(firm)) for firm in (first, second)] == [1, 1]
    house.drain()
    assert [house.balance(ANNA, firm) for firm in (first, second)] == [10, 10]


async def test_chunk_is_made_at_full_size(house: House) -> None:
    firm = house.firm()
    codes = house.codes(house.campaign(), 20)
    for n, code in enumerate(codes):
        await house.text(code, f"38067{n:07d}")

    (bits,) = house.names("*:bits:*")

    assert len(codes) == house.redis.bitcount(bits)
    assert house.redis.strlen(bits) == keys.CHUNK_BITS // 8
    assert (house.redis.memory_usage(bits) or 0) < 8_500  # grown bit by bit it would be 14 KB
    assert bits.startswith(keys.tag(firm))


async def test_serials_are_claimed_in_their_own_chunk_and_bit(house: House) -> None:
    """At the ends of chunks, whatever series they belong to."""
    firm = house.firm()
    campaign = house.campaign()
    serials = [0, 65_535, 65_536, 131_071, 131_072]
    calls = [
        claim_of(house, firm, campaign, serial, number=f"38067{at:07d}") for at, serial in enumerate(serials)
    ]

    first = await house.store.activate(firm, calls)
    again = await house.store.activate(firm, [call._replace(digest=call.digest + "x") for call in calls])

    assert [plain(v.codes) for v in first] == ["C"] * 5
    assert [plain(v.codes) for v in again] == ["R"] * 5
    counts = [house.redis.bitcount(keys.bits(firm, 1, chunk)) for chunk in range(3)]
    assert counts == [2, 2, 1]


def claim_of(house: House, firm: int, campaign: int, serial: int, number: str = ANNA) -> ClaimCall:
    issued = Issued(space_id=1, serial=serial, series_id=1, batch_id=1, campaign_id=campaign, firm_id=firm)
    return ClaimCall(
        firm_id=firm,
        shopper=house.vault.index(number),
        digest=house.vault.digest(f"{number}{serial}"),
        codes=(issued,),
        wrong=0,
        mode="T",
        consent="",
        message_id=f"{serial:024x}",
        body=b"",
    )


async def test_closed_gate_stores_nothing_and_verifies_again(house: House) -> None:
    firm = house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text("hello")
    house.drain()  # there is a watermark now: the firm's gate is not opened by itself any more
    before = house.verified
    house.redis.delete(keys.gate(firm))

    with pytest.raises(StoreUnavailable):
        await house.text(code)
    with pytest.raises(StoreUnavailable, match="closed"):
        await house.text(code)

    assert house.verified == before + 1
    assert house.names("*:claim:*") == []


async def test_gate_of_another_deployment_is_closed(house: House) -> None:
    firm = house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text("hello")
    house.drain()
    house.redis.set(keys.gate(firm), "another")

    with pytest.raises(StoreUnavailable):
        await house.text(code)


async def test_campaign_that_redis_does_not_know_closes_and_is_published_again(house: House) -> None:
    firm = house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text("hello")
    house.redis.delete(keys.campaigns(firm))

    with pytest.raises(StoreUnavailable):
        await house.text(code)

    assert await house.text(code) == Verdict(kind="A", codes=("C1",))


async def test_some_closed_some_taken(house: House) -> None:
    """One text of a batch that cannot be decided does not undo the others; the next call verifies."""
    firm = house.firm()
    campaign = house.campaign()
    house.codes(campaign, 2)
    good, strange = claim_of(house, firm, campaign, 0), claim_of(house, firm, 999, 1)

    verdicts = await house.store.activate(firm, [good, strange])

    assert [v.kind for v in verdicts] == ["A", "X"]
    assert house.verified == 1
    await house.text("hello")
    assert house.verified == 2


async def test_restarted_redis_is_verified_before_it_decides(house: House) -> None:
    house.firm()
    codes = house.codes(house.campaign(), 3)
    await house.text(codes[0])
    await house.text(codes[1])
    assert house.verified == 1

    house.redis.script_flush()  # what a restart leaves of the functions

    assert await house.text(codes[2]) == Verdict(kind="A", codes=("C1",))
    assert house.verified == 2


async def test_redis_away_is_store_unavailable(house: House) -> None:
    house.firm()
    (code,) = house.codes(house.campaign(), 1)

    class Away(DurableRedis):
        async def calls(self, *_: Any) -> list[Any]:
            raise ConnectionResetError

    with pytest.raises(StoreUnavailable, match="ConnectionResetError"):
        await house.text(code, store=house.claims(Away(house.client)))
