"""Receipts whose ids are in another form than the responses': matched where that is sure, and only there."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.domain.receipt_ids import IdForm
from gateway.store import keys
from gateway.store.durable import DurableRedis
from gateway.store.receipts import FiledReceipt, ReceiptLog
from gateway.usecases import drain as drain_module
from gateway.usecases.drain import Drained
from gateway.usecases.match_receipts import KEPT_MS
from tests.integration.core.house import ANNA, BOHDAN, LINK, House, ended

ENDED_AT = 1_700_000_000_000


async def answered(house: House, *people: tuple[str, str]) -> None:
    """Answers that the SMSC has taken: number, and the id that it gave."""
    if not house.catalog.firms:
        house.firm()
    codes = house.codes(house.campaign(), len(people))
    queue = house.send_queue()
    for (number, smsc_id), code in zip(people, codes, strict=True):
        await house.text(code, number)
        house.drain()
        (waiting,) = await queue.take(1, 10)
        await queue.file([ended(waiting, smsc_id=smsc_id)])
    house.drain()


async def receipt(
    house: House, smsc_id: str, number: str = ANNA, state: str = "delivered", *, after_ms: int = 500
) -> None:
    """As the intake files one."""
    filed = FiledReceipt(smsc_id, state, None, ENDED_AT + after_ms, house.vault.index(number))
    await ReceiptLog(DurableRedis(house.client)).add(LINK, [filed])


def drained(house: House, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Drain, without waiting for an answer that may come; what became of the receipts."""
    monkeypatch.setattr(drain_module, "UNMATCHED_AFTER_MS", -1)
    passed: list[Drained] = []
    house.drain(passed=passed)
    told: Counter[str] = Counter()
    for one in passed:
        told.update(one.unmatched)
        told["matched"] += one.receipts
    return +told


def states(house: House) -> list[str]:
    return [state for (state,) in house.rows("message", "state")]


async def test_a_form_is_learned_from_a_sure_match_and_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(house, (ANNA, "00A1B2C3"), (BOHDAN, "00A1B2C4"))
    await receipt(house, str(0xA1B2C3))

    assert drained(house, monkeypatch) == {"matched": 1}
    assert states(house) == ["delivered", "accepted"]
    assert house.redis.get(keys.receipt_form(LINK)) == b"decimal"

    await receipt(house, str(0xA1B2C4), BOHDAN, "failed")
    assert drained(house, monkeypatch) == {"matched": 1}
    assert states(house) == ["delivered", "failed"]


async def test_once_a_form_is_learned_no_other_is_tried(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(house, (ANNA, "abcdef"))
    house.redis.set(keys.receipt_form(LINK), IdForm.DECIMAL)
    await receipt(house, "ABCDEF")

    assert drained(house, monkeypatch) == {"unmatched": 1}


async def test_another_form_never_matches_a_strangers_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(house, (ANNA, "00A1B2C3"))
    await receipt(house, str(0xA1B2C3), BOHDAN)

    assert drained(house, monkeypatch) == {"unmatched": 1}
    assert states(house) == ["accepted"]
    assert house.redis.get(keys.receipt_form(LINK)) is None


async def test_two_answers_that_fit_are_ambiguous(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # 10 in hexadecimal is a; with other zeros it is 0010.
    await answered(house, (ANNA, "a"), (ANNA, "00000010"))
    await receipt(house, "10")

    assert drained(house, monkeypatch) == {"ambiguous": 1}
    assert states(house) == ["accepted", "accepted"]


async def test_the_id_as_it_stands_goes_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await answered(house, (ANNA, "a"), (ANNA, "10"))
    await receipt(house, "10")

    assert drained(house, monkeypatch) == {"matched": 1}
    assert states(house) == ["accepted", "delivered"]
    assert house.redis.get(keys.receipt_form(LINK)) is None


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        pytest.param("raw", {"unmatched": 1}, id="no other form"),
        pytest.param("zeros", {"unmatched": 1}, id="a form that does not fit"),
        pytest.param("decimal", {"matched": 1}, id="the form that fits, whoever it is from"),
    ],
)
async def test_the_links_setting(
    house: House, monkeypatch: pytest.MonkeyPatch, setting: str, told: dict[str, int]
) -> None:
    house.receipt_ids = setting
    await answered(house, (ANNA, "00A1B2C3"))
    await receipt(house, str(0xA1B2C3), BOHDAN)

    assert drained(house, monkeypatch) == told
    assert house.redis.get(keys.receipt_form(LINK)) is None


async def test_a_receipt_after_a_week_is_late(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await answered(house, (ANNA, "one"))
    await receipt(house, "one", after_ms=KEPT_MS + 1)

    assert drained(house, monkeypatch) == {"late": 1}
    assert states(house) == ["accepted"]


async def test_a_receipt_twice_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await answered(house, (ANNA, "one"))
    await receipt(house, "one")
    await receipt(house, "one", state="failed")

    assert drained(house, monkeypatch) == {"matched": 2}
    assert states(house) == ["delivered"]
