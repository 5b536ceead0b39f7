"""Receipts whose ids are in another form than the responses': matched where that is sure, and only there."""

from __future__ import annotations

from collections import Counter

import pytest

from config.settings import AnswerSettings
from gateway.domain.sms.receipt_ids import IdForm
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.usecases.settlement import drain_receipts
from gateway.usecases.settlement.draining import Drained
from tests.integration.house import ANNA, BOHDAN, LINK, House, ended

ENDED_AT = 1_700_000_000_000
WEEK_MS = 7 * 86_400_000


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
    house: House,
    smsc_id: str,
    number: str = ANNA,
    state: str = "delivered",
    *,
    after_ms: int = 500,
    error: str | None = None,
) -> None:
    """As the intake files one."""
    filed = FiledReceipt(smsc_id, state, error, ENDED_AT + after_ms, house.vault.index(number))
    await ReceiptLog(DurableRedis(house.client)).add(LINK, [filed])


def drained(house: House, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Drain, without waiting for an answer that may come; what became of the receipts."""
    monkeypatch.setattr(drain_receipts, "UNMATCHED_AFTER_MS", -1)
    passed: list[Drained] = []
    house.drain(passed=passed)
    told: Counter[str] = Counter()
    for one in passed:
        told.update(one.receipts)
    return +told


def states(house: House) -> list[str]:
    return [state for (state,) in house.rows("message", "state")]


async def test_a_form_is_learned_from_a_sure_match_and_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(house, (ANNA, "00A1B2C3"), (BOHDAN, "00A1B2C4"))
    await receipt(house, str(0xA1B2C3))

    assert drained(house, monkeypatch) == {"learned": 1}
    assert states(house) == ["delivered", "accepted"]
    assert house.redis.get(keys.receipt_form(LINK)) == b"decimal"

    await receipt(house, str(0xA1B2C4), BOHDAN, "failed")
    assert drained(house, monkeypatch) == {"learned": 1}
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
    ("setting", "told", "then"),
    [
        pytest.param("learn", {"learned": 2}, ["delivered", "accepted"], id="to be learned"),
        pytest.param("decimal", {"matched": 2}, ["delivered", "accepted"], id="set"),
        pytest.param("raw", {"matched": 2}, ["accepted", "delivered"], id="no other form"),
    ],
)
async def test_the_id_as_it_stands_is_a_strangers_by_chance(
    house: House, monkeypatch: pytest.MonkeyPatch, setting: str, told: dict[str, int], then: list[str]
) -> None:
    """Responses in hexadecimal, receipts in decimal: 100 is 0x64, and another answer is 0x100."""
    house.receipt_ids = setting
    await answered(house, (ANNA, "64"), (BOHDAN, "100"))
    await receipt(house, "100", ANNA)
    counted = drained(house, monkeypatch)
    await receipt(house, "100", ANNA)  # a second copy

    assert counted + drained(house, monkeypatch) == told
    assert states(house) == then


async def test_a_number_in_another_form_does_not_lose_the_id_as_it_stands(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(house, (ANNA, "64"))
    await receipt(house, "64", BOHDAN)

    assert drained(house, monkeypatch) == {"matched": 1}
    assert states(house) == ["delivered"]


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
    await receipt(house, "one", after_ms=WEEK_MS + 1)

    assert drained(house, monkeypatch) == {"late": 1}
    assert states(house) == ["accepted"]


async def test_how_long_receipts_count_is_a_setting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.answers = AnswerSettings(receipts_max_age_d=30)
    await answered(house, (ANNA, "one"))
    await receipt(house, "one", after_ms=WEEK_MS + 1)

    assert drained(house, monkeypatch) == {"matched": 1}


@pytest.mark.parametrize("setting", ["decimal", "learn"])
async def test_late_in_another_form(house: House, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    house.receipt_ids = setting
    house.redis.set(keys.receipt_form(LINK), IdForm.DECIMAL)
    await answered(house, (ANNA, "00A1B2C3"))
    await receipt(house, str(0xA1B2C3), after_ms=WEEK_MS + 1)

    assert drained(house, monkeypatch) == {"late": 1}
    assert states(house) == ["accepted"]


async def test_an_id_that_is_used_again_is_that_of_the_number(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(house, (ANNA, "1"), (BOHDAN, "1"))
    await receipt(house, "1", ANNA)

    assert drained(house, monkeypatch) == {"matched": 1}
    assert states(house) == ["delivered", "accepted"]


async def test_a_receipt_twice_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await answered(house, (ANNA, "one"))
    await receipt(house, "one")
    await receipt(house, "one", state="failed")

    assert drained(house, monkeypatch) == {"matched": 2}
    assert states(house) == ["delivered"]


async def test_twice_in_a_learned_form_and_behind_one_of_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second copy proves nothing, and is no stranger's either; so may a batch be looked at twice."""
    await answered(house, (ANNA, "00A1B2C3"))
    await receipt(house, str(0xA1B2C3))
    assert drained(house, monkeypatch) == {"learned": 1}
    await receipt(house, str(0xA1B2C3))

    assert drained(house, monkeypatch) == {"learned": 1}
    assert states(house) == ["delivered"]


@pytest.mark.parametrize("setting", ["learn", "zeros", "case"])
@pytest.mark.parametrize(
    ("response", "receipted"),
    [
        ("00123456789012345678901", "0123456789012345678901"),
        ("SAR-x-1eedf843-2-1", "SAR-x-1EEDF843-2-1"),
        ("00abcdef", "0ABCDEF"),
    ],
)
async def test_ids_are_compared_in_a_normal_form(
    house: House, monkeypatch: pytest.MonkeyPatch, setting: str, response: str, receipted: str
) -> None:
    house.receipt_ids = setting
    await answered(house, (ANNA, response))
    await receipt(house, receipted)

    assert drained(house, monkeypatch) == {"learned" if setting == "learn" else "matched": 1}
    assert states(house) == ["delivered"]


@pytest.mark.parametrize(
    ("account", "told", "then"),
    [(frozenset({LINK, "twin"}), {"matched": 1}, "delivered"), (frozenset(), {"unmatched": 1}, "accepted")],
    ids=["of one account", "of none"],
)
async def test_a_receipt_on_another_bind_of_the_account(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    account: frozenset[str],
    told: dict[str, int],
    then: str,
) -> None:
    await answered(house, (ANNA, "one"))
    house.accounts = {"twin": account}
    filed = FiledReceipt("one", "delivered", None, ENDED_AT + 500, house.vault.index(ANNA))
    await ReceiptLog(DurableRedis(house.client)).add("twin", [filed])

    assert drained(house, monkeypatch) == told
    assert states(house) == [then]


# Long answers


async def long_answered(house: House, *ids: str, state: str = "accepted") -> None:
    """An answer of several parts, and the SMSC's ids of them; "" where it refused one."""
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code, ANNA)
    house.drain()
    (waiting,) = await house.send_queue().take(1, 10)
    outcome = ended(waiting, state, smsc_id=ids[-1] or None, error=None if state == "accepted" else "0xb")
    await house.send_queue().file([outcome._replace(parts=ids)])
    house.drain()


@pytest.mark.parametrize(
    ("what", "told", "expected"),
    [
        ("some parts", [("a", "delivered"), ("c", "delivered")], ("accepted", None)),
        ("all parts", [("b", "delivered"), ("c", "delivered"), ("a", "delivered")], ("delivered", None)),
        ("one part twice", [("a", "delivered"), ("a", "delivered"), ("b", "delivered")], ("accepted", None)),
        ("one failed", [("a", "delivered"), ("b", "failed"), ("c", "delivered")], ("failed", "UNDELIV 27")),
        ("one expired", [("c", "expired")], ("expired", "UNDELIV 27")),
        ("failed, then said to be there", [("a", "failed"), ("a", "delivered")], ("failed", "UNDELIV 27")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
async def test_a_long_answer_is_there_when_all_its_parts_are(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    told: list[tuple[str, str]],
    expected: tuple[str, str | None],
    at_once: bool,
) -> None:
    del what
    await long_answered(house, "a", "b", "c")
    counted: Counter[str] = Counter()
    for id_, state in told:
        await receipt(house, id_, state=state, error=None if state == "delivered" else "UNDELIV 27")
        if not at_once:
            counted += drained(house, monkeypatch)
    counted += drained(house, monkeypatch)

    assert counted == {"matched": len(told)}
    assert house.rows("message", "state", "error") == [expected]


async def test_a_receipt_of_a_part_before_the_response(house: House) -> None:
    await receipt(house, "a")
    await long_answered(house, "a", "b")
    await receipt(house, "b")
    house.drain()

    assert states(house) == ["delivered"]


async def test_parts_of_an_answer_that_failed_keep_their_receipts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await long_answered(house, "a", "", state="failed")
    await receipt(house, "a")

    assert drained(house, monkeypatch) == {"matched": 1}
    assert house.rows("message", "state", "error") == [("failed", "0xb")]
    assert house.rows("message_part", "part", "smsc_id", "state") == [(1, "a", "delivered")]


async def test_a_part_proves_a_form(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await long_answered(house, "00A1B2C3", "00A1B2C4")
    await receipt(house, str(0xA1B2C3))
    await receipt(house, str(0xA1B2C4))

    assert drained(house, monkeypatch) == {"learned": 2}
    assert states(house) == ["delivered"]


async def test_when_the_smsc_took_it_stays_known(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await answered(house, (ANNA, "one"))
    await receipt(house, "one")
    drained(house, monkeypatch)

    assert house.rows("message", "accepted_at", "ended_at") == [(ENDED_AT, ENDED_AT + 500)]


async def test_a_long_answer_is_there_with_the_last_of_its_parts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await long_answered(house, "a", "b", "c")
    for after_ms, id_ in enumerate(("a", "b", "c"), 1):
        await receipt(house, id_, after_ms=after_ms * 1000)
    drained(house, monkeypatch)

    assert house.rows("message", "state", "ended_at") == [("delivered", ENDED_AT + 3000)]
