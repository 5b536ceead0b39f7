"""Long messages against a real Valkey: any order, twice, over restarts, never, and references that return."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from gateway.store.redis import keys
from gateway.store.texts.parts import EFFECT_S, PartKeeper
from gateway.store.vault.vault import Vault
from smpp.intake.reassembly import Reassembly
from smpp.protocol.pdus import DeliverSm, Part
from tests.integration.smpp.conftest import Store

MASTER = bytes(range(32))
SOURCE = "380671234567"
TIMEOUT_S = 1800.0


class Clock:
    """The wall clock as the test sets it."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(store: Store, clock: Clock) -> Callable[[], Reassembly]:
    """A gateway process's reassembly; a second one is a process that was started anew."""
    return lambda: Reassembly(PartKeeper(store.durable, Vault(MASTER), timeout_s=TIMEOUT_S), clock)


def parts(*bodies: bytes, reference: int = 7, coding: int = 0, source: str = SOURCE) -> list[DeliverSm]:
    return [
        DeliverSm(n, source, 1, 1, "4040", 0x40, coding, body, Part(reference, len(bodies), n))
        for n, body in enumerate(bodies, 1)
    ]


async def join(reassembly: Reassembly, *messages: DeliverSm) -> list[bytes | None]:
    joined = await reassembly.join(messages, ["peer"] * len(messages))
    return [None if message is None else message.body for message in joined]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_the_parts_are_joined_in_any_order(
    make: Callable[[], Reassembly], order: tuple[int, ...]
) -> None:
    reassembly = make()
    three = parts(b"one ", b"two ", b"three")
    assert [await join(reassembly, three[n]) for n in order] == [[None], [None], [b"one two three"]]


async def test_a_batch_is_joined_in_one_call_with_its_own_sequence(make: Callable[[], Reassembly]) -> None:
    two = parts(b"one ", b"two")
    others = parts(b"eins ", b"zwei", source="380501112233")
    joined = await make().join([two[0], others[1], others[0], two[1]], ["peer"] * 4)
    assert joined == [
        None,
        None,
        others[0]._replace(body=b"eins zwei", part=None),
        two[1]._replace(body=b"one two", part=None),
    ]


async def test_a_part_sent_twice_changes_nothing(make: Callable[[], Reassembly]) -> None:
    reassembly = make()
    two = parts(b"one ", b"two")
    assert await join(reassembly, two[0], two[0]) == [None, None]
    assert await join(reassembly, two[1]) == [b"one two"]


async def test_acknowledged_parts_survive_the_process_and_the_store(
    make: Callable[[], Reassembly], store: Store
) -> None:
    first, second = make(), make()
    two = parts(b"one ", b"two")
    assert await join(first, two[0]) == [None]
    await store.kill()
    await store.start()
    assert await join(second, two[1]) == [b"one two"]


async def test_the_same_process_goes_on_after_the_store_was_restarted(
    make: Callable[[], Reassembly], store: Store
) -> None:
    reassembly = make()
    two = parts(b"one ", b"two")
    assert await join(reassembly, two[0]) == [None]
    await store.kill()
    await store.start()
    assert await join(reassembly, two[1]) == [b"one two"]


@pytest.mark.parametrize("ended", [False, True])
async def test_the_last_part_sent_again_gives_the_same_text(
    make: Callable[[], Reassembly], ended: bool
) -> None:
    reassembly = make()
    two = parts(b"one ", b"two")
    await join(reassembly, *two)
    if ended:
        await reassembly.end([two[1]], ["peer"])
    assert await join(reassembly, two[1]) == [b"one two"]
    assert await join(make(), two[1]) == [b"one two"]


async def test_a_whole_text_without_effect_is_handed_on_until_it_has_one(
    make: Callable[[], Reassembly], clock: Clock
) -> None:
    reassembly = make()
    two = parts(b"one ", b"two")
    await join(reassembly, *two)
    assert await reassembly.overdue() == []
    clock.now += EFFECT_S
    ((overdue, message),) = await reassembly.overdue()
    assert (message.body, message.source, overdue.origin.link) == (b"one two", SOURCE, "peer")
    assert await reassembly.overdue() != []
    assert await reassembly.drop(overdue)
    assert await reassembly.overdue() == []


async def test_a_text_that_had_its_effect_is_not_handed_on_and_goes_by_itself(
    make: Callable[[], Reassembly], clock: Clock, store: Store
) -> None:
    reassembly = make()
    two = parts(b"one ", b"two")
    await join(reassembly, *two)
    await reassembly.end([two[1]], ["peer"])
    clock.now += TIMEOUT_S * 2
    assert await reassembly.overdue() == []
    (key,) = await store.client.keys("*")
    assert 0 < await store.client.ttl(key) <= keys.PARTS_DONE_TTL


@pytest.mark.parametrize(
    ("what", "coding", "came", "expected"),
    [
        ("the middle is missing", 0, (0, 2), b"one \nthree"),
        ("the beginning is missing", 0, (1, 2), b"two three"),
        ("UCS-2", 8, (0, 2), "one \nthree".encode("utf-16-be")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_came_is_handed_on_after_the_time_out(
    make: Callable[[], Reassembly],
    clock: Clock,
    store: Store,
    what: str,
    coding: int,
    came: tuple[int, ...],
    expected: bytes,
) -> None:
    del what
    reassembly = make()
    written = "utf-16-be" if coding == 8 else "ascii"
    three = parts(*(said.encode(written) for said in ("one ", "two ", "three")), coding=coding)
    await join(reassembly, *(three[n] for n in came))
    clock.now += TIMEOUT_S - 1
    assert await reassembly.overdue() == []
    clock.now += 1
    ((overdue, message),) = await reassembly.overdue()
    assert message == DeliverSm(0, SOURCE, 1, 1, "4040", 0, coding, expected)
    assert await reassembly.drop(overdue)
    assert await store.client.keys("*") == []


@pytest.mark.parametrize(
    ("what", "coding", "bodies", "expected"),
    [
        ("general data coding", 0x18, (b"\0a", b"", b"\0c"), b"\0a\0\n\0c"),
        ("the link's own meaning", 0x0E, (b"\0a", b"", b"\0c"), b"\0a\0\n\0c"),
        ("half a unit at the end of a piece", 8, (b"\0a\0", b"", b"\0c"), b"\0a\0\n\0c"),
        ("UCS-2 by its name means something else here", 0xE0, (b"a", b"", b"c"), b"a\nc"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_gap_is_a_line_break_in_the_alphabet_of_the_link(
    clock: Clock, store: Store, what: str, coding: int, bodies: tuple[bytes, ...], expected: bytes
) -> None:
    del what
    keeper = PartKeeper(store.durable, Vault(MASTER), timeout_s=TIMEOUT_S)
    reassembly = Reassembly(keeper, clock, {"peer": {0x0E: "ucs2", 0xE0: "latin1"}})
    first, _, third = parts(*bodies, coding=coding)
    await join(reassembly, first, third)
    clock.now += TIMEOUT_S
    ((_, message),) = await reassembly.overdue()
    assert message.body == expected


async def test_a_part_that_comes_while_the_rest_is_handed_on_is_not_lost(
    make: Callable[[], Reassembly], clock: Clock
) -> None:
    reassembly = make()
    three = parts(b"one ", b"two ", b"three")
    await join(reassembly, three[0])
    clock.now += TIMEOUT_S
    ((overdue, _),) = await reassembly.overdue()
    await join(reassembly, three[1])
    assert not await reassembly.drop(overdue)
    assert await join(reassembly, three[2]) == [b"one two three"]


async def test_a_reference_that_returns_is_another_message(make: Callable[[], Reassembly]) -> None:
    reassembly = make()
    old, new = parts(b"one ", b"two"), parts(b"uno ", b"dos")
    await join(reassembly, *old)
    await reassembly.end([old[1]], ["peer"])
    assert [await join(reassembly, part) for part in new] == [[None], [b"uno dos"]]


async def test_a_message_that_begins_like_the_one_before_is_another(make: Callable[[], Reassembly]) -> None:
    reassembly = make()
    old, new = parts(b"one ", b"two", b"three"), parts(b"one ", b"dos", b"tres")
    await join(reassembly, *old)
    await reassembly.end([old[2]], ["peer"])
    # Its first part cannot be told from a re-sent one; the second can, and takes the first with it.
    assert await join(reassembly, new[0]) == [b"one twothree"]
    assert [await join(reassembly, part) for part in new[1:]] == [[None], [b"one dostres"]]


async def test_a_whole_message_sent_again_does_not_mix_with_the_next(
    make: Callable[[], Reassembly],
) -> None:
    reassembly = make()
    old, new = parts(b"one ", b"two"), parts(b"uno ", b"dos")
    await join(reassembly, *old)
    await reassembly.end([old[1]], ["peer"])
    assert await join(reassembly, *old) == [b"one two"] * 2
    assert [await join(reassembly, part) for part in new] == [[None], [b"uno dos"]]


async def test_an_unfinished_message_is_handed_on_when_its_reference_returns(
    make: Callable[[], Reassembly], clock: Clock
) -> None:
    reassembly = make()
    old, new = parts(b"one ", b"two"), parts(b"uno ", b"dos")
    await join(reassembly, old[0])
    assert [await join(reassembly, part) for part in new] == [[None], [b"uno dos"]]
    ((overdue, message),) = await reassembly.overdue()
    assert message.body == b"one "
    assert await reassembly.drop(overdue)
    await reassembly.end([new[1]], ["peer"])
    clock.now += TIMEOUT_S
    assert await reassembly.overdue() == []


@pytest.mark.parametrize(
    "other",
    [
        parts(b"one ", b"uno", reference=8)[1],
        parts(b"one ", b"uno", coding=8)[1],
        parts(b"one ", b"uno", source="380501112233")[1],
        parts(b"one ", b"uno", b"due")[1],
        parts(b"one ", b"uno")[1]._replace(destination="5050"),
    ],
    ids=["reference", "coding", "sender", "total", "short number"],
)
async def test_parts_of_different_messages_do_not_meet(
    make: Callable[[], Reassembly], other: DeliverSm
) -> None:
    reassembly = make()
    two = parts(b"one ", b"two")
    assert await join(reassembly, two[0], other) == [None, None]
    assert await join(reassembly, two[1]) == [b"one two"]


@pytest.mark.parametrize("seed", range(5))
async def test_texts_of_many_shoppers_come_mixed_and_twice(make: Callable[[], Reassembly], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    texts = {
        f"3805011122{n:02}": [b"%d-%d " % (n, at) for at in range(chance.randint(2, 5))] for n in range(20)
    }
    arrivals = [part for source, bodies in texts.items() for part in parts(*bodies, source=source)] * 2
    chance.shuffle(arrivals)
    whole: dict[str, set[bytes]] = {source: set() for source in texts}
    for at in range(0, len(arrivals), 7):
        # Each batch meets a process that has just been started: nothing is kept but on disk.
        batch = arrivals[at : at + 7]
        for message, body in zip(batch, await join(make(), *batch), strict=True):
            whole[message.source] |= {body} if body else set()
    assert whole == {source: {b"".join(bodies)} for source, bodies in texts.items()}


async def test_neither_number_nor_text_stands_in_the_store(
    make: Callable[[], Reassembly], store: Store
) -> None:
    await join(make(), parts(b"CODE1234 ", b"rest")[0])
    found: list[Any] = []
    for key in await store.client.keys("*"):
        found.append(key)
        if await store.client.type(key) == b"hash":
            found += itertools.chain.from_iterable((await store.client.hgetall(key)).items())
        else:
            found += await store.client.zrange(key, 0, -1)
    assert len(found) > 5
    assert not [value for value in found if SOURCE.encode() in value or b"CODE" in value]


async def test_parts_of_another_master_secret_are_dropped(
    make: Callable[[], Reassembly], clock: Clock, store: Store
) -> None:
    stranger = Reassembly(PartKeeper(store.durable, Vault(bytes(32)), timeout_s=TIMEOUT_S), clock)
    await join(stranger, parts(b"one ", b"two")[0])
    clock.now += TIMEOUT_S
    assert await make().overdue() == []
    assert await store.client.keys("*") == []
