"""Long texts in both directions, and delivery receipts, through each SMSC."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
import pytest_asyncio

from gateway.store.redis import keys
from tests.acceptance.phone import LONG, UCS2, Shopper
from tests.acceptance.promotion import Supply, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import SMSCS, smsc_program
from tests.databases import Databases
from tests.peers.smsc import Behaviour, Delivery, SmscPeer, Submitted

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
# Texts come by one bind and answers leave by the other where the SMSC can: smpp34's server (1.5.0) hears no
# deliver_sm_resp on a receiver's bind.
BINDS: Final = {
    "smpp34": "transceiver",
    "node smpp": "receiver+transmitter",
    "Net::SMPP": "receiver+transmitter",
}
PART: Final = 67  # characters of a part in UCS-2
OWN_UCS2: Final = 0x0E
OWN_CODINGS: Final = {f"0x{OWN_UCS2:X}": "ucs2"}  # what this SMSC means by it
RECEIPT: Final = 0x04  # esm_class
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
PAYLOAD, RECEIPTED_ID, MESSAGE_STATE = 0x0424, 0x001E, 0x0427
LONG_AGO_MS: Final = 3_600_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A gateway in front of one SMSC, with codes that it knows."""

    stand: Stand
    smsc: SmscPeer
    supply: Supply

    async def send(self, parts: Sequence[Delivery]) -> None:
        """Parts one after the other; each is acknowledged."""
        for part in parts:
            assert await self.smsc.deliver(part) == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sorted(SMSCS))
async def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Databases
) -> AsyncIterator[Scene]:
    """One gateway for each SMSC."""
    smscs = {LINK: smsc_program(request.param)}
    link = {"bind": BINDS[request.param], "data_codings": OWN_CODINGS}
    async with standing(tmp_path_factory.mktemp(f"long-{database.kind}"), smscs, link=link) as stand:
        supply = await running_campaign(stand, language="ru")
        yield Scene(stand=stand, smsc=stand.smscs[LINK], supply=supply)


references = itertools.count(0x21)


def by_short_header(number: int, total: int, reference: int) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    """Concatenation with 8-bit reference (TS 23.040, 9.2.3.24.1)."""
    return bytes((5, 0, 3, reference, total, number)), ()


def by_long_header(number: int, total: int, reference: int) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    """Concatenation with 16-bit reference (TS 23.040, 9.2.3.24.8)."""
    return bytes((6, 8, 4, 1, reference, total, number)), ()


def by_parameters(number: int, total: int, reference: int) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    """Concatenation by optional parameters (SMPP 3.4, 5.3.2.22 to 5.3.2.24)."""
    sar = (
        (SAR_REFERENCE, reference.to_bytes(2)),
        (SAR_TOTAL, bytes((total,))),
        (SAR_NUMBER, bytes((number,))),
    )
    return b"", sar


Way = Callable[[int, int, int], tuple[bytes, tuple[tuple[int, bytes], ...]]]


def parts_of(
    shopper: Shopper, text: str, way: Way = by_short_header, reference: int | None = None
) -> list[Delivery]:
    """A long text as a phone sends it, in order."""
    pieces = [text[at : at + PART].encode("utf-16-be") for at in range(0, len(text), PART)]
    reference = reference or next(references)
    deliveries = []
    for number, piece in enumerate(pieces, 1):
        header, tlvs = way(number, len(pieces), reference)
        deliveries.append(
            Delivery(
                source=shopper.number,
                destination="4040",
                body=header + piece,
                data_coding=UCS2,
                esm_class=LONG if header else 0,
                tlvs=tlvs,
            )
        )
    return deliveries


def long_text(code: str, other: str = "") -> str:
    """Three parts; the first code is cut by the end of the first part, what is beside it stands later."""
    head = "Здравствуйте! Вот коды с крышек, собирал всё лето: ".ljust(PART - 6, ".")
    return f"{head} {code} а это остальное, {other} спасибо вам большое за такую акцию, я жду подарка!"


@pytest.mark.parametrize("way", [by_short_header, by_long_header, by_parameters])
async def test_parts_in_any_order_make_one_text(scene: Scene, way: Way) -> None:
    shopper = scene.stand.shopper()
    codes = [scene.supply.next() for _ in range(2)]
    first, second, third = parts_of(shopper, long_text(*(code.printed for code in codes)), way)
    await scene.send([third, first])
    assert scene.stand.stored(shopper).replies == []
    await scene.send([second])
    assert await scene.stand.answers(LINK, shopper) == ["Принято: 2 кода, +20 баллов. Баланс: 20."]
    stored = scene.stand.stored(shopper)
    assert [serial for _, serial, _, _ in stored.activations] == [code.serial for code in codes]
    with closing(scene.stand.gateway.redis()) as redis:  # what had its effect is not handed on once more
        await scene.stand.gateway.until(lambda: redis.zcard(keys.parts_due()) == 0, "parts still wait")


async def test_parts_wait_on_disk_when_the_smpp_process_is_killed(scene: Scene) -> None:
    shopper, code = scene.stand.shopper(), scene.supply.next()
    first, second, third = parts_of(shopper, long_text(code.printed))
    await scene.send([second, first])
    scene.stand.gateway.kill("smpp")
    await scene.stand.gateway.until(lambda: not scene.smsc.bound, "the SMSC did not notice")
    await scene.smsc.wait_bound()
    await scene.send([third])
    assert await scene.stand.answers(LINK, shopper) == ["Код принят: +10 баллов. Баланс: 10."]
    assert [row[1] for row in scene.stand.stored(shopper).activations] == [code.serial]


@pytest.mark.parametrize("way", [by_short_header, by_long_header, by_parameters])
async def test_parts_that_come_again_are_not_answered_again(scene: Scene, way: Way) -> None:
    shopper, code = scene.stand.shopper(), scene.supply.next()
    first, second, third = parts_of(shopper, long_text(code.printed), way)
    await scene.send([first, first, second, second, third])
    assert await scene.stand.answers(LINK, shopper) == ["Код принят: +10 баллов. Баланс: 10."]
    await scene.send([third, first, second, third])
    await scene.stand.all_quiet(LINK)
    assert len(scene.smsc.sent_to(shopper.number)) == 1
    assert scene.stand.stored(shopper).balance == 10


async def test_parts_of_several_shoppers_come_mixed(scene: Scene) -> None:
    """Phones count by themselves: here all three took the same reference, each in another form of header."""
    people = [scene.stand.shopper(f"shopper {n}") for n in range(3)]
    codes = [scene.supply.next() for _ in people]
    reference = next(references)
    ways = (by_short_header, by_long_header, by_parameters)
    texts = [
        parts_of(shopper, long_text(code.printed), way, reference)
        for shopper, code, way in zip(people, codes, ways, strict=True)
    ]
    mixed = [texts[n % 3][at] for at in (1, 0, 2) for n in range(3)]
    await scene.send(mixed[:-2])  # the first is whole now, of the others one part is missing
    assert await scene.stand.answers(LINK, people[0]) == ["Код принят: +10 баллов. Баланс: 10."]
    assert [scene.stand.stored(shopper).replies for shopper in people[1:]] == [[], []]
    await scene.send(mixed[-2:])
    for shopper, code in zip(people, codes, strict=True):
        assert await scene.stand.answers(LINK, shopper) == ["Код принят: +10 баллов. Баланс: 10."]
        assert [row[1] for row in scene.stand.stored(shopper).activations] == [code.serial]


@pytest.mark.parametrize(
    ("way", "data_coding"), [(by_short_header, UCS2), (by_parameters, UCS2), (by_long_header, OWN_UCS2)]
)
async def test_what_came_of_a_text_is_read_when_its_time_is_over(
    scene: Scene, way: Way, data_coding: int
) -> None:
    shopper = scene.stand.shopper()
    codes = [scene.supply.next() for _ in range(2)]
    text = codes[0].printed.ljust(PART * 2, ".") + codes[1].printed
    first, _, third = parts_of(shopper, text, way)
    await scene.send([replace(part, data_coding=data_coding) for part in (first, third)])
    await scene.stand.all_quiet(LINK)
    assert scene.stand.stored(shopper).replies == []
    with closing(scene.stand.gateway.redis()) as redis:
        api: Any = redis
        (waiting,) = api.zrange(keys.parts_due(), 0, -1)
        api.zadd(keys.parts_due(), {waiting: time.time() - 1}, xx=True)
    assert await scene.stand.answers(LINK, shopper) == ["Принято: 2 кода, +20 баллов. Баланс: 20."]
    stored = scene.stand.stored(shopper)
    assert [serial for _, serial, _, _ in stored.activations] == [code.serial for code in codes]


async def test_a_long_text_in_one_payload(scene: Scene) -> None:
    shopper, code = scene.stand.shopper(), scene.supply.next()
    text = long_text(code.printed).encode("utf-16-be")
    delivery = Delivery(
        source=shopper.number, destination="4040", body=b"", data_coding=UCS2, tlvs=((PAYLOAD, text),)
    )
    await scene.send([delivery])
    assert await scene.stand.answers(LINK, shopper) == ["Код принят: +10 баллов. Баланс: 10."]


async def long_answer(scene: Scene, shopper: Shopper) -> list[Submitted]:
    """An answer of two parts, and its submits in order of their numbers."""
    before = len(scene.smsc.sent_to(shopper.number))
    text = f"Мой код: {scene.supply.next().printed}. Отпишите меня"
    answer = await scene.stand.exchange(LINK, shopper, text)
    assert answer.endswith(" Рассылка отключена. Мы больше не пришлём вам рекламу.")
    return sorted(scene.smsc.sent_to(shopper.number)[before:], key=lambda submit: submit.body[5])


async def test_long_answers_are_parts_with_a_reference_of_their_own(scene: Scene) -> None:
    shopper = scene.stand.shopper()
    one, other = await long_answer(scene, shopper), await long_answer(scene, shopper)
    for parts in (one, other):
        assert [(part.body[4], part.body[5]) for part in parts] == [(2, 1), (2, 2)]
        assert [part.registered_delivery for part in parts] == [1, 1]
        assert all(len(part.body) <= 140 for part in parts)
    assert one[0].body[3] != other[0].body[3]
    assert [(reply.segments, reply.attempts) for reply in scene.stand.stored(shopper).replies] == [
        (2, 1),
        (2, 1),
    ]


# Receipts


def receipt_text(message_id: str, state: str = "DELIVRD", error: str = "000") -> bytes:
    """As appendix B of SMPP 3.4 has it."""
    return (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611220101 done date:2611220102 "
        f"stat:{state} err:{error} text:Code accepted"
    ).encode()


def receipt(shopper: Shopper, body: bytes, *tlvs: tuple[int, bytes]) -> Delivery:
    """A delivery receipt from a shopper's phone."""
    return Delivery(source=shopper.number, destination="4040", body=body, esm_class=RECEIPT, tlvs=tlvs)


async def until_state(scene: Scene, shopper: Shopper, state: str, error: str | None = None) -> None:
    """Wait until the shopper's only answer is in this state."""

    def there() -> bool:
        return [(r.state, r.error) for r in scene.stand.stored(shopper).replies] == [(state, error)]

    await scene.stand.gateway.until(there, f"no answer is {state}", timeout_s=20)


async def test_receipts_end_their_answer(scene: Scene) -> None:
    people = [scene.stand.shopper(f"shopper {n}") for n in range(3)]
    for shopper in people:
        await scene.stand.exchange(LINK, shopper, scene.supply.next().printed)
    ids = [scene.smsc.sent_to(shopper.number)[0].message_id for shopper in people]
    by_text, by_tlv, failed = people
    await scene.send(
        [
            receipt(by_text, receipt_text(ids[0])),
            receipt(by_tlv, b"", (RECEIPTED_ID, ids[1].encode() + b"\0"), (MESSAGE_STATE, b"\2")),
            receipt(failed, receipt_text(ids[2], "UNDELIV", "027")),
        ]
    )
    await until_state(scene, by_text, "delivered")
    await until_state(scene, by_tlv, "delivered")
    await until_state(scene, failed, "failed", "UNDELIV 027")
    assert [len(scene.smsc.sent_to(shopper.number)) for shopper in people] == [1, 1, 1]


async def test_a_receipt_that_comes_before_the_response_is_kept_for_it(scene: Scene) -> None:
    shopper, code = scene.stand.shopper(), scene.supply.next()
    scene.smsc.behave(Behaviour(answer_delay_s=1.0))
    assert await scene.stand.text(LINK, shopper, code.printed) == 0
    await scene.smsc.wait_submitted(lambda _: bool(scene.smsc.sent_to(shopper.number)))
    scene.smsc.behave(Behaviour())
    await scene.send([receipt(shopper, receipt_text(scene.smsc.sent_to(shopper.number)[0].message_id))])
    assert scene.stand.stored(shopper).replies[0].state == "queued"
    await until_state(scene, shopper, "delivered")


async def test_a_long_answer_is_there_when_all_its_parts_are(scene: Scene) -> None:
    shopper = scene.stand.shopper()
    scene.smsc.behave(Behaviour(out_of_order=True))
    parts = await long_answer(scene, shopper)
    scene.smsc.behave(Behaviour())
    await scene.send([receipt(shopper, receipt_text(parts[-1].message_id))] * 2)
    query = "SELECT count(*) FROM message_part WHERE state = 'delivered' AND smsc_id = :id"
    await scene.stand.gateway.until(
        lambda: scene.stand.gateway.sql(query, id=parts[-1].message_id) == [(1,)],
        "the receipt of its last part is not filed",
    )
    await until_state(scene, shopper, "accepted")
    await scene.send([receipt(shopper, receipt_text(parts[0].message_id))])
    await until_state(scene, shopper, "delivered")


async def test_a_long_answer_has_failed_when_one_part_has(scene: Scene) -> None:
    shopper = scene.stand.shopper()
    parts = await long_answer(scene, shopper)
    bodies = (receipt_text(parts[0].message_id, "EXPIRED", "034"), receipt_text(parts[1].message_id))
    await scene.send([receipt(shopper, body) for body in bodies])
    await until_state(scene, shopper, "expired", "EXPIRED 034")


async def test_receipts_of_no_answer_are_acknowledged_and_counted(scene: Scene) -> None:
    shopper = scene.stand.shopper()
    counted = {word: outcomes(scene, word) for word in ("unmatched", "unreadable")}
    await scene.send([receipt(shopper, receipt_text("no-such-id")), receipt(shopper, b"thank you")])
    stream = keys.receipts(LINK)
    with closing(scene.stand.gateway.redis()) as redis:
        api: Any = redis
        # It waits for an answer that may yet be known; what is old by now is taken as nobody's.
        ((_, fields),) = api.xrange(stream)
        api.delete(stream)
        api.xadd(stream, fields, id=f"{int(time.time() * 1000) - LONG_AGO_MS}-0")
        await scene.stand.gateway.until(lambda: not api.xlen(stream), "it still waits")
    await scene.stand.gateway.until(
        lambda: all(outcomes(scene, word) == before + 1 for word, before in counted.items()),
        "they are not counted",
    )


def outcomes(scene: Scene, word: str) -> float:
    """How many receipts came to this."""
    return scene.stand.counted("undercap_receipt_outcomes_total", outcome=word)
